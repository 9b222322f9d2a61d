// What must not work, and how the server says so: node refusals.mjs BASE_URL, against `megilance dev`. Each is a clear
// `userErrors` entry, or a payment that stays open; never a status of 500 or more, which the client would throw.
import assert from "node:assert/strict";
import { randomBytes, randomUUID } from "node:crypto";
import { Client, sleep } from "./client.mjs";
import { micro, newWallet, sandboxMails } from "./outside.mjs";
import { check, finish, parameters } from "./report.mjs";
import { Story } from "./story.mjs";

const [base] = parameters("BASE_URL");
const story = new Story({ base, mails: sandboxMails(base), pay, usdc: () => assert.fail("not needed") });
const MILESTONE = "milestone { status } payment { id status }";
let clara, felix, otto, olga, ours, theirs;

await check("two pairs of people agree", async () => {
  [clara, felix] = [await story.arrive("CLIENT", "Clara"), await story.arrive("FREELANCER", "Felix")];
  [otto, olga] = [await story.arrive("CLIENT", "Otto"), await story.arrive("FREELANCER", "Olga")];
  ours = await story.agree(clara, felix, ["100", "50"]);
  theirs = await story.agree(otto, olga, ["100"]);
});
const first = () => ours.milestones[0].id;

await check("somebody else's milestone is not there", async () => {
  await refused(otto, "milestoneFund", { milestoneId: first(), idempotencyKey: randomUUID() }, MILESTONE, "NOT_FOUND");
  await refused(otto, "milestoneApprove", { milestoneId: first(), idempotencyKey: randomUUID() }, MILESTONE, "NOT_FOUND");
  await refused(olga, "milestoneSubmit", { milestoneId: first(), note: "Mine." }, "milestone { id }", "NOT_FOUND");
  await refused(olga, "contractAccept", { contractId: ours.id }, "contract { id }", "NOT_FOUND");
});

await check("reading somebody else's things gives nothing", async () => {
  const { contract, node } = await otto.client.ask("query ($id: ID!) { contract(id: $id) { id } node(id: $id) { id } }", { id: ours.id });
  assert.deepEqual([contract, node], [null, null]);
  const { user } = await otto.client.ask("query ($id: ID!) { user(id: $id) { email wallets { address } unreadNotificationCount } }", { id: clara.id });
  assert.deepEqual(user, { email: null, wallets: null, unreadNotificationCount: null });
});

await check("the wrong role is told so", async () => {
  const project = {
    title: "A project of a freelancer",
    description: "Freelancers cannot post projects, and this one will find out.",
    categoryId: (await felix.client.ask("{ categories { id } }")).categories[0].id,
    budgetType: "FIXED",
    budgetMin: { amount: "1" },
    budgetMax: { amount: "2" },
    experienceLevel: "ENTRY",
  };
  await refused(felix, "projectCreate", project, "project { id }", "FORBIDDEN");
  await refused(felix, "milestoneFund", { milestoneId: first(), idempotencyKey: randomUUID() }, MILESTONE, "FORBIDDEN");
  await refused(clara, "milestoneSubmit", { milestoneId: first(), note: "Not mine to do." }, "milestone { id }", "FORBIDDEN");
});

await check("an illegal step names from and to", async () => {
  const { message } = await refused(clara, "milestoneApprove", { milestoneId: first(), idempotencyKey: randomUUID() }, MILESTONE, "ILLEGAL_STATE");
  assert.match(message, /PENDING/);
  assert.match(message, /APPROVED/);
  await refused(felix, "milestoneSubmit", { milestoneId: first(), note: "Before it is funded." }, "milestone { id }", "ILLEGAL_STATE");
  await refused(felix, "contractAccept", { contractId: ours.id }, "contract { id }", "ILLEGAL_STATE");
});

