import { publicFailure, toFailure, type JsonObject, type RunHeader } from '@agent-functions/core';
import type { RequestHost } from './host.ts';
import { reasonOf } from './reason.ts';
import { runLinks, type Scope } from './scope.ts';

/** The last event of a stream that cannot go on: what the client may know, and where the run is. */
export function errorEvent(
  scope: Scope,
  host: RequestHost,
  header: RunHeader,
  error: unknown,
): JsonObject {
  host.log('error', 'An event stream broke', { runId: header.runId, ...reasonOf(error) });
  return {
    type: 'error',
    run_id: header.runId,
    ...publicFailure(toFailure(error)),
    instance: `urn:agent-functions:request:${encodeURIComponent(host.invocationId)}`,
    links: runLinks(scope, header.runId),
  };
}
