// Deposits that a reorg takes away, on anvil with the real USDC contract, for each count of confirmations and each depth:
//   node reorgs.mjs LOG_FOLDER
// `megilance serve` on SQLite asks for C confirmations. A deposit is mined and has D of them; then the newest D blocks are
// replaced by others without it. With fewer than C it was never credited; with C or more it was, and is undone: the milestone
// waits for its money again, and the books have as much as the chain. At the end of a row all its transfers are mined again, the same
// bytes, and each is credited once. Where the money was on its way to somebody before the reorg, the loss is booked, and taken back. REORGS=all is every C and every D from 1 to 12, in REORG_LANES chains at a time.
import assert from "node:assert/strict";
import { join } from "node:path";
import { booksAreRight, eachPayoutOnce, lookedAfter, promote, treasury } from "./books.mjs";
import { until } from "./client.mjs";
import { maildirMails, micro, newWallet, Usdc } from "./outside.mjs";
import { Production } from "./production.mjs";
import { check, finish, parameters } from "./report.mjs";
import { Story } from "./story.mjs";
import { giveGas, issuer, signedTransfer } from "./usdc.mjs";

const [logs] = parameters("LOG_FOLDER");
const ALL = process.env.REORGS === "all";
const MOST = 12;
const upTo = (most) => Array.from({ length: most }, (_, index) => index + 1);
/** Which depths are tried at which counts of confirmations. */
const ROWS = new Map(
  ALL ? upTo(MOST).map((count) => [count, upTo(MOST)]) : [1, 3, 12].map((count) => [count, [count - 1, count, count + 1].filter((depth) => depth >= 1 && depth <= MOST)]),
);
const LANES = Number(process.env.REORG_LANES ?? 3);
/** A wallet pays one deposit a row: what was taken out of the chain keeps its nonce. An account has ten wallets. */
const WALLETS = 6;
/** Anvil calls a block final once 64 are over it: no reorg here is so deep. */
const SLOTS = 32;
/** Less than any row leaves in the treasury: a payout of what is not there would be refused by the contract. */
const LITTLE = "9";
const PATIENCE = { seconds: 180, every: 250 };

const cells = [];
const lanes = [];
const waiting = [...ROWS];
try {
  await Promise.all(Array.from({ length: Math.min(LANES, ROWS.size) }, (_, index) => lane(index + 1)));
} finally {
  await Promise.all(lanes.map((production) => production.close()));
}
await check("every cell was tried", () => assert.equal(cells.length, [...ROWS.values()].flat().length));
await check("0 wrong credits", () => assert.equal(cells.reduce((sum, it) => sum + it.wrong, 0), 0));
table();
finish();

/** One chain and one database, on which one row follows the other; the server is started anew for each. */
async function lane(number) {
  const production = await Production.at(join(logs, `lane-${number}`), { sqlite: true });
  lanes.push(production);
  let people, usdc;
  await check(`lane ${number}: anvil, a mail server, people with ${MOST} wallets`, async () => {
    await Promise.all([production.startChain({ slots: SLOTS }), production.startMail()]);
    await production.chain.atOnce();
    const { rpcUrl, usdcAddress } = production.outside;
    usdc = new Usdc(rpcUrl, usdcAddress);
    const { code, output } = production.run(["migrate", "up"]);
    assert.equal(code, 0, output);
    const server = await production.serve();
    people = await arrive(production, usdc);
    assert.equal(await server.stop(), 0);
  });
  if (!people) return;
  for (let row = waiting.shift(); row; row = waiting.shift()) {
    const [needed, depths] = row;
    await check(`lane ${number}: ${needed} confirmations, reorgs of depth ${depths.join(", ")}`, async () => {
      production.changes = { CHAIN_CONFIRMATIONS: String(needed) };
      const server = await production.serve();
      try {
        await tryRow(production, usdc, people, needed, depths);
      } finally {
        await server.stop();
      }
    });
  }
  if (ALL || number === 1) {
    await check(`lane ${number}: what was passed on before its reorg is the platform's loss until it is mined again`, async () => {
      production.changes = { CHAIN_CONFIRMATIONS: "3" };
      const server = await production.serve();
      try {
        await loseAndRegain(production, usdc, people);
      } finally {
        await server.stop();
      }
    });
  }
  await check(`lane ${number}: what is given back is paid once, and the books are right`, async () => {
    const server = await production.serve();
    await giveBack(production, usdc, people);
    await server.stop();
  });
}

