import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** What the shop paid back. It stands for a bank: another system, that knows what it did by the key it was given. */
export interface Refund {
  readonly receipt: string;
  readonly key: string;
  readonly order: number;
  readonly euros: number;
}

const file = process.env['REFUNDS_FILE'] ?? '.agent-functions/refunds.jsonl';

export function refunds(): readonly Refund[] {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean);
  return lines.map((line): Refund => JSON.parse(line));
}

/** Pays back once for each key: the same key gets the same receipt. */
export function payBack(key: string, order: number, euros: number): Refund {
  const made = refunds();
  const known = made.find((one) => one.key === key);
  if (known !== undefined) return known;
  const refund = { receipt: `R-${made.length + 1}`, key, order, euros };
  mkdirSync(dirname(file), { recursive: true });
  appendFileSync(file, `${JSON.stringify(refund)}\n`);
  return refund;
}
