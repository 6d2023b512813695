import { expect } from 'vitest';
import { isDurable, type RunEvent, type Watched } from '../src/events.ts';
import { memoryStore } from '../src/memory-store.ts';
import type { Store } from '../src/store.ts';
import { collect, verifyJournal, type VerifyOptions } from '../src/testing/index.ts';

// What the tests of the engine share.

/** The journal of a run, verified; it survives JSON. */
export async function journalOf(
  from: Store | { events(runId: string): AsyncIterable<Watched> },
  runId: string,
  options?: VerifyOptions,
): Promise<RunEvent[]> {
  const journal =
    'events' in from
      ? (await collect(from.events(runId))).filter(isDurable)
      : await collect(from.runs.read(runId));
  verifyJournal(journal, options);
  expect(JSON.parse(JSON.stringify(journal))).toEqual(journal);
  return journal;
}

/** The journals of all runs of a store, verified. */
export async function verifyAll(store: Store, options?: VerifyOptions): Promise<RunEvent[][]> {
  const { runs } = await store.runs.list({ limit: 1_000 });
  return Promise.all(runs.map(({ runId }) => journalOf(store, runId, options)));
}

export function typesOf(journal: readonly Watched[]): string[] {
  return journal.map(({ type }) => type);
}

/**
 * What another process finds: run, inbox and session in a new store, through JSON. The lease of the run is free.
 */
export async function reloaded(
  store: Store,
  runId: string,
  options: { readonly now?: (() => number) | undefined } = {},
): Promise<Store> {
  const copy = memoryStore(options);
  const header = json(await store.runs.header(runId));
  const [first, ...rest] = json(await journalOf(store, runId));
  if (header === undefined || first === undefined) throw new Error(`There is no run ${runId}.`);
  const sessionId = header.sessionId;
  if (sessionId !== undefined) {
    const session = json(await store.sessions.load(sessionId));
    const { messages, state, activeRunId, activeConfirmed, owner, entryAgent, activeAgent } =
      session;
    await copy.sessions.commit(
      sessionId,
      {
        append: messages,
        state,
        ...(activeRunId === undefined ? {} : { activeRunId, activeConfirmed }),
        owner,
        entryAgent,
        activeAgent,
      },
      { expectedVersion: '0', operationId: 'copy' },
    );
  }
  const made = await copy.runs.create(header, first, { holder: 'copy', ttlMs: 60_000 });
  if (!made.created) throw new Error('The copy exists already.');
  const { lease } = made;
  if (rest.length > 0) {
    await copy.runs.append(runId, rest, { expectedSeq: 1, token: lease.token });
  }
  for (const signal of json(await store.runs.inbox(runId))) await copy.runs.post(runId, signal);
  await copy.runs.release(runId, lease);
  return copy;
}

function json<T>(value: T): T {
  return value === undefined ? value : JSON.parse(JSON.stringify(value));
}

/** A journal as it looks to whoever compares two runs: without what differs by time, place and luck. */
export function comparable(journal: readonly RunEvent[]): unknown[] {
  const runId = journal[0]?.runId ?? '';
  return journal
    .filter(({ type }) => type !== 'run-resume')
    .map(({ seq: _seq, at: _at, ...event }): unknown =>
      JSON.parse(JSON.stringify(event).replaceAll(runId, 'RUN')),
    );
}

export interface Crash {
  /** The process is gone: nothing answers it any more. */
  readonly store: Store;
  /** Resolves when it is gone. */
  readonly gone: Promise<void>;
  /** It dies now. */
  kill(): void;
}

/**
 * A store as a process sees it that dies `before` or `after` its `write`th create, append or commit: from then on no
 * call is answered, and nothing reaches the store.
 */
export function dyingStore(store: Store, at: { write: number; when: 'before' | 'after' }): Crash {
  let writes = 0;
  let dead = false;
  let die = (): void => undefined;
  const gone = new Promise<void>((resolve) => {
    die = () => {
      dead = true;
      resolve();
    };
  });
  const never = new Promise<never>(() => undefined);
  const wrap = <T extends object>(part: T, writing: ReadonlySet<PropertyKey>): T =>
    new Proxy(part, {
      get(target, key) {
        const value: unknown = Reflect.get(target, key);
        if (typeof value !== 'function' || key === 'read') return value;
        return async (...args: readonly unknown[]) => {
          if (dead) return never;
          const isWrite = writing.has(key);
          if (isWrite) writes += 1;
          const fatal = isWrite && writes === at.write;
          if (fatal && at.when === 'before') {
            die();
            return never;
          }
          const answer: unknown = await Reflect.apply(value, target, args);
          if (fatal) die();
          return dead ? never : answer;
        };
      },
    });
  return {
    store: {
      ...store,
      runs: wrap(store.runs, new Set(['create', 'append'])),
      sessions: wrap(store.sessions, new Set(['commit'])),
    },
    gone,
    kill: () => die(),
  };
}

/** A clock for stores that a test moves. */
export function testClock(start = Date.now()): {
  readonly now: () => number;
  pass(ms: number): void;
} {
  let at = start;
  return {
    now: () => at,
    pass(ms) {
      at += ms;
    },
  };
}
