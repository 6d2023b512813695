import {
  AgentError,
  isProgress,
  NotFoundError,
  RunConflictError,
  type Lease,
  type RunEvent,
  type RunHeader,
  type RunStore,
} from '@agent-functions/core';
import type { Account } from './account.ts';
import type { Clock } from './clock.ts';
import type { SharedChannel } from './delta-channel.ts';
import { isRefusal } from './errors.ts';
import type { Change, Heads } from './heads.ts';
import type { Inbox } from './inbox.ts';
import { sweepOrphans } from './orphans.ts';
import { checkEnd, checkNumbers, repeated } from './run-checks.ts';
import { unmadeMs, type RunIndex } from './run-index.ts';
import { listRuns } from './run-list.ts';
import type { RunRemoval } from './run-removal.ts';
import {
  anchorKey,
  eventsBelow,
  eventsKey,
  folderOf,
  headKey,
  isGone,
  leaseColumns,
  leaseOf,
  partitionOf,
  toHeader,
  type Head,
} from './run-rows.ts';
import { textIn, type Row } from './table.ts';
import type { Values } from './values.ts';

type Acquired = NonNullable<Awaited<ReturnType<RunStore['acquire']>>>;

/** Appends of one page of a journal. */
const pageAppends = 200;

export function runStore(
  account: Account,
  parts: {
    readonly clock: Clock;
    readonly values: Values;
    readonly heads: Heads;
    readonly inbox: Inbox;
    readonly index: RunIndex;
    readonly removal: RunRemoval;
    readonly channel: SharedChannel;
  },
): RunStore {
  const { clock, values, heads, inbox, index, removal, channel } = parts;
  const { runs } = account;
  const headerIn = async (row: Row): Promise<RunHeader> => toHeader(await values.unpack(row));
  const held = (head: Head): boolean => head.holder !== '' && head.expiresAt > clock.now();

  return {
    channel,

    async create(header, first, { holder, ttlMs }) {
      const { runId } = header;
      const partition = partitionOf(runId);
      const place = index.placeOf(header, clock.now());
      const packed = await values.pack(JSON.stringify(header), folderOf(runId));
      const events = await values.pack(JSON.stringify([first]), folderOf(runId));
      const startedAt = performance.now();
      await index.add(header, place);
      for (;;) {
        const lease = { holder, token: 1, expiresAt: clock.now() + ttlMs };
        const head = { seq: 1, attempts: 0, place: place.place };
        try {
          const [etag = ''] = await runs.write(partition, [
            {
              type: 'insert',
              rowKey: headKey,
              columns: {
                ...head,
                ...leaseColumns(lease),
                born: BigInt(place.born),
                ...packed.columns,
              },
            },
            { type: 'insert', rowKey: anchorKey, columns: {} },
            { type: 'insert', rowKey: eventsKey(1), columns: events.columns },
          ]);
          heads.remember(runId, { ...head, ...lease, ended: false, etag });
          // So slow that its entry may have been taken for one that no run followed.
          if (performance.now() - startedAt > unmadeMs / 2) await index.add(header, place);
          return { created: true, lease };
        } catch (error) {
          if (!isRefusal(error, 'exists')) throw error;
        }
        const row = await runs.get(partition, headKey);
        if (row === undefined) continue;
        if (isGone(row)) {
          await removal.remove(runId);
          continue;
        }
        values.dropLater(packed);
        values.dropLater(events);
        if (textIn(row, 'place') !== place.place) {
          account.later(index.remove(header, { ...place, born: undefined }));
        }
        return repeated(row, await headerIn(row), header, holder);
      }
    },

    async header(runId) {
      const row = await runs.get(partitionOf(runId), headKey);
      return row === undefined || isGone(row) ? undefined : headerIn(row);
    },

    async append(runId, events, { expectedSeq, token, drained = [] }) {
      checkNumbers(runId, events, expectedSeq);
      const seq = expectedSeq + events.length;
      const packed =
        events.length === 0
          ? undefined
          : await values.pack(JSON.stringify(events), folderOf(runId));
      const ends = events.some(({ type }) => type === 'run-end');
      const progress = events.some(isProgress);
      let place = '';
      for (let pending: ReadonlySet<string> | undefined; ;) {
        const { writes, left } = await inbox.drain(drained, seq, pending);
        try {
          await heads.change(runId, (found): Change<undefined> => {
            const head = checkEnd(found, runId, expectedSeq, token);
            place = head.place;
            const attempts = progress ? 0 : head.attempts;
            return {
              answer: undefined,
              write: {
                columns: {
                  seq,
                  ...(attempts === head.attempts ? {} : { attempts }),
                  ...(ends ? { ended: true, endedAt: BigInt(Math.trunc(clock.now())) } : {}),
                },
                next: { seq, attempts, ended: ends },
                more: [
                  ...(packed === undefined
                    ? []
                    : [
                        {
                          type: 'insert',
                          rowKey: eventsKey(seq),
                          columns: packed.columns,
                        } as const,
                      ]),
                  ...writes,
                ],
              },
            };
          });
        } catch (error) {
          if (isRefusal(error, 'missing')) {
            // A signal that is not there any more, or never was; or the run is gone, which the next try sees.
            heads.forget(runId);
            pending = await inbox.pending(runId);
            continue;
          }
          // What was refused was not written.
          if (error instanceof RunConflictError || error instanceof NotFoundError) {
            values.dropLater(packed);
          }
          throw error;
        }
        if (left.length > 0) {
          account.later(inbox.finish(runId, left, seq));
        }
        break;
      }
      if (packed?.blob !== undefined) {
        const at = { partition: partitionOf(runId), folder: folderOf(runId) };
        account.later(sweepOrphans(runs, parts, at));
      }
      if (!ends) return;
      channel.clear(runId);
      account.later(index.close(runId, place));
    },

    async *read(runId, { after = 0 } = {}) {
      for await (const rows of runs.range(partitionOf(runId), {
        after: eventsKey(after),
        below: eventsBelow,
        top: pageAppends,
      })) {
        for (const row of rows) {
          const events: readonly RunEvent[] = JSON.parse(await values.unpack(row));
          for (const event of events) if (event.seq > after) yield event;
        }
      }
    },

    async peek(runId) {
      const head = await heads.read(runId);
      if (head === undefined) return undefined;
      const { seq, ended } = head;
      return { seq, ended, lease: held(head) ? leaseOf(head) : undefined };
    },

    async acquire(runId, { holder, ttlMs }) {
      let asked: Lease | undefined;
      const take = () =>
        heads.change(runId, (head): Change<Acquired | undefined> => {
          if (head === undefined || head.ended) return { answer: undefined };
          const present = leaseOf(head);
          // It was given, and the answer was lost.
          if (asked !== undefined && present?.token === asked.token && present.holder === holder) {
            return { answer: { lease: present, attempt: head.attempts } };
          }
          if (held(head)) return { answer: undefined };
          const lease = { holder, token: head.token + 1, expiresAt: clock.now() + ttlMs };
          const attempt = head.attempts + (present === undefined ? 0 : 1);
          asked = lease;
          return {
            answer: { lease, attempt },
            write: {
              columns: { ...leaseColumns(lease), attempts: attempt },
              next: { ...lease, attempts: attempt },
            },
          };
        });
      try {
        return await take();
      } catch (error) {
        if (asked === undefined || !(AgentError.isInstance(error) && error.retryable)) throw error;
        return take();
      }
    },

    async renew(runId, { token }, ttlMs) {
      return heads.change(runId, (head) => {
        if (head?.token !== token || head.holder === '') return { answer: undefined };
        const lease = { holder: head.holder, token, expiresAt: clock.now() + ttlMs };
        return { answer: lease, write: { columns: leaseColumns(lease), next: lease } };
      });
    },

    async release(runId, { token }) {
      await heads.change(runId, (head) =>
        head?.token !== token || head.holder === ''
          ? { answer: undefined }
          : { answer: undefined, write: { columns: { holder: '' }, next: { holder: '' } } },
      );
      heads.forget(runId);
      channel.clear(runId);
    },

    post: (runId, signal, { expiries = {} } = {}) => inbox.post(runId, signal, expiries),
    inbox: async (runId) => (await inbox.look(runId)).signals,

    list: (options) => listRuns(account, parts, options),

    async delete(runId) {
      channel.clear(runId);
      heads.forget(runId);
      await removal.remove(runId);
    },
  };
}
