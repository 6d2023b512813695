import { UserError } from '../errors.ts';
import { isHeaderText } from './environment.ts';
import { isRecord, type Fields } from './wire-json.ts';

/**
 * What an option may be: types say it, plain JavaScript does not. `undefined` where a value is of the kind; else what it
 * is, and what to write, as two sentences without the first words.
 */
export type OptionKind = (value: unknown) => string | undefined;

/** The options of a factory, by name, with what each may be. */
export type OptionKinds = { readonly [name: string]: OptionKind };

/**
 * A misspelled option would do nothing, and one of another kind would be ignored, so that a key went to the vendor
 * instead of the gateway. `undefined` is as good as left out.
 *
 * @param factory As errors name it: `'acme()'`.
 * @param hints What to write, by the names of options that only others have.
 * @throws UserError for the first option that there is not, or that is not what it may be. It shows no secret.
 */
export function checkOptions(
  factory: string,
  options: object,
  kinds: OptionKinds,
  hints: { readonly [name: string]: string } = {},
): void {
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined) continue;
    const kind = Object.hasOwn(kinds, name) ? kinds[name] : undefined;
    if (kind === undefined) throw new UserError(noSuchOption(factory, name, hints));
    const wrong = kind(value);
    if (wrong !== undefined) throw new UserError(`${factory} got ${name}: ${wrong}`);
  }
}

function noSuchOption(
  factory: string,
  name: string,
  hints: { readonly [name: string]: string },
): string {
  if (name === 'timeout') {
    return `${factory} has no option timeout, because its unit would be a guess. Write timeoutMs, in milliseconds.`;
  }
  const hint = Object.hasOwn(hints, name) ? hints[name] : undefined;
  return `${factory} has no option ${JSON.stringify(name)}. ${hint ?? 'Fields of the request body go into extraBody, headers into headers.'}`;
}

/** A kind of its own: `write` is a sentence that says what to write. */
export function kindOf(is: (value: unknown) => boolean, write: string): OptionKind {
  return (value) => (is(value) ? undefined : `${shown(value)}. ${write}`);
}

/** One of some values. */
export function oneOf(...values: readonly (string | boolean)[]): OptionKind {
  const names = values.map((one) => (typeof one === 'string' ? `'${one}'` : String(one)));
  const last = names.pop() ?? '';
  const write = `It is ${names.length === 0 ? '' : `${names.join(', ')} or `}${last}.`;
  return kindOf((value) => values.some((one) => one === value), write);
}

/** An object with methods, such as a client of the vendor's SDK. `path` leads to what has them: `['models']`. */
export function withMethods(
  what: string,
  methods: readonly string[],
  path: readonly string[] = [],
): OptionKind {
  const names = methods.map((name) => `${[...path, name].join('.')}()`).join(' and ');
  return kindOf((value) => {
    let at = value;
    for (const name of path) at = Reflect.get(Object(at), name);
    return methods.every((name) => typeof Reflect.get(Object(at), name) === 'function');
  }, `Write ${what}: it has ${names}.`);
}

const text = kindOf(isText, 'Write a text.');
const number = kindOf(
  (value) => typeof value === 'number' && !Number.isNaN(value),
  'Write a number.',
);
const flag = oneOf(true, false);
const texts = kindOf(
  (value) => Array.isArray(value) && value.every(isText),
  "Write a list of texts, such as ['one'].",
);

