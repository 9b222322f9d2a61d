// What has to hold at the end, seen from outside: by what anybody reads on the chain, by what administrators read in the API,
// and by `megilance ledger verify`.
import assert from "node:assert/strict";
import { privateKeyToAddress } from "viem/accounts";
import { until } from "./client.mjs";
import { micro } from "./outside.mjs";

const PAYMENT = "id kind status transactionHash net { amount }";

/** Makes somebody an administrator. */
export async function promote(production, story, person) {
  const { code, output } = production.run(["admin", "grant", person.email]);
  assert.equal(code, 0, output);
  await story.signInAgain(person);
  return person;
}

/** The treasury as an administrator sees it. */
export async function treasury(admin) {
  const selection = `inLedger { amount } onChain { amount } nextNonce minedNonce nonceGap heldCount outgoingPaused { reason }`;
  return (await admin.client.ask(`{ treasury { ${selection} } }`)).treasury;
}

/** All payments in some state, the deposits too. */
export async function payments(admin, status) {
  const query = `query ($status: [PaymentStatus!], $after: String) { payments(first: 100, after: $after, filter: { status: $status }) {
    nodes { ${PAYMENT} } pageInfo { hasNextPage endCursor } } }`;
  const all = [];
  for (let after = null; ; ) {
    const { payments: page } = await admin.client.ask(query, { status, after });
    all.push(...page.nodes);
    if (!page.pageInfo.hasNextPage) return all;
    after = page.pageInfo.endCursor;
  }
}

/** Payouts, the treasury's Transfer logs and its nonces belong together, one to one. Gives how many payouts there were. */
export async function eachPayoutOnce(production, usdc, admin) {
  const address = privateKeyToAddress(production.treasuryKey);
  const ended = (await payments(admin, ["COMPLETED", "FAILED"])).filter((it) => it.kind !== "DEPOSIT");
  const paid = ended.filter((it) => it.status === "COMPLETED");
  const line = (hash, amount) => `${hash} ${micro(amount)}`;
  const logs = await usdc.transfersFrom(address);
  assert.deepEqual(
    logs.map((it) => line(it.transactionHash, it.amount)).sort(),
    paid.map((it) => line(it.transactionHash, it.net.amount)).sort(),
    "each Transfer log is a complete payout, each complete payout a Transfer log",
  );
  const sent = await production.chain.sentBy(address);
  assert.deepEqual(sent.map((it) => Number(it.nonce)), sent.map((_, index) => index), "each nonce once, none left out");
  const known = new Map(ended.map((it) => [it.transactionHash, it.id]));
  for (const { hash } of sent) assert.ok(known.has(hash), `${hash} is of no payout`);
  assert.equal(new Set(sent.map(({ hash }) => known.get(hash))).size, sent.length, "a nonce for each payout");
  const count = String(sent.length);
  const { nextNonce, minedNonce, nonceGap } = await treasury(admin);
  // The counter starts with the first signature.
  assert.deepEqual([String(nextNonce ?? 0), String(minedNonce), String(nonceGap ?? 0)], [count, count, "0"]);
  return paid.length;
}

/** `megilance ledger verify` agrees, once the scanner has read what there is. */
export async function booksAreRight(production, { seconds = 120 } = {}) {
  let said;
  const right = () => (said = production.run(["ledger", "verify"])).code === 0;
  await until("the books to agree with the chain", right, { seconds, every: 1000 }).catch((error) => {
    throw new Error(`${error.message}: ${said.output}`);
  });
  return said.output;
}

/**
 * Waits until a job looked at a payment after a moment of this machine's clock, from its beginning to its end.
 * @param queue which kind of look
 */
export function lookedAfter(person, id, queue, moment, { seconds = 120 } = {}) {
  const query = "query ($id: ID!) { payment(id: $id) { jobs(first: 5) { nodes { queue startedAt finishedAt } } } }";
  return until(`a look (${queue}) at ${id}`, async () => {
    const { nodes } = (await person.client.ask(query, { id })).payment.jobs;
    return nodes.some((it) => it.queue === queue && it.finishedAt && Date.parse(it.startedAt) > moment);
  }, { seconds, every: 400 });
}