await check("a bad address, and one whose checksum is wrong", async () => {
  // An example of EIP-55's, and it with one letter of the other case. Of a random address that could leave one case alone, which is
  // an address without a checksum.
  const [right, wrong] = ["0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "0x5AAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"];
  for (const bad of ["", "0x1234", `${right}00`, wrong, "vitalik.eth"]) {
    await refused(clara, "walletLinkBegin", { address: bad }, "message", "INVALID");
  }
});

await check("a wallet message signed by another key, and somebody else's wallet", async () => {
  const [wallet, other] = [newWallet(), newWallet()];
  const { message } = await clara.client.mutate("walletLinkBegin", { address: wallet.address }, "message");
  const signature = await other.signMessage({ message });
  await refused(clara, "walletLinkComplete", { message, signature }, "wallet { id }", "INVALID");
  await refused(clara, "walletLinkBegin", { address: felix.wallet.address }, "message", "TAKEN");
});

await check("ids of another kind, or of none", async () => {
  for (const milestoneId of [ours.id, "mil_", "1", "'; DROP TABLE payments; --"]) {
    await refused(clara, "milestoneFund", { milestoneId, idempotencyKey: randomUUID() }, MILESTONE, "INVALID_ID");
  }
});

let payment;
const key = randomUUID();
await check("a deposit of the wrong amount stays open and says what came; the rest completes it", async () => {
  payment = (await clara.client.mutate("milestoneFund", { milestoneId: first(), idempotencyKey: key }, "payment { id status }")).payment;
  await pay({ id: payment.id, amount: "99.5" });
  const seen = await settled(clara, payment.id, (it) => it.transfers.length > 0);
  assert.deepEqual([seen.status, micro(seen.received.amount)], ["AWAITING_FUNDS", micro("99.5")]);
  await sleep(5000);
  assert.equal((await story.payment(clara, payment.id)).status, "AWAITING_FUNDS", "however many blocks go by");
  await pay({ id: payment.id, amount: "0.5" });
  const done = await settled(clara, payment.id, (it) => it.status === "COMPLETED");
  assert.equal(micro(done.received.amount), micro("100"));
});

await check("an idempotency key used for other input", async () => {
  await refused(clara, "milestoneFund", { milestoneId: ours.milestones[1].id, idempotencyKey: key }, MILESTONE, "CONFLICT");
  await refused(clara, "milestoneFund", { milestoneId: ours.milestones[1].id, idempotencyKey: "not a uuid" }, MILESTONE, "INVALID");
});

await check("the hash of somebody else's transaction credits nobody but its sender", async () => {
  const mine = (await clara.client.mutate("milestoneFund", { milestoneId: ours.milestones[1].id, idempotencyKey: randomUUID() }, "payment { id }")).payment;
  const his = (await otto.client.mutate("milestoneFund", { milestoneId: theirs.milestones[0].id, idempotencyKey: randomUUID() }, "payment { id }")).payment;
  const { transactionHash } = await pay({ id: his.id });
  await clara.client.mutate("paymentReportTransaction", { paymentId: mine.id, transactionHash }, "payment { id }");
  await settled(otto, his.id, (it) => it.status === "COMPLETED");
  const open = await story.payment(clara, mine.id);
  assert.deepEqual([open.status, micro(open.received.amount), open.transfers], ["AWAITING_FUNDS", 0n, []]);

  const report = (transactionHash) => ["paymentReportTransaction", { paymentId: mine.id, transactionHash }, "payment { status }"];
  await refused(clara, ...report("0x1234"), "INVALID");
  await refused(otto, ...report(transactionHash), "NOT_FOUND");
  const nothing = await clara.client.mutate(...report(`0x${randomBytes(32).toString("hex")}`));
  assert.equal(nothing.payment.status, "AWAITING_FUNDS");
});

await check("without a token, or with a forged one, nothing changes", async () => {
  for (const token of [undefined, "forged.token.here"]) {
    const nobody = new Client(base);
    nobody.token = token;
    const { status, body } = await nobody.post({
      query: "mutation ($input: MilestoneFundInput!) { milestoneFund(input: $input) { userErrors { code } } }",
      variables: { input: { milestoneId: first(), idempotencyKey: randomUUID() } },
    });
    assert.ok(status < 500, `${status}`);
    assert.match(JSON.stringify(body), /UNAUTHENTICATED/);
  }
});

finish();

/** Expects one refusal with that code, and nothing changed in the payload; gives the error. */
async function refused(person, name, input, selection, code) {
  const { userErrors, ...rest } = await person.client.attempt(name, input, selection);
  assert.deepEqual(userErrors.map((it) => it.code), [code], `${name} ${JSON.stringify(input)}: ${JSON.stringify(userErrors)}`);
  assert.ok(userErrors[0].message.length > 10, "it says why in words");
  assert.ok(Object.values(rest).every((it) => it === null), JSON.stringify(rest));
  return userErrors[0];
}

async function settled(person, id, wanted) {
  const query = `subscription ($id: ID!) { paymentUpdated(paymentId: $id) { status received { amount } transfers { transactionHash } } }`;
  const { paymentUpdated } = await person.client.watch(query, { id }, (data) => wanted(data.paymentUpdated), { seconds: 30 });
  return paymentUpdated;
}

async function pay({ id, amount }) {
  const response = await fetch(new URL("/sandbox/wallet/pay", base), {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ paymentId: id, amount }),
  });
  const text = await response.text();
  assert.ok(response.ok, text);
  return JSON.parse(text);
}
