// Many journeys on `megilance serve` with nothing of ours around it, while its processes are killed (-9) at random moments:
//   node kills.mjs LOG_FOLDER sqlite|postgres KILLS JOURNEYS
// On SQLite one process does everything. On PostgreSQL (scripts/with-postgres) the API and the workers are two, either is
// killed, and with POSTGRES_DURABLE=1 every fifth time it is the database (-m immediate). Chain, bucket and mail server live
// on. Every third process is armed to abort by itself at one of its failpoints (docs/FAULTS.md; a debug binary): there the moments
// are that chance hardly finds. Every journey ends, every intent was paid once, and the books are right.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { privateKeyToAddress } from "viem/accounts";
import { patient } from "./again.mjs";
import { sleep, until } from "./client.mjs";
import { maildirMails, micro, Usdc } from "./outside.mjs";
import { Production } from "./production.mjs";
import { check, finish, parameters } from "./report.mjs";
import { MEGILANCE, ready, start } from "./run.mjs";
import { Story } from "./story.mjs";
import { purse } from "./usdc.mjs";

const [logs, kind, ...counts] = parameters("LOG_FOLDER", "sqlite|postgres", "KILLS", "JOURNEYS");
const [KILLS, JOURNEYS] = counts.map(Number);
const sqlite = kind === "sqlite";
/** How many journeys are under way at a time. */
const LANES = Math.min(JOURNEYS, 8);
/** Between two kills, in seconds: from nothing to more than a lease's beat. */
const PAUSE = [0.2, 8];
/** How long a wait may last: kills, and what is taken over after each. */
const PATIENCE = 120 + KILLS * 10;

/** Where an armed process aborts. */
const POINTS = [
  "payment.lock",
  "deposit.answer",
  "deposit.record",
  "payout.sign",
  "payout.persist",
  "payout.send",
  "payout.answer",
  "payment.record",
  "ledger.post",
  "notify.write",
  "job.end",
];

const production = await Production.at(logs, { sqlite });
const roles = sqlite ? { serve: ["serve"] } : { serve: ["serve", "--no-workers"], worker: ["worker"] };
/** The process that works on jobs. */
const worker = Object.keys(roles).at(-1);
const running = {};
const killed = {};
let up;
let lost;
let usdc;
let journeys = 0;
let pay;

try {
  await check("anvil, SeaweedFS and an SMTP server run", async () => {
    await production.startChain();
    await production.startBucket();
    await production.startMail();
    usdc = new Usdc(production.outside.rpcUrl, production.outside.usdcAddress);
    pay = purse(production.outside);
  });
  await check("the migrations go up", () => {
    const { code, output } = production.run(["migrate", "up"]);
    assert.equal(code, 0, output);
  });
  await check(`${Object.keys(roles).join(" and ")} ready`, () => boot(Object.keys(roles)));

  const done = { kills: KILLS === 0 };
  const killing = killAtRandom()
    .catch((error) => {
      lost = error;
      throw error;
    })
    .finally(() => (done.kills = true));
  killing.catch(() => {});
  const began = Date.now();
  await check(`${JOURNEYS} journeys and more, until ${KILLS} kills are over, all end`, async () => {
    // There is always somebody on their way while there are kills.
    const lane = async () => {
      while (journeys < JOURNEYS || !done.kills) {
        journeys += 1;
        await journey();
      }
    };
    const ended = await Promise.allSettled(Array.from({ length: LANES }, lane));
    const broken = ended.filter((it) => it.status === "rejected");
    assert.equal(broken.length, 0, broken.map((it) => it.reason?.stack ?? it.reason).join("\n"));
  });
  await check("whatever was killed came back", () => killing);
  await check("every intent was paid, once", async () => {
    const treasury = privateKeyToAddress(production.treasuryKey);
    const sent = await usdc.transfersFrom(treasury);
    const to = new Map();
    for (const it of sent) to.set(it.to, [...(to.get(it.to) ?? []), micro(it.amount)]);
    // 100 USDC less a tenth to each freelancer, 40.5 back to each client.
    const expected = [...Array(journeys).fill(micro("90")), ...Array(journeys).fill(micro("40.5"))];
    assert.deepEqual([...to.values()].flat().sort(), expected.sort());
    assert.equal(to.size, 2 * journeys, "each of them once");
    const nonces = await usdc.chain.getTransactionCount({ address: treasury });
    assert.equal(nonces, 2 * journeys, "a nonce for each, and no other");
  });
  await check("the books are right", () =>
    until("the books to agree with the chain", () => production.run(["ledger", "verify"]).code === 0, { seconds: 60, every: 1000 }),
  );
  const kills = Object.entries(killed).map(([name, count]) => `${name} ${count}`).join(", ");
  console.log(`      ${kind}: ${journeys} journeys in ${Math.round((Date.now() - began) / 1000)} s; killed: ${kills || "nothing"}`);
} finally {
  await production.close();
}
finish();

