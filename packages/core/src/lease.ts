import { AgentError } from './errors.ts';
import type { Lease, RunStore } from './store.ts';

/** The run is somebody else's now: stop, start nothing. */
export class LeaseLostError extends AgentError {
  constructor(runId: string, cause?: unknown) {
    super('run_conflict', `Run ${runId} is held by another process now; this one stopped.`, {
      runId,
      cause,
      retryable: true,
    });
  }
}

/**
 * Keeps the lease of a run: renews it every third of its time and gives up, by this process's own monotonic clock, when
 * a sixth is left (journal.md, Resuming elsewhere).
 */
export class LeaseKeeper {
  readonly runId: string;
  readonly #runs: RunStore;
  readonly #ttlMs: number;
  readonly #onLost: (error: LeaseLostError) => void;
  #lease: Lease;
  /** When the lease lapses by `performance.now()`, counted from before it was asked for. */
  #lapsesAt: number;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #lost: LeaseLostError | undefined;
  #stopped = false;

  constructor(options: {
    readonly runId: string;
    readonly runs: RunStore;
    readonly lease: Lease;
    readonly ttlMs: number;
    /** `performance.now()` from before the lease was asked for. */
    readonly askedAt: number;
    readonly onLost: (error: LeaseLostError) => void;
  }) {
    this.runId = options.runId;
    this.#runs = options.runs;
    this.#lease = options.lease;
    this.#ttlMs = options.ttlMs;
    this.#onLost = options.onLost;
    this.#lapsesAt = options.askedAt + options.ttlMs;
    this.#schedule();
  }

  get token(): number {
    return this.#lease.token;
  }

  /** @throws LeaseLostError once the lease is lost. */
  check(): void {
    if (this.#lost !== undefined) throw this.#lost;
    if (performance.now() > this.#lapsesAt - this.#ttlMs / 6) this.#lose(undefined);
    if (this.#lost !== undefined) throw this.#lost;
  }

  /**
   * Makes sure that at least a third of the lease is left: what a tool needs to start. A store that does not answer is
   * asked again until a sixth is left.
   *
   * @throws LeaseLostError.
   */
  async ensureThird(): Promise<void> {
    for (;;) {
      this.check();
      if (this.#lapsesAt - performance.now() >= this.#ttlMs / 3) return;
      try {
        await this.renew();
        return;
      } catch (error) {
        if (error instanceof LeaseLostError) throw error;
      }
      await new Promise<void>((resolve) => setTimeout(resolve, this.#ttlMs / 20));
    }
  }

  /** Renews now. @throws LeaseLostError when the lease is no longer ours; the store's error when it does not answer. */
  async renew(): Promise<void> {
    const askedAt = performance.now();
    const lease = await this.#runs.renew(this.runId, this.#lease, this.#ttlMs);
    if (lease === undefined) throw this.#lose(undefined);
    this.#lease = lease;
    this.#lapsesAt = askedAt + this.#ttlMs;
  }

  /** Stops renewing; the lease stays until it is released or lapses. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  async release(): Promise<void> {
    this.stop();
    if (this.#lost === undefined) await this.#runs.release(this.runId, this.#lease);
  }

  #lose(cause: unknown): LeaseLostError {
    const first = this.#lost === undefined;
    this.#lost ??= new LeaseLostError(this.runId, cause);
    this.stop();
    if (first) this.#onLost(this.#lost);
    return this.#lost;
  }

  #schedule(retryMs?: number): void {
    if (this.#stopped) return;
    this.#timer = setTimeout(() => void this.#tick(), retryMs ?? this.#ttlMs / 3);
  }

  async #tick(): Promise<void> {
    try {
      await this.renew();
      this.#schedule();
    } catch (error) {
      if (this.#lost !== undefined || this.#stopped) return;
      // The store did not answer: again soon, until a sixth is left.
      if (performance.now() > this.#lapsesAt - this.#ttlMs / 6) this.#lose(error);
      else this.#schedule(this.#ttlMs / 20);
    }
  }
}
