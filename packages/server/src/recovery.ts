import type { RunHeader } from '@agent-functions/core';
import { reasonOf } from './reason.ts';
import { resumeQuietly, type Scope } from './scope.ts';

/** How many abandoned runs one process takes up at a time. */
const atOnce = 16;
const pageSize = 100;

/**
 * Looks, now and every `leaseMs`, for runs of a durable store whose holder is gone, and goes on with them. Every process
 * of the store may do so: a lease has one holder. A store that wakes runs by itself is not searched.
 */
export class Recovery {
  readonly #scope: Scope;
  readonly #taken = new Set<string>();
  /** Runs that wait for an answer: not looked into again until something comes, or an interruption expires. */
  readonly #waiting = new Map<string, { readonly seq: number; readonly until: number }>();
  #timer: ReturnType<typeof setInterval> | undefined;
  #sweep: Promise<void> | undefined;
  #stopped = false;

  constructor(scope: Scope) {
    this.#scope = scope;
  }

  start(): void {
    const { store } = this.#scope;
    if (this.#timer !== undefined || this.#stopped || !store.durable || store.wake !== undefined) {
      return;
    }
    this.#timer = setInterval(() => this.#look(), this.#scope.leaseMs);
    // It alone keeps no process alive.
    this.#timer.unref();
    this.#look();
  }

  /** Runs that are under way go on. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#timer);
    await this.#sweep;
  }

  /** Resolves when nothing that was taken up here runs any more. */
  async left(): Promise<void> {
    await Promise.all(this.#working);
  }

  #look(): void {
    if (this.#sweep !== undefined) return;
    this.#sweep = this.#sweepOnce()
      .catch((error: unknown) =>
        this.#scope.logger.log('error', 'Looking for abandoned runs failed', reasonOf(error)),
      )
      .then(() => {
        this.#sweep = undefined;
      });
  }

  async #sweepOnce(): Promise<void> {
    const { runs } = this.#scope.store;
    const seen = new Set<string>();
    let cursor: string | undefined;
    do {
      const page = await runs.list({
        unfinished: true,
        limit: pageSize,
        ...(cursor === undefined ? {} : { cursor }),
      });
      for (const header of page.runs) {
        seen.add(header.runId);
        if (this.#stopped) return;
        if (this.#taken.size >= atOnce) await Promise.race(this.#working);
        if (await this.#isAbandoned(header)) this.#take(header);
      }
      cursor = page.cursor;
    } while (cursor !== undefined);
    for (const runId of this.#waiting.keys()) if (!seen.has(runId)) this.#waiting.delete(runId);
    await this.#scope.cleaning.whenDue();
  }

  async #isAbandoned({ runId }: RunHeader): Promise<boolean> {
    if (this.#taken.has(runId)) return false;
    const { runs } = this.#scope.store;
    const peek = await runs.peek(runId);
    if (peek === undefined || peek.ended || peek.lease !== undefined) return false;
    const waiting = this.#waiting.get(runId);
    if (waiting?.seq !== peek.seq || waiting.until < (await this.#scope.store.now())) return true;
    return (await runs.inbox(runId)).length > 0;
  }

  readonly #working = new Set<Promise<void>>();

  #take(header: RunHeader): void {
    const { runId } = header;
    this.#taken.add(runId);
    const work = this.#resume(header).finally(() => {
      this.#taken.delete(runId);
      this.#working.delete(work);
    });
    this.#working.add(work);
  }

  async #resume(header: RunHeader): Promise<void> {
    const result = await resumeQuietly(this.#scope, header);
    const peek = await this.#scope.store.runs.peek(header.runId).catch(() => undefined);
    if (peek === undefined || peek.ended || result?.status !== 'interrupted') {
      this.#waiting.delete(header.runId);
      return;
    }
    const expiries = result.interruptions.map((each) => each.expiresAt ?? Infinity);
    this.#waiting.set(header.runId, { seq: peek.seq, until: Math.min(...expiries) });
  }
}
