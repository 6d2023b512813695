import { resolve } from 'node:path';
import { UserError, type Store } from '@agent-functions/core';
import { deltaChannel } from './delta-channel.ts';
import { recordStore } from './record-store.ts';
import { runStore } from './run-store.ts';
import { sessionStore } from './session-store.ts';
import { workerClient } from './worker-client.ts';

/** A store that ends its thread when it is closed. */
export type SqliteStore = Store & { close(): Promise<void> };

export interface SqliteStoreOptions {
  /** The file, made with its folder where it is missing; `':memory:'` for a database of this process. */
  readonly path: string;
  /**
   * `'full'` (default): what was written survives a loss of power. `'normal'`: only the end of the process, however it
   * comes; a loss of power may undo the last writes (https://sqlite.org/pragma.html#pragma_synchronous).
   */
  readonly synchronous?: 'full' | 'normal' | undefined;
  /** How long a run is kept after its end. Default 7 days. Gone with the next `cleanUp()`. */
  readonly keepRunsMs?: number | undefined;
  /** How long a session without an active run is kept after its last use. Default 30 days. */
  readonly keepSessionsMs?: number | undefined;
  /** The store's clock, in milliseconds since 1970. Default: the machine's. */
  readonly now?: (() => number) | undefined;
}

const day = 24 * 3_600_000;

/**
 * Runs and sessions in one SQLite file (`node:sqlite`, WAL), shared by the processes of one machine; not for a network
 * drive. The database lives in a thread of its own, which starts with the first call: nothing it does, large writes and
 * waiting for another process included, holds up this thread. `close()` ends it.
 *
 * @throws AgentError `store_unavailable`, from each call, when the file cannot be opened, is no database or of another
 *   version. StoreFullError when the disk is full.
 */
export function sqliteStore(options: SqliteStoreOptions | string): SqliteStore {
  const {
    path,
    synchronous = 'full',
    keepRunsMs = 7 * day,
    keepSessionsMs = 30 * day,
    now,
  } = typeof options === 'string' ? { path: options } : options;
  for (const [name, ms] of Object.entries({ keepRunsMs, keepSessionsMs })) {
    if (!(ms >= 0)) throw new UserError(`${name} is ${String(ms)}; it must be at least 0.`);
  }
  if (path === '') {
    throw new UserError("sqliteStore needs the path of a file, or ':memory:'; it was given ''.");
  }
  const memory = path === ':memory:';
  const client = workerClient({ path: memory ? path : resolve(path), synchronous }, now);
  const channel = deltaChannel(client);
  let opened: Promise<unknown> | undefined;
  return {
    runs: runStore(client, channel),
    sessions: sessionStore(client),
    records: recordStore(client),
    durable: !memory,
    async now() {
      // So that asking for the time, the cheapest question, tells whether the store works.
      opened ??= client.call('open');
      try {
        await opened;
      } catch (error) {
        opened = undefined;
        throw error;
      }
      return now?.() ?? Date.now();
    },
    async expired({ limit }) {
      const time = now?.() ?? Date.now();
      const [runs, sessions] = await Promise.all([
        client.call('expiredRuns', time - keepRunsMs, limit),
        client.call('expiredSessions', time - keepSessionsMs, limit),
      ]);
      return { runs, sessions };
    },
    close: () => client.close(),
  };
}
