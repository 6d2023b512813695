import type { Clock } from './clock.ts';
import { textIn, type Table } from './table.ts';
import type { Values } from './values.ts';

/** A blob that no row names after so long never will be named: the row is written right behind it. */
const orphanMs = 24 * 3_600_000;

/**
 * Takes away what processes left that died between the blob of a large value and its row. Looked for where a large value
 * is written; what is never looked for goes with its run or session.
 */
export async function sweepOrphans(
  table: Table,
  { values, clock }: { readonly values: Values; readonly clock: Clock },
  { partition, folder }: { readonly partition: string; readonly folder: string },
): Promise<void> {
  await values.empty(folder, {
    before: clock.now() - orphanMs,
    async keep() {
      const named = new Set<string>();
      for await (const rows of table.range(partition, { from: '', below: '~', select: ['blob'] })) {
        for (const row of rows) {
          const blob = textIn(row, 'blob');
          if (blob !== undefined) named.add(blob);
        }
      }
      return named;
    },
  });
}