async function arrive(production, usdc) {
  const world = { base: production.base, mails: maildirMails(production.maildir), usdc: async () => usdc, seconds: PATIENCE.seconds };
  const story = new Story(world);
  const clients = await Promise.all(upTo(MOST / WALLETS).map((index) => story.arrive("CLIENT", `Clara${index}`)));
  const freelancer = await story.arrive("FREELANCER", "Felix");
  const admin = await promote(production, story, await story.arrive("CLIENT", "Ada"));
  const { rpcUrl, usdcAddress } = production.outside;
  const circle = issuer(rpcUrl, usdcAddress);
  for (const client of clients) {
    client.wallets = [client.wallet];
    while (client.wallets.length < WALLETS) {
      const wallet = newWallet();
      await story.linkWallet(client, wallet);
      client.wallets.push(wallet);
    }
    for (const { address } of client.wallets) {
      await giveGas(rpcUrl, address);
      await circle.mint(address, "10000");
    }
  }
  return { story, clients, freelancer, admin, credited: 0n, paidBefore: 0, given: [] };
}

/** All depths at one count of confirmations. */
async function tryRow(production, usdc, people, needed, depths) {
  const { story, clients, freelancer } = people;
  // A deposit is known by its amount.
  const row = depths.map((depth) => ({ needed, depth, wrong: 0, amount: String(10 + depth), client: clients[Math.floor((depth - 1) / WALLETS)], wallet: undefined }));
  for (const cell of row) cell.wallet = cell.client.wallets[(cell.depth - 1) % WALLETS];
  for (const client of clients) {
    const theirs = row.filter((cell) => cell.client === client);
    if (theirs.length === 0) continue;
    const { milestones } = await story.agree(client, freelancer, theirs.map((cell) => cell.amount));
    for (const [index, cell] of theirs.entries()) {
      cell.milestone = milestones[index];
      cell.payment = await story.askForDeposit(client, cell.milestone);
      assert.equal(cell.payment.requiredConfirmations, needed);
    }
  }
  await production.chain.byHand();
  for (const cell of row) {
    cells.push(cell);
    await takeAway(production, usdc, people, cell);
    const credited = cell.depth >= needed ? "credited, undone" : "not credited";
    console.log(`      C=${needed} D=${cell.depth}: ${credited}; ${cell.wrong} wrong credits`);
  }
  await bringBack(production, usdc, people, needed, row);
}

/** A transfer is mined, has its blocks, and is in none any more. */
async function takeAway(production, usdc, people, cell) {
  const { chain } = production;
  const { story } = people;
  const { rpcUrl, usdcAddress } = production.outside;
  const { payment, client, depth, needed } = cell;
  const enough = depth >= needed;
  Object.assign(cell, await signedTransfer({ rpcUrl, usdcAddress, wallet: cell.wallet, to: payment.depositAddress, amount: cell.amount }));
  await chain.ask("eth_sendRawTransaction", cell.raw);
  await chain.mine(depth);
  const mined = Date.now();
  assert.equal((await chain.receipt(cell.hash))?.status, "0x1");
  // Every other one that is too shallow is reported; the scanner finds the rest by itself. What is reported and has just enough may be
  // credited before the scanner comes by: then a reorg is seen by the deposit's own looks alone, which are 48 s apart.
  if (enough ? ALL && depth === needed : depth % 2 === 0) {
    await client.client.mutate("paymentReportTransaction", { paymentId: payment.id, transactionHash: cell.hash }, "payment { id }");
  }
  const seen = () => story.payment(client, payment.id);
  if (enough) {
    await until(`C=${needed} D=${depth}: the credit`, async () => (await seen()).status === "COMPLETED", PATIENCE);
    people.credited += micro(cell.amount);
    await agree(usdc, people, `C=${needed} D=${depth}, credited`);
  } else {
    await until(`C=${needed} D=${depth}: the transfer to be seen`, async () => (await seen()).status !== "AWAITING_FUNDS", PATIENCE);
    // With all its blocks there it has been looked at, from beginning to end.
    await lookedAfter(client, payment.id, "deposit-confirm", mined);
    const { status } = await seen();
    if (status !== "CONFIRMING") cell.wrong += 1;
    assert.equal(status, "CONFIRMING", `C=${needed} D=${depth}`);
    // What is shown goes by what the scanner has read.
    await until(`C=${needed} D=${depth}: its confirmations to be shown`, async () => (await seen()).confirmations === depth, PATIENCE);
  }

  await chain.reorg(depth);
  assert.equal(await chain.receipt(cell.hash), null, "it is in no block any more");
  const gone = async () => {
    const { status, received } = await seen();
    return status === "AWAITING_FUNDS" && micro(received.amount) === 0n;
  };
  await until(`C=${needed} D=${depth}: the reorg to be seen`, gone, PATIENCE);
  assert.equal((await story.milestone(client, cell.milestone.id)).status, "FUNDING");
  if (enough) people.credited -= micro(cell.amount);
  await agree(usdc, people, `C=${needed} D=${depth}, undone`).catch((error) => {
    cell.wrong += 1;
    throw error;
  });
}

