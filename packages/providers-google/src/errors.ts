import { AgentError, ModelError } from '@agent-functions/core';
import {
  brokenCall,
  failedCall,
  isRecord,
  numberOf,
  redact,
  retryAfterMs,
  stringOf,
  WireError,
  type ErrorContext as CommonContext,
} from '@agent-functions/core/provider';
import { provider } from './options.ts';
import { reasonOf, vendorBody, vendorError, type VendorError } from './vendor-error.ts';

/** What an error must know of the call to be worth reading. */
export interface ErrorContext extends CommonContext {
  /** The header of the answer, where there was one. */
  readonly retryAfter: string | null;
}

/** How keys and tokens of Google look, and what to do where it differs. */
const words = {
  keyShapes: [/\bAIza[\w*-]{4,}/g, /\bya29\.[\w.-]+/g],
  advice: {
    permission: 'Check what the key may do, and that the API is enabled.',
    404: 'Check the name, the base URL, the API version and, for Vertex AI, project and location.',
  },
} as const;

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
export function toModelError(error: unknown, call: ErrorContext, now = Date.now()): AgentError {
  const context = { ...call, ...words };
  if (AgentError.isInstance(error) || error instanceof WireError) return brokenCall(error, context);
  if (error instanceof BlockedError) return blocked(error, context);
  if (!isRecord(error)) return brokenCall(error, context);
  const name = stringOf(error['name']);
  const message = stringOf(error['message']) ?? '';
  // The SDK's ApiError, by its shape: the class is not loaded here. Of other statuses than 4xx and 5xx it makes an Error.
  const status = name === 'ApiError' ? numberOf(error['status']) : undefined;
  const body = vendorBody(message);
  if (status !== undefined || body !== undefined) {
    return fromVendor(vendorError(body, status), context, now);
  }
  if (name === 'GaxiosError' || credentialWords.test(message)) return noCredentials(context);
  return brokenCall(garbled.test(message) ? new WireError(notJson) : error, context);
}

const notJson = 'what it sent is not JSON';

// What the SDK throws of a stream that is no stream of events, and of JSON that is no object (dist/node/index.mjs,
// processStreamResponse; generateContentInternal sets a property of what it parsed).
const garbled =
  /Incomplete JSON segment|exception parsing stream chunk|properties of (null|undefined)|body is empty/;

// google-auth-library, where it finds no application default credentials.
const credentialWords =
  /default credentials|GOOGLE_APPLICATION_CREDENTIALS|application_default_credentials|credentials? file|does not exist, or it is not a file/i;

function fromVendor(error: VendorError, context: ErrorContext, now: number): ModelError {
  const { message, status, code, info, quotas } = error;
  const headers = {
    get: (name: string) => (name === 'retry-after' ? context.retryAfter : null),
  };
  return failedCall(
    {
      reason: reasonOf(error),
      message,
      status,
      retryAfterMs: error.retryDelayMs ?? retryAfterMs(headers, now),
      details: { vendorCode: code, vendorReason: info, quotas },
    },
    context,
  );
}

function blocked({ blockReason, message }: BlockedError, context: ErrorContext): ModelError {
  return failedCall(
    {
      reason: 'content-filter',
      message,
      what: `${context.who} blocked the prompt (${redact(blockReason, context)})`,
      advice: 'Change what is asked, or the safety settings.',
      details: { vendorCode: blockReason },
    },
    context,
  );
}

/** The auth library's own text is left out: it can hold paths, accounts and the answer of a token server. */
function noCredentials({ who }: ErrorContext): ModelError {
  return new ModelError(
    `${who} was not asked: no application default credentials were found, or they gave no token. Pass credential to vertex(), set GOOGLE_APPLICATION_CREDENTIALS, or run gcloud auth application-default login.`,
    { reason: 'authentication', provider },
  );
}
