/**
 * Verifies every journal that the engine writes in a test file, whether the test asks for it or not: what each holder of
 * a run recorded is put together by its number. A journal that another process began is verified by the test that reads
 * it from the store.
 */
import { afterAll } from 'vitest';
import type { RunEvent } from '../../packages/core/src/events.ts';
import { Journal } from '../../packages/core/src/journal.ts';
import { journalFaults } from '../../packages/core/src/testing/verify-journal.ts';
import { canaries, claimCanaries } from './canaries.ts';

interface Recorded {
  readonly journal: Journal;
  readonly first: RunEvent | undefined;
  readonly events: RunEvent[];
}

const holders = new Map<Journal, Recorded>();
const stage: Journal['stage'] = Reflect.get(Journal.prototype, 'stage');

Journal.prototype.stage = function (this: Journal, body, by) {
  const begins = this.state.seq === 1;
  const known = holders.get(this) ?? {
    journal: this,
    first: begins ? runStartOf(this, by) : undefined,
    events: [],
  };
  holders.set(this, known);
  stage.call(this, body, by);
  // The body has become the event.
  known.events.push(body as RunEvent);
};

afterAll(() => {
  const runs = new Map<string, RunEvent[]>();
  for (const { journal, first, events } of holders.values()) {
    const { runId } = journal.state;
    const whole = runs.get(runId) ?? [];
    runs.set(runId, whole);
    if (first !== undefined) whole[0] = first;
    // What was staged and could not be written is not in the journal.
    for (const event of events) if (event.seq <= journal.stored) whole[event.seq - 1] = event;
  }
  holders.clear();
  const broken: string[] = [];
  for (const [runId, sparse] of runs) {
    const events = Array.from(sparse);
    if (events.includes(undefined as never)) continue;
    for (const { rule, seq, message } of journalFaults(events)) {
      broken.push(`${runId}, ${rule} at ${seq}: ${message}`);
    }
    for (const event of events) {
      const outside = JSON.stringify({ ...event, principal: undefined });
      if (canaries.test(JSON.stringify(event)) || claimCanaries.test(outside)) {
        broken.push(`${runId}, a secret at ${event.seq}: ${event.type}`);
      }
    }
  }
  if (broken.length > 0) throw new Error(`Journals of this file:\n${broken.join('\n')}`);
});

function runStartOf({ state }: Journal, by: { readonly agent: string }): RunEvent {
  const { runId, input, requestContext, options, principal } = state;
  return {
    v: 1,
    seq: 1,
    at: state.activeSince,
    runId,
    frame: 'f0',
    agent: by.agent,
    type: 'run-start',
    input,
    requestContext,
    options,
    ...(principal === undefined ? {} : { principal }),
  };
}
