import { AgentError } from './errors.ts';
import { journalVersion, type EventBase, type RunEvent, type RunEventBody } from './events.ts';
import type { LeaseKeeper } from './lease.ts';
import { LeaseLostError } from './lease.ts';
import { apply, initialState } from './fold.ts';
import { type RunState } from './state.ts';
import type { RunStore, SessionBase } from './store.ts';

/** Where the events of a run are stored: not at all for a run without a store. */
export interface JournalStorage {
  readonly runs: RunStore;
  readonly lease: LeaseKeeper;
}

/**
 * The journal of one run in the hands of its holder. Events are *staged*: they change the state at once; `flush()`
 * writes what is staged in one append. Whoever starts an effect flushes first, so everything that has become due by
 * then is one append, and no effect begins before what leads to it is stored.
 */
export class Journal {
  readonly state: RunState;
  readonly #storage: JournalStorage | undefined;
  readonly #onDurable: (events: readonly RunEvent[]) => void;
  #staged: RunEvent[] = [];
  #drained: string[] = [];
  #writing: Promise<void> | undefined;
  #queued: Promise<void> | undefined;
  #stored: number;
  /** Why the last write failed; what it should have written is staged again. */
  failure: unknown;

  constructor(options: {
    readonly state: RunState;
    readonly storage: JournalStorage | undefined;
    /** Called with events once they are stored, in order. */
    readonly onDurable: (events: readonly RunEvent[]) => void;
  }) {
    this.state = options.state;
    this.#storage = options.storage;
    this.#onDurable = options.onDurable;
    this.#stored = options.state.seq;
  }

  /** The last `seq` that is stored. */
  get stored(): number {
    return this.#stored;
  }

  /** Adds an event to what the next `flush()` writes, and to the state. `body` becomes the event. */
  stage(body: RunEventBody, by: { readonly id: string; readonly agent: string }): void {
    const event = toEvent(body, this.state.seq + 1, this.state.runId, by);
    apply(this.state, event);
    this.#staged.push(event);
  }

  /** The signal is recorded by what is staged: the append that writes it also takes the signal out of the inbox. */
  drain(signalId: string): void {
    this.#drained.push(signalId);
  }

  /**
   * Resolves when everything staged so far is stored; `undefined` when it is already. Calls that come while a write is
   * under way share the next one.
   */
  flush(): Promise<void> | undefined {
    if (this.#queued !== undefined) return this.#queued;
    if (this.#writing !== undefined) {
      this.#queued = this.#writing.then(() => this.#write());
      return this.#queued;
    }
    return this.#staged.length === 0 ? undefined : this.#write();
  }

  #write(): Promise<void> | undefined {
    this.#queued = undefined;
    const events = this.#staged;
    if (events.length === 0) {
      this.#writing = undefined;
      return undefined;
    }
    const drained = this.#drained;
    this.#staged = [];
    this.#drained = [];
    if (this.#storage === undefined) {
      this.#stored += events.length;
      this.#onDurable(events);
      return undefined;
    }
    const writing = this.#store(this.#storage, events, drained).finally(() => {
      if (this.#writing === writing) this.#writing = undefined;
    });
    this.#writing = writing;
    return writing;
  }

  async #store(
    storage: JournalStorage,
    events: readonly RunEvent[],
    drained: readonly string[],
  ): Promise<void> {
    try {
      await appendSurely(storage, this.state.runId, events, this.#stored, drained);
    } catch (error) {
      // Still to be written: if the run can record its end, these events come before it.
      this.#staged = [...events, ...this.#staged];
      this.#drained = [...drained, ...this.#drained];
      this.failure = error;
      throw error;
    }
    this.failure = undefined;
    this.#stored += events.length;
    this.#onDurable(events);
  }
}

const appendTries = 8;

/**
 * An append whose answer is lost is looked up (journal.md, One writer): written and still ours, it counts; not written
 * and still ours, it is tried again; anything else means that somebody else holds the run.
 */
async function appendSurely(
  { runs, lease }: JournalStorage,
  runId: string,
  events: readonly RunEvent[],
  expectedSeq: number,
  drained: readonly string[],
): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    lease.check();
    try {
      await runs.append(runId, events, {
        expectedSeq,
        token: lease.token,
        ...(drained.length === 0 ? {} : { drained }),
      });
      return;
    } catch (error) {
      if (await wasWritten({ runs, lease }, runId, expectedSeq, events.length)) return;
      if (attempt >= appendTries) throw error;
      if (AgentError.isInstance(error) && !error.retryable && error.code !== 'run_conflict')
        throw error;
      await new Promise<void>((resolve) => setTimeout(resolve, Math.min(1_000, 10 * 2 ** attempt)));
    }
  }
}

async function wasWritten(
  { runs, lease }: JournalStorage,
  runId: string,
  expectedSeq: number,
  count: number,
): Promise<boolean> {
  try {
    await lease.renew();
    const end = await runs.peek(runId);
    if (end?.seq === expectedSeq + count) return true;
    if (end?.seq === expectedSeq) return false;
  } catch (error) {
    if (error instanceof LeaseLostError) throw error;
    // The store does not answer: nothing is known yet, the next try looks again.
    return false;
  }
  throw new LeaseLostError(runId);
}

/** A new journal's first event and state. */
export function firstEvent(options: {
  readonly runId: string;
  readonly agent: string;
  readonly body: Extract<RunEventBody, { readonly type: 'run-start' }>;
  readonly base: SessionBase | undefined;
}): { readonly event: RunEvent; readonly state: RunState } {
  const { runId, agent } = options;
  const event = toEvent(options.body, 1, runId, { id: 'f0', agent });
  return { event, state: initialState(event, options.base) };
}

/** The body itself with what every event carries: a copy would cost as much as all the rest of an event. */
function toEvent(
  body: RunEventBody & { -readonly [Key in keyof EventBase]?: EventBase[Key] },
  seq: number,
  runId: string,
  by: { readonly id: string; readonly agent: string },
): RunEvent {
  body.v = journalVersion;
  body.seq = seq;
  body.at = Date.now();
  body.runId = runId;
  body.frame = by.id;
  body.agent = by.agent;
  return body as RunEvent;
}
