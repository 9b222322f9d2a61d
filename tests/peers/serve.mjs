// The journey on `megilance serve` with nothing of ours around it: PostgreSQL (DATABASE_URL), anvil with the real USDC
// contract, SeaweedFS, and Python's aiosmtpd: scripts/with-postgres node serve.mjs LOG_FOLDER
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { generatePrivateKey, privateKeyToAddress } from "viem/accounts";
import { until } from "./client.mjs";
import { check, finish, parameters } from "./report.mjs";
import { freePorts, MEGILANCE, ready, start, stopAll } from "./run.mjs";
import { deployUsdc, giveGas } from "./usdc.mjs";

const [logs] = parameters("LOG_FOLDER");
const { DATABASE_URL } = process.env;
assert.ok(DATABASE_URL, "DATABASE_URL is missing: run this by scripts/with-postgres");
const folder = mkdtempSync(join(tmpdir(), "megilance-serve."));
const [rpcPort, s3Port, masterPort, volumePort, filerPort, smtpPort, port] = await freePorts(7);
const base = `http://127.0.0.1:${port}`;
const maildir = join(folder, "mail");
const bucket = { name: "megilance", accessKey: "peers", secretKey: randomBytes(20).toString("hex") };
let chain;

try {
  await check("anvil mines, with the real USDC contract", startChain);
  await check("SeaweedFS keeps a bucket", startBucket);
  await check("an SMTP server takes mail", startMail);
  const treasuryKey = generatePrivateKey();
  await giveGas(chain.rpcUrl, privateKeyToAddress(treasuryKey));
  const env = settings(treasuryKey);

  await check("without its settings it names every one that is missing", () => {
    const bare = run(["serve"], { PATH: process.env.PATH });
    assert.equal(bare.code, 2);
    for (const name of Object.keys(required(env))) assert.match(bare.output, new RegExp(name));
  });
  await check("the migrations go up", () => assert.equal(run(["migrate", "up"], env).code, 0));
  let server;
  await check("serve is ready", async () => {
    const began = Date.now();
    server = start(logs, "serve", MEGILANCE, ["serve"], { env, cwd: folder });
    await ready(server, `${base}/readyz`);
    console.log(`      after ${Date.now() - began} ms`);
  });
  await check("the doctor finds nothing wrong", () => {
    const { code, output } = run(["doctor"], env);
    assert.equal(code, 0, output);
  });
  const outside = JSON.stringify({ rpcUrl: chain.rpcUrl, usdcAddress: chain.usdc.address, faucetKey: chain.usdc.faucetKey, maildir });
  await check("the whole journey", async () => {
    const journey = spawn(process.execPath, ["journey.mjs", base, "--outside", outside], { stdio: "inherit" });
    assert.equal(await new Promise((resolve) => journey.on("exit", resolve)), 0);
  });
  await check("the ledger is right", () => {
    const { code, output } = run(["ledger", "verify"], env);
    assert.equal(code, 0, output);
  });
  await check("SIGTERM drains it within 30 s", async () => {
    const began = Date.now();
    assert.equal(await server.stop(), 0);
    const milliseconds = Date.now() - began;
    console.log(`      in ${milliseconds} ms`);
    assert.ok(milliseconds < 30_000);
  });
} finally {
  await stopAll();
  rmSync(folder, { recursive: true, force: true });
}
finish();

async function startChain() {
  // The binary itself: the package's wrapper would outlive a kill. On other systems than CI's, anvil's own installer.
  const packaged = "@foundry-rs/anvil-linux-amd64/bin/anvil";
  const anvil = process.platform === "linux" && process.arch === "x64" ? createRequire(import.meta.url).resolve(packaged) : "anvil";
  const rpcUrl = `http://127.0.0.1:${rpcPort}`;
  const options = ["--port", rpcPort, "--block-time", "1", "--slots-in-an-epoch", "1", "--silent"].map(String);
  const program = start(logs, "anvil", anvil, options);
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "eth_chainId", params: [] });
  const asks = () => fetch(rpcUrl, { method: "POST", body, headers: { "content-type": "application/json" } });
  await until("anvil", () => asks().then((it) => it.ok, () => program.ended && Promise.reject(new Error("anvil ended"))));
  chain = { rpcUrl, usdc: await deployUsdc(rpcUrl) };
}

