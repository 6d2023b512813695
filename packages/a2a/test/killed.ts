import {
  memoryStore,
  Runner,
  type Agent,
  type RunEvent,
  type RunResult,
  type Store,
} from '@agent-functions/core';
import { collect, faultyStore, verifyJournal } from '@agent-functions/core/testing';

/** A write of a process, and whether it dies before or after it. */
export interface Death {
  readonly write: number;
  readonly when: 'before' | 'after';
}

/** What became of a run whose first process died. */
export interface Survived {
  readonly result: RunResult<unknown>;
  readonly journal: readonly RunEvent[];
}

/**
 * Runs an agent in a process that dies at a write, then in another that finishes the run; questions are answered.
 * `undefined`: the first process finished it, or died before the run was there.
 */
export async function killed(
  make: () => Agent,
  message: string,
  death: Death,
  answer = 'the euro',
): Promise<Survived | 'finished' | 'unborn'> {
  let now = Date.now();
  const store = memoryStore({ now: () => now });
  const gone = new AbortController();
  const never = new Promise<never>(() => undefined);
  const dies = new Promise<'died'>((resolve) => {
    gone.signal.addEventListener('abort', () => resolve('died'));
  });
  const die = (write: number, when: Death['when']): Promise<never> | undefined => {
    if (gone.signal.aborted) return never;
    if (write !== death.write || when !== death.when) return undefined;
    gone.abort();
    return never;
  };
  const doomed = faultyStore(store, {
    until: gone.signal,
    before: ({ write }) => die(write, 'before'),
    after: ({ write }) => die(write, 'after'),
  });
  const life = finish(make(), doomed, message, undefined, answer);
  life.catch(() => undefined); // Gone, it may still fail on its own; nobody hears that.
  if ((await Promise.race([life, dies])) !== 'died') return 'finished';
  const [header] = (await store.runs.list({ limit: 1 })).runs;
  if (header === undefined) return 'unborn';
  now += 60_000;
  const result = await finish(make(), store, message, header.runId, answer);
  const journal = await collect(store.runs.read(result.runId));
  verifyJournal(journal);
  return { result, journal };
}

async function finish(
  agent: Agent,
  store: Store,
  message: string,
  runId: string | undefined,
  answer: string,
): Promise<RunResult<unknown>> {
  const runner = new Runner(agent, { store });
  let result = runId === undefined ? await runner.run(message) : await runner.resume(runId);
  while (result.status === 'interrupted') {
    const decisions = result.interruptions.map(({ id }) => ({ interruptionId: id, answer }));
    result = await runner.resume(result.runId, decisions);
  }
  return result;
}

/** Every death of a run, until its process lives to its end. */
export async function everyDeath(
  each: (death: Death) => Promise<Survived | 'finished' | 'unborn'>,
): Promise<number> {
  let survived = 0;
  for (let write = 1; ; write += 1) {
    for (const when of ['before', 'after'] as const) {
      const end = await each({ write, when });
      if (end === 'finished') return survived;
      if (end !== 'unborn') survived += 1;
    }
  }
}
