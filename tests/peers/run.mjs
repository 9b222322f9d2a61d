// Processes that end with us, each with its log.
import { spawn } from "node:child_process";
import { createWriteStream, mkdirSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { until } from "./client.mjs";

const running = new Set();

/** Starts a program. Its output goes to `<folder>/<name>.log`. */
export function start(folder, name, program, args, { env = {}, cwd } = {}) {
  mkdirSync(folder, { recursive: true });
  const log = createWriteStream(join(folder, `${name}.log`), { flags: "a" });
  const child = spawn(program, args, { env: { ...process.env, ...env }, cwd, stdio: ["ignore", "pipe", "pipe"] });
  child.stdout.pipe(log, { end: false });
  child.stderr.pipe(log, { end: false });
  const ended = new Promise((resolve) => {
    child.on("error", (error) => resolve(error.message));
    child.on("exit", (code, signal) => resolve(signal ?? code));
  });
  const it = {
    pid: child.pid,
    ended: false,
    /** Sends a signal and waits for the end; tells how it ended. */
    async stop(signal = "SIGTERM") {
      if (!it.ended) child.kill(signal);
      return ended;
    },
  };
  running.add(it);
  ended.then((how) => {
    it.ended = true;
    it.how = how;
    running.delete(it);
  });
  return it;
}

/** Ends everything that was started and still runs, at once: nothing of it is kept. */
export async function stopAll() {
  await Promise.all([...running].map((it) => it.stop("SIGKILL")));
}
for (const signal of ["SIGINT", "SIGTERM"]) {
  process.on(signal, () => stopAll().then(() => process.exit(130)));
}

/**
 * Ports that nobody listens on, nor 10,000 above, where some programs listen too. All of them are below those that the
 * kernel gives to connections, which would take one between this look and the program's.
 */
export async function freePorts(count) {
  const ports = new Set();
  while (ports.size < count) {
    const port = 11_000 + Math.floor(Math.random() * 10_000);
    if ((await isFree(port)) && (await isFree(port + 10_000))) ports.add(port);
  }
  return [...ports];
}

function isFree(port) {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}

/** Waits until an address answers well; a program that ended instead is an error. */
export function ready(program, address, { seconds = 60, accept = (response) => response.ok } = {}) {
  return until(`${address} to answer`, async () => {
    if (program.ended) throw new Error(`it ended with ${program.how} instead of answering at ${address}; see its log`);
    return fetch(address, { signal: AbortSignal.timeout(2000) }).then(accept, () => false);
  }, { seconds, every: 50 });
}

/** The binary under test. */
export const MEGILANCE = process.env.MEGILANCE ?? new URL("../../target/debug/megilance", import.meta.url).pathname;
