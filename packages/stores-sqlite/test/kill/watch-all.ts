import {
  AgentError,
  cursorOf,
  isDurable,
  type Runner,
  type Store,
  type Watched,
} from '@agent-functions/core';

/** Follows the session's run from its start, leaving and coming back with the last cursor again and again. */
export async function watchAll(
  runner: Runner<unknown, unknown>,
  store: Store,
  sessionId: string,
): Promise<readonly (Watched | 'cut')[]> {
  const runId = await activeRun(store, sessionId);
  const seen: (Watched | 'cut')[] = [];
  let cursor: string | undefined;
  for (let round = 1; ; round += 1) {
    const leave = new AbortController();
    let count = 0;
    try {
      for await (const event of runner.events(runId, {
        cursor,
        follow: true,
        signal: leave.signal,
      })) {
        seen.push(event);
        cursor = cursorOf(event);
        count += 1;
        if (isDurable(event) && event.type === 'run-end') return seen;
        if (count % (3 + (round % 5)) === 0) break;
      }
    } catch (error) {
      // Before the run is created there is nothing to follow.
      if (!AgentError.isInstance(error) || error.code !== 'not_found') throw error;
    }
    leave.abort();
    seen.push('cut');
    await new Promise<void>((resolve) => {
      setTimeout(resolve, 10);
    });
  }
}

async function activeRun(store: Store, sessionId: string): Promise<string> {
  for (;;) {
    const { runs } = await store.runs.list({ sessionId, limit: 1 });
    const run = runs[0];
    if (run !== undefined) return run.runId;
    await new Promise<void>((resolve) => {
      setTimeout(resolve, 20);
    });
  }
}
