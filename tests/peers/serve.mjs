// The journey on `megilance serve` with nothing of ours around it, see production.mjs:
// scripts/with-postgres node serve.mjs LOG_FOLDER
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { Production } from "./production.mjs";
import { check, finish, parameters } from "./report.mjs";

const [logs] = parameters("LOG_FOLDER");
const production = await Production.at(logs);

try {
  await check("anvil mines, with the real USDC contract", () => production.startChain());
  await check("SeaweedFS keeps a bucket", () => production.startBucket());
  await check("an SMTP server takes mail", () => production.startMail());

  await check("without its settings it names every one that is missing", () => {
    const bare = production.run(["serve"], { PATH: process.env.PATH });
    assert.equal(bare.code, 2);
    for (const name of Object.keys(required(production.settings()))) assert.match(bare.output, new RegExp(name));
  });
  await check("the migrations go up", () => assert.equal(production.run(["migrate", "up"]).code, 0));
  let server;
  await check("serve is ready", async () => {
    const began = Date.now();
    server = await production.serve();
    console.log(`      after ${Date.now() - began} ms`);
  });
  await check("the doctor finds nothing wrong", () => {
    const { code, output } = production.run(["doctor"]);
    assert.equal(code, 0, output);
  });
  await check("the whole journey", async () => {
    const args = ["journey.mjs", production.base, "--outside", JSON.stringify(production.outside)];
    const journey = spawn(process.execPath, args, { stdio: "inherit" });
    assert.equal(await new Promise((resolve) => journey.on("exit", resolve)), 0);
  });
  await check("the ledger is right", () => {
    const { code, output } = production.run(["ledger", "verify"]);
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
  await production.close();
}
finish();

function required(env) {
  const { PATH, CHAIN_CONFIRMATIONS, WALLET_REST_HOURS, S3_ENDPOINT, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, ...rest } = env;
  return rest;
}
