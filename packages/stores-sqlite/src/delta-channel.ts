import { setTimeout as sleep } from 'node:timers/promises';
import type { Delta, DeltaChannel } from '@agent-functions/core';
import type { DeltaRow } from './delta-operations.ts';
import type { WorkerClient } from './worker-client.ts';

/** How often a follower looks for new deltas. */
const pollMs = 60;
/** How often the holder of runs looks whether somebody follows them. */
const interestMs = 200;
/** Deltas are collected this long before they are written. */
const flushMs = 25;

/** One frame's attempt in progress. */
interface Attempt {
  readonly epoch: string;
  readonly deltas: Delta[];
  /** How many of them are in the database. */
  written: number;
}

/**
 * Deltas by way of the database. The holder keeps those of the attempts in progress in memory and writes them, from the
 * first, once somebody in another process has left a note of interest; until then it only looks for such notes.
 */
export function deltaChannel(client: WorkerClient): DeltaChannel {
  /** By run, by frame. */
  const runs = new Map<string, Map<string, Attempt>>();
  let followed: ReadonlySet<string> = new Set();
  /** Runs that have rows in the database. */
  const written = new Set<string>();
  let looking = false;
  let flushing = false;

  const look = (): void => {
    if (looking) return;
    looking = true;
    void (async () => {
      while (runs.size > 0 && !client.closed) {
        followed = new Set(await client.call('followed'));
        for (const runId of runs.keys()) flush(runId);
        await sleep(interestMs, undefined, { ref: false });
      }
    })()
      // Best effort: without the note nothing is shown elsewhere, and the journal is.
      .catch(() => undefined)
      .finally(() => (looking = false));
  };
  const flush = (runId: string): void => {
    const frames = runs.get(runId);
    if (frames === undefined || !followed.has(runId)) return;
    const rows: DeltaRow[] = [];
    const taken: Attempt[] = [];
    for (const [frame, attempt] of frames) {
      if (attempt.written === attempt.deltas.length) continue;
      const json = JSON.stringify(attempt.deltas.slice(attempt.written));
      rows.push({ frame, json, replaces: attempt.written === 0 });
      attempt.written = attempt.deltas.length;
      taken.push(attempt);
    }
    if (rows.length === 0) return;
    written.add(runId);
    client.call('publish', runId, rows).catch(() => {
      // The next flush replaces them from the first.
      for (const attempt of taken) attempt.written = 0;
    });
  };
  const flushSoon = (): void => {
    if (flushing) return;
    flushing = true;
    setTimeout(() => {
      flushing = false;
      if (client.closed) return;
      for (const runId of followed) flush(runId);
    }, flushMs).unref();
  };

  return {
    publish(runId, deltas) {
      let frames = runs.get(runId);
      if (frames === undefined) runs.set(runId, (frames = new Map<string, Attempt>()));
      for (const delta of deltas) {
        let attempt = frames.get(delta.frame);
        if (attempt?.epoch !== delta.epoch) {
          frames.set(delta.frame, (attempt = { epoch: delta.epoch, deltas: [], written: 0 }));
        }
        attempt.deltas.push(delta);
      }
      if (followed.has(runId)) flushSoon();
      look();
    },

    clear(runId) {
      runs.delete(runId);
      if (written.delete(runId) && !client.closed) {
        client.call('clearDeltas', runId).catch(() => undefined);
      }
    },

    async *follow(runId, { signal }) {
      let after = 0;
      while (!signal.aborted && !client.closed) {
        // Best effort: what cannot be read now is read at the next look, or never.
        const rows = await client.call('follow', runId, after).catch(() => []);
        for (const { id, json } of rows) {
          after = id;
          const deltas: readonly Delta[] = JSON.parse(json);
          for (const delta of deltas) {
            if (signal.aborted) return;
            yield delta;
          }
        }
        await sleep(pollMs, undefined, { signal }).catch(() => undefined);
      }
    },
  };
}
