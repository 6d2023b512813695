/** The part of `Headers` that is read here. */
export interface HeaderReader {
  get(name: string): string | null;
}

/**
 * The wait that a server asks for, in milliseconds: `retry-after-ms`, or `Retry-After` in seconds or as a date (RFC 9110,
 * 10.2.3). What is neither is `undefined`.
 */
export function retryAfterMs(headers: HeaderReader, now: number): number | undefined {
  const ms = Number.parseFloat(headers.get('retry-after-ms') ?? '');
  if (ms >= 0 && Number.isFinite(ms)) return Math.ceil(ms);
  const value = headers.get('retry-after');
  if (value === null) return undefined;
  // Digits only: to Number() an empty text is 0, and 1e999 a wait without an end.
  if (/^\s*\d{1,9}(\.\d+)?\s*$/.test(value)) return Math.ceil(Number(value) * 1000);
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
