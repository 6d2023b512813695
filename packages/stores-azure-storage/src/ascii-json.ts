/**
 * JSON in ASCII: what a string column, or the body of a transaction, could not carry (control characters, half characters,
 * line separators) is escaped.
 */
export function toAsciiJson(value: unknown): string {
  return JSON.stringify(value).replaceAll(
    /[^\x20-\x7e]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
