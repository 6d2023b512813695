import { UserError, type RunHeader } from '@agent-functions/core';
import type { Account } from './account.ts';
import { toAsciiJson } from './ascii-json.ts';
import { isRefusal } from './errors.ts';
import { ascending, descending, hashOf, keyOf } from './keys.ts';
import { deleteAll } from './delete-rows.ts';
import { textIn, type Columns, type Row, type Write } from './table.ts';

// The index of runs, all in one partition, so that what a run needs there is one transaction. Rows only point: what they
// say of a run is believed when its head says so too.
//   all-<place>-<key>          newest first
//   open-<place>-<key>         not ended
//   own-<owner>-<place>-<key>  of an owner, newest first
//   ses-<session>-<place>-<key>
//   due-<time>-<key>           when the run was made, or last found to be kept: what is oldest may go first
const partition = 'runs';

/** Where a run is in the lists. The head keeps it: a row at another place is left over. */
export interface Place {
  readonly place: string;
  /** The store's clock when the run was made; `undefined` leaves the row of that time alone. */
  readonly born: number | undefined;
}

/** What a row points to. */
export interface Pointer {
  readonly runId: string;
  readonly owner?: string | undefined;
  readonly sessionId?: string | undefined;
  readonly place: string;
  /** Names the place in this list, for a cursor. */
  readonly cursor: string;
  readonly writtenAt: number;
}

export interface RunFilter {
  readonly owner?: string | undefined;
  readonly sessionId?: string | undefined;
  readonly unfinished?: boolean | undefined;
}

/** A run that is in the index but not there for so long was never made. */
export const unmadeMs = 60_000;

export interface RunIndex {
  placeOf(header: RunHeader, now: number): Place & { readonly born: number };
  /** Before the run is made, so that no crash hides it. Repeated: a no-op. */
  add(header: RunHeader, place: Place): Promise<void>;
  /** After the run's end. */
  close(runId: string, place: string): Promise<void>;
  /** Takes out what `add()` put in. Repeated, or in parts: goes on. */
  remove(header: Pick<RunHeader, 'runId' | 'owner' | 'sessionId'>, place: Place): Promise<void>;
  list(
    filter: RunFilter,
    cursor: string | undefined,
    top: number,
  ): AsyncIterable<readonly Pointer[]>;
  /** What was made, or last looked at, before this time; oldest first. */
  due(before: number): AsyncIterable<readonly (Pointer & { readonly rowKey: string })[]>;
  /** Looked at, and to be kept: to be looked at again by its new time. `undefined`: never. */
  move(rowKey: string, pointer: Pointer, time: number | undefined): Promise<void>;
}

export function runIndex({ index }: Account): RunIndex {
  const keysOf = (
    { runId, owner, sessionId }: Pick<RunHeader, 'runId' | 'owner' | 'sessionId'>,
    { place, born }: Place,
  ): readonly string[] => {
    const at = `${place}-${keyOf(runId)}`;
    return [
      `all-${at}`,
      `open-${at}`,
      ...(owner === undefined ? [] : [`own-${hashOf(owner)}-${at}`]),
      ...(sessionId === undefined ? [] : [`ses-${hashOf(sessionId)}-${at}`]),
      ...(born === undefined ? [] : [dueKey(born, runId)]),
    ];
  };
  const removeAll = (rowKeys: readonly string[]): Promise<void> =>
    deleteAll(index, partition, rowKeys);

  return {
    placeOf({ createdAt }, now) {
      // Runs of one millisecond are told apart by a finer clock, which is this process's own.
      const finer = Math.trunc(performance.now() * 1_000) % 1e10;
      return { place: `${descending(createdAt, 14)}.${descending(finer, 10)}`, born: now };
    },

    async add(header, place) {
      const columns = columnsOf({ ...header, place: place.place });
      await index.write(
        partition,
        keysOf(header, place).map((rowKey) => ({ type: 'upsert', rowKey, columns })),
      );
    },

    close: (runId, place) => removeAll([`open-${place}-${keyOf(runId)}`]),
    remove: (header, place) => removeAll(keysOf(header, place)),

    async *list({ owner, sessionId, unfinished = false }, cursor, top) {
      const list = unfinished
        ? 'open-'
        : sessionId !== undefined
          ? `ses-${hashOf(sessionId)}-`
          : owner !== undefined
            ? `own-${hashOf(owner)}-`
            : 'all-';
      const after = `${list}${checkCursor(cursor) ?? ''}`;
      for await (const rows of index.range(partition, { after, below: `${list}~`, top })) {
        yield rows
          .map((row) => toPointer(row, row.rowKey.slice(list.length)))
          .filter(
            (pointer) =>
              (owner === undefined || pointer.owner === owner) &&
              (sessionId === undefined || pointer.sessionId === sessionId),
          );
      }
    },

    async *due(before) {
      const below = `due-${ascending(before, 14)}`;
      for await (const rows of index.range(partition, { from: 'due-', below, top: 100 })) {
        yield rows.map((row) => ({ ...toPointer(row, ''), rowKey: row.rowKey }));
      }
    },

    async move(rowKey, pointer, time) {
      const columns = columnsOf(pointer);
      const next = time === undefined ? undefined : dueKey(time, pointer.runId);
      if (next === rowKey) return;
      try {
        await index.write(partition, [
          { type: 'delete', rowKey },
          ...(next === undefined
            ? []
            : [{ type: 'upsert', rowKey: next, columns } satisfies Write]),
        ]);
      } catch (error) {
        // Somebody else moved it.
        if (!isRefusal(error, 'missing')) throw error;
      }
    },
  };
}

function dueKey(time: number, runId: string): string {
  return `due-${ascending(time, 14)}-${keyOf(runId)}`;
}

interface About {
  readonly runId: string;
  readonly owner?: string | undefined;
  readonly sessionId?: string | undefined;
  readonly place: string;
}

function columnsOf({ runId, owner, sessionId, place }: About): Columns {
  return { about: toAsciiJson({ runId, owner, sessionId, place }) };
}

function toPointer(row: Row, cursor: string): Pointer {
  const about: About = JSON.parse(textIn(row, 'about') ?? '{}');
  return { ...about, cursor, writtenAt: Date.parse(`${row.timestamp}Z`) };
}

function checkCursor(cursor: string | undefined): string | undefined {
  if (cursor === undefined || /^\d{14}\.\d{10}-[ih]-[A-Za-z0-9_-]{1,128}$/.test(cursor)) {
    return cursor;
  }
  throw new UserError(`'${cursor}' is no cursor of this list. Pass the cursor of the page before.`);
}
