import type { StreamResponse } from '@a2a-js/sdk';
import {
  isDurable,
  type JsonObject,
  type ProtocolHost,
  type ProtocolRunner,
} from '@agent-functions/core';
import { configCollection, fromValue } from './push-configs.ts';
import { checkReceiver, post, type PostOptions } from './push-post.ts';
import { Refused } from './refused.ts';
import { loadSdk } from './sdk.ts';
import { taskState } from './task-state.ts';
import { begun, isOver, next, type TaskView } from './task-view.ts';

/** What is still to be told: one record for each configuration until its task has ended and everything arrived. */
const dueCollection = 'a2a-push-due';
/** How long one process has the right to deliver without a sign of life. */
const claimMs = 60_000;
const sweepMs = 30_000;
const longestWaitMs = 300_000;

/** How far a receiver was told, and who tells it. */
interface Due {
  /** The last event of the journal that it knows all about. */
  readonly seq: number;
  readonly failures: number;
  /** Not before this time, after a failure. */
  readonly notBefore: number;
  readonly claimedBy: string;
  readonly claimedUntil: number;
}

/** The right to tell a receiver: as long as the record is at this version. */
interface Claim {
  readonly due: Due;
  readonly version: string;
}

const unclaimed = { claimedBy: '', claimedUntil: 0 };

export interface PushDeliveryOptions extends PostOptions {
  readonly maxFailures: number;
  readonly retryMs: number;
}

/**
 * Tells receivers what becomes of tasks, by their journals: at least once, in order for each, one process at a time for
 * each. What a process that goes away leaves, another one of the store finds.
 */
export class PushDelivery {
  readonly #host: ProtocolHost;
  readonly #options: PushDeliveryOptions;
  readonly #id = crypto.randomUUID();
  readonly #working = new Map<string, Promise<void>>();
  #closing: AbortSignal | undefined;

  constructor(host: ProtocolHost, options: PushDeliveryOptions) {
    this.#host = host;
    this.#options = options;
    host.whenServing((closing) => this.#serve(closing));
  }

  /** @throws Refused for a URL that must not be called. */
  async check(url: string): Promise<void> {
    const checked = await checkReceiver(url, this.#options);
    if (checked.ok) return;
    throw new Refused(
      'RequestMalformed',
      `The URL of push notifications is refused: ${checked.reason}`,
    );
  }

  /** From what `view` knows on, the receiver of this configuration is told. */
  async watch(key: string, view: TaskView): Promise<void> {
    if (isOver(view)) return;
    const { records } = this.#host.store;
    const before = await records.get(dueCollection, key);
    if (before === undefined) {
      const due: Due = { ...unclaimed, seq: view.seq, failures: 0, notBefore: 0 };
      await records.put(dueCollection, key, toValue(due), { expectedVersion: '0' });
    }
    this.#begin(key);
  }

  /** Something comes of a task: who wants to know is told. */
  kick(taskId: string): void {
    const work = async (): Promise<void> => {
      const { records } = await this.#host.store.records.list(dueCollection, {
        prefix: `${taskId}.`,
        limit: 100,
      });
      for (const { id } of records) this.#begin(id);
    };
    work().catch((error: unknown) => this.#log('Looking for push notifications failed', error));
  }

  async forget(key: string): Promise<void> {
    await this.#host.store.records.delete(dueCollection, key);
  }

  /** Resolves when nothing is delivered here any more. */
  async idle(): Promise<void> {
    while (this.#working.size > 0) await Promise.all(this.#working.values());
  }

  #serve(closing: AbortSignal): void {
    this.#closing = closing;
    const sweep = (): void => {
      this.#sweep().catch((error: unknown) =>
        this.#log('Looking for push notifications failed', error),
      );
    };
    const timer = setInterval(sweep, sweepMs);
    // It alone keeps no process alive.
    timer.unref();
    closing.addEventListener('abort', () => clearInterval(timer), { once: true });
    sweep();
  }

  async #sweep(): Promise<void> {
    const { records, runs } = this.#host.store;
    let cursor: string | undefined;
    do {
      const page = await records.list(dueCollection, { limit: 100, cursor });
      for (const { id, value } of page.records) {
        if (this.#closing?.aborted === true) return;
        const due = fromDue(value);
        const peek = await runs.peek(taskOfKey(id));
        if (peek === undefined) {
          await records.delete(configCollection, id);
          await records.delete(dueCollection, id);
        } else if (peek.seq > due.seq && due.notBefore <= Date.now()) this.#begin(id);
      }
      cursor = page.cursor;
    } while (cursor !== undefined);
  }

