import type { SessionStore } from '@agent-functions/core';
import type { Account } from './account.ts';
import type { Clock } from './clock.ts';
import {
  fromCursor,
  toCursor,
  type SessionCursor,
  type SessionIndex,
  type SessionPointer,
} from './session-index.ts';
import {
  isSessionGone,
  sessionHeadKey,
  sessionPartition,
  toSessionHead,
  type SessionHead,
} from './session-rows.ts';
import type { Row } from './table.ts';

/** An index entry that no head speaks of for so long is left over. */
const leftOverMs = 60_000;
/** Of a list so many heads are read at once. */
const readAtOnce = 32;

interface Parts {
  readonly clock: Clock;
  readonly index: SessionIndex;
}

/** A page of sessions: the index gives them in steps of ten minutes, their heads the order within. */
export async function listSessions(
  account: Account,
  parts: Parts,
  { owner, limit, cursor }: Parameters<SessionStore['list']>[0],
): ReturnType<SessionStore['list']> {
  const from = fromCursor(cursor);
  const found: { readonly sessionId: string; readonly updatedAt: number }[] = [];
  let last: SessionCursor | undefined;
  for await (const bucket of buckets(parts.index.list(owner, from))) {
    const listed: (SessionCursor & { readonly sessionId: string })[] = [];
    for (const [pointer, row] of await headsOf(account, bucket)) {
      const head = row === undefined || isSessionGone(row) ? undefined : toSessionHead(row);
      if (head?.bucket !== pointer.bucket || (owner !== undefined && head.owner !== owner)) {
        dropPointer(account, parts, pointer, head);
      } else {
        const { sessionId, key } = pointer;
        listed.push({ sessionId, bucket: pointer.bucket, updatedAt: head.updatedAt, key });
      }
    }
    for (const each of listed.toSorted(newestFirst)) {
      if (from !== undefined && newestFirst(from, each) >= 0) continue;
      if (found.length === limit && last !== undefined) {
        return { sessions: found, cursor: toCursor(last) };
      }
      found.push({ sessionId: each.sessionId, updatedAt: each.updatedAt });
      last = each;
    }
  }
  return { sessions: found };
}

/** Sessions that nobody used since `before` and that no run is active in, longest unused first. */
export async function expiredSessions(
  account: Account,
  parts: Parts,
  { before, limit }: { readonly before: number; readonly limit: number },
): Promise<readonly string[]> {
  const found = new Map<string, number>();
  for await (const pointers of parts.index.due(before)) {
    for (const [pointer, row] of await headsOf(account, pointers)) {
      const head = row === undefined ? undefined : toSessionHead(row);
      if (row !== undefined && isSessionGone(row)) found.set(pointer.sessionId, 0);
      else if (head?.bucket !== pointer.bucket) dropPointer(account, parts, pointer, head);
      else if (head.activeRunId === undefined && head.updatedAt <= before) {
        found.set(pointer.sessionId, head.updatedAt);
      }
    }
    if (found.size >= limit) break;
  }
  return [...found]
    .toSorted(([, a], [, b]) => a - b)
    .slice(0, limit)
    .map(([sessionId]) => sessionId);
}

async function headsOf(
  account: Account,
  pointers: readonly SessionPointer[],
): Promise<readonly (readonly [SessionPointer, Row | undefined])[]> {
  const found: (readonly [SessionPointer, Row | undefined])[] = [];
  for (let at = 0; at < pointers.length; at += readAtOnce) {
    const some = pointers
      .slice(at, at + readAtOnce)
      .map(
        async (pointer) =>
          [
            pointer,
            await account.sessions.get(sessionPartition(pointer.sessionId), sessionHeadKey),
          ] as const,
      );
    found.push(...(await Promise.all(some)));
  }
  return found;
}

/** A pointer that its session does not speak of: left over, unless a commit is about to. */
function dropPointer(
  account: Account,
  { clock, index }: Parts,
  pointer: SessionPointer,
  head: SessionHead | undefined,
): void {
  if (clock.now() - pointer.writtenAt <= leftOverMs) return;
  account.later(index.remove(pointer.sessionId, pointer, head));
}

/** The pointers of each bucket together, however they come in pages. */
async function* buckets(
  pages: AsyncIterable<readonly SessionPointer[]>,
): AsyncIterable<readonly SessionPointer[]> {
  let bucket: SessionPointer[] = [];
  for await (const page of pages) {
    for (const pointer of page) {
      if (bucket[0] !== undefined && bucket[0].bucket !== pointer.bucket) {
        yield bucket;
        bucket = [];
      }
      bucket.push(pointer);
    }
  }
  if (bucket.length > 0) yield bucket;
}

function newestFirst(a: SessionCursor, b: SessionCursor): number {
  return (
    b.bucket - a.bucket || b.updatedAt - a.updatedAt || (a.key < b.key ? -1 : a.key > b.key ? 1 : 0)
  );
}
