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
import type { SessionIndex } from './session-index.ts';
import { listSessions } from './session-list.ts';
import {
  changed,
  fromSessionHead,
  isSessionGone,
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
import { sweepOrphans } from './orphans.ts';
import { textIn, type Row, type Write } from './table.ts';
import type { Packed, Values } from './values.ts';

/** A head with the etag under which it may be changed. */
interface Known {
  readonly head: SessionHead;
  readonly etag: string;
}

/** Sessions that this process changes without reading them again. */
const remembered = 10_000;
export function sessionStore(
  account: Account,
  parts: {
    readonly clock: Clock;
    readonly values: Values;
    readonly index: SessionIndex;
  },
): SessionStore {
  const { clock, values, index } = parts;
  const { sessions: table } = account;
  const known = new Map<string, Known>();

  const remember = (sessionId: string, value: Known): void => {
    known.delete(sessionId);
    known.set(sessionId, value);
    const [oldest] = known.keys();
    if (known.size > remembered && oldest !== undefined) known.delete(oldest);
  };
  const readHead = async (sessionId: string): Promise<Known | undefined> => {
    for (;;) {
      const row = await table.get(sessionPartition(sessionId), sessionHeadKey);
      if (row === undefined) return undefined;
      if (!isSessionGone(row)) return { head: toSessionHead(row), etag: row.etag };
      // A deletion that was interrupted: what comes now would be mixed up with it.
      await remove(sessionId, row);
    }
  };

  const remove = async (sessionId: string, row: Row): Promise<void> => {
    const partition = sessionPartition(sessionId);
    const head = toSessionHead(row);
    await deleteRows(table, partition, { from: '', below: '~' }, { except: sessionHeadKey });
    await values.empty(sessionFolder(sessionId));
    await deleteAll(table, partition, [sessionHeadKey]);
    // Last, so that what is left when this process dies is found by it.
    await index.remove(sessionId, head);
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
    if (row === undefined || isSessionGone(row)) return { rows: [], known: undefined };
    const head = toSessionHead(row);
    const state = rows.find(({ rowKey }) => rowKey === stateKey);
    if (head.stateVersion !== (textIn(state, 'version') ?? '')) return undefined;
    const from = messagesKey(head, 0);
    const below = messagesKey(head, head.rows);
    const messages = rows.filter(({ rowKey }) => rowKey >= from && rowKey < below);
    if (messages.length !== head.rows) return undefined;
    return {
      rows: state === undefined ? messages : [...messages, state],
      known: { head, etag: row.etag },
    };
  };

  /** What a commit left behind: its old place in the index, the generation that it replaced. */
  const tidy = async (
    sessionId: string,
    before: SessionHead,
    after: SessionHead,
    moved: boolean,
  ): Promise<void> => {
    if (before.generation !== after.generation) {
      const range = {
        from: messagesKey({ ...after, generation: 0 }, 0),
        below: messagesKey(after, 0),
      };
      const onBlob = (blob: string): void => values.dropLater({ blob });
      await deleteRows(table, sessionPartition(sessionId), range, { onBlob });
    }
    if (before.stateBlob !== after.stateBlob) values.dropLater({ blob: before.stateBlob });
    if (moved) await index.remove(sessionId, before, after);
  };

  const tries = 20;
  return {
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
          stateBlob: stateTexts === undefined ? before?.stateBlob : stateTexts.blob,
          bucket: index.bucketOf(now),
          updatedAt: now,
          ...changed(before, change, now),
        };
        const moves = before?.bucket !== head.bucket || before.owner !== head.owner;
        if (moves) await index.add(sessionId, head);
        const columns = fromSessionHead(head);
        const writes: Write[] = [
          present === undefined
            ? { type: 'insert', rowKey: sessionHeadKey, columns }
            : { type: 'replace', rowKey: sessionHeadKey, columns, etag: present.etag },
        ];
        if (texts !== undefined) {
          const rowKey = messagesKey(head, rows);
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
          account.later(tidy(sessionId, before, head, moves));
        }
        if (packed.some((each) => each?.blob !== undefined)) {
          const folder = sessionFolder(sessionId);
          account.later(sweepOrphans(table, parts, { partition, folder }));
        }
        return { version };
      }
      throw busy(sessionId);
    },

    list: (options) => listSessions(account, parts, options),

    async delete(sessionId) {
      const partition = sessionPartition(sessionId);
      known.delete(sessionId);
      const row = await table.get(partition, sessionHeadKey);
      if (row === undefined) return;
      if (!isSessionGone(row)) {
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
  };
}

function busy(sessionId: string): AgentError {
  return new AgentError(
    'store_unavailable',
    `Session '${sessionId}' was changed by others again and again meanwhile. Try again.`,
    { retryable: true },
  );
}
