// Where schemathesis is let loose: `dev`, on SQLite with the sandbox, and `serve`, on PostgreSQL with a chain, a bucket and a
// mail server of others. Both hold the demo's people, and both go on meanwhile: deposits are paid, the clock is moved.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client, sleep } from "../client.mjs";
import { newWallet } from "../outside.mjs";
import { Production } from "../production.mjs";
import { freePorts, MEGILANCE, ready, start, stopAll } from "../run.mjs";
import { fromWallet } from "../usdc.mjs";

/** A world: `base`, `password`, `log`, `pay(payment)`, `pass()` (some hours), `verify()` (an exit code), `close()`. */
export const worlds = { dev, serve };

async function dev(folder) {
  const data = mkdtempSync(join(tmpdir(), "megilance-fuzz."));
  const [port] = await freePorts(1);
  const base = `http://127.0.0.1:${port}`;
  const server = start(folder, "dev", MEGILANCE, ["dev", "--addr", `127.0.0.1:${port}`, "--data", join(data, "data")], { cwd: data });
  await ready(server, `${base}/readyz`);
  const post = (path, body) =>
    fetch(new URL(path, base), { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
  return {
    base,
    password: "otter-lantern-42",
    log: join(folder, "dev.log"),
    pay: ({ id }) => post("/sandbox/wallet/pay", { paymentId: id }),
    pass: () => post("/sandbox/clock", { advance: "PT13H" }),
    verify: () => end(start(folder, "verify", MEGILANCE, ["ledger", "verify", "--data", join(data, "data")], { cwd: data })),
    async close() {
      await stopAll();
      rmSync(data, { recursive: true, force: true });
    },
  };
}

async function serve(folder) {
  const production = await Production.at(folder);
  await Promise.all([production.startChain(), production.startBucket(), production.startMail()]);
  for (const step of [["migrate", "up"], ["seed"]]) {
    const { code, output } = production.run(step);
    if (code !== 0) throw new Error(output);
    production.seeded = /password: (\S+)/.exec(output)?.[1];
  }
  await production.serve();
  const { base, seeded: password } = production;
  // Nobody has a wallet here yet.
  const wallets = {};
  for (const who of ["client", "freelancer"]) {
    const wallet = (wallets[who] = newWallet());
    const person = await signIn({ base, password }, who);
    const { message } = await person.mutate("walletLinkBegin", { address: wallet.address }, "message");
    await person.mutate("walletLinkComplete", { message, signature: await wallet.signMessage({ message }) }, "wallet { id }");
  }
  return {
    base,
    password,
    log: join(folder, "serve.log"),
    pay: ({ depositAddress: to, amount }) => fromWallet({ ...production.outside, wallet: wallets.client, to, amount: amount.amount }),
    pass: () => {},
    verify: async () => production.run(["ledger", "verify"]).code,
    close: () => production.close(),
  };
}

/** One of the demo's people: a client with an id and a token. */
export async function signIn({ base, password }, who) {
  const client = new Client(base);
  const input = { email: `${who}@demo.example`, password };
  const { session, user } = await client.mutate("sessionCreate", input, "session { accessToken } user { id }");
  return Object.assign(client, { id: user.id, token: session.accessToken });
}

/** How a program ended. */
export async function end(program) {
  while (!program.ended) await sleep(100);
  return program.how;
}
