/** What `process.env` is. */
export type Environment = { readonly [name: string]: string | undefined };

/** A variable, trimmed; one that is empty is as good as none. */
export function readVariable(environment: Environment, name: string): string | undefined {
  const value = environment[name]?.trim();
  return value === '' ? undefined : value;
}

/** What a header's value may hold (https://www.rfc-editor.org/rfc/rfc9110#name-field-values); others fail in `fetch`. */
export function isHeaderText(value: string): boolean {
  return !/[^\t\x20-\x7e\x80-\xff]/.test(value);
}

/** The sentence about a key that no header can carry. `setting` names where it comes from. */
export function notAHeader(setting: string): string {
  return `${setting} has a character that no header can carry, such as a line break or a long dash. Copy the key again.`;
}
