// The whole journey by plain HTTP and WebSocket:
//   node journey.mjs BASE_URL                         against `megilance dev`
//   node journey.mjs BASE_URL --outside '{...}'       against `megilance serve`, see serve.mjs
import assert from "node:assert/strict";
import { parseArgs } from "node:util";
import { maildirMails, micro, sandboxMails, Usdc } from "./outside.mjs";
import { check, finish } from "./report.mjs";
import { Story } from "./story.mjs";
import { fromWallet } from "./usdc.mjs";

const { values, positionals } = parseArgs({ options: { outside: { type: "string" } }, allowPositionals: true });
const [base] = positionals;
if (!base) {
  console.error("usage: node journey.mjs BASE_URL [--outside JSON]");
  process.exit(2);
}

const story = new Story(values.outside ? production(JSON.parse(values.outside)) : sandbox());
const began = Date.now();
let client, freelancer, contract;

await check("a client and a freelancer arrive: mail verified, wallet linked", async () => {
  client = await story.arrive("CLIENT", "Clara");
  freelancer = await story.arrive("FREELANCER", "Felix");
});
await check("posted, proposed, accepted, signed", async () => {
  contract = await story.agree(client, freelancer, ["100", "40.5"]);
});
await check("the first milestone is funded: the deposit is seen and confirmed", () => story.fund(client, contract.milestones[0]));
await check("a file handed in, approved, and the payout mined", () => story.deliver(client, freelancer, contract.milestones[0]));
await check("the second milestone is funded", () => story.fund(client, contract.milestones[1]));
await check("and given back", () => story.giveBack(client, freelancer, contract.milestones[1]));
await check("the contract's sums", async () => {
  const { paid, inEscrow } = await story.contract(client, contract.id);
  assert.deepEqual([micro(paid.amount), micro(inEscrow.amount)], [micro("100"), 0n]);
});
await check("an avatar is replaced, and the old objects are deleted", () => story.changeAvatar(freelancer));
await check("both were told, in the app and by mail", async () => {
  const expected = [
    [client, ["ACCOUNT_VERIFY", "PROPOSAL_RECEIVED", "CONTRACT_ACCEPTED", "PAYMENT_COMPLETED", "MILESTONE_SUBMITTED", "REFUND_COMPLETED"]],
    [freelancer, ["ACCOUNT_VERIFY", "CONTRACT_OFFERED", "MILESTONE_FUNDED", "MILESTONE_APPROVED", "MILESTONE_RELEASED", "REFUND_COMPLETED"]],
  ];
  for (const [person, kinds] of expected) {
    const told = await story.told(person);
    for (const kind of kinds) assert.ok(told.kinds.includes(kind), `${person.name} was not told ${kind}: ${told.kinds}`);
    assert.equal(told.subjects.length, told.kinds.length, `a mail for each: ${told.subjects}`);
  }
});

console.log(`the journey took ${((Date.now() - began) / 1000).toFixed(1)} s`);
finish();

function sandbox() {
  return {
    base,
    mails: sandboxMails(base),
    usdc: async () => {
      const { rpcUrl, usdcAddress } = await (await fetch(new URL("/sandbox/info", base))).json();
      return new Usdc(rpcUrl, usdcAddress);
    },
    pay: async ({ id }) => {
      const response = await fetch(new URL("/sandbox/wallet/pay", base), {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ paymentId: id }),
      });
      assert.ok(response.ok, await response.text());
    },
  };
}

function production({ rpcUrl, usdcAddress, faucetKey, maildir }) {
  const usdc = new Usdc(rpcUrl, usdcAddress);
  let paid = 0;
  return {
    base,
    seconds: 120,
    mails: maildirMails(maildir),
    usdc: async () => usdc,
    pay: async ({ id, amount, depositAddress }, person) => {
      const hash = await fromWallet({ rpcUrl, usdcAddress, faucetKey, wallet: person.wallet, to: depositAddress, amount: amount.amount });
      // The first deposit is reported, the second is found by the scanner alone.
      paid += 1;
      if (paid === 1) await person.client.mutate("paymentReportTransaction", { paymentId: id, transactionHash: hash }, "payment { id }");
    },
  };
}
