import { setTimeout as sleep } from 'node:timers/promises';
import type { Delta, DeltaChannel } from '@agent-functions/core';
import type { Account } from './account.ts';
import type { Clock } from './clock.ts';
import { deleteAll } from './delete-rows.ts';
import { ascending } from './keys.ts';
import { anchorKey, deltasRange, followKey, partitionOf } from './run-rows.ts';
import { numberIn, transactionRows, type Row } from './table.ts';
import type { Values } from './values.ts';

/** Deltas are collected at least this long before they are written, and a follower looks for them as often. */
const chunkMs = 500;
/** While nobody looked at the inbox of a run for so long, the channel looks for followers itself. */
const lookMs = 1_000;
/** How long a follower's note of interest holds; it is renewed when less than half of it is left. */
const interestMs = 10_000;

export interface SharedChannel extends DeltaChannel {
  /** A look at a run's inbox showed until when it is followed. */
  seen(runId: string, followedUntil: number): void;
}

/** One frame's attempt in progress. */
interface Attempt {
  readonly epoch: string;
  readonly deltas: Delta[];
  /** How many of them are in the table. */
  written: number;
}

/** What this process, the holder, has of a run. */
interface Held {
  readonly attempts: Map<string, Attempt>;
  /** When its inbox was last looked at, by `performance.now()`. */
  lookedAt: number;
  followedUntil: number;
  /** The rows that were written, and those that a former holder left, once they were looked for. */
  rows: string[] | undefined;
  /** Writes come one after the other. */
  writing: Promise<void>;
  busy: boolean;
}

/**
 * Deltas by way of the run's partition. The holder keeps those of the attempts in progress in memory and writes them,
 * from the first, once a look at the inbox showed a note of interest. Nobody follows: nothing is written.
 */
