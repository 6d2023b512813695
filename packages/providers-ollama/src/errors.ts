import { AgentError, type ModelError, type ModelErrorReason } from '@agent-functions/core';
import {
  brokenCall,
  causesOf,
  failedCall,
  isRecord,
  parsed,
  reasonOfStatus,
  retryAfterMs,
  WireError,
  type CallFailure,
  type ErrorContext,
  type HeaderReader,
} from '@agent-functions/core/provider';

/** An answer with another status than 2xx. */
export class HttpFailure extends Error {
  readonly status: number;
  readonly headers: HeaderReader;
  readonly body: string;

  constructor(status: number, headers: HeaderReader, body: string) {
    super(`HTTP ${status}`);
    this.name = 'HttpFailure';
    this.status = status;
    this.headers = headers;
    this.body = body;
  }
}

interface Place {
  /** Host and port of the server. */
  readonly host: string;
}

/** What an error must know of the call to be worth reading. */
export function errorContext({
  model,
  host,
  secrets,
}: Place & Pick<ErrorContext, 'model' | 'secrets'>): ErrorContext & Place {
  return {
    host,
    provider: 'ollama',
    who: `Ollama at ${host}`,
    model,
    keyName: 'apiKey, OLLAMA_API_KEY or the headers',
    secrets,
    // The name and password of an address, as a header has them.
    keyShapes: [/(?<=\bBasic\s+)\S+/gi],
    advice: {
      permission: '',
      quota: 'Wait, or ask a local model.',
      'context-length': 'Set numCtx, or send less history.',
      overloaded: 'Retry later, or choose a smaller model.',
      network: 'Check that ollama serve still runs there, and retry.',
    },
  };
}

/** Anything that a call threw, as an error of this library. Pure. */
export function toModelError(
  error: unknown,
  context: ErrorContext & Place,
  now = Date.now(),
): AgentError {
  if (error instanceof HttpFailure) {
    const { status, headers } = error;
    const message = messageOf(parsed(error.body) ?? error.body);
    return fromServer({ message, status, retryAfterMs: retryAfterMs(headers, now) }, context);
  }
  if (error instanceof WireError && error.failure !== undefined) {
    return fromServer({ message: messageOf(error.failure) }, context);
  }
  const code = causesOf(error).codes.find((one) => nobodyThere.has(one));
  if (code === undefined || AgentError.isInstance(error)) return brokenCall(error, context);
  return failedCall(
    {
      reason: 'network',
      message: '',
      what: `No Ollama server answers at ${context.host} (${code})`,
      advice: 'Start it: ollama serve, or say in host or OLLAMA_HOST where it runs.',
    },
    context,
  );
}

// No HTTP answer, because no server listens there.
const nobodyThere = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
]);

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

type Failure = Pick<CallFailure, 'message' | 'status' | 'retryAfterMs'>;

function fromServer(failure: Failure, context: ErrorContext): ModelError {
  const reason = reasonOf(failure);
  const words = reason === 'invalid-request' ? refusal(failure, context) : {};
  return failedCall({ ...failure, reason, ...words }, context);
}

const aboutContext = /context (length|size|window)/i;
const aboutAbilities = /does not support (tools|thinking|images?|vision|\w+)/i;
const notFound = /model .*not found/i;

function reasonOf({ message, status }: Failure): ModelErrorReason {
  if (status === 429 && /usage limit|quota/i.test(message)) return 'quota';
  const known = status === undefined ? 'overloaded' : reasonOfStatus(status);
  // The runner's refusals come with 400, with 500, or inside the stream.
  if (known !== 'overloaded' && known !== 'invalid-request') return known;
  if (aboutContext.test(message)) return 'context-length';
  return aboutAbilities.test(message) || notFound.test(message) ? 'invalid-request' : known;
}

/** A request that was refused, with what to do about it. */
function refusal(
  { message, status }: Failure,
  { who, model }: ErrorContext,
): Pick<CallFailure, 'what' | 'advice'> {
  if (notFound.test(message)) {
    return { what: `${who} has no model ${model}`, advice: `Fetch it: ollama pull ${model}` };
  }
  if (status === 404) {
    return {
      what: `${who} has no such path, or no model ${model}`,
      advice: `Check the host; fetch the model: ollama pull ${model}`,
    };
  }
  switch (aboutAbilities.exec(message)?.[1]?.toLowerCase()) {
    case undefined:
      return {};
    case 'tools':
      return {
        what: `${model} cannot call tools`,
        advice: "Choose a model that can, such as qwen3, or take the agent's tools away.",
      };
    case 'thinking':
      return {
        what: `${model} cannot think`,
        advice:
          'Leave out think and settings.reasoning, or choose a model that can, such as qwen3.',
      };
    default:
      return {
        what: `${model} cannot do what the request needs`,
        advice: 'Choose another model.',
      };
  }
}
