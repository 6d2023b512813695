import { AgentError, ModelError } from '../errors.ts';
import { within, type ErrorContext } from './failed-call.ts';
import { redact } from './redact.ts';
import { isRecord, listOf, stringOf } from './wire-json.ts';

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
 * The error of a call that broke: an answer that is not what the protocol says, a connection that failed or was too slow,
 * or anything else that was thrown. Errors of this library stay as they are; of others nothing is kept, because those of
 * SDKs hold headers. Pure.
 */
export function brokenCall(error: unknown, context: ErrorContext): AgentError {
  if (AgentError.isInstance(error)) return error;
  if (error instanceof WireError) return invalidResponse(error.message, context);
  if (error instanceof SyntaxError) return invalidResponse('what it sent is not JSON', context);
  const { messages, codes } = causesOf(error);
  // What several SDKs say of a 204, or of another answer that is only a head.
  if (/response with no body/i.test(messages[0] ?? '')) {
    return invalidResponse('the body of the answer is empty', context);
  }
  const { who, provider, advice } = context;
  const code = codes.at(-1);
  const named = code === undefined ? '' : ` (${code})`;
  if (codes.some((one) => timeouts.has(one)) || messages.some((one) => /timed? ?out/i.test(one))) {
    return new ModelError(`${who} did not answer in time${named}. Retry later.`, {
      reason: 'timeout',
      provider,
    });
  }
  if (codes.length > 0 || messages.some((one) => transportWords.test(one))) {
    const todo = advice?.network ?? 'Check the network and the base URL, and retry.';
    return new ModelError(`The connection to ${within(who)} failed${named}. ${todo}`, {
      reason: 'network',
      provider,
    });
  }
  const message = messages[0] ?? String(error);
  return new ModelError(`The call of ${within(who)} failed: ${redact(message, context)}`, {
    reason: 'unknown',
    provider,
  });
}

function invalidResponse(what: string, context: ErrorContext): ModelError {
  const { who, provider } = context;
  return new ModelError(
    `${who} did not send a whole answer: ${redact(what, context)}. If it cannot stream, set streaming: false.`,
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

const transportWords =
  /connection error|fetch failed|terminated|other side closed|socket|network|aborted/i;

/** Codes and sentences of an error and its causes: `fetch` and SDKs wrap the socket's error two or three deep. */
export function causesOf(error: unknown): {
  readonly codes: readonly string[];
  readonly messages: readonly string[];
} {
  const codes: string[] = [];
  const messages: string[] = [];
  for (let at = error, depth = 0; isRecord(at) && depth < 5; at = at['cause'], depth++) {
    // Where both addresses of a host were tried, the errors of each hang beside the cause.
    const [first] = listOf(at['errors']);
    for (const code of [at['code'], isRecord(first) ? first['code'] : undefined]) {
      if (typeof code === 'string' && code !== '') codes.push(code);
    }
    messages.push(stringOf(at['message']) ?? '');
  }
  return { codes, messages };
}
