// A token that its issuer has paused, and people whom it has blocked, on anvil with the real USDC contract:
//   scripts/with-postgres node frozen.mjs LOG_FOLDER
// What is known before is held: nothing is signed, no nonce is used, payee and administrators hear why. After the cure it is paid,
// once. What was signed already fails in its block, and is tried again by another payment. FROZEN=wait also waits until a held
// payout looks again by itself, which is ten minutes.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { treasury } from "./books.mjs";
import { until } from "./client.mjs";
import { micro, newWallet } from "./outside.mjs";
import { check, finish, parameters } from "./report.mjs";
import { issuer } from "./usdc.mjs";
import { onProduction } from "./whole.mjs";

const [logs] = parameters("LOG_FOLDER");
const WAIT = process.env.FROZEN === "wait";
const PAUSED = "USDC is paused by its issuer";
const BLOCKED = "the payee's address is blocked by the issuer of USDC";
const amounts = ["100", "60", "70", "80.5", "90", ...(WAIT ? ["50"] : [])];

await onProduction(logs, { amounts, seconds: WAIT ? 900 : 180 }, async (it) => {
  const { production, usdc, story, client, freelancer, admin, milestones } = it;
  const { chain } = production;
  const circle = issuer(production.outside.rpcUrl, production.outside.usdcAddress);
  const manage = async (name, payment, more = {}) =>
    (await admin.client.mutate(name, { paymentId: payment.id, ...more }, "payment { id status retryOf { id } }")).payment;
  const again = { idempotencyKey: randomUUID() };
  let payTo = freelancer.wallet.address;

  const release = (milestone) => story.approve(client, milestone);
  const paid = (milestone, payment, had) => story.paid(client, freelancer, milestone, payment, had, payTo);

  // The fourth is given back.
  await Promise.all(milestones.filter((_, index) => index !== 3).map((milestone) => story.handIn(client, freelancer, milestone)));

  await check("a paused token: a release is held; unpaused and resumed, it is paid", async () => {
    const had = await usdc.balance(payTo);
    await circle.pause();
    const payment = await held(it, freelancer, PAUSED, () => release(milestones[0]));
    assert.equal((await manage("paymentResume", payment)).status, "QUEUED");
    await until("it to be held anew while the cause is there", async () => (await story.payment(freelancer, payment.id)).status === "ON_HOLD", { seconds: 60 });
    await circle.unpause();
    await manage("paymentResume", payment);
    await paid(milestones[0], payment, had);
  });

  await check("a blocked payee: a release is held; unblocked and resumed, it is paid", async () => {
    const had = await usdc.balance(payTo);
    await circle.blacklist(payTo);
    const payment = await held(it, freelancer, BLOCKED, () => release(milestones[1]));
    await circle.unBlacklist(payTo);
    await manage("paymentResume", payment);
    await paid(milestones[1], payment, had);
  });

  await check("a blocked payee who chooses another wallet is paid there, with nobody's help", async () => {
    const blocked = payTo;
    await circle.blacklist(blocked);
    const had = await usdc.balance(blocked);
    const payment = await held(it, freelancer, BLOCKED, () => release(milestones[2]));
    const other = newWallet();
    await story.choosePayoutWallet(freelancer, await story.linkWallet(freelancer, other));
    payTo = other.address;
    await paid(milestones[2], payment, "0");
    assert.equal(await usdc.balance(blocked), had);
  });

  await check("a refund to a blocked wallet is held; redirected, it goes to the client's other one", async () => {
    const blocked = client.wallet.address;
    await circle.blacklist(blocked);
    const had = await usdc.balance(blocked);
    const payment = await held(it, client, BLOCKED, () => story.refund(freelancer, milestones[3]));
    const other = newWallet();
    await story.choosePayoutWallet(client, await story.linkWallet(client, other));
    const redirect = { reason: "The issuer blocks the first wallet.", ...again };
    const answers = await Promise.all([manage("paymentRedirect", payment, redirect), manage("paymentRedirect", payment, redirect)]);
    assert.deepEqual(answers.map(({ id }) => id), [payment.id, payment.id]);
    // What holds it looks again after ten minutes, or when it is woken: redirecting does.
    await story.refunded(client, milestones[3], payment, "0", other.address);
    assert.equal(await usdc.balance(blocked), had);
  });

  await check("paused after it was signed: it fails in its block, the books take it back, and a retry is paid", async () => {
    const had = await usdc.balance(payTo);
    const { inLedger } = await treasury(admin);
    await chain.byHand();
    const payment = await release(milestones[4]);
    const hash = await until("the payout to be broadcast", async () => {
      const { transactionHash } = await story.payment(freelancer, payment.id);
      return transactionHash && (await chain.transaction(transactionHash)) && transactionHash;
    }, { seconds: 60 });
    await circle.first("pause");
    await chain.mine();
    assert.equal((await chain.receipt(hash)).status, "0x0", "the contract refuses it");
    await chain.bySeconds();
    const failed = await until("it to have failed", async () => {
      const it = await story.payment(freelancer, payment.id);
      return it.status === "FAILED" && it;
    }, { seconds: 60 });
    assert.equal(failed.failureReason, "the USDC contract refused the transfer");
    assert.equal((await story.milestone(client, milestones[4].id)).status, "APPROVED");
    assert.equal(micro((await treasury(admin)).inLedger.amount), micro(inLedger.amount), "nothing has gone");
    for (const person of [client, freelancer, admin]) await hears(story, person, "PAYMENT_FAILED", 1);
    await circle.unpause();
    // Twice: the same answer.
    const key = { idempotencyKey: randomUUID() };
    const retries = await Promise.all([manage("paymentRetry", payment, key), manage("paymentRetry", payment, key)]);
    assert.deepEqual(retries.map((it) => it.retryOf.id), [payment.id, payment.id]);
    assert.equal(retries[0].id, retries[1].id);
    await paid(milestones[4], retries[0], had);
  });

  if (WAIT) {
    await check("a held release looks again by itself, within ten minutes", async () => {
      const had = await usdc.balance(payTo);
      await circle.pause();
      const payment = await held(it, freelancer, PAUSED, () => release(milestones[5]));
      await circle.unpause();
      const began = Date.now();
      await paid(milestones[5], payment, had);
      console.log(`      after ${Math.round((Date.now() - began) / 1000)} s`);
    });
  }
  return amounts.length;
});
finish();

