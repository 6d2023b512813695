import { AgentError, ModelError, type Json, type ModelErrorReason } from '@agent-functions/core';
import { isRecord, numberOf, stringOf } from './json.ts';
import { provider } from './options.ts';
import { headerMs, reasonOf, vendorBody, vendorError, type VendorError } from './vendor-error.ts';

/** What an error must know of the call to be worth reading. */
export interface ErrorContext {
  /** The first words: who failed. */
  readonly who: string;
  readonly model: string;
  /** What to check when the key is refused. */
  readonly keyName: string;
  /** Texts that must not appear: keys, tokens, values of headers. */
  readonly secrets: readonly string[];
  /** The header of the answer, where there was one. */
  readonly retryAfter: string | null;
}

/** What came back is not what the protocol says. */
export class WireError extends Error {
  override readonly name = 'WireError';
}

/** The prompt was blocked: a 200 without an answer, whose `promptFeedback` says why. */
export class BlockedError extends Error {
  override readonly name = 'BlockedError';
  readonly blockReason: string;

  constructor(blockReason: string, message = '') {
    super(message);
    this.blockReason = blockReason;
  }
}

/**
 * Anything that a call threw, as a `ModelError`. Pure. The SDK's own error is not kept: its text is the whole body of the
 * answer.
 */
export function toModelError(error: unknown, context: ErrorContext, now = Date.now()): AgentError {
  if (AgentError.isInstance(error)) return error;
  if (error instanceof WireError) return invalidResponse(error.message, context);
  if (error instanceof BlockedError) return blocked(error, context);
  if (!isRecord(error)) return unknown(error, context);
  const name = stringOf(error['name']);
  const message = stringOf(error['message']) ?? '';
  // The SDK's ApiError, by its shape: the class is not loaded here. Of other statuses than 4xx and 5xx it makes an Error.
  const status = name === 'ApiError' ? numberOf(error['status']) : undefined;
  const body = vendorBody(message);
  if (status !== undefined || body !== undefined) {
    return fromVendor(vendorError(body, status), context, now);
  }
  if (name === 'GaxiosError' || credentialWords.test(message)) return noCredentials(context);
  if (error instanceof SyntaxError || garbled.test(message)) {
    return invalidResponse('what it sent is not JSON', context);
  }
  return fromTransport(error, context);
}

// What the SDK throws of a stream that is no stream of events, and of JSON that is no object (dist/node/index.mjs,
// processStreamResponse; generateContentInternal sets a property of what it parsed).
const garbled =
  /Incomplete JSON segment|exception parsing stream chunk|properties of (null|undefined)|body is empty/;

// google-auth-library, where it finds no application default credentials.
const credentialWords =
  /default credentials|GOOGLE_APPLICATION_CREDENTIALS|application_default_credentials|credentials? file|does not exist, or it is not a file/i;

