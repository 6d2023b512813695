import type { Runner, RunResult } from '@agent-functions/core';
import { decide, type Outside } from './scenario.ts';

/** Asks, as a client that got no answer asks again, with the same key; and answers whatever the run asks. */
export async function toItsEnd<O>(
  runner: Runner<unknown, O>,
  {
    key,
    sessionId,
    outside,
  }: { readonly key: string; readonly sessionId: string; readonly outside: Outside },
): Promise<RunResult<O>> {
  let result = await runner.run('Please do it.', { idempotencyKey: key, sessionId });
  while (result.status === 'interrupted') {
    const { runId } = result;
    const decisions = await Promise.all(
      result.interruptions.map((asked) => decide(runId, asked, outside)),
    );
    result = await runner.resume(runId, decisions);
  }
  return result;
}
