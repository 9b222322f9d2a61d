// The parts of the outside that a journey touches itself: the chain, the wallets, the mails.
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import PostalMime from "postal-mime";
import { createPublicClient, erc20Abi, formatUnits, http, parseAbiItem, parseUnits } from "viem";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";

/** A new wallet. */
export const newWallet = () => privateKeyToAccount(generatePrivateKey());

/** USDC as anybody can see it on a chain. */
export class Usdc {
  constructor(rpcUrl, address) {
    this.rpcUrl = rpcUrl;
    this.address = address;
    this.chain = createPublicClient({ transport: http(rpcUrl), pollingInterval: 250 });
  }

  /** What an address holds, in USDC. */
  async balance(owner) {
    const units = await this.chain.readContract({
      address: this.address,
      abi: erc20Abi,
      functionName: "balanceOf",
      args: [owner],
    });
    return formatUnits(units, 6);
  }

  /** The successful transfers to an address, all that there ever were. */
  transfersTo(to) {
    return this.#transfers({ to });
  }

  /** The successful transfers from an address, all that there ever were. */
  transfersFrom(from) {
    return this.#transfers({ from });
  }

  async #transfers(args) {
    const logs = await this.chain.getLogs({
      address: this.address,
      event: parseAbiItem("event Transfer(address indexed from, address indexed to, uint256 value)"),
      args,
      fromBlock: 0n,
    });
    return logs.map(({ transactionHash, args }) => ({ transactionHash, from: args.from, to: args.to, amount: formatUnits(args.value, 6) }));
  }
}

/** An amount in micro-USDC, for sums: "12.5" is 12500000n. */
export const micro = (amount) => parseUnits(amount, 6);

/** The mailbox of the sandbox: GET /sandbox/mail/api?to=ADDRESS. */
export const sandboxMails = (base) => async (to) => {
  const address = new URL(`/sandbox/mail/api?to=${encodeURIComponent(to)}`, base);
  return (await fetch(address)).json();
};

/** A Maildir, as aiosmtpd's Mailbox handler fills it. */
export const maildirMails = (folder) => async (to) => {
  const mails = [];
  for (const name of await readdir(join(folder, "new")).catch(() => [])) {
    const mail = await PostalMime.parse(await readFile(join(folder, "new", name)));
    if (mail.to.some((recipient) => recipient.address.toLowerCase() === to.toLowerCase())) {
      mails.push({ id: name, to, subject: mail.subject, text: mail.text, html: mail.html });
    }
  }
  return mails;
};
