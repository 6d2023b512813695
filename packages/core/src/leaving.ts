import { AgentError } from './errors.ts';

/**
 * When a process must let go of its runs: a host that stops it, a time limit. As `signal` aborts, a run begins no further
 * step and what it is doing may settle for `settleMs`, which is read then; what has not by then is aborted. The run is
 * released and woken, for another process to go on with. Only runs of a durable store are handed over.
 */
export interface HandOver {
  readonly signal: AbortSignal;
  readonly settleMs: number;
}

/** This process let go of the run, which goes on in another one. */
export class HandedOverError extends AgentError {
  constructor(runId: string) {
    super(
      'handed_over',
      `This process stops and let go of run ${runId}, which goes on in another one. Follow it by its id.`,
      { runId, retryable: true },
    );
  }
}

/** One run that may have to be let go of: `onLate` is called when its time to settle is over. */
export class Leaving {
  readonly #onLate: () => void;
  readonly #undo: (() => void)[] = [];
  #begun = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(handOvers: readonly HandOver[], onLate: () => void) {
    this.#onLate = onLate;
    for (const handOver of handOvers) {
      const { signal } = handOver;
      const begin = () => this.#begin(handOver.settleMs);
      if (signal.aborted) begin();
      else {
        signal.addEventListener('abort', begin, { once: true });
        this.#undo.push(() => signal.removeEventListener('abort', begin));
      }
    }
  }

  get begun(): boolean {
    return this.#begun;
  }

  close(): void {
    clearTimeout(this.#timer);
    for (const undo of this.#undo) undo();
  }

  #begin(settleMs: number): void {
    this.#begun = true;
    // A second one can only shorten the time: a worker that reaches its limit may be terminated meanwhile.
    const timer = setTimeout(this.#onLate, settleMs);
    const before = this.#timer;
    this.#timer = timer;
    if (before !== undefined) this.#undo.push(() => clearTimeout(before));
  }
}

/** Whether one of them has begun. */
export function isLeaving(...handOvers: readonly (HandOver | undefined)[]): boolean {
  return handOvers.some((each) => each?.signal.aborted === true);
}
