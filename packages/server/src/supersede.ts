import { Problem } from './problem.ts';
import { resumeQuietly, runLinks, runnerOf, type Exchange, type Scope } from './scope.ts';
import { stoppingProblem } from './server-stops.ts';

/**
 * Cancels the run that has the session and waits for its end: at most one lease and 2 seconds (journal.md, Sessions).
 *
 * @throws Problem 409 when it has not ended by then.
 */
export async function supersede(
  scope: Scope,
  runId: string,
  { principal, host }: Exchange,
): Promise<void> {
  const { runs } = scope.store;
  const header = await runs.header(runId);
  if (header === undefined) return;
  await runnerOf(scope, header).post(runId, {
    id: `supersede:${host.invocationId}`,
    type: 'cancel',
    reason: 'Another message took its place.',
    by: principal?.id,
  });
  const end = Date.now() + scope.leaseMs + 2_000;
  for (;;) {
    if (scope.stopping.begun) throw stoppingProblem(scope);
    const peek = await runs.peek(runId);
    if (peek === undefined || peek.ended) return;
    if (Date.now() > end) {
      throw new Problem(
        409,
        'session_busy',
        'The run that has the session does not end. Try again.',
        { more: { active_run: { run_id: runId, links: runLinks(scope, runId) } } },
      );
    }
    // Whoever holds the run sees the cancel; where nobody does, it is ours to end.
    if (peek.lease === undefined) await resumeQuietly(scope, header);
    else {
      await new Promise((resolve) => {
        setTimeout(resolve, 25);
      });
    }
  }
}
