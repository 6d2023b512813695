import { sha256Hex } from './json.ts';

/** A random id of 128 bits, `[0-9a-f]{32}`: a capability where there is no principal. */
export function randomId(): string {
  if (used === pool.length) {
    crypto.getRandomValues(pool);
    used = 0;
  }
  const codes: number[] = [];
  for (const end = used + 16; used < end; used += 1) {
    const byte = pool[used] ?? 0;
    codes.push(digits.charCodeAt(byte >> 4), digits.charCodeAt(byte & 15));
  }
  // In one piece: a text put together bit by bit keeps its bits.
  return String.fromCharCode(...codes);
}

// Asking the system for each id would cost as much as a run.
const pool = new Uint8Array(4_096);
let used = pool.length;

const digits = '0123456789abcdef';

/** The id of a run with an idempotency key: the same owner, agent and key find the same run. */
export function keyedRunId(owner: string | undefined, agent: string, key: string): Promise<string> {
  return sha256Hex(JSON.stringify([owner ?? null, agent, key]), 128);
}

/** `runId/callId`: header-safe, stable across retries and resumes (journal.md, Names). */
export function idempotencyKeyOf(runId: string, callId: string): string {
  return `${runId}/${callId}`;
}

const process = Math.floor(Math.random() * 2 ** 48).toString(36);
let epochs = 0;

/** A new epoch: unlike any other of this process, and of any other process as far as chance goes. */
export function newEpoch(): string {
  epochs += 1;
  return `${process}${epochs.toString(36)}`;
}
