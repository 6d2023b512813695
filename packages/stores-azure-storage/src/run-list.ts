import type { RunHeader, RunStore } from '@agent-functions/core';
import type { Account } from './account.ts';
import type { Clock } from './clock.ts';
import { unmadeMs, type RunIndex } from './run-index.ts';
import { headKey, partitionOf, toHead, toHeader } from './run-rows.ts';
import type { Values } from './values.ts';

/** Of a page of a list so many runs are looked up at once. */
const lookedUpAtOnce = 32;

/** A page of runs: the index says which and in what order, their heads whether it is still so. */
export async function listRuns(
  account: Account,
  {
    clock,
    values,
    index,
  }: { readonly clock: Clock; readonly values: Values; readonly index: RunIndex },
  { limit, cursor, ...filter }: Parameters<RunStore['list']>[0],
): ReturnType<RunStore['list']> {
  const found: RunHeader[] = [];
  let last: string | undefined;
  const top = Math.min(limit + 1, lookedUpAtOnce);
  for await (const pointers of index.list(filter, cursor, top)) {
    const rows = await Promise.all(
      pointers.map(({ runId }) => account.runs.get(partitionOf(runId), headKey)),
    );
    for (const [at, pointer] of pointers.entries()) {
      const row = rows[at];
      const head = toHead(row);
      if (row === undefined || head?.place !== pointer.place) {
        // Left over, or of a run that is about to be made.
        if (clock.now() - pointer.writtenAt > unmadeMs) {
          account.later(index.remove(pointer, { ...pointer, born: undefined }));
        }
      } else if (filter.unfinished === true && head.ended) {
        account.later(index.close(pointer.runId, pointer.place));
      } else if (found.length === limit) {
        return { runs: found, cursor: last };
      } else {
        found.push(toHeader(await values.unpack(row)));
        last = pointer.cursor;
      }
    }
  }
  return { runs: found };
}
