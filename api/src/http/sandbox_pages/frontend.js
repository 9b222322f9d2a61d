// Stands in for the front end that mails link to: proves an address, sets another password, or says how to ask for the thing.

import { ask, copyButton, find, make } from "./sandbox.js";

const VERIFY = `mutation($input: AccountVerifyInput!) {
  accountVerify(input: $input) { user { displayName } userErrors { message } }
}`;
const RESET = `mutation($input: PasswordResetCompleteInput!) {
  passwordResetComplete(input: $input) { user { displayName } userErrors { message } }
}`;
const KINDS = { proposals: "Proposal", contracts: "Contract", milestones: "Milestone", payments: "Payment" };

const stage = find("#stage");
const say = (text) => make("p", { textContent: text });

/** Asks for a click first: whoever only previews a link must not use up its token. */
function verification(token) {
  const button = make("button", { type: "button", textContent: "Prove this address" });
  const outcome = make("div");
  button.addEventListener("click", async () => {
    button.disabled = true;
    try {
      const answer = await ask("/graphql", { query: VERIFY, variables: { input: { token } } });
      const { user, userErrors } = answer.data.accountVerify;
      outcome.replaceChildren(say(user ? `Welcome, ${user.displayName}: the address is proven.` : userErrors[0].message));
    } catch (error) {
      button.disabled = false;
      outcome.replaceChildren(make("p", { className: "notice", textContent: error.message }));
    }
  });
  return [say("A person who opens this link proves that the mail reached them."), button, outcome];
}

/** A form for another password. Nothing is sent anywhere but to this server, and by script: the policy allows no other. */
function reset(token) {
  const field = make("input", { type: "password", name: "new-password", autocomplete: "new-password", required: true });
  const button = make("button", { textContent: "Set this password" });
  const outcome = make("div");
  const form = make("form", {}, make("label", { textContent: "New password " }, make("small", { textContent: "8 to 128 characters" }), field), button, outcome);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    button.disabled = true;
    try {
      const input = { token, newPassword: field.value };
      const answer = await ask("/graphql", { query: RESET, variables: { input } });
      if (answer.errors) throw new Error(answer.errors[0].message);
      const { user, userErrors } = answer.data.passwordResetComplete;
      if (user) field.value = "";
      // What is wrong with the password can be mended, and the link is still good.
      else button.disabled = false;
      const told = user ? `${user.displayName}: your password is set. Sign in with it; every session is over.` : userErrors[0].message;
      outcome.replaceChildren(say(told));
    } catch (error) {
      button.disabled = false;
      outcome.replaceChildren(make("p", { className: "notice", textContent: error.message }));
    }
  });
  return [say("A person who opens this link chooses another password. The link is good once, for an hour."), form];
}

function thing(kind, id) {
  const query = `{ node(id: "${id}") { ... on ${kind} { id status } } }`;
  return [
    say(`This is where people would see the ${kind.toLowerCase()}. In GraphiQL, as somebody who may see it:`),
    make("pre", { textContent: query }),
    copyButton(query),
  ];
}

const [, part, id] = location.pathname.split("/");
const token = new URLSearchParams(location.search).get("token");
if (part === "verify" && token) stage.replaceChildren(...verification(token));
else if (part === "reset" && token) stage.replaceChildren(...reset(token));
else if (KINDS[part] && /^[a-z]{3}_[0-9a-f]{32}$/.test(id ?? "")) stage.replaceChildren(...thing(KINDS[part], id));
else stage.replaceChildren(say("Mails do not link to this address."));
