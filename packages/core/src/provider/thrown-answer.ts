import { retryAfterMs, type HeaderReader } from './retry-after.ts';
import { isRecord, numberOf, stringOf } from './wire-json.ts';

/** An answer that an SDK made an error of. */
export interface ThrownAnswer {
  /** None: the error came inside a stream that had begun with 200. */
  readonly status: number | undefined;
  /** The body, parsed; else `{ message }` with the text. */
  readonly body: unknown;
  readonly retryAfterMs: number | undefined;
  header(name: string): string | null;
}

/**
 * The answer in an error with `status`, `headers` and `error`, as the SDKs of several vendors throw it; by its shape,
 * because their classes are not loaded, and their names do not survive a minifier.
 */
export function thrownAnswer(error: unknown, now: number): ThrownAnswer | undefined {
  if (!isRecord(error)) return undefined;
  if (!('status' in error && 'headers' in error && 'error' in error)) return undefined;
  const status = numberOf(error['status']);
  if (status === undefined && error['error'] === undefined) return undefined;
  const headers = readerOf(error['headers']);
  return {
    status,
    body: error['error'] ?? { message: withoutStatus(stringOf(error['message']) ?? '', status) },
    retryAfterMs: headers === undefined ? undefined : retryAfterMs(headers, now),
    header: (name) => headers?.get(name) ?? null,
  };
}

function readerOf(headers: unknown): HeaderReader | undefined {
  return isReader(headers) ? headers : undefined;
}

function isReader(headers: unknown): headers is HeaderReader {
  return isRecord(headers) && typeof headers['get'] === 'function';
}

/** Such an SDK puts the status before the text of a body that was not JSON. */
function withoutStatus(message: string, status: number | undefined): string {
  const text = status === undefined ? message : message.replace(`${status} `, '');
  // A page of a proxy says nothing that a reader can use.
  return /^\s*<|status code \(no body\)/i.test(text) ? '' : text;
}
