import type { Store } from '../store.ts';
import { equal, ok } from './assert.ts';
import type { StoreCase } from './store-case.ts';
import { begin, endOf, warning } from './store-fixtures.ts';

const day = 24 * 3_600_000;

/**
 * What `expired()` names. A store that forgets by itself names nothing: what may go is then gone.
 */
export function expiryContract(it: StoreCase, clockCanBeSet: boolean): void {
  const keepRunsMs = clockCanBeSet ? 7 * day : 2_000;
  const keepSessionsMs = clockCanBeSet ? 30 * day : 3_000;

  it(
    'names runs that ended long enough ago, oldest first; never one that has not ended',
    async ({ store, other, pass }) => {
      const { token } = await begin(store, 'open');
      for (const runId of ['a', 'b', 'c']) {
        await begin(store, runId);
        await store.runs.append(runId, [warning(runId, 2), endOf(runId, 3)], {
          expectedSeq: 1,
          token: 1,
        });
        await pass(keepRunsMs / 4);
      }
      equal(await named(other), { runs: [], sessions: [] }, 'none is old enough');
      // They ended 1.1, 0.85 and 0.6 times that long ago; then the second is old enough, too.
      await pass(keepRunsMs * 0.35);
      await goesOrIsGone(other, { runs: ['a'] }, ['b', 'c', 'open']);
      await pass(keepRunsMs * 0.25);
      await goesOrIsGone(other, { runs: ['a', 'b'] }, ['c', 'open']);
      await store.runs.append('open', [warning('open', 2)], { expectedSeq: 1, token });
      await pass(keepRunsMs);
      await goesOrIsGone(other, { runs: ['a', 'b', 'c'] }, ['open']);
    },
    { keepRunsMs, keepSessionsMs },
  );

  it(
    'names sessions that nobody used for long enough, oldest first; never one with an active run',
    async ({ store, other, pass }) => {
      const commit = async (sessionId: string, activeRunId?: string | null): Promise<void> => {
        const { version } = await store.sessions.load(sessionId);
        await store.sessions.commit(
          sessionId,
          { state: { version }, closed: sessionId === 'closed', activeRunId },
          { expectedVersion: version, operationId: `o${version}` },
        );
      };
      for (const sessionId of ['busy', 'used', 'idle', 'closed']) {
        await commit(sessionId, sessionId === 'busy' ? 'r1' : undefined);
        await pass(5);
      }
      await pass(keepSessionsMs / 2);
      await commit('used');
      equal(await named(other), { runs: [], sessions: [] }, 'none is old enough');
      await pass(keepSessionsMs * 0.6);
      await goesOrIsGone(other, { sessions: ['idle', 'closed'] }, [], ['busy', 'used']);
      // The end of its run is a use.
      await commit('busy', null);
      await pass(keepSessionsMs * 0.5);
      await goesOrIsGone(other, { sessions: ['idle', 'closed', 'used'] }, [], ['busy']);
      await pass(keepSessionsMs * 0.6);
      await goesOrIsGone(other, { sessions: ['idle', 'closed', 'used', 'busy'] }, []);
    },
    { keepRunsMs, keepSessionsMs },
  );

  it(
    'names no more than it is asked for, and nothing that was deleted',
    async ({ store, other, pass }) => {
      const runs = ['r1', 'r2', 'r3', 'r4', 'r5'];
      const sessions = ['s1', 's2', 's3'];
      for (const runId of runs) {
        await begin(store, runId);
        await store.runs.append(runId, [endOf(runId, 2)], { expectedSeq: 1, token: 1 });
      }
      for (const sessionId of sessions) {
        await store.sessions.commit(sessionId, {}, { expectedVersion: '0', operationId: 'o' });
      }
      await pass(keepSessionsMs + 100);
      for (let look = 0; look < 9; look++) {
        const page = await other.expired({ limit: 2 });
        ok(page.runs.length <= 2 && page.sessions.length <= 2, 'the limit holds');
        if (page.runs.length + page.sessions.length === 0) break;
        for (const runId of page.runs) await store.runs.delete(runId);
        for (const sessionId of page.sessions) await store.sessions.delete(sessionId);
      }
      for (const runId of runs) equal(await other.runs.header(runId), undefined, `${runId} went`);
      for (const sessionId of sessions) {
        equal((await other.sessions.load(sessionId)).version, '0', `${sessionId} went`);
      }
      await begin(store, 'r1');
      await store.sessions.commit('s1', {}, { expectedVersion: '0', operationId: 'o' });
      equal(await named(other), { runs: [], sessions: [] }, 'their ids begin anew');
    },
    { keepRunsMs, keepSessionsMs },
  );
}

async function named(store: Store) {
  return store.expired({ limit: 100 });
}

/** `expired` is what may go by now; `runs` and `sessions` are kept. */
async function goesOrIsGone(
  store: Store,
  expired: { readonly runs?: readonly string[]; readonly sessions?: readonly string[] },
  runs: readonly string[],
  sessions: readonly string[] = [],
): Promise<void> {
  const isThere = {
    runs: async (runId: string) => (await store.runs.header(runId)) !== undefined,
    sessions: async (sessionId: string) => (await store.sessions.load(sessionId)).version !== '0',
  };
  const names = await named(store);
  for (const kind of ['runs', 'sessions'] as const) {
    const there: string[] = [];
    for (const id of expired[kind] ?? []) if (await isThere[kind](id)) there.push(id);
    equal(names[kind], there, `the ${kind} that are named, of ${String(expired[kind])}`);
  }
  for (const runId of runs) ok(await isThere.runs(runId), `run ${runId} is kept`);
  for (const sessionId of sessions) {
    ok(await isThere.sessions(sessionId), `session ${sessionId} is kept`);
  }
}
