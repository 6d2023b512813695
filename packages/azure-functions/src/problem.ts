import type { HttpResponseInit } from '@azure/functions';

/** What a failure of the adapter itself looks like (RFC 9457). `instance` is the invocation, which the log names too. */
export interface Problem {
  readonly status: number;
  readonly title: string;
  readonly code: string;
  readonly detail: string;
  readonly invocationId: string;
}

export function problemJson(problem: Problem): string {
  const { status, title, code, detail, invocationId } = problem;
  return JSON.stringify({
    type: `urn:agent-functions:problem:${code.replaceAll('_', '-')}`,
    title,
    status,
    detail,
    code,
    instance: `urn:agent-functions:request:${invocationId}`,
  });
}

export function problemResponse(problem: Problem): HttpResponseInit {
  return {
    status: problem.status,
    headers: { 'content-type': 'application/problem+json', 'cache-control': 'no-store' },
    body: problemJson(problem),
  };
}

/** Nothing of the error itself: it is in the log, under the invocation's id. */
export function internalProblem(invocationId: string): Problem {
  return {
    status: 500,
    title: 'Internal Server Error',
    code: 'internal',
    detail: `Something went wrong here. The log has it under invocation ${invocationId}.`,
    invocationId,
  };
}

export function lengthRequired(invocationId: string): Problem {
  return {
    status: 411,
    title: 'Length Required',
    code: 'length_required',
    detail:
      'The body came in chunks, and the Functions host passes no such body on. Send it with Content-Length.',
    invocationId,
  };
}

export function unauthorized(invocationId: string): Problem {
  return {
    status: 401,
    title: 'Unauthorized',
    code: 'unauthorized',
    detail: 'Nobody is signed in: App Service Authentication named no caller.',
    invocationId,
  };
}

export function timedOut(invocationId: string): Problem {
  return {
    status: 504,
    title: 'Gateway Timeout',
    code: 'timeout',
    detail: 'There was no answer within the time that the export function may run.',
    invocationId,
  };
}

export function stopping(invocationId: string): Problem {
  return {
    status: 503,
    title: 'Service Unavailable',
    code: 'stopping',
    detail: 'This instance stops. Send the request again.',
    invocationId,
  };
}
