import { randomBytes } from 'node:crypto';
import {
  AgentError,
  SessionConflictError,
  type JsonObject,
  type Message,
  type SessionStore,
} from '@agent-functions/core';
import type { Account } from './account.ts';
import type { Clock } from './clock.ts';
import { deleteAll, deleteRows } from './delete-rows.ts';
import { isRefusal } from './errors.ts';
import {
  fromCursor,
  toCursor,
  type SessionCursor,
  type SessionIndex,
  type SessionPointer,
} from './session-index.ts';
import {
  changed,
  fromSessionHead,
  messagesKey,
  nextVersions,
  sessionFolder,
  sessionHeadKey,
  sessionPartition,
  stateKey,
  toSessionHead,
  toSnapshot,
  versionMadeBy,
  versionOf,
  type SessionHead,
} from './session-rows.ts';
import { flagIn, textIn, type Row, type Write } from './table.ts';
import type { Packed, Values } from './values.ts';

/** A head with the etag under which it may be changed. */
interface Known {
  readonly head: SessionHead;
  readonly etag: string;
}

/** Sessions that this process changes without reading them again. */
const remembered = 10_000;
/** An index entry that no head speaks of for so long is left over. */
const leftOverMs = 60_000;
/** Of a list so many heads are read at once. */
const readAtOnce = 32;

export interface AzureSessions extends SessionStore {
  /** Sessions that may go, longest unused first. */
  expired(limit: number): Promise<readonly string[]>;
}

