// What a test does to anvil that nobody does to a chain: blocks by hand, reorgs, a price for gas.
import { createRequire } from "node:module";

/** The binary itself: the package's wrapper would outlive a kill. On other systems than CI's, anvil's own installer. */
export function binary() {
  const packaged = "@foundry-rs/anvil-linux-amd64/bin/anvil";
  return process.platform === "linux" && process.arch === "x64" ? createRequire(import.meta.url).resolve(packaged) : "anvil";
}

const hex = (number) => `0x${BigInt(number).toString(16)}`;

/** A running anvil. */
export class Anvil {
  constructor(rpcUrl) {
    this.rpcUrl = rpcUrl;
  }

  async ask(method, ...params) {
    const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method, params });
    const response = await fetch(this.rpcUrl, { method: "POST", body, headers: { "content-type": "application/json" } });
    const { error, result } = await response.json();
    if (error) throw new Error(`${method}: ${error.message}`);
    return result;
  }

  /** No block comes by itself from here on. */
  async byHand() {
    await this.ask("evm_setIntervalMining", 0);
    await this.ask("evm_setAutomine", false);
  }

  /** A block for each transaction, at once. */
  async atOnce() {
    await this.ask("evm_setIntervalMining", 0);
    await this.ask("evm_setAutomine", true);
  }

  /** A block each second. */
  async bySeconds() {
    await this.ask("evm_setAutomine", false);
    await this.ask("evm_setIntervalMining", 1);
  }

  mine(blocks = 1) {
    return this.ask("anvil_mine", hex(blocks));
  }

  /** One block whose gas costs so much. */
  async mineAt(baseFee) {
    await this.ask("anvil_setNextBlockBaseFeePerGas", hex(baseFee));
    await this.mine();
  }

  async head() {
    return Number(await this.ask("eth_blockNumber"));
  }

  /** A block, by its height or its name. */
  block(at, { whole = false } = {}) {
    return this.ask("eth_getBlockByNumber", typeof at === "number" ? hex(at) : at, whole);
  }

  /** The receipt of a transaction, or null. */
  receipt(hash) {
    return this.ask("eth_getTransactionReceipt", hash);
  }

  /** A transaction that is in a block or waits for one, or null. */
  transaction(hash) {
    return this.ask("eth_getTransactionByHash", hash);
  }

  /**
   * Replaces the newest blocks by as many without transactions, and adds one: the longer chain wins. What was in them is
   * in no block and waits nowhere. Anvil's word is not taken for it: the hashes have to differ, down to the fork and no deeper.
   */
  async reorg(depth) {
    const head = await this.head();
    const hashes = async () => {
      const heights = Array.from({ length: depth + 1 }, (_, index) => head - depth + index);
      return Promise.all(heights.map(async (height) => (await this.block(height)).hash));
    };
    const before = await hashes();
    await this.ask("anvil_reorg", depth, []);
    await this.mine();
    const after = await hashes();
    const same = after.map((hash, index) => hash === before[index]);
    if (!same[0] || same.slice(1).some(Boolean) || (await this.head()) !== head + 1) {
      throw new Error(`no reorg of depth ${depth} at ${head}: ${same}`);
    }
  }

  /** All transactions that somebody sent and a block shows, in the chain's order. */
  async sentBy(address) {
    const head = await this.head();
    const sent = [];
    for (let height = 0; height <= head; height += 1) {
      const { transactions } = await this.block(height, { whole: true });
      sent.push(...transactions.filter(({ from }) => from.toLowerCase() === address.toLowerCase()));
    }
    return sent;
  }
}
