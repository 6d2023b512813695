import { cursorOf, toPublicEvent, type JsonObject, type Watched } from '@agent-functions/core';

/** What a stream shows, and what it does when it cannot go on. */
export interface EventStreamOptions {
  /** They end with the run, or when it waits for an answer. */
  readonly events: AsyncIterable<Watched>;
  /** Fires when the client has gone. */
  readonly signal: AbortSignal;
  /** A comment after so long without an event. */
  readonly heartbeatMs: number;
  /** When the stream ends by itself, in milliseconds since 1970; the client connects again. */
  readonly endsAt?: number | undefined;
  /** Calls back when the server stops; answers what to call when the stream has ended. */
  onceStopping(callback: () => void): () => void;
  /** The server stops: what the client is told. */
  onStop(): JsonObject;
  /** The client left, the time is over or the server stops, before the last event. Called before the events are let go of. */
  onLeft(why: 'gone' | 'time' | 'stop'): void;
  /** The events cannot go on: what the client is told, if anything. */
  onError(error: unknown): JsonObject | undefined;
}

const encoder = new TextEncoder();
/** How much may wait for a slow client before nothing more is read. */
const highWater = 65_536;
/** How long a client waits before it connects again, and the first bytes, so that headers go out. */
const preamble = 'retry: 1000\n: stream\n\n';

/**
 * Events as `text/event-stream`: produced as they are read, those of one tick in one chunk. It always closes normally;
 * what goes wrong is an `error` event before that.
 */
export function eventStream(options: EventStreamOptions): ReadableStream<Uint8Array> {
  const stream = new EventText(options);
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const text = await stream.next();
        if (text !== '') controller.enqueue(encoder.encode(text));
        if (stream.done) controller.close();
      },
      cancel: () => stream.leave('gone'),
    },
    { highWaterMark: 0 },
  );
}

class EventText {
  readonly #options: EventStreamOptions;
  readonly #iterator: AsyncIterator<Watched>;
  readonly #gone = () => this.leave('gone');
  #text = preamble;
  #state: 'new' | 'open' | 'ended' = 'new';
  /** The text may be given out: the tick that wrote it is over. */
  #ready = true;
  #flushing = false;
  #reader: (() => void) | undefined;
  #room: (() => void) | undefined;
  #heartbeat: ReturnType<typeof setInterval> | undefined;
  #deadline: ReturnType<typeof setTimeout> | undefined;

  #forgetStop: (() => void) | undefined;

  constructor(options: EventStreamOptions) {
    this.#options = options;
    this.#iterator = options.events[Symbol.asyncIterator]();
    // A client may leave before the first byte was asked for.
    if (options.signal.aborted) this.#gone();
    else options.signal.addEventListener('abort', this.#gone, { once: true });
    this.#forgetStop = options.onceStopping(() => this.leave('stop'));
  }

  /** Everything was given out. */
  get done(): boolean {
    return this.#state === 'ended' && this.#text === '';
  }

  /** What is ready; waits for it. Empty when the stream ended. */
  async next(): Promise<string> {
    if (this.#state === 'new') this.#open();
    if (!this.#ready && this.#state === 'open') {
      await new Promise<void>((resolve) => {
        this.#reader = resolve;
      });
    }
    const text = this.#text;
    this.#text = '';
    this.#ready = false;
    this.#room?.();
    return text;
  }

  leave(why: 'gone' | 'time' | 'stop'): void {
    if (this.#state === 'ended') return;
    if (why === 'stop') this.#write(errorFrame(this.#options.onStop()));
    this.#options.onLeft(why);
    this.#end();
  }

  #open(): void {
    this.#state = 'open';
    const { heartbeatMs, endsAt } = this.#options;
    this.#heartbeat = setInterval(() => {
      if (this.#text === '') this.#write(': \n\n');
    }, heartbeatMs);
    if (endsAt !== undefined) {
      const ms = Math.min(Math.max(endsAt - Date.now(), 0), 2 ** 31 - 1);
      this.#deadline = setTimeout(() => this.leave('time'), ms);
    }
    void this.#pump();
  }

  async #pump(): Promise<void> {
    try {
      for (;;) {
        const step = await this.#iterator.next();
        if (this.#isEnded() || step.done === true) break;
        this.#write(frame(step.value));
        if (this.#text.length > highWater) {
          await new Promise<void>((resolve) => {
            this.#room = resolve;
          });
        }
      }
    } catch (error) {
      if (!this.#isEnded()) {
        const told = this.#options.onError(error);
        if (told !== undefined) this.#write(errorFrame(told));
      }
    }
    this.#end();
  }

  #write(text: string): void {
    this.#text += text;
    if (this.#ready || this.#flushing) return;
    this.#flushing = true;
    // After the microtasks of this tick: a burst of events is one chunk, one write, one packet.
    afterTick(() => {
      this.#flushing = false;
      this.#ready = true;
      this.#wakeReader();
    });
  }

  #wakeReader(): void {
    const reader = this.#reader;
    this.#reader = undefined;
    reader?.();
  }

  #isEnded(): boolean {
    return this.#state === 'ended';
  }

  #end(): void {
    if (this.#state === 'ended') return;
    this.#state = 'ended';
    clearInterval(this.#heartbeat);
    clearTimeout(this.#deadline);
    this.#forgetStop?.();
    this.#options.signal.removeEventListener('abort', this.#gone);
    // Not awaited: a generator answers only when its present step is done.
    this.#iterator.return?.().catch(() => undefined);
    this.#room?.();
    this.#wakeReader();
  }
}

function frame(event: Watched): string {
  return `event: ${event.type}\nid: ${cursorOf(event)}\ndata: ${JSON.stringify(toPublicEvent(event))}\n\n`;
}

function errorFrame(error: JsonObject): string {
  return `event: error\ndata: ${JSON.stringify(error)}\n\n`;
}

function afterTick(callback: () => void): void {
  if (typeof setImmediate === 'function') setImmediate(callback);
  else setTimeout(callback, 0);
}

/** The headers of an event stream; `location` is the run's. */
export function eventStreamHeaders(location: string): Record<string, string> {
  return {
    'content-type': 'text/event-stream',
    'cache-control': 'no-cache, no-transform',
    'x-accel-buffering': 'no',
    location,
  };
}
