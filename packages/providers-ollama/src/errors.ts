import { AgentError, ModelError, type ModelErrorReason } from '@agent-functions/core';
import { isRecord, parsed, stringOf } from './json.ts';

/** What an error must know of the call to be worth reading. */
export interface ErrorContext {
  readonly model: string;
  /** Host and port of the server. */
  readonly host: string;
  /** Texts that must not appear: keys and values of headers. */
  readonly secrets: readonly string[];
}

/** What came back is not what the protocol says. `failure` is the server's own error, where it sent one in its stream. */
export class WireError extends Error {
  readonly failure: unknown;

  constructor(message: string, failure?: unknown) {
    super(message);
    this.name = 'WireError';
    this.failure = failure;
  }
}

/** An answer with another status than 2xx. */
export class HttpFailure extends Error {
  readonly status: number;
  readonly headers: Pick<Headers, 'get'>;
  readonly body: string;

  constructor(status: number, headers: Pick<Headers, 'get'>, body: string) {
    super(`HTTP ${status}`);
    this.name = 'HttpFailure';
    this.status = status;
    this.headers = headers;
    this.body = body;
  }
}

const provider = 'ollama';

/** Anything that a call threw, as a `ModelError`. Pure. */
export function toModelError(error: unknown, context: ErrorContext, now = Date.now()): AgentError {
  if (AgentError.isInstance(error)) return error;
  if (error instanceof HttpFailure) {
    const { status, headers } = error;
    const message = messageOf(parsed(error.body) ?? error.body);
    return fromServer({ message, status, retryAfterMs: retryAfterMs(headers, now) }, context);
  }
  if (error instanceof WireError) {
    return error.failure === undefined
      ? invalidResponse(error.message, context)
      : fromServer({ message: messageOf(error.failure) }, context);
  }
  if (error instanceof SyntaxError) return invalidResponse('what it sent is not JSON', context);
  return fromTransport(error, context);
}

interface Failure {
  readonly message: string;
  /** None: it came inside a stream that had begun with 200. */
  readonly status?: number;
  readonly retryAfterMs?: number | undefined;
}

/**
 * The sentence of an error: `{"error":"…"}` (https://docs.ollama.com/api/errors), and inside of that the JSON text of
 * another error, where the server hands on what its runner said. A page of a proxy says nothing that a reader can use.
 */
function messageOf(failure: unknown, depth = 0): string {
  if (typeof failure === 'string') {
    const inner = failure.startsWith('{') && depth < 4 ? parsed(failure) : undefined;
    if (inner !== undefined) return messageOf(inner, depth + 1);
    return /^\s*</.test(failure) ? '' : failure;
  }
  if (!isRecord(failure)) return '';
  return messageOf(failure['error'] ?? failure['message'] ?? '', depth + 1);
}

function fromServer(failure: Failure, context: ErrorContext): ModelError {
  const reason = reasonOf(failure);
  const { status, retryAfterMs: wait } = failure;
  return new ModelError(sentence(reason, failure, context), {
    reason,
    provider,
    ...(status === undefined ? {} : { status }),
    ...(wait === undefined ? {} : { retryAfterMs: wait }),
  });
}

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

const aboutContext = /context (length|size|window)/i;
const aboutAbilities = /does not support (tools|thinking|images?|vision|\w+)/i;
const notFound = /model .*not found/i;

function reasonOf({ message, status }: Failure): ModelErrorReason {
  if (status === 429 && /usage limit|quota/i.test(message)) return 'quota';
  const known = status === undefined ? undefined : byStatus[status];
  if (known !== undefined) return known;
  // The runner's refusals come with 400, with 500, or inside the stream.
  if (aboutContext.test(message)) return 'context-length';
  if (aboutAbilities.test(message) || notFound.test(message)) return 'invalid-request';
  if (status === undefined || status >= 500) return 'overloaded';
  return 'invalid-request';
}

