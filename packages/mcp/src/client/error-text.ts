import { AgentError } from '@agent-functions/core';
import { isRecord } from '@agent-functions/core/provider';
import { cutOffCode, tooLargeCode } from './stand-in.ts';

/**
 * What went wrong with a server, in words that may be recorded and shown: no address, no header, no body. Errors of both
 * lines of the SDK are told by their codes.
 */
export function errorText(error: unknown): string {
  // What we threw ourselves, under what the SDK made of it.
  const own = chain(error).find((one) => AgentError.isInstance(one));
  if (own !== undefined) return withoutEnd(own.message);
  const { code, status, message } = factsOf(error);
  if (status !== undefined) return httpText(status);
  if (code === 'REQUEST_TIMEOUT') return 'it did not answer in time';
  if (code === 'CONNECTION_CLOSED') return 'the connection was closed';
  if (code === 'NOT_CONNECTED') return 'it is not connected';
  if (code === 'INVALID_RESULT') return `its answer does not fit the protocol${whereOf(message)}`;
  if (typeof code === 'number') return message.replace(/^MCP error -?\d+: /, '').slice(0, 500);
  const network = networkCode(error);
  if (network !== undefined) return network;
  const posted = /\(HTTP (\d{3})\)|status code \((\d{3})\)/.exec(message);
  if (posted !== null) return httpText(Number(posted[1] ?? posted[2]));
  if (error instanceof Error && error.name === 'UnauthorizedError') return httpText(401);
  if (chain(error).some((one) => /\bbad port$/.test(one.message))) {
    return 'fetch refuses the port of its URL (bad port): nothing can be reached there, so let it listen on another';
  }
  if (typeof code === 'string') return `it cannot be spoken to (${code})`;
  return error instanceof Error ? `it failed (${error.name})` : 'it failed';
}

/** Whether the SDK refused an answer for its form. */
export function doesNotFit(error: unknown): boolean {
  return factsOf(error).code === 'INVALID_RESULT';
}

/** What became of a call that failed. */
export type Fate =
  /** It was refused, or never got there. */
  | 'not-done'
  /** It was under way: it may have happened. */
  | 'unknown'
  /** The session is over: the same call may be made in another. */
  | 'no-session';

/** Whether a call that failed may have happened, and whether the connection is of use. */
export function fateOf(error: unknown): { readonly fate: Fate; readonly lost: boolean } {
  if (chain(error).some((one) => AgentError.isInstance(one)))
    return { fate: 'not-done', lost: false };
  const { code, status } = factsOf(error);
  if (status === 404) return { fate: 'no-session', lost: true };
  if (status !== undefined)
    return { fate: status >= 500 ? 'unknown' : 'not-done', lost: status >= 500 };
  if (code === tooLargeCode) return { fate: 'not-done', lost: false };
  if (code === cutOffCode || code === 'CONNECTION_CLOSED') return { fate: 'unknown', lost: true };
  if (code === 'REQUEST_TIMEOUT') return { fate: 'unknown', lost: false };
  if (code === 'NOT_CONNECTED') return { fate: 'no-session', lost: true };
  // The server answered that it could not: nothing is open.
  if (typeof code === 'number' || code === 'INVALID_RESULT')
    return { fate: 'not-done', lost: false };
  const network = networkErrno(error);
  if (network === 'ECONNREFUSED' || network === 'ENOTFOUND')
    return { fate: 'not-done', lost: true };
  return { fate: 'unknown', lost: true };
}

interface Facts {
  readonly code: string | number | undefined;
  readonly status: number | undefined;
  readonly message: string;
}

function factsOf(error: unknown): Facts {
  if (!(error instanceof Error))
    return { code: undefined, status: undefined, message: String(error) };
  const code = 'code' in error ? error.code : undefined;
  const data = 'data' in error && isRecord(error.data) ? error.data : {};
  const status = typeof data['status'] === 'number' ? data['status'] : undefined;
  // The 1.x line puts the HTTP status where others have a code.
  const http = typeof code === 'number' && code >= 100 && code < 600 ? code : undefined;
  return {
    code: sameCode(code, error.message),
    status: status ?? http,
    message: error.message,
  };
}

/** The 1.x line has numbers for what 2.x has names for; servers use the same numbers for errors of their own. */
function sameCode(code: unknown, message: string): string | number | undefined {
  if (code === -32_000 && /connection closed/i.test(message)) return 'CONNECTION_CLOSED';
  if (code === -32_001 && /request timed out/i.test(message)) return 'REQUEST_TIMEOUT';
  if (code === undefined && message === 'Not connected') return 'NOT_CONNECTED';
  return typeof code === 'string' || typeof code === 'number' ? code : undefined;
}

function httpText(status: number): string {
  if (status === 401) return 'it wants a login (HTTP 401). Check headers, auth or credential';
  if (status === 403) return 'it denies access (HTTP 403). Check what the credentials may do';
  if (status === 404) return 'it is not at this URL (HTTP 404)';
  if (status === 405)
    return 'it answered HTTP 405. Check that its URL is the endpoint of an MCP server';
  return `it answered HTTP ${status}`;
}

function networkCode(error: unknown): string | undefined {
  const errno = networkErrno(error);
  switch (errno) {
    case undefined:
      return undefined;
    case 'ECONNREFUSED':
      return 'nothing listens there (ECONNREFUSED): start it';
    case 'ENOTFOUND':
      return 'there is no such host (ENOTFOUND)';
    default:
      return `the connection broke (${errno})`;
  }
}

/** The code of the system's or undici's error below, wherever it was wrapped. */
function networkErrno(error: unknown): string | undefined {
  for (const one of chain(error)) {
    const code: unknown = 'code' in one ? one.code : undefined;
    // The transport of 2024 only has it in words.
    const said = /^SSE error: .*\b(ECONN[A-Z]+|ENOTFOUND|ETIMEDOUT)\b/.exec(one.message)?.[1];
    if (said !== undefined) return said;
    if (typeof code === 'string' && /^(E(?!RA_)[A-Z]+|UND_ERR_[A-Z_]+)$/.test(code)) return code;
  }
  return undefined;
}

/** An error and those below it: causes, the first of several, and where the SDK keeps them. */
function chain(error: unknown): readonly Error[] {
  const found: Error[] = [];
  let at = error;
  while (at instanceof Error && found.length < 8) {
    found.push(at);
    const errors: unknown = 'errors' in at ? at.errors : undefined;
    const data: unknown = 'data' in at ? at.data : undefined;
    at = Array.isArray(errors)
      ? errors[0]
      : (at.cause ?? (isRecord(data) ? data['cause'] : undefined));
  }
  return found;
}

/** The first field that does not fit: the SDK writes its schema's issues into the message, with values that may be secret. */
function whereOf(message: string): string {
  const path = /"path":\s*\[([^\]]*)\]/.exec(message)?.[1]?.replace(/["\s]/g, '');
  return path === undefined || path === '' ? '' : ` (${path.replaceAll(',', '.').slice(0, 200)})`;
}

// The sentence goes on.
function withoutEnd(message: string): string {
  return message.replace(/\.$/, '');
}
