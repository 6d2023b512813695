import { UserError } from './errors.ts';
import type { Json, JsonObject } from './json-value.ts';

export type { Json, JsonObject };

const maxDepth = 200;

/**
 * Makes a value of the outside JSON-safe at the border: `undefined` becomes `null` (dropped inside objects, as
 * `JSON.stringify` does), `toJSON()` is honoured, `NaN` and infinities become `null`, half of a surrogate pair becomes
 * U+FFFD.
 *
 * @throws UserError for what has no JSON form: a bigint, a symbol, a function, a Map, a Set, a cycle, or more than 200
 *   levels.
 */
export function toJson(value: unknown): Json {
  switch (typeof value) {
    case 'string':
      return wellFormed(value);
    case 'boolean':
      return value;
    case 'number':
      return toNumber(value);
    case 'undefined':
      return null;
    case 'function':
      throw new UserError('A function has no JSON form. Return data instead.');
    default:
      return convert(value, 0, []);
  }
}

/** A text that was cut inside a character has half of a surrogate pair, which servers of models refuse. */
export function wellFormed(text: string): string {
  return text.isWellFormed() ? text : text.toWellFormed();
}

/** JSON has neither NaN and infinities nor -0. */
function toNumber(value: number): number | null {
  if (!Number.isFinite(value)) return null;
  return value === 0 ? 0 : value;
}

function convert(value: unknown, depth: number, above: readonly object[]): Json {
  switch (typeof value) {
    case 'string':
      return wellFormed(value);
    case 'boolean':
      return value;
    case 'number':
      return toNumber(value);
    case 'undefined':
    case 'function':
      return null;
    case 'bigint':
      throw new UserError(
        `A bigint (${value}n) has no JSON form. Return it as a string or a number.`,
      );
    case 'symbol':
      throw new UserError('A symbol has no JSON form. Return a string instead.');
    default:
  }
  if (!isRecord(value)) return null;
  if (depth > maxDepth) throw new UserError(`A value is nested deeper than ${maxDepth} levels.`);
  const object = value;
  if (above.includes(object)) {
    throw new UserError('A value refers to itself (a cycle), which has no JSON form. Break it.');
  }
  const path = [...above, object];
  if ('toJSON' in object && typeof object.toJSON === 'function') {
    const replaced: unknown = object.toJSON();
    return replaced === object
      ? convertFields(object, depth, path)
      : convert(replaced, depth + 1, path);
  }
  if (object instanceof Map || object instanceof Set) {
    throw new UserError(
      `A ${object instanceof Map ? 'Map' : 'Set'} has no JSON form. Return an array or an object instead.`,
    );
  }
  if (Array.isArray(object)) {
    // Not `map`, which leaves holes.
    return Array.from(object, (item: unknown) => convert(item, depth + 1, path));
  }
  return convertFields(object, depth, path);
}

function convertFields(
  object: { readonly [key: string]: unknown },
  depth: number,
  path: readonly object[],
): Json {
  const out: { [key: string]: Json } = {};
  for (const key of Object.keys(object)) {
    const field = object[key];
    if (field === undefined || typeof field === 'function') continue;
    // Object.defineProperty, because a key may be `__proto__`.
    if (key === '__proto__') {
      Object.defineProperty(out, key, {
        value: convert(field, depth + 1, path),
        enumerable: true,
        configurable: true,
        writable: true,
      });
    } else out[key] = convert(field, depth + 1, path);
  }
  return out;
}

/** JSON text with sorted keys: equal values give equal text, whatever the order they were built in. */
export function canonicalJson(value: Json): string {
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  if (isJsonArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return `{${entries.map(([key, field]) => `${JSON.stringify(key)}:${canonicalJson(field)}`).join(',')}}`;
}

/** `Array.isArray` that narrows `Json` (its own signature does not narrow readonly arrays). */
export function isJsonArray(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}

/** A plain JSON object, not an array and not `null`. */
export function isJsonObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The first `bits` of the SHA-256 of a text, in lower-case hex. */
export async function sha256Hex(text: string, bits: 128 | 256 = 256): Promise<string> {
  const digest = new Uint8Array(
    await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)),
  );
  let hex = '';
  for (const byte of digest.subarray(0, bits / 8)) hex += byte.toString(16).padStart(2, '0');
  return hex;
}

/** About how many bytes a JSON value takes, when that is more than `limit`; `undefined` when it fits. Builds no text. */
export function jsonSizeOver(value: unknown, limit: number): number | undefined {
  const size = sizeOf(value, limit);
  return size > limit ? size : undefined;
}

function sizeOf(value: unknown, limit: number): number {
  if (typeof value === 'string') return utf8Length(value) + 2;
  if (!isRecord(value)) return 5;
  let size = 2;
  for (const key of Object.keys(value)) {
    size += key.length + 4 + sizeOf(value[key], limit - size);
    if (size > limit) return size;
  }
  return size;
}

/** Bytes of a text in UTF-8. */
function utf8Length(text: string): number {
  let bytes = text.length;
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    // Half of a surrogate pair takes two of the pair's four bytes.
    if (unit > 0x7f) bytes += unit > 0x7ff && (unit < 0xd800 || unit > 0xdfff) ? 2 : 1;
  }
  return bytes;
}

function isRecord(value: unknown): value is { readonly [key: string]: unknown } {
  return typeof value === 'object' && value !== null;
}
