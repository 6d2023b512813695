import type { StreamResponse, Task } from '@a2a-js/sdk';
import { isDurable, type ProtocolHost, type ProtocolRunner } from '@agent-functions/core';
import { dueCollection, fromDue, PushClaim, toDue, unclaimed, type Due } from './push-claim.ts';
import { configCollection, toConfig } from './push-config.ts';
import { checkReceiver, post, type Notification, type PostOptions } from './push-post.ts';
import { Refused } from './refused.ts';
import type { Push } from './scope.ts';
import { loadLegacy, loadSdk } from './sdk.ts';
import { taskState } from './task-state.ts';
import { begun, isOver, next } from './task-view.ts';
import { taskOf, type TaskView } from './task-wire.ts';

const longestWaitMs = 300_000;

export interface PushDeliveryOptions extends PostOptions {
  readonly maxFailures: number;
  readonly retryMs: number;
  readonly takeOverMs: number;
}

/** What a receiver is told: an update, and the task as it is then. */
interface Told {
  readonly update: StreamResponse;
  readonly task: Task;
}

/**
 * Tells receivers what becomes of tasks, by their journals: at least once, in order for each, one process at a time for
 * each. What a process that goes away leaves, another one of the store finds.
 */
export class PushDelivery implements Push {
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
      await records.put(dueCollection, key, fromDue(due), { expectedVersion: '0' });
    }
    this.#begin(key);
  }

  /** Something will come of a task, even if it waits as yet: who wants to know is told. */
  kick(taskId: string): void {
    const work = async (): Promise<void> => {
      const { records } = await this.#host.store.records.list(dueCollection, {
        prefix: `${taskId}.`,
        limit: 100,
      });
      for (const { id } of records) this.#begin(id, true);
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
    const timer = setInterval(sweep, this.#options.takeOverMs / 2);
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
        const due = toDue(value);
        const peek = await runs.peek(taskOfKey(id));
        if (peek === undefined) {
          await records.delete(configCollection, id);
          await records.delete(dueCollection, id);
        } else if (peek.seq > due.seq && due.notBefore <= Date.now()) this.#begin(id);
      }
      cursor = page.cursor;
    } while (cursor !== undefined);
  }

  #begin(key: string, comes = false): void {
    if (this.#working.has(key) || this.#closing?.aborted === true) return;
    const work = this.#deliver(key, comes)
      .catch((error: unknown) => this.#log('Push notifications broke off', error))
      .finally(() => this.#working.delete(key));
    this.#working.set(key, work);
  }

  /** Tells one receiver everything that is new, until its task ends or waits. */
  async #deliver(key: string, comes: boolean): Promise<void> {
    const { records } = this.#host.store;
    const claim = await PushClaim.take(records, key, this.#id, this.#options.takeOverMs / 2);
    if (claim === undefined) return;
    const stop = new AbortController();
    const end = () => stop.abort();
    this.#closing?.addEventListener('abort', end, { once: true });
    try {
      const view = await this.#tell(key, claim, comes, stop.signal);
      if (view === undefined) return;
      if (isOver(view)) await claim.finish();
      else await claim.release({ seq: view.seq });
    } finally {
      claim.drop();
      stop.abort();
      this.#closing?.removeEventListener('abort', end);
    }
  }

  /** The task as far as its receiver knows it; `undefined`: it is told no more from here. */
  async #tell(
    key: string,
    claim: PushClaim,
    comes: boolean,
    signal: AbortSignal,
  ): Promise<TaskView | undefined> {
    const taskId = taskOfKey(key);
    const { runs } = this.#host.store;
    const runner = await this.#runnerOf(taskId);
    let view: TaskView | undefined;
    for await (const event of runs.read(taskId)) {
      if (event.seq > claim.due.seq) break;
      if (view !== undefined) view = next(view, event).view;
      else if (event.type === 'run-start') view = begun(event);
    }
    if (view === undefined || runner === undefined) return undefined;
    const peek = await runs.peek(taskId);
    const waits = !comes && view.status.state === taskState.inputRequired && peek?.seq === view.seq;
    if (waits || isOver(view)) return view;
    const cursor = String(view.seq);
    for await (const event of runner.events(taskId, { cursor, follow: true, signal })) {
      if (!isDurable(event)) continue;
      const seen = next(view, event);
      for (const update of seen.updates) {
        if (!(await this.#send(key, claim, { update, task: taskOf(seen.view) }, signal)))
          return undefined;
      }
      view = seen.view;
      if (seen.updates.length > 0 && !(await claim.write({ seq: event.seq, failures: 0 }))) {
        return undefined;
      }
    }
    return view;
  }

  /** Posts until it arrived. `false`: it will not, or somebody else goes on. */
  async #send(key: string, claim: PushClaim, told: Told, signal: AbortSignal): Promise<boolean> {
    const { maxFailures, retryMs } = this.#options;
    for (;;) {
      const record = await this.#host.store.records.get(configCollection, key);
      if (record === undefined) {
        await claim.finish();
        return false;
      }
      if (signal.aborted) {
        await claim.release();
        return false;
      }
      const note = await notification(told, record.value['version'] === '0.3');
      const posted = await post(toConfig(record.value), note, this.#options);
      if (posted.ok) return true;
      const failures = claim.due.failures + 1;
      const isLast = failures >= maxFailures;
      this.#host.logger.log(
        'warn',
        isLast ? 'A receiver of push notifications is given up' : 'A push notification failed',
        { taskId: taskOfKey(key), failures, reason: posted.reason },
      );
      if (isLast) {
        await claim.finish();
        return false;
      }
      const waitMs = Math.min(retryMs * 2 ** (failures - 1), longestWaitMs);
      if (!(await claim.write({ failures, notBefore: Date.now() + waitMs }))) return false;
      await sleep(waitMs, signal);
    }
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

/** In the words of the version that the receiver was registered by: 0.3 sends the task. */
async function notification({ update, task }: Told, isLegacy: boolean): Promise<Notification> {
  if (isLegacy) {
    const { V03PushNotificationSerializer } = await loadLegacy();
    return { ...new V03PushNotificationSerializer().serialize(update, task), version: '0.3' };
  }
  const { core } = await loadSdk();
  const body = JSON.stringify(core.StreamResponse.toJSON(update));
  return { body, contentType: 'application/a2a+json', version: '1.0' };
}

/** Keys are the task's id, a dot, and a hash. */
function taskOfKey(key: string): string {
  return key.slice(0, key.lastIndexOf('.'));
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
