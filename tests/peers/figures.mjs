// The figures of the README, for the binary named by MEGILANCE: node figures.mjs. Nothing else should run meanwhile.
//   dev: from an empty folder to ready, and what it keeps in memory with the sandbox;
//   serve: with its workers and an existing SQLite database, on the chain, bucket and mail server of that dev.
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { generatePrivateKey } from "viem/accounts";
import { sleep } from "./client.mjs";
import { freePorts, MEGILANCE, ready, start, stopAll } from "./run.mjs";

const IDLE_SECONDS = 15;
const RUNS = 5;
const folder = mkdtempSync(join(tmpdir(), "megilance-figures."));
const [devPort, servePort] = await freePorts(2);
try {
  console.log(`binary: ${(statSync(MEGILANCE).size / 1e6).toFixed(1)} MB`);
  const times = [];
  let dev, data;
  for (let run = 0; run < RUNS; run += 1) {
    if (dev) await dev.stop();
    data = join(folder, `dev-${run}`);
    mkdirSync(data);
    const began = performance.now();
    dev = start(folder, "dev", MEGILANCE, ["dev", "--addr", `127.0.0.1:${devPort}`, "--data", join(data, "data")], { cwd: data });
    await ready(dev, `http://127.0.0.1:${devPort}/readyz`);
    times.push(performance.now() - began);
  }
  console.log(`dev, empty folder to ready: ${spread(times)}`);
  await sleep(IDLE_SECONDS * 1000);
  console.log(`dev, resident after ${IDLE_SECONDS} s idle: ${resident(dev.pid)}`);

  const env = await settings(join(data, "data"));
  execFileSync(MEGILANCE, ["migrate", "up"], { env, cwd: folder });
  const ups = [];
  let serve;
  for (let run = 0; run < RUNS; run += 1) {
    if (serve) await serve.stop();
    const began = performance.now();
    serve = start(folder, "serve", MEGILANCE, ["serve"], { env, cwd: folder });
    await ready(serve, `http://127.0.0.1:${servePort}/readyz`);
    ups.push(performance.now() - began);
  }
  console.log(`serve with workers, existing database to ready: ${spread(ups)}`);
  await sleep(IDLE_SECONDS * 1000);
  console.log(`serve with workers, resident after ${IDLE_SECONDS} s idle: ${resident(serve.pid)}`);
} finally {
  await stopAll();
  rmSync(folder, { recursive: true, force: true });
}

async function settings(data) {
  const info = await (await fetch(`http://127.0.0.1:${devPort}/sandbox/info`)).json();
  const keys = JSON.parse(readFileSync(join(data, "secrets.json"), "utf8"));
  return {
    PATH: process.env.PATH,
    DATABASE_URL: `sqlite://${join(folder, "serve.db")}?mode=rwc`,
    JWT_SECRET: randomBytes(36).toString("base64"),
    PUBLIC_URL: `http://127.0.0.1:${servePort}`,
    LISTEN_ADDR: `127.0.0.1:${servePort}`,
    BLOCKCHAIN_PROVIDER_URL: info.rpcUrl,
    CHAIN_ID: String(info.chainId),
    USDC_CONTRACT_ADDRESS: info.usdcAddress,
    TREASURY_PRIVATE_KEY: generatePrivateKey(),
    S3_BUCKET: info.bucket,
    S3_ENDPOINT: info.s3Endpoint,
    AWS_REGION: "us-east-1",
    AWS_ACCESS_KEY_ID: keys.s3_access_key,
    AWS_SECRET_ACCESS_KEY: keys.s3_secret_key,
    SMTP_URL: info.smtpUrl,
    MAIL_FROM: "MegiLance <no-reply@example.com>",
  };
}

function spread(times) {
  const sorted = times.map(Math.round).sort((a, b) => a - b);
  return `median ${sorted[RUNS >> 1]} ms (${sorted.join(", ")})`;
}

/** Linux alone tells it this way. */
function resident(pid) {
  const kilobytes = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))[1]);
  return `${(kilobytes / 1024).toFixed(1)} MiB`;
}
