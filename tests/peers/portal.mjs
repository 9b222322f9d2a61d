// The portals at work: node portal.mjs BASE_URL, against `megilance dev`. Their screens are portal/src, compiled with the
// types that graphql-codegen made of schema.graphql; here the demo people go through them, from a project to its payout.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { buildSchema, OperationTypeNode, parse } from "graphql";
import { Client, until } from "./client.mjs";
import { check, finish, parameters } from "./report.mjs";

const [base] = parameters("BASE_URL");
const built = new URL("../../target/peers/portal/js/", import.meta.url);
const screens = (name) => import(new URL(`tests/peers/portal/src/${name}.js`, built).href);
const [{ Api }, client, freelancer, admin] = await Promise.all(["api", "client", "freelancer", "admin"].map(screens));
const documents = await import(new URL("target/peers/portal/gql/graphql.js", built).href);

const schema = buildSchema(readFileSync(new URL("../../schema.graphql", import.meta.url), "utf8"));

const signIn = async (email) => {
  const { session } = await new Client(base).mutate("sessionCreate", { email, password: "otter-lantern-42" }, "session { accessToken }");
  return new Api(base, session.accessToken);
};
const [clara, felix, ada] = await Promise.all(["client", "freelancer", "admin"].map((it) => signIn(`${it}@demo.example`)));
let project, contract, milestone, payout, someone;

await check("the client posts a project and finds it on page after page of theirs", async () => {
  project = await client.post(clara, "A website for a bakery", "Five pages, a map, and the opening hours that somebody can change.");
  const mine = await client.projects(clara);
  assert.ok(mine.length > 2, "more than one page");
  assert.equal(new Set(mine.map((it) => it.id)).size, mine.length);
  assert.equal(mine.find((it) => it.id === project.id).atMost, 250_500_000n);
});

await check("the freelancer finds it on the board, there and back again", async () => {
  const first = await freelancer.board(felix, {});
  assert.equal(first.rows[0].id, project.id, "the newest is first");
  const second = await freelancer.board(felix, { after: first.endCursor });
  const back = await freelancer.board(felix, { before: second.startCursor });
  assert.deepEqual(back.rows, first.rows);
  assert.equal(await freelancer.quote(felix, "200"), "200.00 USDC less 20.00 USDC is 180.00 USDC");
});

await check("a bid, an offer, a contract", async () => {
  const bid = await freelancer.bid(felix, project.id, "I have built four websites for bakeries, and I like bread.");
  const { proposals } = await client.project(clara, project.id);
  assert.deepEqual(proposals.map((it) => [it.id, it.status]), [[bid.id, "SUBMITTED"]]);
  const offer = await client.accept(clara, bid.id, "The website, as it was described.");
  contract = await freelancer.take(felix, offer.id);
  assert.equal(contract.status, "ACTIVE");
  assert.ok((await freelancer.proposals(felix)).some((it) => it.id === bid.id && it.status === "ACCEPTED"));
  const page = await client.contract(clara, contract.id);
  assert.equal(page.planned, page.agreed);
  milestone = page.milestones[0];
});

await check("a milestone is funded, handed in and approved", async () => {
  const deposit = await client.fund(clara, milestone.id, randomUUID());
  assert.match(deposit.address, /^0x/);
  const paid = await fetch(new URL("/sandbox/wallet/pay", base), {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ paymentId: deposit.id }),
  });
  assert.ok(paid.ok, await paid.text());
  const state = await until("the deposit", async () => {
    const state = await client.depositState(clara, deposit.id);
    return state.status === "COMPLETED" && state;
  }, { seconds: 60 });
  assert.equal(state.received, state.asked);
  assert.equal((await freelancer.submit(felix, milestone.id, "The first two pages.")).status, "SUBMITTED");
  payout = await client.approve(clara, milestone.id, randomUUID());
  assert.equal(payout.difference, 0n);
});

await check("the freelancer's account and page", async () => {
  const { lines, balance } = await freelancer.statement(felix);
  assert.ok(lines.some((it) => it.payment?.id === payout.id));
  assert.ok(balance <= 0n, "what is owed is negative");
  assert.ok((await freelancer.profile(felix)).wallets.some((it) => it.isPayout));
});

await check("the administrator sees people, queues and the payment", async () => {
  const { queues } = await admin.queues(ada);
  assert.ok(queues.length > 3);
  const people = await admin.people(ada);
  assert.ok(people.every((it) => it.email.includes("@")));
  const me = await admin.person(ada, people[0].id);
  assert.equal(me.email, people[0].email);
  someone = people[0].id;
  assert.equal((await admin.payment(ada, payout.id)).kind, "RELEASE");
});

await check("the administrator's sums agree, and somebody is kept out for a moment", async () => {
  const { rows, gross, fees } = await admin.paid(ada, "RELEASE");
  assert.ok(rows.length > 0);
  assert.equal(gross, fees * 10n);
  // A month of the clock that the sandbox may have moved.
  const now = Date.parse(rows[0].createdAt);
  const day = (days) => new Date(now + days * 86_400_000).toISOString();
  const figures = await admin.analytics(ada, day(-29), day(1));
  assert.equal(figures.fees, figures.feesByDay);
  const designer = (await admin.people(ada)).find((it) => it.email.startsWith("designer"));
  const { since, after } = await admin.suspendAndRestore(ada, designer?.id ?? someone, "Only to see that it works.");
  assert.ok(since && after === null);
});

await check("every query of every portal is answered, with whole pages", async () => {
  const queries = Object.entries(documents).filter(([name, it]) => name.endsWith("Document") && operation(it).operation === OperationTypeNode.QUERY);
  assert.ok(queries.length > 20, `${queries.length}`);
  const ids = { project: project.id, contract: contract.id, payment: payout.id, user: someone };
  const inputs = {
    quote: { amount: { amount: "5" } },
    analytics: { from: "2026-01-01T00:00:00Z", to: "2026-02-01T00:00:00Z", interval: "WEEK" },
  };
  for (const [name, document] of queries) {
    const { variableDefinitions, selectionSet } = operation(document);
    const root = selectionSet.selections[0].name.value;
    const values = { first: 50, last: null, id: ids[root] ?? project.id, ids: Object.values(ids), input: inputs[root], unreadOnly: false };
    const taken = variableDefinitions.map(({ variable }) => variable.name.value).filter((it) => it in values);
    const variables = Object.fromEntries(taken.map((it) => [it, values[it]]));
    // For a few kinds there is nothing to ask for; then the server says that the id is of another kind.
    await ada.ask(document, variables).catch((error) => assert.match(error.message, /"INVALID_ID"/, `${name}: ${error.message}`));
  }
});

const asked = new Set(Object.entries(documents).filter(([name]) => name.endsWith("Document")).flatMap(([, it]) => operation(it).selectionSet.selections.map(({ name }) => name.value)));
const fields = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()].flatMap((type) => Object.keys(type.getFields()));
console.log(`on no screen yet: ${fields.filter((it) => !asked.has(it)).join(", ") || "nothing"}`);

finish();

function operation(document) {
  return parse(document.toString()).definitions.find((it) => it.kind === "OperationDefinition");
}