/** The kinds of options that many providers have. */
export const optionKinds = {
  /** It is looked at elsewhere. */
  any: () => undefined,
  text,
  texts,
  number,
  flag,
  address: kindOf(
    (value) => typeof value === 'string' && value.trim() !== '',
    "Write the address as a text, such as 'https://example.com/v1' (of a URL object: url.href).",
  ),
  /** A key: its value is never shown. */
  key: (value) => (isText(value) ? undefined : `${hidden(value)}. Write the key as a text.`),
  /** Their values are never shown: each can be a secret. */
  headers: (value) => {
    const wrong = wrongHeader(value);
    return wrong === undefined
      ? undefined
      : `${wrong}. Write an object of texts, such as { 'x-team': 'blue' }.`;
  },
  /** Fields that are put into the request's body. */
  fields: kindOf(isFields, "Write an object with fields of the request's body."),
  fetch: kindOf(
    (value) => typeof value === 'function',
    'Write a function such as globalThis.fetch.',
  ),
  /** Settings of every call (`ModelSettings`), with all their members. */
  settings: (value) => memberOf(value, settingKinds),
} as const satisfies OptionKinds;

const retryKinds: OptionKinds = { maxRetries: number, initialDelayMs: number, maxDelayMs: number };

const settingKinds: OptionKinds = {
  temperature: number,
  topP: number,
  maxTokens: number,
  stop: texts,
  seed: number,
  toolChoice: kindOf(
    (value) =>
      value === 'auto' ||
      value === 'required' ||
      value === 'none' ||
      (isRecord(value) && isText(value['name'])),
    "Write 'auto', 'required', 'none' or { name: 'a_tool' }.",
  ),
  parallelToolCalls: flag,
  reasoning: (value) =>
    memberOf(value, { effort: oneOf('none', 'minimal', 'low', 'medium', 'high') }),
  timeoutMs: number,
  retry: (value) => memberOf(value, retryKinds),
  streaming: flag,
  providerOptions: kindOf(
    (value) => isFields(value) && Object.values(value).every(isFields),
    "Write an object with an object for each provider, such as { acme: { field: 'value' } }.",
  ),
};

/** The first member that is not what it may be; said of the whole object. */
function memberOf(value: unknown, kinds: OptionKinds): string | undefined {
  if (!isFields(value)) return `${shown(value)}. Write an object with ${namesOf(kinds)}.`;
  for (const [name, member] of Object.entries(value)) {
    if (member === undefined) continue;
    const kind = Object.hasOwn(kinds, name) ? kinds[name] : undefined;
    if (kind === undefined)
      return `an object with ${JSON.stringify(name)}. It may have ${namesOf(kinds)}.`;
    const wrong = kind(member);
    if (wrong !== undefined) return `an object whose ${name} is ${wrong}`;
  }
  return undefined;
}

function namesOf(kinds: OptionKinds): string {
  return Object.keys(kinds).join(', ');
}

/** Not what is a list or keeps its entries elsewhere: of a `Headers` or a `Map`, nothing would be sent. */
function isFields(value: unknown): value is Fields {
  return isRecord(value) && !(Symbol.iterator in value);
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

function wrongHeader(value: unknown): string | undefined {
  if (!isFields(value)) return hidden(value);
  for (const [name, one] of Object.entries(value)) {
    const named = `an object whose ${JSON.stringify(name)}`;
    if (!isText(one)) return `${named} is no text`;
    // RFC 9110, 5.1 and 5.5: `fetch` throws for others, in the middle of a run.
    if (!/^[\w!#$%&'*+.^`|~-]+$/.test(name)) return `${named} is no name of a header`;
    if (!isHeaderText(one)) {
      return `${named} has a character that no header can carry, such as a line break or a long dash`;
    }
  }
  return undefined;
}

/** A value, as an error names it. */
function shown(value: unknown): string {
  if (isText(value)) return JSON.stringify(value.slice(0, 80));
  return typeof value === 'number' ? String(value) : hidden(value);
}

/** Of what kind a value is, without the value. */
function hidden(value: unknown): string {
  if (isText(value)) return 'a text';
  if (value === null || typeof value === 'boolean') return String(value);
  if (Array.isArray(value)) return 'an array';
  if (typeof value !== 'object') return `a ${typeof value}`;
  const name: unknown = Reflect.get(Object(value.constructor), 'name');
  return isText(name) && name !== 'Object' ? `a ${name}` : 'an object';
}
