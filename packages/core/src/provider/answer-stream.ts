import type { ModelStreamEvent } from '../model.ts';

/** A call that is about to be sent. */
export interface AnswerCall {
  /** What is to be said before anything comes. */
  readonly warnings: readonly ModelStreamEvent[];
  /** Sends the request: the events of a stream, or what the answer in one piece means, the response last. */
  send(signal: AbortSignal): Promise<Incoming | readonly ModelStreamEvent[]>;
}

/** The events of a stream, and who reads them. */
export interface Incoming {
  /** What was learnt in sending. */
  readonly warnings?: readonly ModelStreamEvent[] | undefined;
  readonly events: AsyncIterable<unknown>;
  readonly reader: AnswerReader;
  /** After the end: whether the vendor paused the turn, and `send()` is to be called again, with what came so far. */
  paused?(): boolean;
}

/** Reads the events of one answer. Pure: one call per event, no waiting, and nothing is parsed twice. */
export interface AnswerReader {
  /** What an event means: mostly one delta, or nothing. @throws WireError for an error inside the stream. */
  push(event: unknown): readonly ModelStreamEvent[];
  /** The vendor has said that the answer is whole; what follows cannot change it. */
  isComplete(): boolean;
  /** Warnings and the response, when the stream has ended. @throws WireError when it ended before the answer did. */
  end(): readonly ModelStreamEvent[];
}

type Result = IteratorResult<ModelStreamEvent, undefined>;

const ended: Result = { done: true, value: undefined };

/**
 * One call of a model, to be pulled: warnings, deltas, then one response. Written by hand and not as a generator, because
 * a delta then costs one hop instead of three.
 */
export class AnswerStream implements AsyncIterableIterator<ModelStreamEvent, undefined> {
  readonly #signal: AbortSignal;
  readonly #prepare: () => Promise<AnswerCall>;
  readonly #toError: (error: unknown) => unknown;
  // Of this call alone: a reader who leaves early closes the socket too.
  readonly #abort = new AbortController();
  readonly #onAbort = (): void => this.#abort.abort(this.#signal.reason);
  #queue: ModelStreamEvent[] = [];
  #call: AnswerCall | undefined;
  #incoming: Incoming | undefined;
  #events: AsyncIterator<unknown> | undefined;
  #over = false;
  #whole = false;
  /** The step under way, so that a reader who does not wait gets its events in order. */
  #busy: Promise<unknown> | undefined;

  /** `toError` words what a call throws; the abort reason goes out as it is. */
  constructor(
    signal: AbortSignal,
    prepare: () => Promise<AnswerCall>,
    toError: (error: unknown) => unknown,
  ) {
    this.#signal = signal;
    this.#prepare = prepare;
    this.#toError = toError;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<Result> {
    if (this.#busy !== undefined) return this.#busy.then(this.#again, this.#again);
    const value = this.#queue.shift();
    if (value !== undefined) return Promise.resolve({ done: false, value });
    if (this.#over) return Promise.resolve(ended);
    const step = this.#events === undefined ? this.#begin() : this.#pull(this.#events);
    this.#busy = step;
    return step;
  }

  async return(): Promise<Result> {
    this.#queue = [];
    // The answer is there and the stream read to its end: an abort would only cost.
    if (this.#whole) return ended;
    this.#end();
    this.#abort.abort();
    await this.#events?.return?.().catch(() => undefined);
    return ended;
  }

  readonly #again = (): Promise<Result> => this.next();

  async #begin(): Promise<Result> {
    try {
      this.#signal.throwIfAborted();
      if (this.#call === undefined) {
        this.#signal.addEventListener('abort', this.#onAbort, { once: true });
        this.#call = await this.#prepare();
        if (this.#over) return ended;
        this.#queue.push(...this.#call.warnings);
      } else {
        const answer = await this.#call.send(this.#abort.signal);
        if (!('events' in answer)) return this.#finish(answer);
        this.#queue.push(...(answer.warnings ?? []));
        this.#incoming = answer;
        this.#events = answer.events[Symbol.asyncIterator]();
      }
    } catch (error) {
      return this.#fail(error);
    }
    this.#busy = undefined;
    return this.next();
  }

  #pull(events: AsyncIterator<unknown>): Promise<Result> {
    return events.next().then(this.#read, this.#broke);
  }

  readonly #read = (result: IteratorResult<unknown>): Result | Promise<Result> => {
    this.#busy = undefined;
    if (result.done === true) return this.#close();
    let events: readonly ModelStreamEvent[];
    try {
      events = this.#incoming?.reader.push(result.value) ?? [];
    } catch (error) {
      return this.#fail(error);
    }
    const [value] = events;
    if (value === undefined) return this.next();
    if (events.length > 1) this.#queue.push(...events.slice(1));
    return { done: false, value };
  };

  readonly #broke = (error: unknown): Result | Promise<Result> => {
    this.#busy = undefined;
    // Cut after the vendor said that the answer is whole: asking again would cost it twice.
    if (this.#incoming?.reader.isComplete() === true && !this.#signal.aborted) return this.#close();
    return this.#fail(error);
  };

  /** The stream ended; the SDK ends an aborted one as if it were whole. */
  #close(): Result | Promise<Result> {
    if (this.#over) return ended;
    try {
      this.#signal.throwIfAborted();
      const incoming = this.#incoming;
      if (incoming === undefined) return ended;
      if (incoming.paused?.() === true) {
        this.#events = undefined;
        return this.next();
      }
      return this.#finish(incoming.reader.end());
    } catch (error) {
      return this.#fail(error);
    }
  }

  #finish(events: readonly ModelStreamEvent[]): Result {
    this.#busy = undefined;
    this.#whole = true;
    this.#end();
    this.#queue.push(...events);
    const value = this.#queue.shift();
    return value === undefined ? ended : { done: false, value };
  }

  #fail(error: unknown): Result {
    this.#busy = undefined;
    // The reader has left: nobody waits for an error.
    if (this.#over) return ended;
    this.#end();
    this.#abort.abort();
    throw this.#signal.aborted ? this.#signal.reason : this.#toError(error);
  }

  #end(): void {
    this.#over = true;
    this.#signal.removeEventListener('abort', this.#onAbort);
  }
}
