// schemathesis on every field of the schema: node fuzz.mjs dev|serve FOLDER SECONDS. Four at once, on one fresh server: the
// demo's client, freelancer and admin, and nobody.
//
// Fails on an INTERNAL error, a status of 500 or more, an error without a code, or a complaint in the server's log; and when
// most of what was asked did not get past the front door, because then nothing was tried. fuzz/hooks.py makes that so.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { buildSchema } from "graphql";
import { sleep, until } from "./client.mjs";
import { seeds } from "./fuzz/seeds.mjs";
import { end, signIn, worlds } from "./fuzz/worlds.mjs";
import { check, finish, parameters } from "./report.mjs";
import { start, stopAll } from "./run.mjs";

const [place, folder, time] = parameters("dev|serve", "FOLDER", "SECONDS");
const WHO = ["client", "freelancer", "admin", "nobody"];
const SCHEMA = new URL("../../schema.graphql", import.meta.url).pathname;
const schema = buildSchema(readFileSync(SCHEMA, "utf8"));
let world, people, counts;

await check("the four ask for as long as they are to, and schemathesis finds nothing", async () => {
  mkdirSync(folder, { recursive: true });
  world = await worlds[place](folder);
  people = Object.fromEntries(await Promise.all(WHO.slice(0, 3).map(async (who) => [who, await signIn(world, who)])));
  const ids = await seeds(world.base, people);
  writeFileSync(join(folder, "seeds.json"), JSON.stringify(ids));
  console.log(`ids to begin with: ${Object.entries(ids).map(([type, ids]) => `${ids.length} ${type}`).join(", ")}`);
  const over = new AbortController();
  const outside = goOn(over.signal);
  const ends = await Promise.all(WHO.map(fuzz));
  over.abort();
  await outside;
  counts = Object.fromEntries(WHO.map((who) => [who, JSON.parse(readFileSync(join(folder, `${who}.json`), "utf8"))]));
  report();
  assert.deepEqual(ends, [0, 0, 0, 0], `see ${folder}`);
});
if (counts) {
  await check("no INTERNAL error, no status of 500 or more, no error without a code", () => {
    const faults = WHO.flatMap((who) => counts[who].faults.map((it) => `${who}, ${it.why}: ${it.document.replace(/\s+/g, " ")}\n${it.answer}`));
    assert.equal(faults.length, 0, `${faults.length} of them, such as\n${faults.slice(0, 5).join("\n\n")}`);
  });
  await check("the server's log has no complaint", () => {
    const complaints = readFileSync(world.log, "utf8").split("\n").filter((line) => /"level":"ERROR"|internal error|panicked/.test(line));
    assert.equal(complaints.length, 0, `${complaints.length} of them, such as\n${complaints.slice(0, 5).join("\n")}`);
  });
  await check("the server is well", async () => {
    const answer = await fetch(`${world.base}/readyz`);
    assert.equal(answer.status, 200, await answer.text());
  });
  await check("enough was asked, and most of it got past the front door", () => {
    const all = WHO.reduce((sum, who) => sum + counts[who].requests.all, 0);
    assert.ok(all > 2 * time, `${all} requests in ${time} s`);
      // Half of what nobody asks is to break the schema.
    for (const who of WHO) assert.ok(share(who) > (who === "nobody" ? 0.4 : 0.8), `${who}: ${percent(share(who))}`);
  });
  await check("the books and the chain agree", async () => {
    // A payout that waits for its confirmations makes a difference for a while.
    await until("megilance ledger verify to agree", async () => (await world.verify()) === 0, { seconds: 60, every: 2000 });
  });
}
await (world ? world.close() : stopAll());
finish();

/** One of the four; gives how it ended. */
async function fuzz(who) {
  const environment = {
    FUZZ_BASE: world.base,
    FUZZ_COUNTS: join(folder, `${who}.json`),
    FUZZ_SEEDS: join(folder, "seeds.json"),
    PYTHONDONTWRITEBYTECODE: "1",
    PYTHONPATH: new URL("fuzz", import.meta.url).pathname,
    SCHEMATHESIS_HOOKS: "hooks",
  };
  if (who !== "nobody") {
    const email = `${who}@demo.example`;
    Object.assign(environment, { FUZZ_ADMIN: "admin@demo.example", FUZZ_EMAIL: email, FUZZ_ID: people[who].id, FUZZ_PASSWORD: world.password });
  }
  const args = ["--no-color", "fuzz", SCHEMA, "--url", `${world.base}/graphql`, "--max-time", time, "--request-timeout", "35"];
  // A machine that is busy elsewhere draws slowly: that says nothing of the API.
  args.push("--suppress-health-check", "too_slow");
  // Nobody is refused nearly everything: for them, documents that break the schema as well.
  args.push("--mode", who === "nobody" ? "all" : "positive", "--checks", "no_internal_error,response_schema_conformance");
  args.push("--continue-on-failure", "--max-failures", "20");
  // Crash files and the like go where it runs.
  const cwd = join(folder, who);
  mkdirSync(cwd);
  return end(start(folder, who, "st", args, { env: environment, cwd }));
}

/** Pays what is waited for, and lets time go by. */
async function goOn(signal) {
  const query = "{ viewer { payments(first: 20) { nodes { id kind status depositAddress amount { amount } } } } }";
  for (let round = 1; !signal.aborted; round += 1) {
    await sleep(2000);
    try {
      const { viewer } = await people.client.ask(query);
      const open = viewer.payments.nodes.filter((it) => it.kind === "DEPOSIT" && it.status === "AWAITING_FUNDS");
      for (const payment of open.slice(0, 2)) await world.pay(payment);
      if (round % 10 === 0) await world.pass();
    } catch {
      // The client was suspended, or the session has ended.
      people.client = await signIn(world, "client").catch(() => people.client);
    }
  }
}

function share(who) {
  const { all = 0, executed = 0 } = counts[who].requests;
  return executed / Math.max(all, 1);
}

function percent(share) {
  return `${(100 * share).toFixed(0)}%`;
}

function report() {
  const table = (it) => Object.entries(it).sort(([, a], [, b]) => b - a).map(([code, count]) => `${code} ${count}`).join(", ");
  for (const who of WHO) {
    const { requests, refused } = counts[who];
    console.log(`${who}: ${requests.all} requests, ${percent(share(who))} got to the resolvers; the rest: ${table(refused) || "none"}`);
  }
  for (const [name, type] of [["queries", schema.getQueryType()], ["mutations", schema.getMutationType()]]) {
    const fields = Object.keys(type.getFields());
    const never = fields.filter((field) => !WHO.some((who) => counts[who].fields[field]?.OK));
    console.log(`${name}: ${fields.length - never.length} of ${fields.length} did what was asked at least once; never: ${never.join(", ") || "none"}`);
  }
  const codes = {};
  for (const field of WHO.flatMap((who) => Object.values(counts[who].fields))) {
    for (const [code, count] of Object.entries(field)) if (!["executed", "refused"].includes(code)) codes[code] = (codes[code] ?? 0) + count;
  }
  console.log(`what the resolvers said: ${table(codes)}`);
}