/** Takes keys, tokens and the queries of URLs out of a text, and cuts it to a readable length. */
export function redact(text: string, secrets: readonly string[]): string {
  let clean = text;
  for (const secret of secrets) {
    if (secret.length >= 6) clean = clean.replaceAll(secret, '[secret]');
  }
  clean = clean
    .replaceAll(/\bBearer\s+\S+/gi, 'Bearer [secret]')
    .replaceAll(/\bAIza[\w*-]{4,}/g, '[secret]')
    .replaceAll(/\bya29\.[\w.-]+/g, '[secret]')
    .replaceAll(/(https?:\/\/[^\s"'<>?]+)\?[^\s"'<>]*/gi, '$1')
    .replaceAll(/(https?:\/\/)[^\s/@]+@/gi, '$1');
  return clean.length > 500 ? `${clean.slice(0, 500)}…` : clean;
}

function fromVendor(error: VendorError, context: ErrorContext, now: number): ModelError {
  const reason = reasonOf(error);
  const { status } = error;
  const retryAfterMs = error.retryDelayMs ?? headerMs(context.retryAfter, now);
  const details: { [key: string]: Json } = {};
  const { secrets } = context;
  if (error.code !== undefined) details['vendorCode'] = redact(error.code, secrets);
  if (error.info !== undefined) details['vendorReason'] = redact(error.info, secrets);
  if (error.quotas.length > 0) details['quotas'] = error.quotas.map((one) => redact(one, secrets));
  return new ModelError(sentence(reason, { ...error, retryDelayMs: retryAfterMs }, context), {
    reason,
    provider,
    ...(status === undefined ? {} : { status }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    ...(Object.keys(details).length === 0 ? {} : { details }),
  });
}

function sentence(reason: ModelErrorReason, error: VendorError, context: ErrorContext): string {
  const { who, model, secrets, keyName } = context;
  const status = error.status === undefined ? '' : ` (${error.status})`;
  const said = redact(error.message, secrets).trim();
  const why = said === '' ? '' : `: ${said.replace(/[.\s]+$/, '')}`;
  switch (reason) {
    case 'authentication':
      // The vendor's sentence is left out: it may repeat the key.
      return `${who} refused the key${status}. Check ${keyName}.`;
    case 'permission':
      return `${who} does not allow this call of ${model}${status}${why}. Check what the key may do, and that the API is enabled.`;
    case 'quota':
      return `${who} has no quota left for ${model}${status}${why}. Check its plan and billing.`;
    case 'rate-limit': {
      const wait = error.retryDelayMs;
      const when =
        wait === undefined || wait === 0 ? 'later' : `in ${Number((wait / 1000).toFixed(1))} s`;
      return `${who} limits the rate of ${model}${status}${why}. Retry ${when}.`;
    }
    case 'context-length':
      return `The conversation is longer than ${model} can read${status}${why}. Send less history.`;
    case 'overloaded':
      return `${who} failed to answer${status}${why}. Retry later.`;
    case 'timeout':
      return `${who} took too long to answer${status}${why}. Retry, or ask for less.`;
    case 'invalid-request':
      return error.status === 404
        ? `${who} does not know the model ${model}, or has no such path (404)${why}. Check the name, the base URL, the API version and, for Vertex AI, project and location.`
        : `${who} refused the request${status}${why}.`;
    default:
      return `${who} failed${status}${why}.`;
  }
}

function blocked(
  { blockReason, message }: BlockedError,
  { who, secrets }: ErrorContext,
): ModelError {
  const why = message === '' ? '' : `: ${redact(message, secrets).replace(/[.\s]+$/, '')}`;
  const code = redact(blockReason, secrets);
  return new ModelError(
    `${who} blocked the prompt (${code})${why}. Change what is asked, or the safety settings.`,
    { reason: 'content-filter', provider, details: { vendorCode: code } },
  );
}

function invalidResponse(what: string, { who, secrets }: ErrorContext): ModelError {
  return new ModelError(`${who} did not send a whole answer: ${redact(what, secrets)}.`, {
    reason: 'invalid-response',
    provider,
  });
}

/** The auth library's own text is left out: it can hold paths, accounts and the answer of a token server. */
function noCredentials({ who }: ErrorContext): ModelError {
  return new ModelError(
    `${who} was not asked: no application default credentials were found, or they gave no token. Pass credential to vertex(), set GOOGLE_APPLICATION_CREDENTIALS, or run gcloud auth application-default login.`,
    { reason: 'authentication', provider },
  );
}

const timeouts = new Set([
  'ETIMEDOUT',
  'ESOCKETTIMEDOUT',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
]);

/** No HTTP answer, or one that was cut: `fetch` wraps the socket's error two or three deep. */
function fromTransport(error: object, context: ErrorContext): ModelError {
  const codes: string[] = [];
  const messages: string[] = [];
  for (let at: unknown = error, depth = 0; isRecord(at) && depth < 5; at = at['cause'], depth++) {
    const code = stringOf(at['code']);
    if (code !== undefined) codes.push(code);
    messages.push(stringOf(at['message']) ?? '');
  }
  const code = codes.at(-1);
  const named = code === undefined ? '' : ` (${code})`;
  const { who } = context;
  if (codes.some((one) => timeouts.has(one)) || messages.some((one) => /timed? ?out/i.test(one))) {
    return new ModelError(`${who} did not answer in time${named}. Retry later.`, {
      reason: 'timeout',
      provider,
    });
  }
  if (codes.length > 0 || messages.some((one) => transportWords.test(one))) {
    const whom = who.startsWith('The ') ? `the ${who.slice(4)}` : who;
    return new ModelError(
      `The connection to ${whom} failed${named}. Check the network and the base URL, and retry.`,
      { reason: 'network', provider },
    );
  }
  return unknown(error, context);
}

const transportWords = /connection error|fetch failed|terminated|other side closed|socket|network/i;

function unknown(error: unknown, { who, secrets }: ErrorContext): ModelError {
  const message = isRecord(error) ? (stringOf(error['message']) ?? '') : String(error);
  return new ModelError(`The call of ${who} failed: ${redact(message, secrets)}`, {
    reason: 'unknown',
    provider,
  });
}
