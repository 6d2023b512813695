import { AgentError, ModelError, type Json, type ModelErrorReason } from '@agent-functions/core';
import { isRecord, numberOf, stringOf } from './json.ts';

/** What an error must know of the call to be worth reading. */
export interface ErrorContext {
  readonly provider: string;
  /** The first words: who failed. */
  readonly who: string;
  readonly model: string;
  /** What to check when the key is refused. */
  readonly keyName: string;
  /** Texts that must not appear: keys, tokens, values of headers. */
  readonly secrets: readonly string[];
}

/** What came back is not what the protocol says. `failure` is the vendor's own error object, where it sent one. */
export class WireError extends Error {
  readonly failure: unknown;

  constructor(message: string, failure?: unknown) {
    super(message);
    this.name = 'WireError';
    this.failure = failure;
  }
}

/**
 * Anything that a call threw, as a `ModelError`. Pure. The SDK's own error is not kept: it holds headers and, in a 401,
 * a part of the key.
 */
export function toModelError(error: unknown, context: ErrorContext, now = Date.now()): AgentError {
  if (AgentError.isInstance(error)) return error;
  if (error instanceof WireError) {
    return error.failure === undefined
      ? invalidResponse(error.message, context)
      : fromVendor({ ...vendorError(error.failure), streamed: true }, context);
  }
  if (!isRecord(error)) return unknown(error, context);
  // The SDK's APIError, by its shape: the class is not loaded here, and its name does not survive a minifier.
  if ('status' in error && 'headers' in error && 'error' in error) {
    const status = numberOf(error['status']);
    if (status !== undefined || error['error'] !== undefined) {
      const headers = error['headers'];
      return fromVendor(
        {
          ...vendorError(error['error'] ?? { message: withoutStatus(error, status) }),
          ...(status === undefined ? { streamed: true } : { status }),
          ...(hasGet(headers)
            ? {
                retryAfterMs: retryAfterMs(headers, now),
                requestId: headers.get('request-id') ?? headers.get('apim-request-id'),
              }
            : {}),
        },
        context,
      );
    }
  }
  if (error instanceof SyntaxError) return invalidResponse('what it sent is not JSON', context);
  // What the SDK says of a 204, or of another answer that is only a head.
  if (/response with no body/i.test(stringOf(error['message']) ?? '')) {
    return invalidResponse('the body of the answer is empty', context);
  }
  return fromTransport(error, context);
}

function hasGet(headers: unknown): headers is Pick<Headers, 'get'> {
  return isRecord(headers) && typeof headers['get'] === 'function';
}

