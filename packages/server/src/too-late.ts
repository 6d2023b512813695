import {
  toJson,
  type Decision,
  type JsonObject,
  type RunHeader,
  type Signal,
} from '@agent-functions/core';
import { Problem } from './problem.ts';
import { runLinks, type Scope } from './scope.ts';

/**
 * 409: a decision that does not count. With the one that did, without who made it; or, where the time to answer is over,
 * with a code that says so.
 */
export async function tooLate(
  scope: Scope,
  header: RunHeader,
  answers: readonly Decision[],
  counted: Signal | undefined,
): Promise<Problem> {
  const { runId } = header;
  const asked = new Set(answers.map(({ interruptionId }) => interruptionId));
  const found = await counting(scope, runId, asked, counted);
  const more: JsonObject = { run_id: runId, links: runLinks(scope, runId) };
  if (found.expired) {
    return new Problem(
      409,
      'approval_expired',
      'The time to answer one of these interruptions is over; nothing of this request counts. Look at the run.',
      { more },
    );
  }
  return new Problem(
    409,
    'approval_invalid',
    found.decided.length === 0
      ? 'The run has ended, so nothing of this request counts. Look at the run.'
      : 'One of these interruptions was decided before, as decided says; nothing of this request counts.',
    { more: found.decided.length === 0 ? more : { ...more, decided: found.decided.map(shown) } },
  );
}

interface Counting {
  readonly decided: readonly Decision[];
  /** Nobody answered in time, or this answer came too late. */
  readonly expired: boolean;
}

/** What counted for the interruptions that were asked about: by the store's word, else by the journal's. */
async function counting(
  { store }: Scope,
  runId: string,
  asked: ReadonlySet<string>,
  counted: Signal | undefined,
): Promise<Counting> {
  if (counted?.type === 'decide') {
    const decided = counted.decisions.filter(({ interruptionId }) => asked.has(interruptionId));
    return { decided, expired: counted.by === 'system' };
  }
  const decided: Decision[] = [];
  let expired = false;
  let ended = false;
  for await (const event of store.runs.read(runId)) {
    if (event.type === 'run-end') ended = true;
    if (event.type !== 'decision' || !asked.has(event.decision.interruptionId)) continue;
    decided.push(event.decision);
    if (event.by === 'system') expired = true;
  }
  // Nothing counted, and the run goes on waiting: only the time can be over.
  return { decided, expired: expired || (decided.length === 0 && !ended) };
}

function shown({ interruptionId, ...answer }: Decision): JsonObject {
  const given = Object.entries(toJson(answer) ?? {});
  return { interruption_id: interruptionId, ...Object.fromEntries(given) };
}