/** The same bytes are mined again. One block less than needed credits nothing; then each is credited, once. */
async function bringBack(production, usdc, people, needed, row) {
  const { chain } = production;
  const { story, freelancer } = people;
  for (const cell of row) assert.equal(await chain.ask("eth_sendRawTransaction", cell.raw), cell.hash);
  await chain.mine(1);
  for (const cell of row) assert.equal((await chain.receipt(cell.hash))?.status, "0x1");
  const status = async ({ client, payment }) => (await story.payment(client, payment.id)).status;
  if (needed > 1) {
    if (needed > 2) await chain.mine(needed - 2);
    const mined = Date.now();
    for (const cell of row) {
      await until("the transfer to be seen again", async () => (await status(cell)) !== "AWAITING_FUNDS", PATIENCE);
      await lookedAfter(cell.client, cell.payment.id, "deposit-confirm", mined);
      if ((await status(cell)) !== "CONFIRMING") cell.wrong += 1;
    }
    await chain.mine(1);
  }
  for (const cell of row) {
    await until(`C=${needed} D=${cell.depth}: to be credited again`, async () => (await status(cell)) === "COMPLETED", PATIENCE);
    const { received, transfers } = await story.payment(cell.client, cell.payment.id);
    assert.deepEqual([transfers.map((it) => it.transactionHash), micro(received.amount)], [[cell.hash], micro(cell.amount)]);
    assert.equal((await story.milestone(cell.client, cell.milestone.id)).status, "FUNDED");
    people.credited += micro(cell.amount);
  }
  await agree(usdc, people, `C=${needed}, mined again`);
  // The freelancer hears of each credit: of the one that was undone, where there was one, and of the last.
  const told = await fundings(freelancer);
  for (const cell of row) {
    const times = told.filter((id) => id === cell.milestone.id).length;
    cell.wrong += Math.abs(times - (cell.depth >= needed ? 2 : 1));
  }
  people.given.push(row[0]);
  // Final, all of it.
  await chain.mine(2 * SLOTS + 2);
  await booksAreRight(production);
  assert.equal(row.reduce((sum, it) => sum + it.wrong, 0), 0, "wrong credits");
  await chain.atOnce();
}

/** Chain, books and what was credited so far are one amount: nothing else was paid in here, and nothing out. */
async function agree(usdc, { admin, credited }, when) {
  await until(`the books and the chain to hold the same (${when})`, async () => {
    const { inLedger, onChain } = await treasury(admin);
    return micro(inLedger.amount) === credited && micro(onChain.amount) === credited;
  }, PATIENCE);
}

/** The milestones that somebody was told are funded, as often as they were told. */
async function fundings(person) {
  const query = `query ($after: String) { viewer { notifications(first: 100, after: $after) {
    nodes { kind subject { id } } pageInfo { hasNextPage endCursor } } } }`;
  const told = [];
  for (let after = null; ; ) {
    const { nodes, pageInfo } = (await person.client.ask(query, { after })).viewer.notifications;
    told.push(...nodes.filter((it) => it.kind === "MILESTONE_FUNDED").map((it) => it.subject.id));
    if (!pageInfo.hasNextPage) return told;
    after = pageInfo.endCursor;
  }
}

