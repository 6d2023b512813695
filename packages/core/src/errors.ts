import type { Json } from './json-value.ts';

/** Every code that an error of this library, a failed run or a problem document can carry. */
export type ErrorCode =
  | 'user_error'
  | 'run_incomplete'
  | 'model_error'
  | 'model_timeout'
  | 'model_refusal'
  | 'model_behavior'
  | 'invalid_output'
  | 'tool_error'
  | 'tool_timeout'
  | 'tool_not_found'
  | 'outcome_unknown'
  | 'handoff_error'
  | 'guardrail_tripwire'
  | 'guardrail_rejected'
  | 'guardrail_error'
  | 'approval_invalid'
  | 'session_conflict'
  | 'journal_version'
  | 'run_conflict'
  | 'idempotency_mismatch'
  | 'session_busy'
  | 'session_closed'
  | 'not_found'
  | 'limit'
  | 'not_configured'
  | 'not_conversational'
  | 'context_error'
  | 'crash_loop'
  | 'agent_gone'
  | 'text_withdrawn'
  | 'store_full'
  | 'store_unavailable'
  | 'handed_over'
  | 'aborted'
  | 'internal';

/** Why a model call failed: what callers and `retry()` branch on, never the text. */
export type ModelErrorReason =
  | 'rate-limit'
  | 'overloaded'
  | 'network'
  | 'timeout'
  | 'authentication'
  | 'permission'
  | 'quota'
  | 'invalid-request'
  | 'context-length'
  | 'content-filter'
  | 'invalid-response'
  | 'unknown';

/** The part of an error that a journal records and a client may see. */
export interface RunFailure {
  readonly code: ErrorCode;
  readonly message: string;
  /** For `model_error` and `model_timeout`. */
  readonly reason?: ModelErrorReason | undefined;
  readonly retryAfterMs?: number | undefined;
}

const httpStatusOf: { readonly [code in ErrorCode]: number } = {
  user_error: 400,
  run_incomplete: 409,
  model_error: 502,
  model_timeout: 504,
  model_refusal: 502,
  model_behavior: 502,
  invalid_output: 502,
  tool_error: 502,
  tool_timeout: 504,
  tool_not_found: 502,
  outcome_unknown: 502,
  handoff_error: 502,
  guardrail_tripwire: 422,
  guardrail_rejected: 422,
  guardrail_error: 500,
  approval_invalid: 422,
  session_conflict: 409,
  journal_version: 500,
  run_conflict: 409,
  idempotency_mismatch: 422,
  session_busy: 409,
  session_closed: 409,
  not_found: 404,
  limit: 413,
  not_configured: 503,
  not_conversational: 404,
  context_error: 500,
  crash_loop: 500,
  agent_gone: 502,
  text_withdrawn: 502,
  store_full: 503,
  store_unavailable: 503,
  handed_over: 503,
  aborted: 499,
  internal: 500,
};

/** The HTTP status of a failure, as http-api says: rate limits 429, overload and missing settings 503, timeouts 504. */
export function httpStatusOfFailure(failure: RunFailure): number {
  switch (failure.reason) {
    case 'rate-limit':
    case 'quota':
      return 429;
    case 'overloaded':
      return 503;
    case 'timeout':
      return 504;
    case 'content-filter':
      return 422;
    default:
      return httpStatusOf[failure.code];
  }
}

export interface AgentErrorOptions {
  readonly cause?: unknown;
  readonly runId?: string | undefined;
  readonly retryable?: boolean | undefined;
  /** Facts a program can use: the active run of a busy session, the names that exist. JSON, no secrets. */
  readonly details?: { readonly [key: string]: Json } | undefined;
}

const brand: unique symbol = Symbol.for('@agent-functions/error');

/** The base of every error this library throws. Branch on `code`; the message says what happened and what to do. */
export class AgentError extends Error {
  readonly code: ErrorCode;
  readonly retryable: boolean;
  readonly runId: string | undefined;
  readonly details: { readonly [key: string]: Json } | undefined;
  readonly [brand] = true;

  constructor(code: ErrorCode, message: string, options: AgentErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.code = code;
    this.retryable = options.retryable ?? false;
    this.runId = options.runId;
    this.details = options.details;
  }

  /** True for errors of any copy of this library in the process: by brand, not by class. */
  static isInstance(error: unknown): error is AgentError {
    return typeof error === 'object' && error !== null && brand in error;
  }

  /** The HTTP status a server answers with. */
  get httpStatus(): number {
    return httpStatusOfFailure(this.toFailure());
  }

  /** What a journal records of this error. */
  toFailure(): RunFailure {
    return { code: this.code, message: this.message };
  }

  toJSON(): Json {
    const { code, message, retryable, runId, details } = this;
    return {
      code,
      message,
      retryable,
      ...(runId === undefined ? {} : { runId }),
      ...(details === undefined ? {} : { details }),
    };
  }
}

/** The caller's code or input is wrong; the message says what to write. */
export class UserError extends AgentError {
  constructor(message: string, options?: AgentErrorOptions) {
    super('user_error', message, options);
  }
}

/** A model call failed. `reason` is one of a closed list; `retryable` says whether the same call may be tried again. */
export class ModelError extends AgentError {
  readonly reason: ModelErrorReason;
  readonly provider: string | undefined;
  /** The HTTP status of the model's server, where there was one. */
  readonly status: number | undefined;
  /** How long the server asked to wait before the next try. */
  readonly retryAfterMs: number | undefined;

