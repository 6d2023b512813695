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
