import type { JsonObject } from '@agent-functions/core';
import { Problem } from './problem.ts';
import { runLinks, type Scope } from './scope.ts';

/** Whether a run outlives the server that answers it: then another process, or the rest of this one, goes on with it. */
export function outlivesServer(scope: Scope): boolean {
  return scope.store.durable || scope.onDisconnect === 'continue';
}

const again = 'The server stops. Send the request again in a moment.';
const retryAfterSeconds = 1;

/** The last event of a stream whose server stops. */
export function stoppingEvent(scope: Scope, runId: string, invocationId: string): JsonObject {
  return {
    type: 'error',
    run_id: runId,
    code: 'server_stopping',
    message: outlivesServer(scope)
      ? 'The server stops and the run goes on. Connect to links.events again with Last-Event-ID.'
      : 'The server stops, and the run is cancelled: its store keeps nothing. Send the message again.',
    retry_after: retryAfterSeconds,
    instance: `urn:agent-functions:request:${encodeURIComponent(invocationId)}`,
    links: runLinks(scope, runId),
  };
}

/** 503: the server stops. With the run that goes on, where there is one. */
export function stoppingProblem(scope: Scope, runId?: string, sessionId?: string): Problem {
  const goesOn = runId !== undefined && outlivesServer(scope);
  return new Problem(
    503,
    'server_stopping',
    goesOn ? 'The server stops and the run goes on. Look at it under links.' : again,
    {
      more: {
        retry_after: retryAfterSeconds,
        ...(runId === undefined ? {} : { run_id: runId }),
        ...(sessionId === undefined ? {} : { session_id: sessionId }),
        ...(goesOn ? { links: runLinks(scope, runId) } : {}),
      },
      headers: { 'retry-after': String(retryAfterSeconds) },
    },
  );
}
