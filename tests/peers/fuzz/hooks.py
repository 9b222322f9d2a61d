"""What schemathesis has to know of megilance to get past its front door, and what it must never get back.

Read by `st fuzz` as SCHEMATHESIS_HOOKS=hooks. The environment says where the server is (FUZZ_BASE), who asks (FUZZ_EMAIL,
FUZZ_PASSWORD; nobody when left out), who can help (FUZZ_ADMIN, with the same password), what ids there are by type (FUZZ_SEEDS, a JSON file) and where the counts go (FUZZ_COUNTS).

Documents made at random are refused: a page of two billion rows, `first` together with `last`, an amount of 10^300, an id of
another kind. So arguments are mended here most of the time, and left as they were now and then.
"""

import atexit
import json
import os
import random
import threading
import time
import uuid
import zlib
from collections import Counter

import graphql
import requests
import schemathesis
from hypothesis import strategies as st
from schemathesis.engine.fuzz import _executor
from schemathesis.graphql import nodes

BASE = os.environ["FUZZ_BASE"]
EMAIL = os.environ.get("FUZZ_EMAIL")
PASSWORD = os.environ.get("FUZZ_PASSWORD")
COUNTS = os.environ["FUZZ_COUNTS"]
with open(os.environ["FUZZ_SEEDS"], encoding="utf-8") as file:
    SEEDS: dict[str, list[str]] = json.load(file)
ALL_IDS = [id_ for ids in SEEDS.values() for id_ in ids]

