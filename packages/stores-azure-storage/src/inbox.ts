import type { Account } from './account.ts';
import {
  anchorKey,
  decidedKey,
  drainedKey,
  followKey,
  inboxRange,
  partitionOf,
  pendingKey,
  postedKey,
  folderOf,
  toSignal,
} from './run-rows.ts';
import { NotFoundError, UserError, type PostResult, type Signal } from '@agent-functions/core';
import type { Clock } from './clock.ts';
import { isRefusal } from './errors.ts';
import { numberIn, textIn, transactionRows, type Row, type Write } from './table.ts';
import type { Packed, Values } from './values.ts';

/** What one look at the inbox of a run shows. */
export interface Look {
  /** What was posted and not drained, oldest first. */
  readonly signals: readonly Signal[];
  /** Until when somebody in another process follows, by the store's clock; 0: nobody. */
  readonly followedUntil: number;
}

export interface Inbox {
  look(runId: string): Promise<Look>;
  post(
    runId: string,
    signal: Signal,
    expiries: { readonly [interruptionId: string]: number },
  ): Promise<PostResult>;
  /**
   * What an append writes so that these signals leave the inbox. `pending`: the row keys that are there; without it, that
   * all are is believed.
   */
  drain(
    signalIds: readonly string[],
    lastSeq: number,
    pending: ReadonlySet<string> | undefined,
  ): Promise<{ readonly writes: readonly Write[]; readonly left: readonly string[] }>;
  pending(runId: string): Promise<ReadonlySet<string>>;
  /** After the append: deletes the rows that `drain()` left. */
  finish(runId: string, left: readonly string[], lastSeq: number): Promise<void>;
}

/** Of a transaction's 100 rows these are for signals; the rest is for the head and what is recorded. */
const drainedAtOnce = 90;

export function inbox(
  { runs }: Account,
  values: Values,
  clock: Clock,
  onLook: (runId: string, followedUntil: number) => void,
): Inbox {
  const rowsOf = async (runId: string): Promise<readonly Row[]> => {
    const rows: Row[] = [];
    for await (const page of runs.range(partitionOf(runId), inboxRange)) rows.push(...page);
    return rows;
  };
  const isPending = ({ rowKey }: Row): boolean => rowKey.startsWith('i-s');

  /** What became of a signal, or of the interruptions it decides, before; `undefined` when nothing. */
  const known = async (runId: string, signal: Signal): Promise<PostResult | undefined> => {
    const partition = partitionOf(runId);
    if ((await runs.get(partition, postedKey(signal.id), ['decided'])) !== undefined) {
      return { accepted: true };
    }
    for (const { interruptionId } of signal.type === 'decide' ? signal.decisions : []) {
      const by = textIn(await runs.get(partition, decidedKey(interruptionId)), 'by');
      const counted = by === undefined ? undefined : await runs.get(partition, by);
      if (counted !== undefined) {
        return { accepted: false, counted: toSignal(await values.unpack(counted)) };
      }
    }
    return undefined;
  };
  const missing = (runId: string): NotFoundError =>
    new NotFoundError(`There is no run '${runId}'.`, { runId });

  return {
    async look(runId) {
      const rows = await rowsOf(runId);
      const follower = rows.find(({ rowKey }) => rowKey === followKey);
      const followedUntil = numberIn(follower, 'until') ?? 0;
      onLook(runId, followedUntil);
      const drained = new Set<string>();
      for (const row of rows) {
        if (!row.rowKey.startsWith('i-d')) continue;
        const keys: readonly string[] = JSON.parse(await values.unpack(row));
        for (const key of keys) drained.add(key);
      }
      const posted = rows
        .filter((row) => isPending(row) && !drained.has(row.rowKey))
        .toSorted((a, b) => (a.timestamp < b.timestamp ? -1 : a.timestamp > b.timestamp ? 1 : 0));
      const signals: Signal[] = [];
      for (const row of posted) signals.push(toSignal(await values.unpack(row)));
      return { signals, followedUntil };
    },

    async post(runId, signal, expiries) {
      const decisions = signal.type === 'decide' ? signal.decisions : [];
      const interruptions = [...new Set(decisions.map(({ interruptionId }) => interruptionId))];
      if (interruptions.length > transactionRows - 3) {
        throw new UserError(
          `Signal '${signal.id}' decides ${interruptions.length} interruptions; at most ${transactionRows - 3} fit in one. Post the rest in another.`,
          { runId },
        );
      }
      const now = clock.now();
      const inTime = interruptions.every((id) => {
        const expiresAt = expiries[id];
        return expiresAt === undefined || (signal.by === 'system') === expiresAt <= now;
      });
      const partition = partitionOf(runId);
      if (!inTime) {
        if ((await runs.get(partition, anchorKey)) === undefined) throw missing(runId);
        return (await known(runId, signal)) ?? { accepted: false };
      }
      let packed: Packed | undefined;
      try {
        for (;;) {
          packed ??= await values.pack(JSON.stringify(signal), folderOf(runId));
          const { columns } = packed;
          const by = postedKey(signal.id);
          try {
            await runs.write(partition, [
              // Without the run there is no anchor, and nothing is written.
              { type: 'merge', rowKey: anchorKey, columns: {} },
              { type: 'insert', rowKey: by, columns },
              { type: 'insert', rowKey: pendingKey(signal.id), columns },
              ...interruptions.map((id): Write => ({
                type: 'insert',
                rowKey: decidedKey(id),
                columns: { by },
              })),
            ]);
            return { accepted: true };
          } catch (error) {
            if (isRefusal(error, 'missing')) throw missing(runId);
            if (!isRefusal(error, 'exists')) throw error;
          }
          const before = await known(runId, signal);
          if (before === undefined) continue;
          values.dropLater(packed);
          return before;
        }
      } catch (error) {
        if (error instanceof NotFoundError) values.dropLater(packed);
        throw error;
      }
    },

    async drain(signalIds, lastSeq, pending) {
      const keys = [...new Set(signalIds.map(pendingKey))].filter(
        (key) => pending === undefined || pending.has(key),
      );
      const now = keys.slice(0, drainedAtOnce);
      const left = keys.slice(drainedAtOnce);
      const writes: Write[] = now.map((rowKey) => ({ type: 'delete', rowKey }));
      if (left.length > 0) {
        const { columns } = await values.pack(JSON.stringify(left), '');
        writes.push({ type: 'insert', rowKey: drainedKey(lastSeq), columns });
      }
      return { writes, left };
    },

    async pending(runId) {
      return new Set((await rowsOf(runId)).filter(isPending).map(({ rowKey }) => rowKey));
    },

    async finish(runId, left, lastSeq) {
      const remove = async (rowKey: string): Promise<void> => {
        await runs.write(partitionOf(runId), [{ type: 'delete', rowKey }]);
      };
      for (const rowKey of left) {
        await remove(rowKey).catch((error: unknown) => {
          if (!isRefusal(error, 'missing')) throw error;
        });
      }
      // Only when they are gone may what hides them go.
      if (left.length > 0) await remove(drainedKey(lastSeq));
    },
  };
}
