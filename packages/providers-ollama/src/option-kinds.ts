import { UserError } from '@agent-functions/core';
import { isRecord } from './json.ts';

/** What an option may be: types say it, plain JavaScript does not. */
interface Kind {
  is(value: unknown): boolean;
  readonly write: string;
  /** The value can be a secret, so an error says only of what kind it is. */
  readonly secret?: boolean;
}

const address: Kind = {
  is: (value) => typeof value === 'string' && value.trim() !== '',
  write:
    "Write the address as a text, such as 'http://127.0.0.1:11434' (of a URL object: url.href).",
};
const text: Kind = { is: (value) => typeof value === 'string', write: 'Write a text.' };
const key: Kind = { ...text, write: 'Write the key as a text.', secret: true };
const number: Kind = {
  is: (value) => typeof value === 'number' && !Number.isNaN(value),
  write: 'Write a number.',
};
const headers: Kind = {
  is: (value) => isFields(value) && Object.values(value).every((one) => typeof one === 'string'),
  write: "Write an object of texts, such as { 'x-team': 'blue' }.",
  secret: true,
};
const fields: Kind = { is: isFields, write: "Write an object with fields of the request's body." };
const client: Kind = {
  is: (value) => hasMethod(value, 'chat') && hasMethod(value, 'list'),
  write: 'Write a client of the ollama SDK: it has the methods chat() and list().',
};

const kinds: ReadonlyMap<string, Kind> = new Map([
  ['host', address],
  ['baseURL', address],
  ['apiBase', address],
  ['endpoint', address],
  ['apiKey', key],
  ['headers', headers],
  ['extraHeaders', headers],
  ['extraBody', fields],
  ['temperature', number],
  ['maxTokens', number],
  ['timeoutMs', number],
  ['maxRetries', number],
  ['client', client],
]);

/**
 * An option of another kind would be ignored, and a key sent to the vendor instead of the gateway.
 *
 * @throws UserError for the first option that is not what it may be.
 */
export function checkKinds(factory: string, options: object): void {
  for (const [name, value] of Object.entries(options)) {
    const kind = kinds.get(name);
    if (value === undefined || kind === undefined || kind.is(value)) continue;
    throw new UserError(
      `${factory} got ${name}: ${shown(value, kind.secret === true)}. ${kind.write}`,
    );
  }
}

/** Not what is a list or keeps its entries elsewhere: of a `Headers` or a `Map`, nothing would be sent. */
function isFields(value: unknown): value is { readonly [name: string]: unknown } {
  return isRecord(value) && !(Symbol.iterator in value);
}

function hasMethod(value: unknown, name: string): boolean {
  return typeof Reflect.get(Object(value), name) === 'function';
}

function shown(value: unknown, secret: boolean): string {
  if (typeof value === 'string') return secret ? 'a text' : JSON.stringify(value.slice(0, 80));
  if (value === null || typeof value === 'boolean') return String(value);
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'object') {
    const wrong = isFields(value)
      ? Object.entries(value).find(([, one]) => typeof one !== 'string')
      : undefined;
    const name: unknown = Reflect.get(Object(value.constructor), 'name');
    const what = typeof name === 'string' && name !== 'Object' ? `a ${name}` : 'an object';
    return secret && wrong !== undefined && what === 'an object'
      ? `an object whose ${JSON.stringify(wrong[0])} is no text`
      : what;
  }
  return typeof value === 'number' && !secret ? String(value) : `a ${typeof value}`;
}