# Scalars of the schema. Amounts are strings; the server has to take any string.
AMOUNTS = st.one_of(
    st.decimals(min_value=0, max_value=2000, places=2).map(str),
    st.sampled_from(["1", "100", "12.50", "0.000001", "1000000", "1e3", "-1", "", "NaN", "Infinity", "9" * 40, "0.0000001", "१२"]),
)
schemathesis.graphql.scalar("Decimal", AMOUNTS.map(nodes.String))
schemathesis.graphql.scalar("BigInt", st.integers(-(2**130), 2**130).map(str).map(nodes.String))
schemathesis.graphql.scalar(
    "DateTime",
    st.one_of(
        st.datetimes().map(lambda at: at.isoformat() + "Z"),
        st.sampled_from(["2026-12-24T00:00:00Z", "2027-06-01T12:00:00+05:30", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z"]),
    ).map(nodes.String),
)

WORDS = "Somebody who knows gardens will find that this one was laid out with care, and that the path is new. "
# What a String of that name should look like to be taken; anything else gets words.
TEXTS = {
    "email": ["client@demo.example", "new@example.com", "NOBODY@example.com", "a@b"],
    "password": ["otter-lantern-42", "a long walk over the hills", "short"],
    "address": ["0xd8dA6BF26964aF9D7eEd9e03E53415D37aA96045", "0x0000000000000000000000000000000000000000"],
    "transactionHash": ["0x" + "ab" * 32, "0x1234"],
    "signature": ["0x" + "11" * 65],
    "contentType": ["image/png", "application/pdf", "text/plain"],
    "filename": ["me.png", "notes.txt", "../../etc/passwd", "a\u202etxt.exe"],
    "timeZone": ["Europe/Berlin", "Mars/Olympus"],
    "token": ["not-a-token"],
    "queue": ["payout-track", "mail-send", "no-such-queue"],
}
# The same, for a document that is to work.
PLAUSIBLE = {
    "email": lambda: nodes.String(DICE.choice(["client@demo.example", "freelancer@demo.example"])),
    "newEmail": lambda: nodes.String(f"{DICE.getrandbits(64):x}@example.com"),
    "password": lambda: nodes.String(PASSWORD or "otter-lantern-42"),
    "budgetMin": lambda: nodes.String("50"),
    "budgetMax": lambda: nodes.String("500"),
    "displayName": lambda: nodes.String(DICE.choice(["Ada", "Zoë 🦦"])),
    "title": lambda: nodes.String(DICE.choice(["A garden", "Ein Garten für alle", "سياج"]) + " and a path"),
    "byteSize": lambda: nodes.Int(DICE.choice([1, 70, 5000])),
}
PAGING = {"first", "last", "after", "before"}


# Values that are mended need not be drawn by Hypothesis: nothing is shrunk here.
DICE = random.SystemRandom()


class Variety:
    """Which root field is asked for next.

    For its first fifty scenarios Hypothesis draws nothing but the simplest choice after the first, which would be the same
    root field time and again. What is simplest depends on what was asked for before, here.
    """

    def __init__(self):
        self.salt = 0
        self.draw_operation = _executor._draw_operation
        _executor._draw_operation = self.next
        _executor.sampled_from = self.sampled_from

    def next(self, draw, ctx, *, last_step, **rest):
        self.salt = zlib.crc32(f"{self.salt} {last_step[0].label}".encode()) if last_step else 0
        return self.draw_operation(draw, ctx, last_step=last_step, **rest)

    def sampled_from(self, items):
        return st.integers(0, len(items) - 1).map(lambda drawn: items[(drawn + self.salt) % len(items)])


Variety()


@schemathesis.hook
def flatmap_body(context, body):
    """Mends the document that was made."""
    if not isinstance(body, graphql.DocumentNode):
        return st.just(body)
    return st.just(body).map(Mender(context.operation.schema.client_schema).document)


class Mender:
    """Rewrites the arguments of one document."""

    def __init__(self, schema):
        self.schema = schema
        # Two in three are to work as far as their shape goes; of the others, every part is mended by chance.
        self.plausible = DICE.random() < 0.66

    def chance(self, share):
        return self.plausible or DICE.random() < share

    def document(self, document):
        operation = document.definitions[0]
        mutation = operation.operation is graphql.OperationType.MUTATION
        root = self.schema.mutation_type if mutation else self.schema.query_type
        selections = self.selections(operation.selection_set, root)
        if mutation:
            selections = graphql.SelectionSetNode(selections=tuple(with_user_errors(field) for field in selections.selections))
        operation = graphql.OperationDefinitionNode(
            operation=operation.operation, name=operation.name, variable_definitions=(), directives=(), selection_set=selections
        )
        return graphql.DocumentNode(definitions=(operation, *document.definitions[1:]))

    def selections(self, selection_set, parent):
        return graphql.SelectionSetNode(selections=tuple(self.selection(it, parent) for it in selection_set.selections))

    def selection(self, selection, parent):
        if isinstance(selection, graphql.InlineFragmentNode):
            inner = self.schema.type_map[selection.type_condition.name.value] if selection.type_condition else parent
            return graphql.InlineFragmentNode(
                type_condition=selection.type_condition, directives=(), selection_set=self.selections(selection.selection_set, inner)
            )
        if not isinstance(selection, graphql.FieldNode) or selection.name.value not in getattr(parent, "fields", {}):
            return selection
        field = parent.fields[selection.name.value]
        target = graphql.get_named_type(field.type)
        arguments = [self.argument(it, field, target) for it in selection.arguments or ()]
        if PAGING <= set(field.args) and self.chance(0.95):
            arguments = self.page(arguments)
        inner = self.selections(selection.selection_set, target) if selection.selection_set else None
        if inner and "id" in getattr(target, "fields", {}):
            # What has an id can be asked for again: schemathesis keeps those that it sees.
            inner = with_fields(inner, "id")
        return graphql.FieldNode(
            alias=selection.alias, name=selection.name, arguments=tuple(arguments), directives=(), selection_set=inner
        )

    def page(self, arguments):
        """A small page, mostly from the front."""
        which = "first" if DICE.random() < 0.85 else "last"
        size = graphql.ArgumentNode(name=graphql.NameNode(value=which), value=nodes.Int(DICE.choice([1, 2, 3, 5])))
        return [size, *(it for it in arguments if it.name.value not in PAGING)]

    def argument(self, argument, field, target):
        type_ = field.args[argument.name.value].type
        return graphql.ArgumentNode(name=argument.name, value=self.value(argument.value, type_, argument.name.value, target))

    def value(self, value, type_, name, target=None):
        if isinstance(type_, graphql.GraphQLNonNull):
            return self.value(value, type_.of_type, name, target)
        if isinstance(type_, graphql.GraphQLList) and isinstance(value, graphql.ListValueNode):
            return graphql.ListValueNode(values=tuple(self.value(it, type_.of_type, name, target) for it in value.values[:5]))
        if isinstance(type_, graphql.GraphQLInputObjectType) and isinstance(value, graphql.ObjectValueNode):
            # The plans of a proposal have to add up: mostly there is none.
            kept = [it for it in value.fields if not (it.name.value == "milestones" and DICE.random() < 0.7)]
            return graphql.ObjectValueNode(
                fields=tuple(
                    graphql.ObjectFieldNode(
                        name=it.name, value=self.value(it.value, type_.fields[it.name.value].type, self.name_in(type_, it.name.value, name))
                    )
                    for it in kept
                )
            )
        if isinstance(type_, graphql.GraphQLScalarType):
            return self.scalar(value, type_.name, name, target)
        if isinstance(type_, graphql.GraphQLEnumType) and name == "direction" and self.chance(0.5):
            return graphql.EnumValueNode(value="DESC")
        return value

    def name_in(self, type_, name, outer):
        """Money is called by what it is for; an address that registers is a new one."""
        if type_.name == "MoneyInput":
            return outer
        return "newEmail" if type_.name == "AccountRegisterInput" and name == "email" else name

    def scalar(self, value, scalar, name, target):
        if isinstance(value, graphql.NullValueNode):
            return value
        if name == "newPassword":
            # Never another one: nobody here could sign in with it.
            return nodes.String(DICE.choice([PASSWORD or "otter-lantern-42", "short"]))
        if self.plausible and name in PLAUSIBLE:
            return PLAUSIBLE[name]()
        if self.plausible and scalar == "Decimal":
            return nodes.String(DICE.choice(["20", "75.5", "100", "120.000001"]))
        if self.plausible and scalar == "DateTime":
            return nodes.String(DICE.choice(["2027-03-01T00:00:00Z", "2027-06-01T12:00:00+05:30"]))
        if scalar == "ID" and self.chance(0.9):
            if name == "idempotencyKey":
                return nodes.String(str(uuid.UUID(int=DICE.getrandbits(128), version=4)))
            return nodes.String(DICE.choice(self.ids(name, target)))
        if scalar == "String" and self.chance(0.8):
            known = TEXTS.get(name)
            return nodes.String(DICE.choice(known) if known else self.words(value))
        if scalar == "Int" and self.chance(0.8):
            return nodes.Int(DICE.choice([1, 2, 3, 4, 5] if self.plausible else [0, 1, 2, 3, 5, 8, 40, 1000, -1]))
        return value

    def words(self, value):
        """What was made, and enough words after it for the fields that want some."""
        made = value.value if isinstance(value, graphql.StringValueNode) else ""
        if not self.chance(0.7):
            return WORDS[: DICE.randrange(1, 60)].strip()
        return (made[:40] + " " + WORDS * 3)[: DICE.choice([40, 90, 140, 280])].strip()

    def ids(self, name, target):
        """Ids of what the argument's name says, or the field's type, or of anything."""
        if name in ("id", "ids"):
            kinds = [target.name] if target is not None else []
        else:
            stem = name.removesuffix("Ids").removesuffix("Id").lower()
            people = {"client", "freelancer", "payee", "payer", "member", "person", "author"}
            kinds = ["User"] if stem in people else [kind for kind in SEEDS if kind.lower() == stem or kind.lower().endswith(stem)]
        found = [id_ for kind in kinds for id_ in SEEDS.get(kind, [])]
        return found if found and self.chance(0.95) else ALL_IDS


def with_user_errors(field):
    """Every payload says why not, so that it can be counted."""
    selection_set = with_fields(field.selection_set, "userErrors { code }")
    return graphql.FieldNode(alias=None, name=field.name, arguments=field.arguments, directives=(), selection_set=selection_set)


def with_fields(selection_set, text):
    """A selection set that has these fields, in just this way."""
    asked = graphql.parse("{ " + text + " }").definitions[0].selection_set.selections
    names = {field.name.value for field in asked}
    kept = (it for it in selection_set.selections if not (isinstance(it, graphql.FieldNode) and it.name.value in names))
    return graphql.SelectionSetNode(selections=(*kept, *asked))


class Session:
    """Who asks. Signs in again when the session has ended: some of the mutations do that."""

    def __init__(self):
        self.lock = threading.Lock()
        self.token = None
        self.ended = EMAIL is not None

    def headers(self):
        with self.lock:
            if self.ended:
                self.token, self.ended = sign_in(EMAIL) or let_back_in(), False
            return {"Authorization": f"Bearer {self.token}"} if self.token else {}


def ask(query, input_, token=None):
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    question = {"query": query, "variables": {"input": input_}}
    while True:
        answer = requests.post(f"{BASE}/graphql", json=question, headers=headers, timeout=30)
        if answer.status_code != 429:
            return answer.json().get("data") or {}
        # Where there are limits, guesses at our password were made with schemathesis' documents.
        time.sleep(int(answer.headers.get("Retry-After", 1)))


def sign_in(email):
    query = "mutation ($input: SessionCreateInput!) { sessionCreate(input: $input) { session { accessToken } userErrors { code } } }"
    session = ask(query, {"email": email, "password": PASSWORD}).get("sessionCreate", {}).get("session")
    return session["accessToken"] if session else None


def let_back_in():
    """The administrator among us suspends people."""
    query = "mutation ($input: UserRestoreInput!) { userRestore(input: $input) { userErrors { code } } }"
    answer = ask(query, {"userId": os.environ["FUZZ_ID"]}, token=sign_in(os.environ["FUZZ_ADMIN"]))
    token = sign_in(EMAIL)
    if token is None:
        raise RuntimeError(f"{EMAIL} cannot sign in any more: {answer}")
    return token


SESSION = Session()


class Counts:
    """What came back, for the report."""

    def __init__(self):
        self.lock = threading.Lock()
        self.requests = Counter()
        self.refused = Counter()
        self.fields: dict[str, Counter] = {}
        self.faults: list[dict] = []

    def count(self, case, response):
        label = case.operation.label.split(".")[1]
        with self.lock:
            self.requests["all"] += 1
            outcome, codes = judge(response, label)
            self.requests[outcome] += 1
            field = self.fields.setdefault(label, Counter())
            field[outcome] += 1
            for code in codes:
                (field if outcome == "executed" else self.refused)[code] += 1
            if outcome == "executed" and not codes:
                field["OK"] += 1
            fault = problem(response)
            if fault is not None and len(self.faults) < 200:
                self.faults.append({"as": EMAIL, "why": fault, "document": case.body, "status": response.status_code, "answer": response.text[:2000]})
            if self.requests["all"] % 50 == 0:
                self.write()

    def write(self):
        everything = {"requests": self.requests, "refused": self.refused, "fields": self.fields, "faults": self.faults}
        with open(COUNTS + ".new", "w", encoding="utf-8") as out:
            json.dump(everything, out)
        os.replace(COUNTS + ".new", COUNTS)


SEEN = Counts()
atexit.register(SEEN.write)


def answer_of(response):
    try:
        answer = response.json()
    except ValueError:
        return None
    return answer if isinstance(answer, dict) else None


def judge(response, label):
    """Whether the resolvers ran, and the codes of what they (or the front door) said."""
    answer = answer_of(response) or {}
    codes = [(error.get("extensions") or {}).get("code", "NONE") for error in answer.get("errors") or []]
    if "data" not in answer:
        return "refused", codes[:1] or [f"HTTP {response.status_code}"]
    payload = (answer["data"] or {}).get(label)
    if isinstance(payload, dict):
        codes += [error["code"] for error in payload.get("userErrors") or []]
    return "executed", codes


def problem(response):
    """What must never come back."""
    answer = answer_of(response)
    if response.status_code >= 500:
        return f"HTTP {response.status_code}"
    if answer is None:
        return "not a JSON object"
    for error in answer.get("errors") or []:
        code = (error.get("extensions") or {}).get("code")
        if code in ("INTERNAL", "TIMEOUT"):
            return code
        if not code:
            return f"an error without a code: {error.get('message')}"
    return None


@schemathesis.hook
def before_call(context, case, kwargs):
    case.headers = {**(case.headers or {}), **SESSION.headers()}


@schemathesis.hook
def after_call(context, case, response):
    SEEN.count(case, response)
    answer = answer_of(response) or {}
    codes = {(error.get("extensions") or {}).get("code") for error in answer.get("errors") or []}
    if EMAIL is not None and "UNAUTHENTICATED" in codes:
        SESSION.ended = True


@schemathesis.check
def no_internal_error(ctx, response, case):
    """Whatever is asked, the server never fails by itself."""
    fault = problem(response)
    assert fault is None, f"{fault}: {response.text[:500]}"
