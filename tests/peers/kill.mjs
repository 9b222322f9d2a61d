// The journey ten times on one `megilance dev`, which is killed (-9) once in each, at a moment drawn from another tenth of
// it, and started again on the same folder and address. The client tries again; every milestone ends PAID, with one
// payout on the chain, and the books are right: node kill.mjs LOG_FOLDER
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { patient } from "./again.mjs";
import { sleep, until } from "./client.mjs";
import { micro, sandboxMails, Usdc } from "./outside.mjs";
import { check, finish, parameters } from "./report.mjs";
import { freePorts, MEGILANCE, ready, start, stopAll } from "./run.mjs";
import { Story } from "./story.mjs";

const [logs] = parameters("LOG_FOLDER");
const KILLS = 10;
const folder = mkdtempSync(join(tmpdir(), "megilance-kill."));
const data = join(folder, "data");
const [port] = await freePorts(1);
const base = `http://127.0.0.1:${port}`;
let server;
let up;

try {
  await check("dev starts", boot);
  let seconds = 0;
  await check("the journey, undisturbed", async () => {
    const began = Date.now();
    await journey();
    seconds = (Date.now() - began) / 1000;
    console.log(`      took ${seconds.toFixed(1)} s`);
  });
  for (let kill = 0; kill < KILLS; kill += 1) {
    const moment = ((kill + Math.random()) / KILLS) * seconds;
    await check(`killed after ${moment.toFixed(2)} s, it still ends PAID, once`, async () => {
      const killed = sleep(moment * 1000).then(killAndRestart);
      await journey();
      await killed;
    });
  }
  await check("the books are right", () =>
    until("the books to agree with the chain", async () => (await verify()) === 0, { seconds: 30, every: 1000 }),
  );
} finally {
  await stopAll();
  rmSync(folder, { recursive: true, force: true });
}
finish();

async function boot() {
  server = start(logs, "dev", MEGILANCE, ["dev", "--addr", `127.0.0.1:${port}`, "--data", data], { cwd: folder });
  up = ready(server, `${base}/readyz`);
  await up;
}

async function killAndRestart() {
  await server.stop("SIGKILL");
  await boot();
}

/** From registering to PAID, for two new people. */
async function journey() {
  const { once, reread } = patient(() => up);
  const story = new Story({ base, once, reread, pay, usdc, mails: sandboxMails(base), seconds: 90 });
  const client = await story.arrive("CLIENT", "Clara");
  const freelancer = await story.arrive("FREELANCER", "Felix");
  const { milestones: [milestone] } = await story.agree(client, freelancer, ["100"]);
  await story.fund(client, milestone);
  await story.deliver(client, freelancer, milestone);
  const paid = await reread(async () => (await usdc()).transfersTo(freelancer.wallet.address));
  assert.deepEqual(paid.map((it) => micro(it.amount)), [micro("90")], "exactly one payout");
}

async function pay({ id }) {
  const response = await fetch(new URL("/sandbox/wallet/pay", base), {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ paymentId: id }),
  });
  assert.ok(response.ok, await response.text());
}

async function usdc() {
  const { rpcUrl, usdcAddress } = await (await fetch(new URL("/sandbox/info", base))).json();
  return new Usdc(rpcUrl, usdcAddress);
}

function verify() {
  const child = spawn(MEGILANCE, ["ledger", "verify", "--data", data], { stdio: ["ignore", "inherit", "inherit"] });
  return new Promise((resolve) => child.on("exit", resolve));
}
