import type { Text } from './protocol.ts';
import type { WorkerClient } from './worker-client.ts';

/** Values up to about this size are written at one go: a few milliseconds. */
const small = 256 * 1024;
/** How long the event loop may wait for one value before others get their turn. */
const sliceMs = 5;

/**
 * JSON text of a value that is plain JSON. One of many megabytes is written in slices that are handed over one by one,
 * and between which others run.
 */
export async function toJsonText(value: unknown, { stage }: WorkerClient): Promise<Text> {
  if (!isLarge(value)) return JSON.stringify(value);
  const staged = stage();
  let slice: string[] = [];
  let sliceEnd = performance.now() + sliceMs;
  for (const piece of pieces(value)) {
    slice.push(piece);
    if (performance.now() < sliceEnd) continue;
    staged.push(slice.join(''));
    slice = [];
    await new Promise<void>((resolve) => setImmediate(resolve));
    sliceEnd = performance.now() + sliceMs;
  }
  staged.push(slice.join(''));
  return { staged: staged.id };
}

/** Of each value, in order. */
export async function toJsonTexts(
  values: readonly unknown[],
  client: WorkerClient,
): Promise<readonly Text[]> {
  const texts: Text[] = [];
  for (const value of values) {
    texts.push(isLarge(value) ? await toJsonText(value, client) : JSON.stringify(value));
  }
  return texts;
}

/** Whether a value is larger than `small`; looks no further than that. */
function isLarge(value: unknown): boolean {
  let left = small;
  const walk = (inner: unknown): boolean => {
    left -= typeof inner === 'string' ? inner.length : 8;
    if (left < 0) return true;
    if (typeof inner !== 'object' || inner === null) return false;
    for (const [key, field] of Object.entries(inner)) {
      left -= key.length;
      if (walk(field)) return true;
    }
    return false;
  };
  return walk(value);
}

/** The text as `JSON.stringify` would make it, in pieces of at most about `small`. */
function* pieces(value: unknown): Generator<string> {
  if (!isLarge(value)) {
    // `undefined` only inside arrays; objects leave it out.
    yield JSON.stringify(value) ?? 'null';
  } else if (typeof value === 'string') {
    yield '"';
    yield* stringPieces(value);
    yield '"';
  } else if (Array.isArray(value)) {
    let before = '[';
    for (const item of value) {
      yield before;
      yield* pieces(item);
      before = ',';
    }
    yield ']';
  } else if (typeof value === 'object' && value !== null) {
    let before = '{';
    for (const [key, field] of Object.entries(value)) {
      if (field === undefined) continue;
      yield `${before}${JSON.stringify(key)}:`;
      yield* pieces(field);
      before = ',';
    }
    yield '}';
  }
}

function* stringPieces(text: string): Generator<string> {
  for (let from = 0; from < text.length;) {
    let to = Math.min(from + small, text.length);
    // Not between the halves of a surrogate pair: each half would be escaped.
    if (to < text.length && /[\ud800-\udbff]/.test(text.charAt(to - 1))) to--;
    yield JSON.stringify(text.slice(from, to)).slice(1, -1);
    from = to;
  }
}