export function deltaChannel(account: Account, values: Values, clock: Clock): SharedChannel {
  const { runs } = account;
  const held = new Map<string, Held>();
  let counter = 0;
  let ticking = false;

  const newKey = (): string =>
    `${deltasRange.from}${ascending(clock.now(), 14)}-${ascending(++counter, 10)}`;

  const look = async (runId: string): Promise<void> => {
    const note = await runs.get(partitionOf(runId), followKey);
    channel.seen(runId, numberIn(note, 'until') ?? 0);
  };

  const write = async (runId: string, run: Held): Promise<void> => {
    const partition = partitionOf(runId);
    if (run.rows === undefined) {
      const left: string[] = [];
      for await (const rows of runs.range(partition, { ...deltasRange, select: [] })) {
        left.push(...rows.map(({ rowKey }) => rowKey));
      }
      run.rows = left;
      await forget(runId, run);
    }
    const taken: Attempt[] = [];
    const deltas: Delta[] = [];
    for (const attempt of run.attempts.values()) {
      if (attempt.written === attempt.deltas.length) continue;
      deltas.push(...attempt.deltas.slice(attempt.written));
      attempt.written = attempt.deltas.length;
      taken.push(attempt);
    }
    if (deltas.length === 0) return;
    const rowKey = newKey();
    // Known before it is written: a row whose answer is lost is deleted with the rest.
    run.rows.push(rowKey);
    try {
      // A run that is gone has no anchor, and gets no rows.
      const { columns } = await values.pack(JSON.stringify(deltas), '');
      await runs.write(partition, [
        { type: 'merge', rowKey: anchorKey, columns: {} },
        { type: 'insert', rowKey, columns },
      ]);
    } catch {
      // The next write gives them from the first; followers leave out what they have.
      for (const attempt of taken) attempt.written = 0;
    }
  };

  const forget = async (runId: string, run: Held): Promise<void> => {
    while (run.rows !== undefined && run.rows.length > 0) {
      const rows = run.rows.splice(0, transactionRows);
      await deleteAll(runs, partitionOf(runId), rows);
    }
  };

  const enqueue = (run: Held, work: () => Promise<void>): void => {
    // Best effort: without it nothing is shown elsewhere, and the journal is.
    run.writing = run.writing.then(work).catch(() => undefined);
    account.later(run.writing);
  };

  const tick = async (): Promise<void> => {
    for (const [runId, run] of held) {
      if (run.attempts.size === 0 || run.busy) continue;
      run.busy = true;
      enqueue(run, async () => {
        try {
          if (performance.now() - run.lookedAt >= lookMs) await look(runId);
          if (run.followedUntil > clock.now()) await write(runId, run);
        } finally {
          run.busy = false;
        }
      });
    }
  };

  const tickLater = (): void => {
    if (ticking) return;
    ticking = true;
    setTimeout(() => {
      ticking = false;
      if (account.closed) return;
      void tick();
      for (const { attempts } of held.values()) {
        if (attempts.size > 0) return tickLater();
      }
    }, chunkMs).unref();
  };

  const channel: SharedChannel = {
    seen(runId, followedUntil) {
      const run = held.get(runId);
      if (run === undefined) return;
      run.lookedAt = performance.now();
      run.followedUntil = followedUntil;
    },

    publish(runId, deltas) {
      let run = held.get(runId);
      if (run === undefined) {
        run = {
          attempts: new Map(),
          lookedAt: performance.now() - lookMs + chunkMs,
          followedUntil: 0,
          rows: undefined,
          writing: Promise.resolve(),
          busy: false,
        };
        held.set(runId, run);
      }
      for (const delta of deltas) {
        let attempt = run.attempts.get(delta.frame);
        if (attempt?.epoch !== delta.epoch) {
          attempt = { epoch: delta.epoch, deltas: [], written: 0 };
          run.attempts.set(delta.frame, attempt);
        }
        attempt.deltas.push(delta);
      }
      tickLater();
    },

    clear(runId) {
      const run = held.get(runId);
      if (run === undefined) return;
      run.attempts.clear();
      enqueue(run, async () => {
        await forget(runId, run);
        if (run.attempts.size === 0 && held.get(runId) === run) held.delete(runId);
      });
    },

    async *follow(runId, { signal }) {
      let after: string = deltasRange.from;
      let first = true;
      let noteUntil = 0;
      /** By frame: the attempt, and its last delta that was shown. */
      const shown = new Map<string, { readonly epoch: string; readonly n: number }>();
      while (!signal.aborted && !account.closed) {
        // Best effort: what cannot be read now is read at the next look, or never.
        try {
          const now = clock.now();
          if (noteUntil < now + interestMs / 2) {
            noteUntil = now + interestMs;
            await leaveNote(runId, noteUntil);
          }
          const found: Delta[] = [];
          for await (const rows of runs.range(partitionOf(runId), { ...deltasRange, after })) {
            for (const row of rows) {
              found.push(...(await deltasIn(row)));
              after = row.rowKey;
            }
          }
          for (const delta of first ? inProgress(found) : found) {
            const last = shown.get(delta.frame);
            if (last?.epoch === delta.epoch && delta.n <= last.n) continue;
            shown.set(delta.frame, delta);
            if (signal.aborted) return;
            yield delta;
          }
          first &&= found.length === 0;
        } catch {
          noteUntil = 0;
        }
        await sleep(chunkMs, undefined, { signal }).catch(() => undefined);
      }
    },
  };

  const leaveNote = async (runId: string, until: number): Promise<void> => {
    await runs.write(partitionOf(runId), [
      { type: 'merge', rowKey: anchorKey, columns: {} },
      { type: 'upsert', rowKey: followKey, columns: { until: BigInt(Math.trunc(until)) } },
    ]);
  };
  const deltasIn = async (row: Row): Promise<readonly Delta[]> =>
    JSON.parse(await values.unpack(row));

  return channel;
}

/** Of each frame the deltas of its last attempt. */
function inProgress(deltas: readonly Delta[]): readonly Delta[] {
  const last = new Map(deltas.map(({ frame, epoch }) => [frame, epoch]));
  return deltas.filter(({ frame, epoch }) => last.get(frame) === epoch);
}
