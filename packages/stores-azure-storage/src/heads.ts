import { AgentError } from '@agent-functions/core';
import type { Account } from './account.ts';
import { isRefusal } from './errors.ts';
import { headColumns, headKey, partitionOf, toHead, type Head } from './run-rows.ts';
import type { Columns, Write } from './table.ts';

/** What is to become of a head: an answer, and what is written with it. */
export interface Change<T> {
  readonly answer: T;
  readonly write?:
    | {
        readonly columns: Columns;
        /** What the head says after it. */
        readonly next: Partial<Head>;
        readonly more?: readonly Write[] | undefined;
      }
    | undefined;
}

/** Changes heads of runs under their etag; the holder's process remembers them, so that its writes need no read. */
export interface Heads {
  read(runId: string): Promise<Head | undefined>;
  /**
   * Asks `decide` what to do with the head, and does it in one transaction. What it throws, or answers without a write,
   * holds only for a head that was just read: with one that was remembered it is asked again. So is it when somebody else
   * was faster.
   *
   * @throws Refusal `missing` when a row that `more` changes is not there.
   */
  change<T>(runId: string, decide: (head: Head | undefined) => Change<T>): Promise<T>;
  remember(runId: string, head: Head): void;
  forget(runId: string): void;
}

/** A process that holds more runs than this reads before it writes. */
const most = 10_000;
/** As often others may be faster at one write. */
const triesAtMost = 50;

export function heads({ runs }: Account): Heads {
  const remembered = new Map<string, Head>();
  /** The last change of each run in this process: two of one run would only get in each other's way. */
  const queues = new Map<string, Promise<unknown>>();

  const read = async (runId: string): Promise<Head | undefined> =>
    toHead(await runs.get(partitionOf(runId), headKey, headColumns));
  const remember = (runId: string, head: Head): void => {
    remembered.delete(runId);
    remembered.set(runId, head);
    const [oldest] = remembered.keys();
    if (remembered.size > most && oldest !== undefined) remembered.delete(oldest);
  };

  const change = async <T>(
    runId: string,
    decide: (head: Head | undefined) => Change<T>,
  ): Promise<T> => {
    for (let tries = 0; tries < triesAtMost; tries++) {
      const known = remembered.get(runId);
      const head = known ?? (await read(runId));
      let wanted: Change<T>;
      try {
        wanted = decide(head);
      } catch (error) {
        if (known === undefined) throw error;
        remembered.delete(runId);
        continue;
      }
      const { answer, write } = wanted;
      if (write === undefined || head === undefined) {
        if (known === undefined) return answer;
        remembered.delete(runId);
        continue;
      }
      const { columns, next, more = [] } = write;
      remembered.delete(runId);
      try {
        const [etag = ''] = await runs.write(partitionOf(runId), [
          { type: 'merge', rowKey: headKey, columns, etag: head.etag },
          ...more,
        ]);
        remember(runId, { ...head, ...next, etag });
        return answer;
      } catch (error) {
        // Without more rows it is the head that is missing.
        if (!isRefusal(error, 'stale', ...(more.length === 0 ? (['missing'] as const) : [])))
          throw error;
      }
    }
    throw new AgentError(
      'store_unavailable',
      `Run '${runId}' was changed by others ${triesAtMost} times meanwhile. Try again.`,
      { runId, retryable: true },
    );
  };

  return {
    read,
    async change(runId, decide) {
      const before = queues.get(runId) ?? Promise.resolve();
      const mine = before.then(
        () => change(runId, decide),
        () => change(runId, decide),
      );
      queues.set(runId, mine);
      try {
        return await mine;
      } finally {
        if (queues.get(runId) === mine) queues.delete(runId);
      }
    },
    remember,
    forget(runId) {
      remembered.delete(runId);
    },
  };
}