  constructor(
    message: string,
    options: AgentErrorOptions & {
      readonly reason: ModelErrorReason;
      readonly provider?: string | undefined;
      readonly status?: number | undefined;
      readonly retryAfterMs?: number | undefined;
    },
  ) {
    const { reason } = options;
    super(reason === 'timeout' ? 'model_timeout' : 'model_error', message, {
      ...options,
      retryable: options.retryable ?? retryableReasons.has(reason),
    });
    this.reason = reason;
    this.provider = options.provider;
    this.status = options.status;
    this.retryAfterMs = options.retryAfterMs;
  }

  override toFailure(): RunFailure {
    return {
      code: this.code,
      message: this.message,
      reason: this.reason,
      // A wait is worth telling only where another try is.
      ...(this.retryAfterMs === undefined || !this.retryable
        ? {}
        : { retryAfterMs: this.retryAfterMs }),
    };
  }
}

const retryableReasons: ReadonlySet<ModelErrorReason> = new Set([
  'rate-limit',
  'overloaded',
  'network',
  'timeout',
  'invalid-response',
]);

/** The model answered with something that the protocol does not allow. */
export class ModelBehaviorError extends AgentError {
  constructor(message: string, options?: AgentErrorOptions) {
    super('model_behavior', message, options);
  }
}

/** The run ended without an output: `status` and `stopReason` say how. Thrown by `result.orThrow()`. */
export class RunIncompleteError extends AgentError {
  readonly status: 'interrupted' | 'stopped' | 'cancelled' | 'failed';
  readonly stopReason: string | undefined;
  readonly failure: RunFailure | undefined;

  constructor(
    message: string,
    options: AgentErrorOptions & {
      readonly status: 'interrupted' | 'stopped' | 'cancelled' | 'failed';
      readonly stopReason?: string | undefined;
      readonly failure?: RunFailure | undefined;
    },
  ) {
    super('run_incomplete', message, options);
    this.status = options.status;
    this.stopReason = options.stopReason;
    this.failure = options.failure;
  }
}

/** A tool call failed in a way that ends the run (`onError: 'throw'`). */
export class ToolCallError extends AgentError {
  readonly toolName: string;
  readonly callId: string;

  constructor(
    message: string,
    options: AgentErrorOptions & {
      readonly toolName: string;
      readonly callId: string;
      readonly code?: 'tool_error' | 'tool_timeout' | 'tool_not_found' | undefined;
    },
  ) {
    super(options.code ?? 'tool_error', message, options);
    this.toolName = options.toolName;
    this.callId = options.callId;
  }
}

/** A guardrail ended the run (`tripwire`). What it noted is in the journal, not in the message. */
export class GuardrailTripwireTriggered extends AgentError {
  readonly guardrail: string;

  constructor(message: string, options: AgentErrorOptions & { readonly guardrail: string }) {
    super('guardrail_tripwire', message, options);
    this.guardrail = options.guardrail;
  }
}

/** A run, session, interruption or agent that is not there, or not the caller's. */
export class NotFoundError extends AgentError {
  constructor(message: string, options?: AgentErrorOptions) {
    super('not_found', message, options);
  }
}

/**
 * The journal's end or its lease is another than expected: somebody else holds the run. `reason: 'seq'` names the end,
 * `'lease'` the token.
 */
export class RunConflictError extends AgentError {
  readonly reason: 'seq' | 'lease';

  constructor(message: string, options: AgentErrorOptions & { readonly reason: 'seq' | 'lease' }) {
    super('run_conflict', message, options);
    this.reason = options.reason;
  }
}

/** A session was changed by somebody else since it was read. */
export class SessionConflictError extends AgentError {
  constructor(message: string, options?: AgentErrorOptions) {
    super('session_conflict', message, { retryable: true, ...options });
  }
}

/** The session has an active run; `activeRunId` names it. */
export class SessionBusyError extends AgentError {
  readonly activeRunId: string;

  constructor(message: string, options: AgentErrorOptions & { readonly activeRunId: string }) {
    super('session_busy', message, {
      ...options,
      details: { ...options.details, activeRunId: options.activeRunId },
    });
    this.activeRunId = options.activeRunId;
  }
}

/** An idempotency key was used before, for another request. */
export class IdempotencyMismatchError extends AgentError {
  constructor(message: string, options?: AgentErrorOptions) {
    super('idempotency_mismatch', message, options);
  }
}

/** The store is full of runs that have not ended; nothing was written. */
export class StoreFullError extends AgentError {
  constructor(message: string, options?: AgentErrorOptions) {
    super('store_full', message, { retryable: true, ...options });
  }
}

/** A journal was written by a version that this one cannot read. */
export class JournalVersionError extends AgentError {
  constructor(message: string, options?: AgentErrorOptions) {
    super('journal_version', message, options);
  }
}

/** Anything thrown, as what a journal may record: our errors by their code, others as `internal`. */
export function toFailure(error: unknown): RunFailure {
  if (AgentError.isInstance(error)) return error.toFailure();
  return { code: 'internal', message: error instanceof Error ? error.message : String(error) };
}