export function sessionStore(
  account: Account,
  parts: {
    readonly clock: Clock;
    readonly values: Values;
    readonly index: SessionIndex;
    readonly keepMs: number;
  },
): AzureSessions {
  const { clock, values, index, keepMs } = parts;
  const { sessions: table } = account;
  const known = new Map<string, Known>();

  const remember = (sessionId: string, value: Known): void => {
    known.delete(sessionId);
    known.set(sessionId, value);
    const [oldest] = known.keys();
    if (known.size > remembered && oldest !== undefined) known.delete(oldest);
  };
  const isGone = (row: Row): boolean => flagIn(row, 'gone') ?? false;
  const readHead = async (sessionId: string): Promise<Known | undefined> => {
    for (;;) {
      const row = await table.get(sessionPartition(sessionId), sessionHeadKey);
      if (row === undefined) return undefined;
      if (!isGone(row)) return { head: toSessionHead(row), etag: row.etag };
      // A deletion that was interrupted: what comes now would be mixed up with it.
      await remove(sessionId, row);
    }
  };

  const remove = async (sessionId: string, row: Row): Promise<void> => {
    const partition = sessionPartition(sessionId);
    const { owner, bucket } = toSessionHead(row);
    await deleteRows(table, partition, { from: '', below: '~' }, sessionHeadKey);
    await values.empty(sessionFolder(sessionId));
    await index.remove(sessionId, owner, bucket);
    await deleteAll(table, partition, [sessionHeadKey]);
  };

  /** Head, messages and state as one commit left them; `undefined` while a commit comes between. */
  const readAll = async (
    sessionId: string,
  ): Promise<{ readonly rows: readonly Row[]; readonly known: Known | undefined } | undefined> => {
    const rows: Row[] = [];
    for await (const page of table.range(sessionPartition(sessionId), { from: '', below: '~' })) {
      rows.push(...page);
    }
    const row = rows.find(({ rowKey }) => rowKey === sessionHeadKey);
    if (row === undefined || isGone(row)) return { rows: [], known: undefined };
    const head = toSessionHead(row);
    const state = rows.find(({ rowKey }) => rowKey === stateKey);
    if (head.stateVersion !== (textIn(state, 'version') ?? '')) return undefined;
    const from = messagesKey(head.generation, 0);
    const below = messagesKey(head.generation, head.rows);
    const messages = rows.filter(({ rowKey }) => rowKey >= from && rowKey < below);
    if (messages.length !== head.rows) return undefined;
    return {
      rows: state === undefined ? messages : [...messages, state],
      known: { head, etag: row.etag },
    };
  };

  const tries = 20;
  const store: AzureSessions = {
    async load(sessionId) {
      for (let attempt = 0; attempt < tries; attempt++) {
        const all = await readAll(sessionId);
        if (all === undefined) continue;
        if (all.known === undefined) {
          known.delete(sessionId);
          return { sessionId, version: '0', messages: [], state: {} };
        }
        remember(sessionId, all.known);
        const messages: Message[] = [];
        let state: JsonObject = {};
        try {
          for (const row of all.rows) {
            const value = JSON.parse(await values.unpack(row));
            if (row.rowKey === stateKey) state = value;
            else messages.push(...value);
          }
        } catch (error) {
          // A large value that was replaced meanwhile.
          if (isRefusal(error, 'missing')) continue;
          throw error;
        }
        return toSnapshot(all.known.head, messages, state);
      }
      throw busy(sessionId);
    },

    async commit(sessionId, change, { expectedVersion, operationId }) {
      const partition = sessionPartition(sessionId);
      const { append = [], replaceWith, state } = change;
      let packed: readonly (Packed | undefined)[] | undefined;
      const drop = (): void => {
        for (const each of packed ?? []) values.dropLater(each);
      };
      for (let attempt = 0; attempt < tries; attempt++) {
        const cached = known.get(sessionId);
        const present = cached ?? (await readHead(sessionId));
        const before = present?.head;
        const made = before && versionMadeBy(before, operationId);
        if (made !== undefined) {
          drop();
          return { version: made };
        }
        if (versionOf(before) !== expectedVersion) {
          // What is remembered may be old.
          if (known.delete(sessionId)) continue;
          drop();
          throw new SessionConflictError(
            `Session '${sessionId}' is at version ${versionOf(before)}, not ${expectedVersion}: it was changed meanwhile. Load it again and repeat.`,
          );
        }
        const messages = replaceWith === undefined ? append : [...replaceWith, ...append];
        packed ??= [
          messages.length === 0
            ? undefined
            : await values.pack(JSON.stringify(messages), sessionFolder(sessionId)),
          state === undefined
            ? undefined
            : await values.pack(JSON.stringify(state), sessionFolder(sessionId)),
        ];
        const now = clock.now();
        const [texts, stateTexts] = packed;
        const born = before?.born ?? randomBytes(9).toString('base64url');
        const versions = nextVersions(before?.versions ?? [], operationId, born);
        const version = versions.at(-1) ?? '';
        const generation = (before?.generation ?? 0) + (replaceWith === undefined ? 0 : 1);
        const rows = replaceWith === undefined ? (before?.rows ?? 0) : 0;
        const head: SessionHead = {
          sessionId,
          born,
          versions,
          generation,
          rows: rows + (texts === undefined ? 0 : 1),
          stateVersion: stateTexts === undefined ? (before?.stateVersion ?? '') : version,
          bucket: index.bucketOf(now),
          updatedAt: now,
          ...changed(before, change, now),
        };
        const moves = before?.bucket !== head.bucket || before.owner !== head.owner;
        if (moves) await index.add(sessionId, head.owner, head.bucket);
        const columns = fromSessionHead(head);
        const writes: Write[] = [
          present === undefined
            ? { type: 'insert', rowKey: sessionHeadKey, columns }
            : { type: 'replace', rowKey: sessionHeadKey, columns, etag: present.etag },
        ];
        if (texts !== undefined) {
          const rowKey = messagesKey(generation, rows);
          writes.push({ type: 'upsert', rowKey, columns: texts.columns });
        }
        if (stateTexts !== undefined) {
          const stateColumns = { ...stateTexts.columns, version };
          writes.push({ type: 'upsert', rowKey: stateKey, columns: stateColumns });
        }
        known.delete(sessionId);
        try {
          const [etag = ''] = await table.write(partition, writes);
          remember(sessionId, { head, etag });
        } catch (error) {
          if (isRefusal(error, 'exists', 'stale', 'missing')) continue;
          throw error;
        }
        if (before !== undefined) {
          account.later(tidy(sessionId, before, head, moves).catch(() => undefined));
        }
        return { version };
      }
      throw busy(sessionId);
    },

    async list({ owner, limit, cursor }) {
      const from = fromCursor(cursor);
      const found: { readonly sessionId: string; readonly updatedAt: number }[] = [];
      let last: SessionCursor | undefined;
      for await (const bucket of buckets(index.list(owner, from))) {
        const listed: (SessionCursor & { readonly sessionId: string })[] = [];
        for (const [pointer, row] of await headsOf(bucket)) {
          const head = row === undefined || isGone(row) ? undefined : toSessionHead(row);
          if (head?.bucket !== pointer.bucket || (owner !== undefined && head.owner !== owner)) {
            dropPointer(pointer, head);
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
    },

    async delete(sessionId) {
      const partition = sessionPartition(sessionId);
      known.delete(sessionId);
      const row = await table.get(partition, sessionHeadKey);
      if (row === undefined) return;
      if (!isGone(row)) {
        try {
          await table.write(partition, [
            { type: 'merge', rowKey: sessionHeadKey, columns: { gone: true } },
          ]);
        } catch (error) {
          if (!isRefusal(error, 'missing')) throw error;
        }
      }
      const now = await table.get(partition, sessionHeadKey);
      if (now !== undefined) await remove(sessionId, now);
    },

    async expired(limit) {
      const before = clock.now() - keepMs;
      const found = new Map<string, number>();
      for await (const pointers of index.due(before)) {
        for (const [pointer, row] of await headsOf(pointers)) {
          const head = row === undefined ? undefined : toSessionHead(row);
          if (row !== undefined && isGone(row)) found.set(pointer.sessionId, 0);
          else if (head?.bucket !== pointer.bucket) dropPointer(pointer, head);
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
    },
  };

  const headsOf = async (
    pointers: readonly SessionPointer[],
  ): Promise<readonly (readonly [SessionPointer, Row | undefined])[]> => {
    const found: (readonly [SessionPointer, Row | undefined])[] = [];
    for (let at = 0; at < pointers.length; at += readAtOnce) {
      const some = pointers
        .slice(at, at + readAtOnce)
        .map(
          async (pointer) =>
            [
              pointer,
              await table.get(sessionPartition(pointer.sessionId), sessionHeadKey),
            ] as const,
        );
      found.push(...(await Promise.all(some)));
    }
    return found;
  };

  /** A pointer that its session does not speak of: left over, unless a commit is about to. */
  const dropPointer = (pointer: SessionPointer, head: SessionHead | undefined): void => {
    if (clock.now() - pointer.writtenAt <= leftOverMs) return;
    const { sessionId, owner, bucket } = pointer;
    // Rows that the session does speak of have the same keys where the bucket is the same.
    if (head?.bucket === bucket && head.owner === owner) return;
    account.later(index.remove(sessionId, owner, bucket).catch(() => undefined));
  };

  /** What a commit left behind: its old place in the index, the generation that it replaced. */
  const tidy = async (
    sessionId: string,
    before: SessionHead,
    after: SessionHead,
    moved: boolean,
  ): Promise<void> => {
    if (before.generation !== after.generation) {
      const range = { from: messagesKey(0, 0), below: messagesKey(after.generation, 0) };
      await deleteRows(table, sessionPartition(sessionId), range, '');
    }
    if (!moved) return;
    await index.remove(sessionId, before.owner, before.bucket);
    // With another owner in the same bucket two of the rows are the new ones too.
    if (before.bucket === after.bucket) await index.add(sessionId, after.owner, after.bucket);
  };

  return store;
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

function busy(sessionId: string): AgentError {
  return new AgentError(
    'store_unavailable',
    `Session '${sessionId}' was changed by others again and again meanwhile. Try again.`,
    { retryable: true },
  );
}