  #begin(key: string): void {
    if (this.#working.has(key) || this.#closing?.aborted === true) return;
    const work = this.#deliver(key)
      .catch((error: unknown) => this.#log('Push notifications broke off', error))
      .finally(() => this.#working.delete(key));
    this.#working.set(key, work);
  }

  /** Tells one receiver everything that is new, until its task ends or waits. */
  async #deliver(key: string): Promise<void> {
    const claim = await this.#claim(key);
    if (claim === undefined) return;
    const stop = new AbortController();
    const end = () => stop.abort();
    this.#closing?.addEventListener('abort', end, { once: true });
    try {
      await this.#tell(key, claim, stop.signal);
    } finally {
      stop.abort();
      this.#closing?.removeEventListener('abort', end);
    }
  }

  async #tell(key: string, claim: Claim, signal: AbortSignal): Promise<void> {
    const taskId = taskOfKey(key);
    const runner = await this.#runnerOf(taskId);
    let view: TaskView | undefined;
    let at = claim;
    for await (const event of this.#host.store.runs.read(taskId)) {
      if (event.seq > at.due.seq) break;
      if (view !== undefined) view = next(view, event).view;
      else if (event.type === 'run-start') view = begun(event);
    }
    if (view === undefined || runner === undefined) return;
    const peek = await this.#host.store.runs.peek(taskId);
    const waits = view.status.state === taskState.inputRequired && peek?.seq === view.seq;
    if (!waits && !isOver(view)) {
      const cursor = String(view.seq);
      for await (const event of runner.events(taskId, { cursor, follow: true, signal })) {
        if (!isDurable(event)) continue;
        const seen = next(view, event);
        view = seen.view;
        for (const update of seen.updates) {
          const told = await this.#send(key, at, update, signal);
          if (told === undefined) return;
          at = told;
        }
        if (seen.updates.length === 0) continue;
        const saved = await this.#save(key, at, { ...at.due, seq: event.seq, failures: 0 });
        if (saved === undefined) return;
        at = saved;
      }
    }
    if (isOver(view)) await this.#host.store.records.delete(dueCollection, key);
    else await this.#release(key, at, { ...at.due, seq: view.seq });
  }

  /** Posts until it arrived. `undefined`: it will not, or somebody else goes on. */
  async #send(
    key: string,
    claim: Claim,
    update: StreamResponse,
    signal: AbortSignal,
  ): Promise<Claim | undefined> {
    const { core } = await loadSdk();
    const body = JSON.stringify(core.StreamResponse.toJSON(update));
    let at = claim;
    for (;;) {
      const record = await this.#host.store.records.get(configCollection, key);
      if (record === undefined || signal.aborted) {
        if (record === undefined) await this.forget(key);
        return undefined;
      }
      const posted = await post(fromValue(record.value), body, this.#options);
      if (posted.ok) return at;
      const failures = at.due.failures + 1;
      const waitMs = Math.min(this.#options.retryMs * 2 ** (failures - 1), longestWaitMs);
      const isLast = failures >= this.#options.maxFailures;
      this.#host.logger.log(
        'warn',
        isLast ? 'A receiver of push notifications is given up' : 'A push notification failed',
        { taskId: taskOfKey(key), failures, reason: posted.reason },
      );
      if (isLast) {
        await this.forget(key);
        return undefined;
      }
      const due: Due = { ...at.due, failures, notBefore: Date.now() + waitMs };
      const saved = await this.#save(key, at, due);
      if (saved === undefined) return undefined;
      at = saved;
      await sleep(waitMs, signal);
      if (signal.aborted) {
        await this.#release(key, at, at.due);
        return undefined;
      }
    }
  }

  /** `undefined`: another process has it, or there is nothing to do. */
  async #claim(key: string): Promise<Claim | undefined> {
    const record = await this.#host.store.records.get(dueCollection, key);
    if (record === undefined) return undefined;
    const due = fromDue(record.value);
    const isFree = due.claimedBy === '' || due.claimedBy === this.#id;
    if (!isFree && due.claimedUntil > Date.now()) return undefined;
    return this.#save(key, { due, version: record.version }, due);
  }

  /** Writes how far it got, and that it is ours. `undefined`: it is not any more. */
  #save(key: string, claim: Claim, due: Due): Promise<Claim | undefined> {
    return this.#put(key, claim, {
      ...due,
      claimedBy: this.#id,
      claimedUntil: Date.now() + claimMs,
    });
  }

  #release(key: string, claim: Claim, due: Due): Promise<Claim | undefined> {
    return this.#put(key, claim, { ...due, ...unclaimed });
  }

  async #put(key: string, { version }: Claim, due: Due): Promise<Claim | undefined> {
    const made = await this.#host.store.records.put(dueCollection, key, toValue(due), {
      expectedVersion: version,
    });
    return made === undefined ? undefined : { due, version: made };
  }

  async #runnerOf(taskId: string): Promise<ProtocolRunner | undefined> {
    const header = await this.#host.store.runs.header(taskId);
    if (header === undefined) return undefined;
    const runners = Object.values(this.#host.runners);
    return runners.find(({ agent }) => agent.name === header.agent) ?? runners[0];
  }

  #log(what: string, error: unknown): void {
    if (this.#closing?.aborted === true) return;
    const reason = error instanceof Error ? error.message : String(error);
    this.#host.logger.log('error', what, { error: reason });
  }
}

/** Keys are the task's id, a dot, and a hash. */
function taskOfKey(key: string): string {
  return key.slice(0, key.lastIndexOf('.'));
}

function toValue(due: Due): JsonObject {
  return { ...due };
}

function fromDue(value: JsonObject): Due {
  const count = (name: string): number => Number(value[name] ?? 0);
  const claimedBy = value['claimedBy'];
  return {
    seq: count('seq'),
    failures: count('failures'),
    notBefore: count('notBefore'),
    claimedBy: typeof claimedBy === 'string' ? claimedBy : '',
    claimedUntil: count('claimedUntil'),
  };
}

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    timer.unref();
    signal.addEventListener('abort', done, { once: true });
  });
}