/** A deposit whose money is on its way to somebody is not undone: what was promised stands, and nothing else goes out. */
async function loseAndRegain(production, usdc, people) {
  const { chain } = production;
  const { story, clients: [client], freelancer, admin } = people;
  const { rpcUrl, usdcAddress } = production.outside;
  const { milestones: [milestone, unpaid] } = await story.agree(client, freelancer, [LITTLE, "8"]);
  // While a deposit is open the scanner looks every four seconds, else every forty.
  await story.askForDeposit(client, unpaid);
  const deposit = await story.askForDeposit(client, milestone);
  const { raw, hash } = await signedTransfer({ rpcUrl, usdcAddress, wallet: client.wallet, to: deposit.depositAddress, amount: LITTLE });
  await chain.byHand();
  await chain.ask("eth_sendRawTransaction", raw);
  await chain.mine(3);
  const status = async (id) => (await story.payment(client, id)).status;
  await until("the credit", async () => (await status(deposit.id)) === "COMPLETED", PATIENCE);
  people.credited += micro(LITTLE);
  await agree(usdc, people, "credited, to be passed on");
  const refund = await story.refund(freelancer, milestone);
  await until("the refund to be signed", async () => (await status(refund.id)) === "SUBMITTED", PATIENCE);
  await chain.reorg(3);
  assert.equal(await chain.receipt(hash), null);
  const paused = async () => (await treasury(admin)).outgoingPaused;
  const { reason } = await until("outgoing payments to be paused", paused, PATIENCE);
  assert.match(reason, /undid a deposit after its money was passed on/);
  assert.equal(await status(deposit.id), "COMPLETED");
  const inLedger = async () => micro((await treasury(admin)).inLedger.amount);
  assert.equal(await inLedger(), people.credited - micro(LITTLE), "the loss is booked");
  // Signed bytes go their way: the refund is in a block of the new chain by now, paid from what else there is.
  assert.equal(await chain.ask("eth_sendRawTransaction", raw), hash);
  await chain.bySeconds();
  await until("the refund", async () => (await status(refund.id)) === "COMPLETED", PATIENCE);
  people.credited -= micro(LITTLE);
  await agree(usdc, people, "lost, mined again, and paid out");
  assert.ok(await paused(), "that is for a person to say");
  await admin.client.mutate("outgoingResume", {}, "treasury { outgoingPaused { reason } }");
  people.paidBefore = 1;
}

/** One milestone of each row goes back: what was undone and came again is as good as any money. */
async function giveBack(production, usdc, { story, freelancer, admin, given, paidBefore }) {
  assert.ok(given.length > 0, "no row came to its end");
  await production.chain.bySeconds();
  for (const { client, milestone, amount } of given) {
    const payment = await story.refund(freelancer, milestone);
    await until("the refund", async () => (await story.payment(client, payment.id)).status === "COMPLETED", PATIENCE);
    assert.equal(micro(payment.net.amount), micro(amount));
  }
  const payouts = await eachPayoutOnce(production, usdc, admin);
  assert.equal(payouts, given.length + paidBefore);
  await production.chain.mine(2 * SLOTS + 2);
  await booksAreRight(production);
  console.log(`      ${payouts} payouts, ${payouts} Transfer logs`);
}

/** A line for each count of confirmations, a column for each depth: whether a credit was undone, and the wrong ones. */
function table() {
  const depths = [...new Set([...ROWS.values()].flat())].sort((one, other) => one - other);
  const cell = (text) => String(text).padStart(5);
  console.log(`      wrong credits; u: credited before the reorg, and undone by it\n      C \\ D${depths.map(cell).join("")}`);
  for (const needed of ROWS.keys()) {
    const line = depths.map((depth) => {
      const it = cells.find((cell) => cell.needed === needed && cell.depth === depth);
      return cell(it ? `${it.wrong}${depth >= needed ? "u" : ""}` : "");
    });
    console.log(`      ${String(needed).padStart(5)}${line.join("")}`);
  }
  console.log(`      ${cells.length} reorgs, ${cells.reduce((sum, it) => sum + it.wrong, 0)} wrong credits`);
}
