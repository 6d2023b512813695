import { UserError } from '@agent-functions/core';
import type { Account } from './account.ts';
import { toAsciiJson } from './ascii-json.ts';
import { deleteAll } from './delete-rows.ts';
import { ascending, descending, hashOf, keyOf } from './keys.ts';
import { textIn, type Write } from './table.ts';

// The index of sessions, all in one partition. A row says in which ten minutes a session was last used, so that not
// every commit moves it; within them the heads tell the order. Rows only point, as those of runs.
//   all-<bucket>-<key>          newest first
//   own-<owner>-<bucket>-<key>  of an owner, newest first
//   due-<bucket>-<key>          oldest first
const partition = 'sessions';
const bucketMs = 600_000;

/** Where a session is in the lists. */
export interface SessionPlace {
  readonly owner?: string | undefined;
  readonly bucket: number;
}

/** What a row points to. */
export interface SessionPointer extends SessionPlace {
  readonly sessionId: string;
  readonly key: string;
  readonly writtenAt: number;
}

/** The place behind a session in a list. */
export interface SessionCursor {
  readonly bucket: number;
  readonly updatedAt: number;
  readonly key: string;
}

export interface SessionIndex {
  bucketOf(time: number): number;
  add(sessionId: string, place: SessionPlace): Promise<void>;
  /** Takes out a session's rows, but those of the place that it has now. */
  remove(sessionId: string, from: SessionPlace, now?: SessionPlace): Promise<void>;
  /** Newest bucket first, from that of the cursor on. */
  list(
    owner: string | undefined,
    cursor: SessionCursor | undefined,
  ): AsyncIterable<readonly SessionPointer[]>;
  /** Not used since before this time, oldest bucket first. */
  due(before: number): AsyncIterable<readonly SessionPointer[]>;
}

export function sessionIndex({ index }: Account): SessionIndex {
  const keysOf = (sessionId: string, { owner, bucket }: SessionPlace): readonly string[] => {
    const key = keyOf(sessionId);
    const newest = descending(bucket, 10);
    return [
      `all-${newest}-${key}`,
      ...(owner === undefined ? [] : [`own-${hashOf(owner)}-${newest}-${key}`]),
      `due-${ascending(bucket, 10)}-${key}`,
    ];
  };
  const pointersOf = async function* (range: {
    readonly from: string;
    readonly below: string;
  }): AsyncIterable<readonly SessionPointer[]> {
    for await (const rows of index.range(partition, { ...range, top: 200 })) {
      yield rows.map((row) => {
        const about: Pick<SessionPointer, 'sessionId' | 'owner' | 'bucket'> = JSON.parse(
          textIn(row, 'about') ?? '{}',
        );
        return {
          ...about,
          key: keyOf(about.sessionId),
          writtenAt: Date.parse(`${row.timestamp}Z`),
        };
      });
    }
  };

  return {
    bucketOf: (time) => Math.floor(time / bucketMs),

    async add(sessionId, place) {
      const { owner, bucket } = place;
      const columns = { about: toAsciiJson({ sessionId, owner, bucket }) };
      const writes = keysOf(sessionId, place).map((rowKey): Write => ({
        type: 'upsert',
        rowKey,
        columns,
      }));
      await index.write(partition, writes);
    },

    async remove(sessionId, from, now) {
      const kept = now === undefined ? [] : keysOf(sessionId, now);
      const rowKeys = keysOf(sessionId, from).filter((rowKey) => !kept.includes(rowKey));
      await deleteAll(index, partition, rowKeys);
    },

    list(owner, cursor) {
      const list = owner === undefined ? 'all-' : `own-${hashOf(owner)}-`;
      const from = cursor === undefined ? '' : `${descending(cursor.bucket, 10)}-`;
      return pointersOf({ from: `${list}${from}`, below: `${list}~` });
    },

    due: (before) =>
      pointersOf({
        from: 'due-',
        below: `due-${ascending(Math.floor(before / bucketMs) + 1, 10)}`,
      }),
  };
}

export function toCursor({ bucket, updatedAt, key }: SessionCursor): string {
  return `${bucket}.${Math.trunc(updatedAt)}.${key}`;
}

/** @throws UserError for what is no cursor of ours. */
export function fromCursor(cursor: string | undefined): SessionCursor | undefined {
  if (cursor === undefined) return undefined;
  const [, bucket, updatedAt, key] =
    /^(\d{1,10})\.(\d{1,14})\.([ih]-[A-Za-z0-9_-]{1,128})$/.exec(cursor) ?? [];
  if (bucket !== undefined && updatedAt !== undefined && key !== undefined) {
    return { bucket: Number(bucket), updatedAt: Number(updatedAt), key };
  }
  throw new UserError(`'${cursor}' is no cursor of this list. Pass the cursor of the page before.`);
}
