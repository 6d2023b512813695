import type { AgentError, ModelErrorReason } from '@agent-functions/core';
import {
  brokenCall,
  failedCall,
  isRecord,
  reasonOfStatus,
  stringOf,
  thrownAnswer,
  WireError,
  type ErrorContext,
} from '@agent-functions/core/provider';

/** How OpenAI's keys look, and what to do where it differs. */
const words = {
  keyShapes: [/\bsk-[\w*.-]+/g],
  advice: {
    404: "Check the name and the base URL; a server without the Responses API needs api: 'chat'.",
  },
} as const;

/** Anything that a call threw, as an error of this library. Pure. */
export function toModelError(error: unknown, call: ErrorContext, now = Date.now()): AgentError {
  const context = { ...call, ...words };
  if (error instanceof WireError && error.failure !== undefined) {
    const said = vendorError(error.failure);
    return failedCall({ ...said, reason: reasonOf({ ...said, streamed: true }) }, context);
  }
  const answer = thrownAnswer(error, now);
  if (answer === undefined) return brokenCall(error, context);
  const said = vendorError(answer.body);
  const { status = said.status, retryAfterMs } = answer;
  const streamed = answer.status === undefined;
  const requestId = answer.header('x-request-id') ?? answer.header('apim-request-id');
  return failedCall(
    {
      message: said.message,
      reason: reasonOf({ ...said, status, streamed }),
      status,
      retryAfterMs,
      details: { ...said.details, requestId },
    },
    context,
  );
}

/** Whether a model that does not reason refused to be asked for encrypted reasoning. */
export function refusesEncrypted(error: unknown): boolean {
  if (!isRecord(error) || error['status'] !== 400) return false;
  return (
    error['param'] === 'include' || /encrypted content/i.test(stringOf(error['message']) ?? '')
  );
}

interface VendorError {
  readonly message: string;
  readonly code: string | undefined;
  readonly type: string | undefined;
  readonly status: number | undefined;
  readonly details: { readonly vendorCode: string | undefined; readonly param: string | undefined };
}

/** The error object of a body or an event: `{ message, code, type, param }`, also one level deeper, or a bare text. */
function vendorError(failure: unknown): VendorError {
  const outer = isRecord(failure) ? failure : { message: stringOf(failure) };
  const body = isRecord(outer['error']) ? outer['error'] : outer;
  const inner = isRecord(body['innererror']) ? body['innererror'] : {};
  const said = body['code'];
  // Azure says `content_filter` in `code`, or only inside (`ResponsibleAIPolicyViolation`); some say an HTTP status.
  const code = stringOf(said) ?? stringOf(inner['code']);
  return {
    message: stringOf(body['message']) ?? '',
    code,
    type: stringOf(body['type']),
    status: typeof said === 'number' && said >= 400 && said < 600 ? said : undefined,
    details: { vendorCode: code, param: stringOf(body['param']) },
  };
}

const byCode: { readonly [code: string]: ModelErrorReason } = {
  context_length_exceeded: 'context-length',
  exceed_context_size_error: 'context-length',
  content_filter: 'content-filter',
  content_policy_violation: 'content-filter',
  image_content_policy_violation: 'content-filter',
  misalignment_policy_violation: 'content-filter',
  bio_policy: 'content-filter',
  ResponsibleAIPolicyViolation: 'content-filter',
  insufficient_quota: 'quota',
  billing_hard_limit_reached: 'quota',
  billing_not_active: 'quota',
  rate_limit_exceeded: 'rate-limit',
  invalid_api_key: 'authentication',
  model_not_found: 'invalid-request',
  DeploymentNotFound: 'invalid-request',
  server_error: 'overloaded',
  internal_server_error: 'overloaded',
  vector_store_timeout: 'timeout',
};

interface Said extends Pick<VendorError, 'message' | 'code' | 'type' | 'status'> {
  /** It came inside a stream that had begun with 200. */
  readonly streamed: boolean;
}

function reasonOf({ code, type, status, message, streamed }: Said): ModelErrorReason {
  const known = byCode[code ?? ''] ?? byCode[type ?? ''];
  // A 403 with `server_error` is still a 403: only a stream and a 5xx are the server's own failing.
  if (known !== undefined && (known !== 'overloaded' || status === undefined || status >= 500)) {
    return known;
  }
  if ((status === undefined || status === 400 || status === 413) && aboutContext.test(message)) {
    return 'context-length';
  }
  if (status !== undefined) return reasonOfStatus(status);
  return streamed ? streamedReason(type, code) : 'unknown';
}

/** An error event without a status and with a code that is not in the table. */
function streamedReason(type: string | undefined, code: string | undefined): ModelErrorReason {
  if (
    type === 'invalid_request_error' ||
    /^(invalid|unsupported|image|empty|failed_to)/.test(code ?? '')
  ) {
    return 'invalid-request';
  }
  return 'overloaded';
}

// Compatible servers have no code for it.
const aboutContext =
  /context (length|window|size)|maximum context|too many tokens|prompt is too long/i;