function sentence(reason: ModelErrorReason, failure: Failure, context: ErrorContext): string {
  const { model, host, secrets } = context;
  const who = `Ollama at ${host}`;
  const status = failure.status === undefined ? '' : ` (${failure.status})`;
  const said = redact(failure.message, secrets).trim();
  const why = said === '' ? '' : `: ${said.replace(/[.\s]+$/, '')}`;
  switch (reason) {
    case 'authentication':
      // What the server says is left out: it may repeat the key.
      return `${who} refused the key${status}. Check apiKey, OLLAMA_API_KEY or the headers.`;
    case 'permission':
      return `${who} does not allow this call of ${model}${status}${why}.`;
    case 'quota':
      return `${who} has no quota left for this account${status}${why}. Wait, or ask a local model.`;
    case 'rate-limit': {
      const wait = failure.retryAfterMs;
      const when =
        wait === undefined || wait === 0 ? 'later' : `in ${Number((wait / 1000).toFixed(1))} s`;
      return `${who} limits the rate of ${model}${status}${why}. Retry ${when}.`;
    }
    case 'context-length':
      return `The conversation is longer than ${model} can read${status}${why}. Set numCtx, or send less history.`;
    case 'timeout':
      return `${who} took too long to answer${status}${why}. Retry, or ask for less.`;
    case 'overloaded':
      return `${who} failed to answer${status}${why}. Retry later, or choose a smaller model.`;
    default:
      return refusal(failure, context, `${status}${why}`);
  }
}

/** A request that was refused, with what to do about it. */
function refusal({ message, status }: Failure, context: ErrorContext, why: string): string {
  const { model, host } = context;
  if (notFound.test(message)) {
    return `Ollama at ${host} has no model ${model}${why}. Fetch it: ollama pull ${model}`;
  }
  if (status === 404) {
    return `Ollama at ${host} has no such path, or no model ${model}${why}. Check the host; fetch the model: ollama pull ${model}`;
  }
  switch (aboutAbilities.exec(message)?.[1]?.toLowerCase()) {
    case undefined:
      return `Ollama at ${host} refused the request${why}.`;
    case 'tools':
      return `${model} cannot call tools${why}. Choose a model that can, such as qwen3, or take the agent's tools away.`;
    case 'thinking':
      return `${model} cannot think${why}. Leave out think and settings.reasoning, or choose a model that can, such as qwen3.`;
    default:
      return `${model} cannot do what the request needs${why}. Choose another model.`;
  }
}

/** The wait that a server asks for, in milliseconds: `Retry-After` in seconds or as a date (RFC 9110, 10.2.3). */
export function retryAfterMs(headers: Pick<Headers, 'get'>, now: number): number | undefined {
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
    .replaceAll(/\b(Bearer|Basic)\s+\S+/gi, '$1 [secret]')
    .replaceAll(/(https?:\/\/[^\s"'<>?]+)\?[^\s"'<>]*/gi, '$1')
    .replaceAll(/(https?:\/\/)[^\s/@]+@/gi, '$1');
  return clean.length > 500 ? `${clean.slice(0, 500)}…` : clean;
}

function invalidResponse(what: string, { host, secrets }: ErrorContext): ModelError {
  return new ModelError(
    `Ollama at ${host} did not send a whole answer: ${redact(what, secrets)}. If it cannot stream, set streaming: false.`,
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
const nobodyThere = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
]);
const transportWords = /fetch failed|terminated|other side closed|socket|network|aborted/i;

/** No HTTP answer, or one that was cut: `fetch` wraps the socket's error two or three deep. */
function fromTransport(error: unknown, { host, secrets }: ErrorContext): ModelError {
  const codes: string[] = [];
  const messages: string[] = [];
  for (let at = error, depth = 0; isRecord(at) && depth < 5; at = at['cause'], depth++) {
    const code = stringOf(at['code']);
    if (code !== undefined) codes.push(code);
    messages.push(stringOf(at['message']) ?? '');
    // Both addresses of a host were tried: its errors hang beside the cause.
    const [first] = Array.isArray(at['errors']) ? at['errors'] : [];
    if (isRecord(first)) codes.push(stringOf(first['code']) ?? '');
  }
  const code = codes.find((one) => one !== '');
  const named = code === undefined ? '' : ` (${code})`;
  if (codes.some((one) => nobodyThere.has(one))) {
    return new ModelError(
      `No Ollama server answers at ${host}${named}. Start it: ollama serve, or say in host or OLLAMA_HOST where it runs.`,
      { reason: 'network', provider },
    );
  }
  if (codes.some((one) => timeouts.has(one)) || messages.some((one) => /timed? ?out/i.test(one))) {
    return new ModelError(`Ollama at ${host} did not answer in time${named}. Retry later.`, {
      reason: 'timeout',
      provider,
    });
  }
  if (codes.length > 0 || messages.some((one) => transportWords.test(one))) {
    return new ModelError(
      `The connection to Ollama at ${host} failed${named}. Check that ollama serve still runs there, and retry.`,
      { reason: 'network', provider },
    );
  }
  const message = messages[0] ?? String(error);
  return new ModelError(`The call of Ollama at ${host} failed: ${redact(message, secrets)}`, {
    reason: 'unknown',
    provider,
  });
}
