// schemathesis on every field of the schema: node fuzz.mjs FOLDER SECONDS. Four at once, on one fresh `megilance dev`: the
// demo's client, freelancer and admin, and nobody. The outside goes on meanwhile: deposits are paid, the clock is moved.
//
// Fails on an INTERNAL error, a status of 500 or more, an error without a code, or a complaint in the server's log; and when
// most of what was asked did not get past the front door, because then nothing was tried. fuzz/hooks.py makes that so.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildSchema } from "graphql";
import { Client, sleep, until } from "./client.mjs";
import { png } from "./png.mjs";
import { check, finish, parameters } from "./report.mjs";
import { freePorts, MEGILANCE, ready, start, stopAll } from "./run.mjs";
import { Story } from "./story.mjs";

const [folder, time] = parameters("FOLDER", "SECONDS");
const PASSWORD = "otter-lantern-42";
const WHO = ["client", "freelancer", "admin", "nobody"];
const SCHEMA = new URL("../../schema.graphql", import.meta.url).pathname;
const schema = buildSchema(readFileSync(SCHEMA, "utf8"));

const data = mkdtempSync(join(tmpdir(), "megilance-fuzz."));
process.on("exit", () => rmSync(data, { recursive: true, force: true }));
const [port] = await freePorts(1);
const base = `http://127.0.0.1:${port}`;
const server = start(folder, "dev", MEGILANCE, ["dev", "--addr", `127.0.0.1:${port}`, "--data", join(data, "data")], { cwd: data });
let people, ids, ends, counts;
let over = false;

await check("the four ask for as long as they are to, and schemathesis finds nothing", async () => {
  await ready(server, `${base}/readyz`);
  const arrived = WHO.slice(0, 3).map(async (who) => [who, await signIn(`${who}@demo.example`)]);
  people = Object.fromEntries(await Promise.all(arrived));
  ids = await seeds();
  const outside = goOn();
  ends = await Promise.all(WHO.map(fuzz));
  over = true;
  await outside;
  counts = Object.fromEntries(WHO.map((who) => [who, JSON.parse(readFileSync(join(folder, `${who}.json`), "utf8"))]));
  report();
  assert.deepEqual(ends.map((it) => it.how), [0, 0, 0, 0], `see ${folder}`);
});
await check("no INTERNAL error, no status of 500 or more, no error without a code", () => {
  const faults = WHO.flatMap((who) => counts[who].faults.map((it) => `${who}, ${it.why}: ${it.document.replace(/\s+/g, " ")}\n${it.answer}`));
  assert.equal(faults.length, 0, `${faults.length} of them, such as\n${faults.slice(0, 5).join("\n\n")}`);
});
await check("the server's log has no complaint", () => {
  const lines = readFileSync(join(folder, "dev.log"), "utf8").split("\n");
  const complaints = lines.filter((line) => /"level":"ERROR"|internal error|panicked/.test(line));
  assert.equal(complaints.length, 0, `${complaints.length} of them, such as\n${complaints.slice(0, 5).join("\n")}`);
});
await check("the server is well", async () => {
  const answer = await fetch(`${base}/readyz`);
  assert.equal(answer.status, 200, await answer.text());
});
await check("enough was asked, and most of it got past the front door", () => {
  const all = WHO.reduce((sum, who) => sum + counts[who].requests.all, 0);
  assert.ok(all > 2 * time, `${all} requests in ${time} s`);
  for (const who of WHO) assert.ok(share(who) > 0.6, `${who}: ${percent(share(who))}`);
});
await check("the books and the chain agree", async () => {
  // A payout that waits for its confirmations makes a difference for a while.
  const verify = () => end(start(folder, "verify", MEGILANCE, ["ledger", "verify", "--data", join(data, "data")], { cwd: data }));
  await until(`megilance ledger verify to agree (see ${folder}/verify.log)`, async () => (await verify()) === 0, { seconds: 60, every: 2000 });
});
await stopAll();
finish();

/** One of the four. */
async function fuzz(who) {
  const environment = {
    FUZZ_BASE: base,
    FUZZ_COUNTS: join(folder, `${who}.json`),
    FUZZ_SEEDS: ids,
    PYTHONDONTWRITEBYTECODE: "1",
    PYTHONPATH: new URL("fuzz", import.meta.url).pathname,
    SCHEMATHESIS_HOOKS: "hooks",
    ...(who === "nobody" ? {} : { FUZZ_ADMIN: "admin@demo.example", FUZZ_EMAIL: `${who}@demo.example`, FUZZ_ID: people[who].id, FUZZ_PASSWORD: PASSWORD }),
  };
  const args = ["--no-color", "fuzz", SCHEMA, "--url", `${base}/graphql`, "--max-time", time, "--request-timeout", "35"];
  // Nobody is refused nearly everything: for them, documents that break the schema as well.
  args.push("--mode", who === "nobody" ? "all" : "positive", "--checks", "no_internal_error,response_schema_conformance");
  args.push("--continue-on-failure", "--max-failures", "20");
  // Hypothesis likes the first field best, which takes no arguments. Nobody asks for it often enough.
  if (who !== "nobody") args.push("--exclude-name", "Query.categories");
  const it = start(folder, who, "st", args, { env: environment, cwd: mkdtempSync(join(data, `${who}.`)) });
  await end(it);
  return it;
}

