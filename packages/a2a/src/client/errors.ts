import { AgentError, ModelError, type ModelErrorReason } from '@agent-functions/core';
import { retryAfterMs } from '@agent-functions/core/provider';

/** A server answered with a status that says all. */
export class HttpStatusError extends Error {
  readonly status: number;
  readonly retryAfterMs: number | undefined;

  constructor(status: number, headers: Headers) {
    super(`HTTP ${status}`);
    this.name = 'HttpStatusError';
    this.status = status;
    this.retryAfterMs = retryAfterMs(headers, Date.now());
  }
}

/** A document, or an answer, above its limit. */
export class TooLargeError extends Error {
  constructor(maxBytes: number) {
    super(`it sent more than ${maxBytes} bytes`);
    this.name = 'TooLargeError';
  }
}

/** What became of a message whose sending failed. */
export type Fate =
  /** It was refused, or never got there. */
  | 'not-done'
  /** It was under way: there may be a task for it. */
  | 'unknown';

/** Whether a message that failed may have begun something. */
export function fateOf(error: unknown): Fate {
  if (AgentError.isInstance(error)) return 'not-done';
  const refused = protocolReason(error);
  if (refused !== undefined) return refused === 'INTERNAL_ERROR' ? 'unknown' : 'not-done';
  const status = statusOf(error);
  if (status !== undefined) return status >= 500 || status === 408 ? 'unknown' : 'not-done';
  const errno = networkCode(error);
  return errno === 'ECONNREFUSED' || errno === 'ENOTFOUND' ? 'not-done' : 'unknown';
}

/** Whether the agent itself answered that it cannot: asking again brings the same. */
export function isRefusal(error: unknown): boolean {
  return protocolReason(error) !== undefined;
}

/** Whether the agent has no such task, or none any more. */
export function isTaskGone(error: unknown): boolean {
  return protocolReason(error) === 'TASK_NOT_FOUND';
}

/**
 * What went wrong with a remote agent, in words that may be recorded and shown: no address, no header; of what it said
 * itself, the first 500 characters.
 */
export function errorText(error: unknown): string {
  if (AgentError.isInstance(error)) return error.message;
  if (error instanceof TooLargeError) return error.message;
  const status = statusOf(error);
  if (protocolReason(error) !== undefined && error instanceof Error && status !== 404) {
    return `it refused: ${error.message.toWellFormed().slice(0, 500)}`;
  }
  if (status !== undefined) return httpText(status);
  const errno = networkCode(error);
  if (errno === 'ECONNREFUSED') return 'nothing listens there (ECONNREFUSED). Is it running?';
  if (errno === 'ENOTFOUND') return 'there is no such host (ENOTFOUND)';
  if (errno !== undefined) return `the connection broke (${errno})`;
  if (error instanceof Error && error.name === 'TimeoutError') return 'it did not answer in time';
  if (error instanceof TypeError && error.message === 'terminated') return 'the connection broke';
  if (error instanceof TypeError && error.message === 'fetch failed') return 'it cannot be reached';
  return 'its answer does not fit the protocol';
}

/** The same as a sentence of its own. */
export function told(name: string, error: unknown): string {
  return AgentError.isInstance(error)
    ? error.message
    : `Remote agent ${name}: ${errorText(error)}.`;
}

/** An error while a task is followed: what may be tried again is a `ModelError` with a reason to. */
export function followError(name: string, error: unknown): AgentError {
  if (AgentError.isInstance(error)) return error;
  const reason = isRefusal(error) ? undefined : reasonOf(error);
  const message = told(name, error);
  if (reason === undefined) return new AgentError('handoff_error', message, { cause: error });
  const wait = error instanceof HttpStatusError ? error.retryAfterMs : undefined;
  return new ModelError(message, {
    reason,
    provider: 'a2a',
    cause: error,
    ...(wait === undefined ? {} : { retryAfterMs: wait }),
  });
}

function reasonOf(error: unknown): ModelErrorReason | undefined {
  const status = statusOf(error);
  if (status === 401) return 'authentication';
  if (status === 403) return 'permission';
  if (status === 429) return 'rate-limit';
  if (status !== undefined) return status >= 500 || status === 408 ? 'overloaded' : undefined;
  if (error instanceof TooLargeError) return undefined;
  if (error instanceof Error && error.name === 'TimeoutError') return 'timeout';
  return networkCode(error) !== undefined || error instanceof TypeError
    ? 'network'
    : 'invalid-response';
}

// The SDK's errors are known by its brand, whichever of its bundles threw them; in a stream they are the cause.
const brand = Symbol.for('@a2a-js/sdk.A2AError');

function protocolReason(error: unknown): string | undefined {
  for (let at = error, depth = 0; depth < 5 && at instanceof Error; depth += 1, at = at.cause) {
    if (brand in at) return 'reason' in at && typeof at.reason === 'string' ? at.reason : undefined;
  }
  return undefined;
}

function statusOf(error: unknown): number | undefined {
  if (error instanceof HttpStatusError) return error.status;
  if (!(error instanceof Error)) return undefined;
  if ('statusCode' in error && typeof error.statusCode === 'number') return error.statusCode;
  // The transport of JSON-RPC has it in its text only.
  const said = /^HTTP error .*?(?:Status: |: )(\d{3})\b/.exec(error.message);
  return said === null ? undefined : Number(said[1]);
}

function httpText(status: number): string {
  if (status === 401) return 'it wants a login (HTTP 401). Check headers, auth or credential';
  if (status === 403) return 'it denies access (HTTP 403). Check what the credentials may do';
  if (status === 404) return 'it is not at this URL (HTTP 404)';
  if (status === 302) return 'it redirects elsewhere, which is not followed. Write the address';
  return `it answered HTTP ${status}`;
}

/** The code of the system's or undici's error below, wherever it was wrapped. */
function networkCode(error: unknown): string | undefined {
  let at = error;
  for (let depth = 0; depth < 5 && at instanceof Error; depth += 1) {
    const code: unknown = 'code' in at ? at.code : undefined;
    if (typeof code === 'string' && /^(E[A-Z]+|UND_ERR_[A-Z_]+)$/.test(code)) return code;
    const errors: unknown = 'errors' in at ? at.errors : undefined;
    at = Array.isArray(errors) ? errors[0] : at.cause;
  }
  return undefined;
}
