/** What one euro was worth on 1 July 2026. */
const rates: ReadonlyMap<string, number> = new Map([
  ['EUR', 1],
  ['CHF', 0.94],
  ['DKK', 7.46],
  ['GBP', 0.86],
  ['USD', 1.17],
]);

export const currencies: readonly string[] = [...rates.keys()];

/** @throws Error for a currency that is not listed. */
export function convert(amount: number, from: string, to: string): number {
  return Math.round((amount / rateOf(from)) * rateOf(to) * 100) / 100;
}

function rateOf(currency: string): number {
  const rate = rates.get(currency);
  if (rate !== undefined) return rate;
  throw new Error(`There is no rate of ${currency}. Listed: ${currencies.join(', ')}.`);
}
