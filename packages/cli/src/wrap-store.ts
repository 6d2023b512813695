import type { RunStore, Store } from '@agent-functions/core';

/** A store with some methods of its runs replaced. */
export function withRuns(store: Store, replace: (runs: RunStore) => Partial<RunStore>): Store {
  const { runs } = store;
  const all: RunStore = {
    create: (header, first, lease) => runs.create(header, first, lease),
    append: (runId, events, at) => runs.append(runId, events, at),
    header: (runId) => runs.header(runId),
    read: (runId, options) => runs.read(runId, options),
    peek: (runId) => runs.peek(runId),
    acquire: (runId, options) => runs.acquire(runId, options),
    renew: (runId, lease, ttlMs) => runs.renew(runId, lease, ttlMs),
    release: (runId, lease) => runs.release(runId, lease),
    post: (runId, signal, options) => runs.post(runId, signal, options),
    inbox: (runId) => runs.inbox(runId),
    list: (options) => runs.list(options),
    delete: (runId) => runs.delete(runId),
    channel: runs.channel,
  };
  return {
    runs: { ...all, ...replace(runs) },
    sessions: store.sessions,
    records: store.records,
    durable: store.durable,
    now: () => store.now(),
    expired: (options) => store.expired(options),
    wake: store.wake,
    inboxPollMs: store.inboxPollMs,
    close: async () => store.close?.(),
  };
}
