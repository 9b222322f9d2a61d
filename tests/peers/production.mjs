// Everything that `megilance serve` needs and nothing of ours: PostgreSQL (DATABASE_URL, see scripts/with-postgres), anvil with
// the real USDC contract, SeaweedFS, and Python's aiosmtpd.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { generatePrivateKey, privateKeyToAddress } from "viem/accounts";
import { Anvil, binary } from "./anvil.mjs";
import { until } from "./client.mjs";
import { freePorts, MEGILANCE, ready, start, stopAll } from "./run.mjs";
import { deployUsdc, giveGas } from "./usdc.mjs";

/** Where things are, once they are started one by one. */
export class Production {
  /** @param logs the folder of the logs; `sqlite` instead of what DATABASE_URL names */
  static async at(logs, { sqlite = false } = {}) {
    const it = new Production();
    it.logs = logs;
    it.folder = mkdtempSync(join(tmpdir(), "megilance-serve."));
    it.database = sqlite ? `sqlite://${join(it.folder, "megilance.db")}?mode=rwc` : process.env.DATABASE_URL;
    assert.ok(it.database, "DATABASE_URL is missing: run this by scripts/with-postgres");
    const [rpc, s3, master, volume, filer, smtp, http] = await freePorts(7);
    it.ports = { rpc, s3, master, volume, filer, smtp, http };
    it.base = `http://127.0.0.1:${http}`;
    it.maildir = join(it.folder, "mail");
    /** Settings that are other ones than usual. */
    it.changes = {};
    it.bucket = { name: "megilance", accessKey: "peers", secretKey: randomBytes(20).toString("hex") };
    return it;
  }

  /** A chain with a block each second. @param slots a block is final by anvil's word once twice as many are over it */
  async startChain({ slots = 1 } = {}) {
    const rpcUrl = `http://127.0.0.1:${this.ports.rpc}`;
    const options = ["--port", this.ports.rpc, "--slots-in-an-epoch", slots, "--silent"].map(String);
    const program = start(this.logs, "anvil", binary(), options);
    this.chain = new Anvil(rpcUrl);
    await until("anvil", () => this.chain.head().then(() => true, () => program.ended && Promise.reject(new Error("anvil ended"))));
    const usdc = await deployUsdc(rpcUrl);
    this.outside = { rpcUrl, usdcAddress: usdc.address, faucetKey: usdc.faucetKey, maildir: this.maildir };
    this.treasuryKey = generatePrivateKey();
    await giveGas(rpcUrl, privateKeyToAddress(this.treasuryKey));
    await this.chain.bySeconds();
  }

  async startBucket() {
    const { bucket, ports } = this;
    const identity = {
      name: "peers",
      credentials: [{ accessKey: bucket.accessKey, secretKey: bucket.secretKey }],
      actions: ["Read", "Write", "List"].map((action) => `${action}:${bucket.name}`),
    };
    writeFileSync(join(this.folder, "s3.json"), JSON.stringify({ identities: [identity] }));
    const objects = join(this.folder, "objects");
    mkdirSync(objects);
    const options = {
      dir: objects,
      ip: "127.0.0.1",
      "ip.bind": "127.0.0.1",
      "master.port": ports.master,
      "master.volumeSizeLimitMB": 64,
      "volume.port": ports.volume,
      "volume.max": 20,
      "filer.port": ports.filer,
      "s3.port": ports.s3,
      "s3.config": join(this.folder, "s3.json"),
      // Catalogues that nobody asks here, each at a port of its own choice: a second SeaweedFS on the machine would die of it.
      "s3.port.iceberg": 0,
      "s3.port.lance": 0,
    };
    const args = ["server", "-s3", ...Object.entries(options).map(([name, value]) => `-${name}=${value}`)];
    const program = start(this.logs, "seaweedfs", "weed", args, { cwd: this.folder });
    // Without a signature the server says no: that is an answer too.
    await ready(program, `http://127.0.0.1:${ports.s3}/`, { accept: () => true });
    await until("the bucket", () => {
      const shell = ["shell", `-master=127.0.0.1:${ports.master}`, `-filer=127.0.0.1:${ports.filer}`];
      const input = `s3.bucket.create -name ${bucket.name}\ns3.bucket.list\n`;
      const said = execFileSync("weed", shell, { input, encoding: "utf8", stdio: ["pipe", "pipe", "ignore"], timeout: 60_000 });
      return said.split("\n").some((line) => line.trim().startsWith(bucket.name));
    }, { every: 500 });
  }

  async startMail() {
    const { smtp } = this.ports;
    const args = ["-m", "aiosmtpd", "-n", "-c", "aiosmtpd.handlers.Mailbox", this.maildir, "-l", `127.0.0.1:${smtp}`];
    const program = start(this.logs, "aiosmtpd", "python", args, { cwd: this.folder });
    const { connect } = await import("node:net");
    await until("the SMTP server", () => {
      if (program.ended) throw new Error("aiosmtpd ended; see its log");
      return new Promise((resolve) => {
        const socket = connect(smtp, "127.0.0.1");
        socket.once("data", () => resolve(true) || socket.destroy());
        socket.once("error", () => resolve(false));
      });
    });
  }

  /** `serve` itself, up to its being ready. */
  async serve() {
    const server = start(this.logs, "serve", MEGILANCE, ["serve"], { env: this.settings(), cwd: this.folder });
    await ready(server, `${this.base}/readyz`);
    return server;
  }

  /** The environment that it runs in; the same each time. */
  settings() {
    this.secret ??= randomBytes(36).toString("base64");
    return {
      PATH: process.env.PATH,
      DATABASE_URL: this.database,
      JWT_SECRET: this.secret,
      PUBLIC_URL: this.base,
      LISTEN_ADDR: `127.0.0.1:${this.ports.http}`,
      BLOCKCHAIN_PROVIDER_URL: this.outside.rpcUrl,
      CHAIN_ID: "31337",
      USDC_CONTRACT_ADDRESS: this.outside.usdcAddress,
      TREASURY_PRIVATE_KEY: this.treasuryKey,
      CHAIN_CONFIRMATIONS: "3",
      WALLET_REST_HOURS: "0",
      S3_BUCKET: this.bucket.name,
      S3_ENDPOINT: `http://127.0.0.1:${this.ports.s3}`,
      AWS_REGION: "us-east-1",
      AWS_ACCESS_KEY_ID: this.bucket.accessKey,
      AWS_SECRET_ACCESS_KEY: this.bucket.secretKey,
      SMTP_URL: `smtp://127.0.0.1:${this.ports.smtp}`,
      MAIL_FROM: "MegiLance <no-reply@example.com>",
      ...this.changes,
    };
  }

  /** Runs the binary with these settings alone, to its end. */
  run(args, env = this.settings()) {
    try {
      return { code: 0, output: execFileSync(MEGILANCE, args, { env, cwd: this.folder, encoding: "utf8", stdio: "pipe" }) };
    } catch (error) {
      return { code: error.status, output: `${error.stdout}${error.stderr}` };
    }
  }

  /** Ends all of it and forgets it. */
  async close() {
    await stopAll();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
