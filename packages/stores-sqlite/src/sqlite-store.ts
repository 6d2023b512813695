import { resolve } from 'node:path';
import { UserError, type Store } from '@agent-functions/core';
import { deltaChannel } from './delta-channel.ts';
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
  /** The store's clock, in milliseconds since 1970. Default: the machine's. */
  readonly now?: (() => number) | undefined;
}

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
    now,
  } = typeof options === 'string' ? { path: options } : options;
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
    expired: async () => ({ runs: [], sessions: [] }),
    close: () => client.close(),
  };
}