async function end(it) {
  while (!it.ended) await sleep(100);
  return it.how;
}

async function signIn(email) {
  const client = new Client(base);
  const { session, user } = await client.mutate("sessionCreate", { email, password: PASSWORD }, "session { accessToken } user { id }");
  return Object.assign(client, { id: user.id, token: session.accessToken });
}

/** The ids that the demo people can see, by type, in a file; among them some of files that were just sent. */
async function seeds() {
  const found = new Set();
  const story = new Story({ base });
  const image = ["me.png", "image/png", png(40, [200, 60, 60])];
  const text = ["notes.txt", "text/plain", Buffer.from("Where each picture was taken.\n")];
  for (const [who, purpose, file] of [
    ["client", "AVATAR", image],
    ["client", "PROJECT_FILE", text],
    ["client", "EVIDENCE", text],
    ["freelancer", "AVATAR", image],
    ["freelancer", "PORTFOLIO_IMAGE", image],
    ["freelancer", "PROPOSAL_ATTACHMENT", text],
    ["freelancer", "DELIVERABLE", text],
    ["freelancer", "MESSAGE_FILE", text],
  ]) {
    found.add(await story.upload({ client: people[who] }, purpose, ...file));
  }
  const look = async (client, query) => {
    for (const [id] of JSON.stringify(await client.ask(query)).matchAll(/[a-z]{3}_[0-9a-f]{32}/g)) found.add(id);
  };
  for (const client of Object.values(people)) {
    await look(client, `{
      viewer {
        id wallets { id }
        projects(first: 20) { nodes { id proposals(first: 5) { nodes { id freelancer { id } } } files { id } } }
        proposals(first: 20) { nodes { id project { id client { id } } attachments { id } } }
        contracts(first: 20) { nodes { id milestones { id submission { files { id } } } payments(first: 20) { nodes { id } } } }
        notifications(first: 20) { nodes { id } }
        ledger(first: 20) { nodes { id } }
      }
      projects(first: 20) { nodes { id skills { id } category { id } client { id } } }
      freelancers(first: 20) { nodes { id } }
    }`);
  }
  await look(people.admin, "{ jobs(first: 50) { nodes { id } } }");
  const byType = {};
  const all = [...found];
  for (let at = 0; at < all.length; at += 50) {
    const ids = all.slice(at, at + 50);
    for (const client of Object.values(people)) {
      const { nodes } = await client.ask("query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }", { ids });
      for (const node of nodes) if (node) (byType[node.__typename] ??= new Set()).add(node.id);
    }
  }
  for (const [type, ids] of Object.entries(byType)) byType[type] = [...ids];
  const file = join(folder, "seeds.json");
  writeFileSync(file, JSON.stringify(byType));
  console.log(`ids to begin with: ${Object.entries(byType).map(([type, ids]) => `${ids.length} ${type}`).join(", ")}`);
  return file;
}

/** Pays what is waited for, and lets days go by. */
async function goOn() {
  const post = (path, body) =>
    fetch(new URL(path, base), { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) }).catch(() => undefined);
  for (let round = 1; !over; round += 1) {
    await sleep(2000);
    const open = await signIn("client@demo.example")
      .then((client) => client.ask("{ viewer { payments(first: 20) { nodes { id kind status } } } }"))
      .then(({ viewer }) => viewer.payments.nodes.filter((it) => it.kind === "DEPOSIT" && it.status === "AWAITING_FUNDS"))
      .catch(() => []);
    for (const { id } of open.slice(0, 2)) await post("/sandbox/wallet/pay", { paymentId: id });
    if (round % 10 === 0) await post("/sandbox/clock", { advance: "PT13H" });
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
  const answered = (fields, wanted) => Object.keys(fields).filter((name) => WHO.some((who) => counts[who].fields[name]?.[wanted])).length;
  for (const [name, type] of [["queries", schema.getQueryType()], ["mutations", schema.getMutationType()]]) {
    const fields = type.getFields();
    const never = Object.keys(fields).filter((field) => !WHO.some((who) => counts[who].fields[field]?.OK));
    console.log(`${name}: ${answered(fields, "OK")} of ${Object.keys(fields).length} did what was asked at least once; never: ${never.join(", ") || "none"}`);
  }
  const codes = {};
  for (const who of WHO) {
    for (const field of Object.values(counts[who].fields)) {
      for (const [code, count] of Object.entries(field)) if (!["executed", "refused"].includes(code)) codes[code] = (codes[code] ?? 0) + count;
    }
  }
  console.log(`what the resolvers said: ${table(codes)}`);
}
