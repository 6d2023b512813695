import { isJsonArray, isJsonObject, type Json, type JsonObject } from '@agent-functions/core';
import { badRequest } from './problem.ts';

// Reading fields out of a request's JSON. Every refusal names the place and what belongs there, and never the value
// that stood there: it may be a secret in the wrong field.

/** A JSON Schema that a function beside it enforces; the keys of an object are read from it. */
export type ObjectSchema = JsonObject & {
  readonly type: 'object';
  readonly properties: JsonObject;
};

/** An object with no other keys than the schema's. */
export function objectAt(value: Json | undefined, at: string, schema: ObjectSchema): JsonObject {
  const object = anyObjectAt(value, at);
  const known = Object.keys(schema.properties);
  const unknown = Object.keys(object).filter((key) => !known.includes(key));
  if (unknown.length > 0) {
    const named = unknown.slice(0, 5).map((key) => shown(key, known));
    const more = unknown.length > 5 ? ` and ${unknown.length - 5} more` : '';
    throw badRequest(
      `${at} has unknown keys: ${named.join(', ')}${more}. Known keys: ${known.join(', ')}.`,
    );
  }
  return object;
}

export function anyObjectAt(value: Json | undefined, at: string): JsonObject {
  if (!isJsonObject(value)) throw badRequest(`${at} is ${kindOf(value)}; it must be an object.`);
  return value;
}

export function listAt(
  value: Json | undefined,
  at: string,
  limits: { readonly min: number; readonly max: number },
): readonly Json[] {
  if (!isJsonArray(value)) throw badRequest(`${at} is ${kindOf(value)}; it must be a list.`);
  if (value.length < limits.min) throw badRequest(`${at} is empty. Give at least ${limits.min}.`);
  if (value.length > limits.max) {
    throw badRequest(`${at} has ${value.length} entries; at most ${limits.max} are taken.`);
  }
  return value;
}

export function textAt(
  value: Json | undefined,
  at: string,
  rules: { readonly maxLength: number; readonly pattern?: RegExp; readonly form?: string },
): string {
  if (typeof value !== 'string') throw badRequest(`${at} is ${kindOf(value)}; it must be a text.`);
  if (value.length > rules.maxLength) {
    throw badRequest(`${at} has ${value.length} characters; at most ${rules.maxLength} are taken.`);
  }
  if (rules.pattern !== undefined && !rules.pattern.test(value)) {
    throw badRequest(`${at} is not usable: ${rules.form ?? `it must match ${rules.pattern}`}.`);
  }
  return value;
}

export function booleanAt(value: Json | undefined, at: string): boolean {
  if (typeof value !== 'boolean') {
    throw badRequest(`${at} is ${kindOf(value)}; it must be true or false.`);
  }
  return value;
}

export function numberAt(
  value: Json | undefined,
  at: string,
  limits: { readonly min: number; readonly max: number; readonly whole?: boolean },
): number {
  const whole = limits.whole === true;
  if (
    typeof value !== 'number' ||
    !(value >= limits.min && value <= limits.max) ||
    (whole && !Number.isSafeInteger(value))
  ) {
    throw badRequest(
      `${at} must be a ${whole ? 'whole ' : ''}number from ${limits.min} to ${limits.max}.`,
    );
  }
  return value;
}

export function oneOfAt<T extends string>(
  value: Json | undefined,
  at: string,
  allowed: readonly T[],
): T {
  const found = allowed.find((each) => each === value);
  if (found === undefined) throw badRequest(`${at} must be one of: ${allowed.join(', ')}.`);
  return found;
}

function kindOf(value: Json | undefined): string {
  if (value === undefined) return 'missing';
  if (value === null) return 'null';
  if (isJsonArray(value)) return 'a list';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

/** A key as a message may name it: identifiers only (a secret in the wrong place is none), with the one that was meant. */
function shown(key: string, known: readonly string[]): string {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(key)) return `one of ${key.length} characters`;
  const plain = (text: string) => text.replaceAll('_', '').toLowerCase();
  const meant = known.find((each) => plain(each) === plain(key));
  const name = key.length > 40 ? `${key.slice(0, 40)}…` : key;
  return meant === undefined ? `"${name}"` : `"${name}" (write "${meant}")`;
}