/** Starts a payout that cannot go: it is held with its reason, its payee and the administrators hear of it, and nothing is signed. */
async function held({ production, usdc, story, admin }, payee, reason, begin) {
  const { chain } = production;
  const nonces = async () => {
    const { nextNonce, onChain, inLedger } = await treasury(admin);
    const { address } = await admin.client.ask("{ treasury { address } }").then((it) => it.treasury);
    const used = await Promise.all(["latest", "pending"].map((at) => chain.ask("eth_getTransactionCount", address, at)));
    return { nextNonce, onChain, inLedger, used, sent: (await usdc.transfersFrom(address)).length };
  };
  const before = await nonces();
  const told = await Promise.all([payee, admin].map((person) => count(story, person, "PAYMENT_ON_HOLD")));
  const payment = await begin();
  const shown = await until("it to be held", async () => {
    const it = await story.payment(payee, payment.id);
    return it.status === "ON_HOLD" && it;
  }, { seconds: 60 });
  assert.deepEqual([shown.failureReason, shown.transactionHash], [reason, null]);
  await hears(story, payee, "PAYMENT_ON_HOLD", told[0] + 1);
  await hears(story, admin, "PAYMENT_ON_HOLD", told[1] + 1);
  assert.deepEqual(await nonces(), before, "nothing is signed, and nothing has moved");
  return payment;
}

/** Waits until somebody was told so often, in the app, and has a mail for each thing that they were told. */
function hears(story, person, kind, times) {
  return until(`${person.name} to hear ${kind} ${times} times`, async () => {
    const { kinds, subjects } = await story.told(person);
    return kinds.filter((it) => it === kind).length === times && subjects.length === kinds.length;
  }, { seconds: 60, every: 500 });
}

async function count(story, person, kind) {
  return (await story.told(person)).kinds.filter((it) => it === kind).length;
}
