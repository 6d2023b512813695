import type { Account } from './account.ts';
import type { Clock } from './clock.ts';
import { deleteAll, deleteRows } from './delete-rows.ts';
import { isRefusal } from './errors.ts';
import { unmadeMs, type RunIndex } from './run-index.ts';
import { anchorKey, folderOf, headKey, isGone, partitionOf, toHeader } from './run-rows.ts';
import { flagIn, numberIn, textIn } from './table.ts';
import type { Values } from './values.ts';

export interface RunRemoval {
  /** Takes a run out of the account, with all it has there. Repeated: goes on. */
  remove(runId: string): Promise<void>;
  /** The runs that may go, oldest end first. */
  expired(limit: number): Promise<readonly string[]>;
}

export function runRemoval(
  { runs }: Account,
  parts: {
    readonly clock: Clock;
    readonly values: Values;
    readonly index: RunIndex;
    readonly keepMs: number;
  },
): RunRemoval {
  const { clock, values, index, keepMs } = parts;

  return {
    async remove(runId) {
      const partition = partitionOf(runId);
      const row = await runs.get(partition, headKey);
      if (row === undefined) return;
      const header = toHeader(await values.unpack(row));
      if (!isGone(row)) {
        try {
          // From here on the run is unknown, and nobody adds to it: appends need the head as it was, the others the anchor.
          await runs.write(partition, [
            { type: 'merge', rowKey: headKey, columns: { gone: true } },
            { type: 'delete', rowKey: anchorKey },
          ]);
        } catch (error) {
          // Somebody else is at it; both go on.
          if (!isRefusal(error, 'missing')) throw error;
        }
      }
      await deleteRows(runs, partition, { from: '', below: '~' }, { except: headKey });
      await values.empty(folderOf(runId));
      const born = numberIn(row, 'born');
      await deleteAll(runs, partition, [headKey]);
      // Last, so that what is left when this process dies is found by it.
      await index.remove(header, { place: textIn(row, 'place') ?? '', born });
    },

    async expired(limit) {
      const now = clock.now();
      const found = new Map<string, number>();
      for await (const pointers of index.due(now - keepMs + 1)) {
        const rows = await Promise.all(
          pointers.map(({ runId }) =>
            runs.get(partitionOf(runId), headKey, ['ended', 'endedAt', 'gone']),
          ),
        );
        for (const [at, pointer] of pointers.entries()) {
          const row = rows[at];
          const { runId, rowKey } = pointer;
          const endedAt = numberIn(row, 'endedAt') ?? now;
          if (row === undefined) {
            if (now - pointer.writtenAt <= unmadeMs) continue;
            // It was never made, or its deletion ended here.
            await values.empty(folderOf(runId));
            await index.remove(pointer, { place: pointer.place, born: undefined });
            await index.move(rowKey, pointer, undefined);
          } else if (isGone(row)) found.set(runId, 0);
          else if (flagIn(row, 'ended') !== true) await index.move(rowKey, pointer, now);
          else if (endedAt > now - keepMs) await index.move(rowKey, pointer, endedAt);
          else found.set(runId, endedAt);
        }
        if (found.size >= limit) break;
      }
      return [...found]
        .toSorted(([, a], [, b]) => a - b)
        .slice(0, limit)
        .map(([runId]) => runId);
    },
  };
}
