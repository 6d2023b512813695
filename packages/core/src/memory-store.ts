import { memoryRecords } from './memory-records.ts';
import { memoryRoom } from './memory-room.ts';
import { memoryRuns } from './memory-runs.ts';
import { memorySessions } from './memory-sessions.ts';
import type { Store } from './store.ts';

export interface MemoryStoreOptions {
  /** Runs kept, ended ones included. Default 1,000. */
  readonly maxRuns?: number | undefined;
  /** Sessions kept. Default 10,000. */
  readonly maxSessions?: number | undefined;
  /** Estimated bytes of all journals and sessions together. Default 64 MB. */
  readonly maxBytes?: number | undefined;
  /** How long a run is kept after its end. Default one hour. */
  readonly keepRunsMs?: number | undefined;
  /** How long a session without an active run is kept after its last commit. Default 30 days. */
  readonly keepSessionsMs?: number | undefined;
  /** The store's clock, in milliseconds since 1970. Default `Date.now`. */
  readonly now?: (() => number) | undefined;
}

/**
 * Runs and sessions in this process's memory, bounded. To make room it forgets runs that have ended, oldest end first,
 * then idle sessions, longest idle first; never a run that has not ended or a session with an active run. Full of
 * those: StoreFullError (503), and nothing is written. What is older than `keepRunsMs` and `keepSessionsMs` it forgets at
 * the next call that could show it, so `expired()` has nothing to name. Events and messages are shared by reference: they are immutable.
 */
export function memoryStore(options: MemoryStoreOptions = {}): Store {
  const now = options.now ?? Date.now;
  const room = memoryRoom(options.maxBytes ?? 64 * 1024 * 1024);
  const runs = memoryRuns(room, {
    now,
    maxRuns: options.maxRuns ?? 1_000,
    keepRunsMs: options.keepRunsMs ?? 3_600_000,
  });
  const sessions = memorySessions(room, {
    now,
    maxSessions: options.maxSessions ?? 10_000,
    keepSessionsMs: options.keepSessionsMs ?? 30 * 24 * 3_600_000,
  });
  return {
    runs,
    sessions,
    records: memoryRecords(room),
    durable: false,
    now: async () => now(),
    // It forgets by itself.
    expired: async () => ({ runs: [], sessions: [] }),
  };
}