async function startBucket() {
  const identity = {
    name: "peers",
    credentials: [{ accessKey: bucket.accessKey, secretKey: bucket.secretKey }],
    actions: ["Read", "Write", "List"].map((action) => `${action}:${bucket.name}`),
  };
  writeFileSync(join(folder, "s3.json"), JSON.stringify({ identities: [identity] }));
  const objects = join(folder, "objects");
  mkdirSync(objects);
  const options = {
    dir: objects,
    ip: "127.0.0.1",
    "ip.bind": "127.0.0.1",
    "master.port": masterPort,
    "master.volumeSizeLimitMB": 64,
    "volume.port": volumePort,
    "volume.max": 20,
    "filer.port": filerPort,
    "s3.port": s3Port,
    "s3.config": join(folder, "s3.json"),
  };
  const args = ["server", "-s3", ...Object.entries(options).map(([name, value]) => `-${name}=${value}`)];
  const program = start(logs, "seaweedfs", "weed", args, { cwd: folder });
  // Without a signature the server says no: that is an answer too.
  await ready(program, `http://127.0.0.1:${s3Port}/`, { accept: () => true });
  await until("the bucket", () => {
    const shell = ["shell", `-master=127.0.0.1:${masterPort}`, `-filer=127.0.0.1:${filerPort}`];
    const input = `s3.bucket.create -name ${bucket.name}\ns3.bucket.list\n`;
    const said = execFileSync("weed", shell, { input, encoding: "utf8", stdio: ["pipe", "pipe", "ignore"] });
    return said.split("\n").some((line) => line.trim().startsWith(bucket.name));
  }, { every: 500 });
}

async function startMail() {
  const args = ["-m", "aiosmtpd", "-n", "-c", "aiosmtpd.handlers.Mailbox", maildir, "-l", `127.0.0.1:${smtpPort}`];
  const program = start(logs, "aiosmtpd", "python", args, { cwd: folder });
  const { connect } = await import("node:net");
  await until("the SMTP server", () => {
    if (program.ended) throw new Error("aiosmtpd ended; see its log");
    return new Promise((resolve) => {
      const socket = connect(smtpPort, "127.0.0.1");
      socket.once("data", () => resolve(true) || socket.destroy());
      socket.once("error", () => resolve(false));
    });
  });
}

function required(env) {
  const { PATH, CHAIN_CONFIRMATIONS, WALLET_REST_HOURS, S3_ENDPOINT, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, ...rest } = env;
  return rest;
}

function settings(treasuryKey) {
  return {
    PATH: process.env.PATH,
    DATABASE_URL,
    JWT_SECRET: randomBytes(36).toString("base64"),
    PUBLIC_URL: base,
    LISTEN_ADDR: `127.0.0.1:${port}`,
    BLOCKCHAIN_PROVIDER_URL: chain.rpcUrl,
    CHAIN_ID: "31337",
    USDC_CONTRACT_ADDRESS: chain.usdc.address,
    TREASURY_PRIVATE_KEY: treasuryKey,
    CHAIN_CONFIRMATIONS: "3",
    WALLET_REST_HOURS: "0",
    S3_BUCKET: bucket.name,
    S3_ENDPOINT: `http://127.0.0.1:${s3Port}`,
    AWS_REGION: "us-east-1",
    AWS_ACCESS_KEY_ID: bucket.accessKey,
    AWS_SECRET_ACCESS_KEY: bucket.secretKey,
    SMTP_URL: `smtp://127.0.0.1:${smtpPort}`,
    MAIL_FROM: "MegiLance <no-reply@example.com>",
  };
}

/** Runs the binary with these settings alone, to its end. */
function run(args, env) {
  try {
    return { code: 0, output: execFileSync(MEGILANCE, args, { env, cwd: folder, encoding: "utf8", stdio: "pipe" }) };
  } catch (error) {
    return { code: error.status, output: `${error.stdout}${error.stderr}` };
  }
}
