import {
  AgentError,
  publicFailure,
  type ErrorCode,
  type JsonObject,
  type RunFailure,
} from '@agent-functions/core';
import { Answer } from './answer.ts';

/** The codes of `problem+json` bodies: core's, and those that only HTTP knows. */
export type ProblemCode =
  | ErrorCode
  | 'unauthorized'
  | 'method_not_allowed'
  | 'unsupported_media_type'
  | 'request_timeout'
  | 'approval_expired'
  | 'server_stopping';

interface ProblemDetails {
  /** More members of the body, such as `available_agents`. */
  readonly more?: JsonObject | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** An answer that is not 2xx, thrown from wherever it is noticed. `message` is the `detail` and never repeats a value. */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly status: number;
  readonly code: ProblemCode;
  readonly details: ProblemDetails;

  constructor(status: number, code: ProblemCode, detail: string, details: ProblemDetails = {}) {
    super(detail);
    this.status = status;
    this.code = code;
    this.details = details;
  }

  with(headers: Readonly<Record<string, string>>): Problem {
    const { status, code, message, details } = this;
    return new Problem(status, code, message, {
      ...details,
      headers: { ...details.headers, ...headers },
    });
  }
}

/** 400: the request says something else than it may. */
export function badRequest(detail: string, more?: JsonObject): Problem {
  return new Problem(400, 'user_error', detail, { more });
}

/** A failed run, or an error of core, as a problem. */
export function problemOfFailure(
  failure: RunFailure,
  status: number,
  more: JsonObject = {},
): Problem {
  const { message, retry_after: retryAfter } = publicFailure(failure);
  const wait = typeof retryAfter === 'number' ? Math.max(1, Math.ceil(retryAfter)) : undefined;
  return new Problem(status, failure.code, typeof message === 'string' ? message : failure.code, {
    more: {
      ...(failure.reason === undefined ? {} : { reason: failure.reason }),
      ...(wait === undefined ? {} : { retry_after: wait }),
      ...more,
    },
    headers: wait === undefined ? {} : { 'retry-after': String(wait) },
  });
}

/** Any error as a problem; `hidden` when its own text stays inside and belongs in the log. */
export function toProblem(error: unknown): { readonly problem: Problem; readonly hidden: boolean } {
  if (error instanceof Problem) return { problem: error, hidden: false };
  if (AgentError.isInstance(error)) {
    const failure = error.toFailure();
    // 499 is what a client that has gone would see; one that is still there gets a status that exists.
    const status = error.httpStatus === 499 ? 503 : error.httpStatus;
    const problem = problemOfFailure(
      failure,
      status,
      error.runId === undefined ? {} : { run_id: error.runId },
    );
    return { problem, hidden: status >= 500 || problem.message !== failure.message };
  }
  return {
    problem: problemOfFailure({ code: 'internal', message: '' }, 500),
    hidden: true,
  };
}

const titles: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  409: 'Conflict',
  413: 'Content Too Large',
  415: 'Unsupported Media Type',
  422: 'Unprocessable Content',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
};

/** The title of a status. */
export function titleOf(status: number): string {
  return titles[status] ?? 'Error';
}

/** `application/problem+json` (RFC 9457). `instance` is the request's id, which the log has too. */
export function problemAnswer(problem: Problem, invocationId: string): Answer {
  const { status, code } = problem;
  const body = {
    type: `urn:agent-functions:problem:${code.replaceAll('_', '-')}`,
    title: titleOf(status),
    status,
    detail: problem.message,
    instance: `urn:agent-functions:request:${encodeURIComponent(invocationId)}`,
    code,
    ...problem.details.more,
  };
  return new Answer(JSON.stringify(body), {
    status,
    headers: {
      'content-type': 'application/problem+json',
      'cache-control': 'no-store',
      ...problem.details.headers,
    },
  });
}
