// Runs a program against a fresh `megilance dev`: node with-dev.mjs FOLDER PROGRAM ARGUMENT...
// Of the arguments, BASE stands for the server's address and TOKEN for somebody's access token.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "./client.mjs";
import { freePorts, MEGILANCE, ready, start, stopAll } from "./run.mjs";

const [folder, program, ...given] = process.argv.slice(2);
const data = mkdtempSync(join(tmpdir(), "megilance-dev."));
const [port] = await freePorts(1);
const base = `http://127.0.0.1:${port}`;
let code = 1;
try {
  const began = Date.now();
  const server = start(folder, "dev", MEGILANCE, ["dev", "--addr", `127.0.0.1:${port}`, "--data", join(data, "data")], { cwd: data });
  await ready(server, `${base}/readyz`);
  console.log(`megilance dev was ready after ${((Date.now() - began) / 1000).toFixed(1)} s`);
  const token = given.includes("TOKEN") ? await register(base) : "";
  const args = given.map((argument) => ({ BASE: base, TOKEN: token })[argument] ?? argument);
  const child = spawn(program === "node" ? process.execPath : program, args, { stdio: "inherit" });
  code = await new Promise((resolve) => child.on("exit", (exit) => resolve(exit ?? 1)));
} finally {
  await stopAll();
  rmSync(data, { recursive: true, force: true });
}
process.exit(code);

async function register(base) {
  const somebody = { email: "somebody@example.com", password: "a long walk over the hills", displayName: "Somebody", role: "CLIENT" };
  const { session } = await new Client(base).mutate("accountRegister", somebody, "session { accessToken }");
  return session.accessToken;
}
