import { canonicalJson, toJson } from '../json.ts';

/** Fails with `what`. */
export function ok(condition: unknown, what: string): asserts condition {
  if (condition === false || condition === undefined || condition === null || condition === 0) {
    throw new Error(what);
  }
}

/** Compares as JSON: key order does not matter, `undefined` fields are absent. */
export function equal(actual: unknown, expected: unknown, what: string): void {
  const [a, b] = [canonicalJson(toJson(actual)), canonicalJson(toJson(expected))];
  if (a !== b) throw new Error(`${what}\n  expected ${b}\n  actual   ${a}`);
}

/** The error that a promise rejects with; fails when it resolves. */
export async function rejection(promise: Promise<unknown>, what = 'The promise'): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error(`${what}: it resolved instead of failing`);
}

/** Polls until `check` answers something truthy; fails after `timeoutMs` (default 5,000). */
export async function eventually<T>(
  check: () => T | Promise<T>,
  what: string,
  timeoutMs = 5_000,
): Promise<T> {
  const end = performance.now() + timeoutMs;
  for (;;) {
    const value = await check();
    if (value !== false && value !== undefined && value !== null) return value;
    if (performance.now() > end) throw new Error(`not within ${timeoutMs} ms: ${what}`);
    await new Promise<void>((resolve) => setTimeout(resolve, 5));
  }
}

/** Everything an async iterable yields. */
export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}
