import { describe, expect, it } from 'vitest';
import { memoryStore } from '../memory-store.ts';
import type { RunStore, SessionStore, Store } from '../store.ts';
import { storeContract } from './store-contract.ts';

/** The names of the cases that a store does not pass. */
async function failing(make: (options: { readonly now?: (() => number) | undefined }) => Store) {
  const cases: { readonly name: string; readonly run: () => void | Promise<void> }[] = [];
  const none = (): void => undefined;
  storeContract(
    {
      describe: (_name, body) => body(),
      it: (name, run) => cases.push({ name, run }),
      beforeAll: none,
      afterAll: none,
    },
    'broken',
    (options) => Promise.resolve({ store: make(options), dispose: () => Promise.resolve() }),
    {
      another: 'one process',
      channel: 'one process',
      volume: { reason: 'its rules are broken, not its size', events: 500, bytes: 1_000, seeds: 0 },
    },
  );
  const failed: string[] = [];
  for (const { name, run } of cases) {
    try {
      await run();
    } catch {
      failed.push(name);
    }
  }
  return failed;
}

const withRuns = (store: Store, change: (runs: RunStore) => Partial<RunStore>): Store => ({
  ...store,
  runs: { ...store.runs, ...change(store.runs) },
});
const withSessions = (
  store: Store,
  change: (sessions: SessionStore) => Partial<SessionStore>,
): Store => ({ ...store, sessions: { ...store.sessions, ...change(store.sessions) } });

describe('storeContract finds a store that', () => {
  it('lets a holder write whose lease was taken', async () => {
    const failed = await failing((options) =>
      withRuns(memoryStore(options), (runs) => ({
        append: async (runId, events, at) => {
          const token = (await runs.peek(runId))?.lease?.token ?? at.token;
          await runs.append(runId, events, { ...at, token });
        },
      })),
    );
    expect(failed).toContain(
      'lets either the holder of a lapsed lease or who takes it write next, never both',
    );
    expect(failed).toContain('shuts out a holder whose lease was taken');
  });

  it('forgets the operations it made', async () => {
    let operations = 0;
    const failed = await failing((options) =>
      withSessions(memoryStore(options), (sessions) => ({
        commit: (sessionId, change, at) =>
          sessions.commit(sessionId, change, { ...at, operationId: `${++operations}` }),
      })),
    );
    expect(failed).toContain(
      'makes an operation once that is repeated at once, and answers each repeat',
    );
    expect(failed).toContain('still knows an operation after others');
  });

  it('counts its pages from the start', async () => {
    const failed = await failing((options) =>
      withRuns(memoryStore(options), (runs) => ({
        list: async ({ limit, cursor, ...filter }) => {
          const skip = Number(cursor ?? 0);
          const { runs: all } = await runs.list({ ...filter, limit: 1_000 });
          const page = all.slice(skip, skip + limit);
          return { runs: page, cursor: all.length > skip + limit ? `${skip + limit}` : undefined };
        },
      })),
    );
    expect(failed).toContain('lists runs in pages while others are created, end and are deleted');
    expect(failed).toContain('refuses a cursor that is none of its own');
  });

  it('gives a repeated create another answer', async () => {
    const failed = await failing((options) =>
      withRuns(memoryStore(options), (runs) => ({
        create: async (header, first, lease) => {
          const known = await runs.header(header.runId);
          if (known?.requestHash !== undefined && known.requestHash === header.requestHash) {
            return { created: false, header: known };
          }
          return runs.create(header, first, lease);
        },
      })),
    );
    expect(failed).toContain('answers a repeated create of the same holder with its lease');
  });

  it('keeps everything for good, or names what is in use', async () => {
    const named =
      'names runs that ended long enough ago, oldest first; never one that has not ended';
    const idle =
      'names sessions that nobody used for long enough, oldest first; never one with an active run';
    const keepsAll = await failing(({ now }) =>
      memoryStore({ now, keepRunsMs: Infinity, keepSessionsMs: Infinity }),
    );
    expect(keepsAll).toContain(named);
    expect(keepsAll).toContain(idle);
    const namesAll = await failing(({ now }) => {
      const store = memoryStore({ now, keepRunsMs: Infinity, keepSessionsMs: Infinity });
      return {
        ...store,
        expired: async ({ limit }) => ({
          runs: (await store.runs.list({ limit })).runs.map(({ runId }) => runId),
          sessions: (await store.sessions.list({ limit })).sessions.map((one) => one.sessionId),
        }),
      };
    });
    expect(namesAll).toContain(named);
    expect(namesAll).toContain(idle);
  });

  it('takes a commit for whatever version there is', async () => {
    const failed = await failing((options) =>
      withSessions(memoryStore(options), (sessions) => ({
        commit: async (sessionId, change, at) => {
          const { version } = await sessions.load(sessionId);
          return sessions.commit(sessionId, change, { ...at, expectedVersion: version });
        },
      })),
    );
    expect(failed).toContain('refuses a stale version and changes nothing');
  });
});

it('a store that keeps the contract fails none of it', async () => {
  expect(await failing((options) => memoryStore(options))).toEqual([]);
});
