import type { Store } from '@agent-functions/core';

/** The how-manieth write of a run's case at which it stands still: a create, an append, or a commit of its session. */
export interface AtWrite {
  readonly when: 'before' | 'after';
  readonly write: number;
}

/**
 * A store that counts the writes of each session's run, and in which a run stands still at the write it is told: no call
 * of it is answered from then on, as in a process that is gone.
 */
export function standingStore(
  store: Store,
  options: {
    /** By session. */
    readonly at: ReadonlyMap<string, AtWrite>;
    readonly onWrite: (sessionId: string, write: number) => void;
    readonly onStill: (sessionId: string) => void;
  },
): Store {
  const writes = new Map<string, number>();
  const sessions = new Map<string, string>();
  const still = new Set<string>();
  const never = new Promise<never>(() => undefined);

  const around = async <T>(sessionId: string | undefined, write: () => Promise<T>): Promise<T> => {
    if (sessionId === undefined) return write();
    if (still.has(sessionId)) return never;
    const count = (writes.get(sessionId) ?? 0) + 1;
    writes.set(sessionId, count);
    options.onWrite(sessionId, count);
    const at = options.at.get(sessionId);
    const stand = (when: AtWrite['when']): boolean => {
      if (at?.when !== when || at.write !== count) return false;
      still.add(sessionId);
      options.onStill(sessionId);
      return true;
    };
    if (stand('before')) return never;
    const written = await write();
    return stand('after') || still.has(sessionId) ? never : written;
  };

  return {
    ...store,
    runs: {
      ...store.runs,
      create(header, first, lease) {
        if (header.sessionId !== undefined) sessions.set(header.runId, header.sessionId);
        return around(header.sessionId, () => store.runs.create(header, first, lease));
      },
      append: async (runId, events, at) => {
        // Another process may have created it.
        if (!sessions.has(runId)) {
          const header = await store.runs.header(runId);
          if (header?.sessionId !== undefined) sessions.set(runId, header.sessionId);
        }
        return around(sessions.get(runId), () => store.runs.append(runId, events, at));
      },
    },
    sessions: {
      ...store.sessions,
      commit: (sessionId, change, at) =>
        around(sessionId, () => store.sessions.commit(sessionId, change, at)),
    },
  };
}