/** The wait that a server asks for, in milliseconds: `retry-after-ms`, or `Retry-After` in seconds or as a date. */
export function retryAfterMs(headers: Pick<Headers, 'get'>, now: number): number | undefined {
  const ms = Number.parseFloat(headers.get('retry-after-ms') ?? '');
  if (ms >= 0 && Number.isFinite(ms)) return Math.ceil(ms);
  const value = headers.get('retry-after');
  if (value === null) return undefined;
  // Digits only: to Number() an empty text is 0, and 1e999 a wait without an end.
  if (/^\s*\d{1,9}(\.\d+)?\s*$/.test(value)) return Math.ceil(Number(value) * 1000);
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

/** Takes keys, tokens and the queries of URLs out of a text, and cuts it to a readable length. */
export function redact(text: string, secrets: readonly string[]): string {
  let clean = text;
  for (const secret of secrets) {
    if (secret.length >= 6) clean = clean.replaceAll(secret, '[secret]');
  }
  clean = clean
    .replaceAll(/\bBearer\s+\S+/gi, 'Bearer [secret]')
    .replaceAll(/\bsk-[\w*.-]+/g, '[secret]')
    .replaceAll(/(https?:\/\/[^\s"'<>?]+)\?[^\s"'<>]*/gi, '$1')
    .replaceAll(/(https?:\/\/)[^\s/@]+@/gi, '$1');
  return clean.length > 500 ? `${clean.slice(0, 500)}…` : clean;
}

interface VendorError {
  readonly message: string;
  /** `error.type`: the closed list of the API. */
  readonly type: string | undefined;
  /** `error.details.error_code`, where there is one. */
  readonly code: string | undefined;
  readonly status?: number | undefined;
  /** It came inside a stream that had begun with 200. */
  readonly streamed?: boolean;
  readonly retryAfterMs?: number | undefined;
  readonly requestId?: string | null | undefined;
}

/** The error object of a body or an event: `{ type: 'error', error: { type, message, details } }`, or its inside. */
function vendorError(failure: unknown): VendorError {
  const outer = isRecord(failure) ? failure : { message: stringOf(failure) };
  const body = isRecord(outer['error']) ? outer['error'] : outer;
  const details = isRecord(body['details']) ? body['details'] : {};
  return {
    message: stringOf(body['message']) ?? '',
    type: stringOf(body['type']),
    code: stringOf(details['error_code']) ?? stringOf(body['code']),
    requestId: stringOf(outer['request_id']),
  };
}

function fromVendor(error: VendorError, context: ErrorContext): ModelError {
  const reason = reasonOf(error);
  const { status } = error;
  const details: { [key: string]: Json } = {};
  const code = error.code ?? error.type;
  if (code !== undefined) details['vendorCode'] = redact(code, context.secrets);
  if (error.requestId !== undefined && error.requestId !== null) {
    details['requestId'] = redact(error.requestId, context.secrets);
  }
  return new ModelError(sentence(reason, error, context), {
    reason,
    provider: context.provider,
    ...(status === undefined ? {} : { status }),
    ...(error.retryAfterMs === undefined ? {} : { retryAfterMs: error.retryAfterMs }),
    ...(Object.keys(details).length === 0 ? {} : { details }),
  });
}

/** `ErrorType` of the SDK (resources/shared.d.ts); https://platform.claude.com/docs/en/api/errors. */
const byType: { readonly [type: string]: ModelErrorReason } = {
  invalid_request_error: 'invalid-request',
  authentication_error: 'authentication',
  billing_error: 'quota',
  permission_error: 'permission',
  not_found_error: 'invalid-request',
  request_too_large: 'invalid-request',
  rate_limit_error: 'rate-limit',
  timeout_error: 'timeout',
  api_error: 'overloaded',
  overloaded_error: 'overloaded',
  conflict_error: 'overloaded',
};

const byStatus: { readonly [status: number]: ModelErrorReason } = {
  401: 'authentication',
  402: 'quota',
  403: 'permission',
  408: 'timeout',
  409: 'overloaded',
  425: 'overloaded',
  429: 'rate-limit',
  504: 'timeout',
};

function reasonOf({ code, type, status, message, streamed }: VendorError): ModelErrorReason {
  // `*_spend_limit_reached`, `ramp_limit_exceeded`, `user_profile_not_billable`, …; a 400 or a 429 otherwise.
  if (/spend_limit|ramp_limit|billing|billable/.test(code ?? '')) return 'quota';
  const refused = status === undefined || status === 400 || status === 413;
  if (refused && type !== 'overloaded_error') {
    if (aboutContext.test(message)) return 'context-length';
    if (aboutFilter.test(message)) return 'content-filter';
    if (aboutCredit.test(message)) return 'quota';
  }
  if (status === undefined) {
    return byType[type ?? ''] ?? (streamed === true ? 'overloaded' : 'unknown');
  }
  if (byStatus[status] !== undefined) return byStatus[status];
  if (status >= 500) return 'overloaded';
  return status >= 300 ? (byType[type ?? ''] ?? 'invalid-request') : 'unknown';
}

// The API has no code for these.
const aboutContext =
  /prompt is too long|exceeds? (the )?context (limit|window)|context (length|window|limit)|maximum context|too many tokens/i;
const aboutFilter = /content filtering policy|blocked by content filter/i;
const aboutCredit = /credit balance is too low|usage limits?\b.*\b(reached|exceeded)|spend limit/i;

function sentence(reason: ModelErrorReason, error: VendorError, context: ErrorContext): string {
  const { who, model, secrets, keyName } = context;
  const status = error.status === undefined ? '' : ` (${error.status})`;
  const said = redact(error.message, secrets).trim();
  const why = said === '' ? '' : `: ${said.replace(/[.\s]+$/, '')}`;
  switch (reason) {
    case 'authentication':
      // The vendor's sentence is left out: it repeats a part of the key.
      return `${who} refused the key${status}. Check ${keyName}.`;
    case 'permission':
      return `${who} does not allow this call of ${model}${status}${why}. Check what the key may do.`;
    case 'quota':
      return `${who} has no quota left for this key${status}${why}. Check its plan and billing.`;
    case 'rate-limit': {
      const wait = error.retryAfterMs;
      const when =
        wait === undefined || wait === 0 ? 'later' : `in ${Number((wait / 1000).toFixed(1))} s`;
      return `${who} limits the rate of ${model}${status}${why}. Retry ${when}.`;
    }
    case 'context-length':
      return `The conversation is longer than ${model} can read${status}${why}. Send less history.`;
    case 'content-filter':
      return `${who} filtered the request${status}${why}. Change what is asked.`;
    case 'overloaded':
      return `${who} failed to answer${status}${why}. Retry later.`;
    case 'timeout':
      return `${who} took too long to answer${status}${why}. Retry, or ask for less.`;
    case 'invalid-request':
      return error.status === 404
        ? `${who} does not know the model ${model}, or has no such path (404)${why}. Check the name and the base URL, which ends before /v1.`
        : error.status === 413
          ? `The request is larger than ${who} takes (413)${why}. Send smaller files or less history.`
          : `${who} refused the request${status}${why}.`;
    default:
      return `${who} failed${status}${why}.`;
  }
}

function invalidResponse(what: string, { who, provider, secrets }: ErrorContext): ModelError {
  return new ModelError(
    `${who} did not send a whole answer: ${redact(what, secrets)}. If it cannot stream, set streaming: false.`,
    { reason: 'invalid-response', provider },
  );
}

const timeouts = new Set([
  'ETIMEDOUT',
  'ESOCKETTIMEDOUT',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
]);

/** No HTTP answer, or one that was cut: `fetch` and the SDK wrap the socket's error two or three deep. */
function fromTransport(error: object, context: ErrorContext): ModelError {
  const codes: string[] = [];
  const messages: string[] = [];
  for (let at: unknown = error, depth = 0; isRecord(at) && depth < 5; at = at['cause'], depth++) {
    const code = stringOf(at['code']);
    if (code !== undefined) codes.push(code);
    messages.push(stringOf(at['message']) ?? '');
  }
  const code = codes.at(-1);
  const { who, provider } = context;
  if (codes.some((one) => timeouts.has(one)) || messages.some((one) => /timed? ?out/i.test(one))) {
    return new ModelError(
      `${who} did not answer in time${code === undefined ? '' : ` (${code})`}. Retry later.`,
      { reason: 'timeout', provider },
    );
  }
  if (codes.length > 0 || messages.some((one) => transportWords.test(one))) {
    return new ModelError(
      `The connection to ${who.startsWith('The ') ? `the ${who.slice(4)}` : who} failed${code === undefined ? '' : ` (${code})`}. Check the network and the base URL, and retry.`,
      { reason: 'network', provider },
    );
  }
  return unknown(error, context);
}

const transportWords = /connection error|fetch failed|terminated|other side closed|socket|network/i;

function unknown(error: unknown, { who, provider, secrets }: ErrorContext): ModelError {
  const message = isRecord(error) ? (stringOf(error['message']) ?? '') : String(error);
  return new ModelError(`The call of ${who} failed: ${redact(message, secrets)}`, {
    reason: 'unknown',
    provider,
  });
}

/** The SDK puts the status before the body's text when the body was not JSON. */
function withoutStatus(
  error: { readonly [key: string]: unknown },
  status: number | undefined,
): string {
  const message = stringOf(error['message']) ?? '';
  const text = status === undefined ? message : message.replace(`${status} `, '');
  // A page of a proxy says nothing that a reader can use.
  return /^\s*<|status code \(no body\)/i.test(text) ? '' : text;
}
