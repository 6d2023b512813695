import { UserError } from './errors.ts';

// Plain JavaScript may give anything: a misspelled option would do nothing, and one of another kind would do nothing, the
// opposite, or fail in the middle of a run.

/** What an option may be. `any`: it is looked at elsewhere. */
const kinds = {
  any: ['', () => true],
  text: ['a text', (value) => typeof value === 'string'],
  flag: ['true or false', (value) => typeof value === 'boolean'],
  function: ['a function', (value) => typeof value === 'function'],
  condition: ['true, false or a function', (value) => /^(boolean|function)$/.test(typeof value)],
  texts: ['a list of texts', (value) => Array.isArray(value) && value.every(isText)],
} as const satisfies { readonly [kind: string]: readonly [string, (value: unknown) => boolean] };

type Kind = keyof typeof kinds;
export type OptionKinds<T> = { readonly [K in keyof Required<T>]: Kind };

/** @throws UserError for an option that there is not, and for one of another kind. */
export function checkOptions(
  where: string,
  options: object,
  known: { readonly [name: string]: Kind },
): void {
  checkObject(where, options, 'options');
  for (const [name, value] of Object.entries({ ...options })) {
    const kind: Kind | undefined = Object.hasOwn(known, name) ? known[name] : undefined;
    if (kind === undefined) {
      throw new UserError(
        `${where} has an unknown option ${JSON.stringify(name)}. Options: ${Object.keys(known).join(', ')}.`,
      );
    }
    checkKind(`${where} has ${name}`, value, kind);
  }
}

/** @throws UserError for a value of another kind; `undefined` passes. */
export function checkKind(what: string, value: unknown, kind: Kind): void {
  const [wanted, fits] = kinds[kind];
  if (value === undefined || fits(value)) return;
  throw new UserError(`${what} ${shown(value)}; it must be ${wanted}.`);
}

/** @throws UserError for what is no object. */
export function checkObject(where: string, value: unknown, of: string): void {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return;
  throw new UserError(`${where} was given ${shown(value)} instead of an object with ${of}.`);
}

/** A value as an error names it. */
export function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' && value !== null
    ? `an object (${Object.keys(value).slice(0, 5).join(', ')})`
    : typeof value === 'function'
      ? 'a function'
      : String(value);
}

function isText(value: unknown): boolean {
  return typeof value === 'string';
}
