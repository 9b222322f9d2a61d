// Amounts, exactly: the schema's Decimal is a string here, and no number is made of it.
import { MoneyTextFragmentDoc, type MoneyTextFragment } from "#gql/graphql.js";
import { unmask, type FragmentType } from "#gql/fragment-masking.js";

/** Money as a document holds it. */
export type Money = FragmentType<typeof MoneyTextFragmentDoc>;

/** Whole micro-USDC. */
export function micro(money: Money): bigint {
  const { amount }: MoneyTextFragment = unmask(MoneyTextFragmentDoc, money);
  const [whole = "0", fraction = ""] = amount.replace("-", "").split(".");
  const units = BigInt(whole) * 1_000_000n + BigInt(fraction.padEnd(6, "0"));
  return amount.startsWith("-") ? -units : units;
}

/** The sum of some amounts, in micro-USDC. */
export const sum = (amounts: readonly Money[]): bigint => amounts.reduce((total, it) => total + micro(it), 0n);

/** For people: "12.50 USDC". */
export function text(money: Money): string {
  const { amount, currency } = unmask(MoneyTextFragmentDoc, money);
  return `${amount} ${currency}`;
}