/** Starts some of the processes, one of them perhaps armed, and waits until all is well. */
function boot(names, point) {
  for (const name of names) {
    const armed = point && name === worker ? { FAILPOINTS: `${point}=1*return(abort)` } : {};
    const env = { ...production.settings(), ...armed };
    running[name] = start(logs, name, MEGILANCE, roles[name], { env, cwd: production.folder });
  }
  up = ready(running.serve, `${production.base}/readyz`);
  // Whoever waits hears of it; nobody has to.
  up.catch(() => {});
  return up;
}

async function killAtRandom() {
  const restart = process.env.POSTGRES_RESTART;
  for (let kill = 1; kill <= KILLS; kill += 1) {
    await sleep(1000 * (PAUSE[0] + Math.random() * (PAUSE[1] - PAUSE[0])));
    if (!sqlite && restart && kill % 5 === 0) {
      count("postgres");
      await promisify(execFile)(restart);
      const began = Date.now();
      up = ready(running.serve, `${production.base}/readyz`);
      up.catch(() => {});
      await up;
      assert.ok(Date.now() - began < 10_000, `ready again after ${Date.now() - began} ms`);
      continue;
    }
    const names = Object.keys(roles);
    const name = kill % 3 === 0 ? worker : names[Math.floor(Math.random() * names.length)];
    count(name);
    await running[name].stop("SIGKILL");
    const point = kill % 3 === 0 && POINTS[Math.floor(Math.random() * POINTS.length)];
    if (!point) {
      await boot([name]);
      continue;
    }
    // It may not live long enough to be ready.
    await boot([name], point).catch(() => {});
    // Whatever it does first may be what kills it; nothing at all may come by there for a while.
    await until("the point to be passed", () => running[name].ended, { seconds: 10 }).catch(() => {});
    if (!running[name].ended) continue;
    assert.equal(running[name].how, "SIGABRT", `it aborted at ${point}`);
    count(point);
    await boot([name]);
  }
  // The last one that was armed may still be.
  await running[worker].stop("SIGKILL");
  await boot([worker]);
}

/** Waits until the API may be there again; whoever asks too early asks again. */
async function back() {
  if (lost) throw lost;
  await up.catch(() => sleep(500));
}

function count(what) {
  killed[what] = (killed[what] ?? 0) + 1;
}

/** From registering to two payouts, for two new people: one milestone is paid, the other given back. */
async function journey() {
  const world = { base: production.base, pay, usdc: async () => usdc, mails: maildirMails(production.maildir), seconds: PATIENCE };
  const story = new Story({ ...world, ...patient(back) });
  const client = await story.arrive("CLIENT", "Clara");
  const freelancer = await story.arrive("FREELANCER", "Felix");
  const { milestones } = await story.agree(client, freelancer, ["100", "40.5"]);
  await story.fund(client, milestones[0]);
  await story.deliver(client, freelancer, milestones[0]);
  await story.fund(client, milestones[1]);
  await story.giveBack(client, freelancer, milestones[1]);
}
