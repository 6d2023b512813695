import { publicInterruption, type JsonObject } from '@agent-functions/core';
import { runLinks, runnerOf, wakeIfAbandoned, type Exchange, type Scope } from './scope.ts';

/** The run that has a session, and what it asks; nothing while it is not recorded yet. One that nobody holds goes on. */
export async function activeRun(
  scope: Scope,
  runId: string,
  exchange: Exchange,
): Promise<(JsonObject & { readonly status: string }) | undefined> {
  const header = await scope.store.runs.header(runId);
  if (header === undefined) return undefined;
  await wakeIfAbandoned(scope, header, exchange);
  const active = await runnerOf(scope, header)
    .get(runId)
    .catch(() => undefined);
  return {
    run_id: runId,
    status: active?.status ?? 'running',
    ...(active?.status === 'interrupted'
      ? { interruptions: active.interruptions.map(publicInterruption) }
      : {}),
    links: runLinks(scope, runId),
  };
}
