import type { Lease, Store } from '@agent-functions/core';
import { withRuns } from './wrap-store.ts';

/**
 * Knows which runs this process holds. `letGo` releases them for the next process, which then need not wait for their
 * leases to lapse; from then on this process takes up none. Only for a process that is about to end.
 */
export function handOver(store: Store): { readonly store: Store; letGo(): Promise<void> } {
  const held = new Map<string, Lease>();
  let ending = false;
  return {
    store: withRuns(store, (runs) => ({
      create: async (header, first, options) => {
        const result = await runs.create(header, first, options);
        if (result.created) held.set(header.runId, result.lease);
        return result;
      },
      acquire: async (runId, options) => {
        if (ending) return undefined;
        const taken = await runs.acquire(runId, options);
        if (taken !== undefined) held.set(runId, taken.lease);
        return taken;
      },
      renew: async (runId, lease, ttlMs) => {
        if (ending) return undefined;
        const renewed = await runs.renew(runId, lease, ttlMs);
        if (renewed !== undefined) held.set(runId, renewed);
        return renewed;
      },
      release: async (runId, lease) => {
        held.delete(runId);
        await runs.release(runId, lease);
      },
    })),
    letGo: async () => {
      ending = true;
      // What cannot be released lapses.
      await Promise.allSettled([...held].map(([runId, lease]) => store.runs.release(runId, lease)));
    },
  };
}
