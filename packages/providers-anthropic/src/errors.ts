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

/** How Anthropic's keys look, and what to do where it differs. */
const words = {
  keyShapes: [/\bsk-[\w*.-]+/g],
  advice: { 404: 'Check the name and the base URL, which ends before /v1.' },
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
  const { status, retryAfterMs } = answer;
  const requestId =
    answer.header('request-id') ?? answer.header('apim-request-id') ?? said.details.requestId;
  return failedCall(
    {
      message: said.message,
      reason: reasonOf({ ...said, status, streamed: status === undefined }),
      status,
      retryAfterMs,
      details: { ...said.details, requestId },
    },
    context,
  );
}

interface VendorError {
  readonly message: string;
  /** `error.type`: the closed list of the API. */
  readonly type: string | undefined;
  /** `error.details.error_code`, where there is one. */
  readonly code: string | undefined;
  readonly details: {
    readonly vendorCode: string | undefined;
    readonly requestId: string | undefined;
  };
}

/** The error object of a body or an event: `{ type: 'error', error: { type, message, details } }`, or its inside. */
function vendorError(failure: unknown): VendorError {
  const outer = isRecord(failure) ? failure : { message: stringOf(failure) };
  const body = isRecord(outer['error']) ? outer['error'] : outer;
  const details = isRecord(body['details']) ? body['details'] : {};
  const type = stringOf(body['type']);
  const code = stringOf(details['error_code']) ?? stringOf(body['code']);
  return {
    message: stringOf(body['message']) ?? '',
    type,
    code,
    details: { vendorCode: code ?? type, requestId: stringOf(outer['request_id']) },
  };
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

interface Said extends Pick<VendorError, 'message' | 'type' | 'code'> {
  readonly status?: number | undefined;
  /** It came inside a stream that had begun with 200. */
  readonly streamed: boolean;
}

function reasonOf({ code, type, status, message, streamed }: Said): ModelErrorReason {
  // `*_spend_limit_reached`, `ramp_limit_exceeded`, `user_profile_not_billable`, …; a 400 or a 429 otherwise.
  if (/spend_limit|ramp_limit|billing|billable/.test(code ?? '')) return 'quota';
  const refused = status === undefined || status === 400 || status === 413;
  if (refused && type !== 'overloaded_error') {
    if (aboutContext.test(message)) return 'context-length';
    if (aboutFilter.test(message)) return 'content-filter';
    if (aboutCredit.test(message)) return 'quota';
  }
  if (status === undefined) return byType[type ?? ''] ?? (streamed ? 'overloaded' : 'unknown');
  const reason = reasonOfStatus(status);
  return reason === 'invalid-request' ? (byType[type ?? ''] ?? reason) : reason;
}

// The API has no code for these.
const aboutContext =
  /prompt is too long|exceeds? (the )?context (limit|window)|context (length|window|limit)|maximum context|too many tokens/i;
const aboutFilter = /content filtering policy|blocked by content filter/i;
const aboutCredit = /credit balance is too low|usage limits?\b.*\b(reached|exceeded)|spend limit/i;
