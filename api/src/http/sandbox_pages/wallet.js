// The wallet: pays a deposit, signs a message. The keys are the server's; this page sees none.
// `?uri=` takes a payment link or a payment id, `?paymentId=` an id beside a link, `?amount=` an amount.

import { ask, find, make, onSend, values } from "./sandbox.js";

const USDC_DECIMALS = 6;

const pay = find("#pay");
const sign = find("#sign");

/** The first payment id in a text. */
const paymentId = (text) => text.match(/pay_[0-9A-Za-z_-]+/)?.[0];

/** Reads `ethereum:TOKEN@CHAIN/transfer?address=TO&uint256=UNITS` (EIP-681), or says that it is none. */
function readLink(text) {
  const link = text.match(/^ethereum:(?:pay-)?(0x[0-9a-fA-F]{40})(?:@([0-9]+))?\/transfer(?:\?(.*))?$/);
  if (link === null) {
    return null;
  }
  const query = new URLSearchParams(link[3] ?? "");
  return { token: link[1], chain: link[2] ?? "1", to: query.get("address"), units: query.get("uint256") };
}

/** Base units as USDC: `1250500000` is `1,250.50`. Numbers like `1e6`, which EIP-681 allows, are shown as they are. */
function usdc(units) {
  if (!/^[0-9]+$/.test(units)) {
    return units;
  }
  const digits = units.padStart(USDC_DECIMALS + 1, "0");
  const whole = BigInt(digits.slice(0, -USDC_DECIMALS)).toLocaleString("en");
  const rest = digits.slice(-USDC_DECIMALS).replace(/0+$/, "").padEnd(2, "0");
  return `${whole}.${rest} USDC`;
}

function showWhatIsAsked() {
  const text = pay.elements.payment.value.trim();
  const link = readLink(text);
  const asked = find("#asked");
  asked.hidden = link === null;
  find("#id-field").hidden = link === null || paymentId(text) !== undefined;
  if (link !== null) {
    const entries = [["Asks for", usdc(link.units ?? "?")], ["To", link.to ?? "?"], ["Token", link.token], ["Chain", link.chain]];
    asked.replaceChildren(values(entries));
  }
}

pay.elements.payment.addEventListener("input", showWhatIsAsked);

onSend(pay, find("#paid"), async () => {
  const { payment, id, amount } = pay.elements;
  const wanted = paymentId(payment.value) ?? paymentId(id.value);
  if (wanted === undefined) {
    throw new Error("Which payment? Its id starts with pay_.");
  }
  const order = { paymentId: wanted };
  if (amount.value.trim() !== "") {
    order.amount = amount.value.trim();
  }
  const { transactionHash } = await ask("/sandbox/wallet/pay", order);
  return ["Sent", values([["Transaction hash", transactionHash], ["Payment", wanted]])];
});

find("#new").addEventListener("click", async () => {
  const box = find("#address");
  try {
    const { address } = await ask("/sandbox/wallet/new");
    box.classList.remove("failed");
    box.replaceChildren(values([["Address", address]]));
  } catch (error) {
    box.classList.add("failed");
    box.replaceChildren(make("p", { textContent: error.message }));
  }
  box.hidden = false;
});

onSend(sign, find("#signed"), async () => {
  const { address, signature } = await ask("/sandbox/wallet/sign", { message: sign.elements.message.value });
  return ["Signed", values([["Signature", signature], ["Address", address]])];
});

const query = new URLSearchParams(location.search);
pay.elements.payment.value = query.get("uri") ?? query.get("paymentId") ?? "";
pay.elements.id.value = query.get("paymentId") ?? "";
pay.elements.amount.value = query.get("amount") ?? "";
showWhatIsAsked();
