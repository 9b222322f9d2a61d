// A payout that no block takes, on anvil with the real USDC contract: scripts/with-postgres node stuck.mjs LOG_FOLDER
// It is replaced at its nonce for more gas once it has waited for five minutes; one of the two is mined, whichever, and the other never.
// Nobody waits for five minutes each day: the database is told that the bytes are so much older. STUCK=wait really waits.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { lookedAfter } from "./books.mjs";
import { sleep, until } from "./client.mjs";
import { check, finish, parameters } from "./report.mjs";
import { onProduction } from "./whole.mjs";

const [logs] = parameters("LOG_FOLDER");
const WAIT = process.env.STUCK === "wait";
/** domain/src/payment/payout/replace.rs: PATIENCE. */
const MINUTES = 5;

await onProduction(logs, { amounts: ["100", "40.5"], seconds: 180 }, async ({ production, usdc, story, client, freelancer, milestones }) => {
  const { chain } = production;
  const hashOf = async (payment) => (await story.payment(freelancer, payment.id)).transactionHash;
  const before = await usdc.balance(freelancer.wallet.address);

  await check("gas gets dearer than what was signed: more is offered at the same nonce, and that is mined", async () => {
    await story.handIn(client, freelancer, milestones[0]);
    await chain.byHand();
    const payment = await story.approve(client, milestones[0]);
    const old = await signed(chain, hashOf, payment);
    const dear = BigInt(old.maxFeePerGas) * 2n;
    const mine = () => chain.mineAt(dear);
    await staysAsItIs(chain, freelancer, payment, old, hashOf, mine);
    const news = await replaced(chain, payment, old, hashOf, mine);
    await mine();
    assert.equal((await chain.receipt(news.hash))?.status, "0x1", "it pays enough for this block");
    await chain.bySeconds();
    const payout = await story.paid(client, freelancer, milestones[0], payment, before);
    assert.equal(payout.transactionHash, news.hash);
    await neverMined(chain, old);
  });

  await check("the first bytes are mined after all: then they are the payout, and the replacement never is", async () => {
    const had = await usdc.balance(client.wallet.address);
    await chain.byHand();
    const payment = await story.refund(freelancer, milestones[1]);
    const old = await signed(chain, hashOf, payment);
    const raw = await chain.ask("eth_getRawTransactionByHash", old.hash);
    await staysAsItIs(chain, freelancer, payment, old, hashOf, () => {});
    const news = await replaced(chain, payment, old, hashOf, () => {});
    // The node forgets the replacement for a moment; the server sends it again at each look.
    await until("the first bytes to be mined", async () => {
      await chain.ask("anvil_dropTransaction", news.hash);
      await chain.ask("eth_sendRawTransaction", raw).catch(() => {});
      if (!(await chain.transaction(old.hash))) return false;
      await chain.mine();
      return chain.receipt(old.hash);
    }, { every: 100 });
    await chain.bySeconds();
    const refund = await story.refunded(client, milestones[1], payment, had);
    assert.equal(refund.transactionHash, old.hash);
    await neverMined(chain, news);
  });
  return 2;
});
finish();

/** The transaction that a payout was signed as, once the node has it. */
async function signed(chain, hashOf, payment) {
  const transaction = await until("the payout to be broadcast", async () => {
    const hash = await hashOf(payment);
    return hash && chain.transaction(hash);
  }, { seconds: 60 });
  assert.equal(transaction.blockNumber, null);
  return transaction;
}

/** Nothing else is signed before its time, however often it is looked at. */
async function staysAsItIs(chain, freelancer, payment, old, hashOf, mine) {
  for (let look = 0; look < 2; look += 1) {
    await mine();
    await lookedAfter(freelancer, payment.id, "payout-track", Date.now());
  }
  assert.equal(await hashOf(payment), old.hash);
  assert.equal(await chain.receipt(old.hash), null);
}

/** The replacement, which anvil took in place of the first. */
async function replaced(chain, payment, old, hashOf, mine) {
  const began = Date.now();
  if (!WAIT) grownOlder(old.hash);
  const hash = await until("the replacement", async () => {
    if (WAIT) {
      await sleep(2000);
      await mine();
    }
    const newest = await hashOf(payment);
    return newest !== old.hash && newest;
  }, { seconds: (WAIT ? MINUTES * 60 : 0) + 90 });
  const news = await until("anvil to have it", () => chain.transaction(hash), { seconds: 60 });
  assert.deepEqual([news.nonce, news.to, news.input], [old.nonce, old.to, old.input], "the same transfer at the same nonce");
  for (const fee of ["maxFeePerGas", "maxPriorityFeePerGas"]) {
    assert.ok(BigInt(news[fee]) * 8n >= BigInt(old[fee]) * 9n, `${fee} rises by an eighth: ${old[fee]}, ${news[fee]}`);
  }
  assert.equal(await chain.transaction(old.hash), null, "the first waits no longer");
  console.log(`      replaced after ${Math.round((Date.now() - began) / 1000)} s${WAIT ? "" : `, and ${MINUTES} minutes of the database's`}`);
  return news;
}

async function neverMined(chain, { hash }) {
  assert.deepEqual([await chain.transaction(hash), await chain.receipt(hash)], [null, null]);
}

/** What was signed, as if it had been signed so much earlier. */
function grownOlder(hash) {
  const statement = `UPDATE chain_transactions SET created_at = created_at - interval '${MINUTES} minutes' WHERE hash = '${hash}' RETURNING hash`;
  const changed = execFileSync("psql", [process.env.DATABASE_URL, "-qtAX", "-v", "ON_ERROR_STOP=1", "-c", statement], { encoding: "utf8" });
  assert.equal(changed.trim(), hash);
}
