import { isDurable, parseCursor, type Delta, type RunEvent, type Watched } from './events.ts';
import { UserError } from './errors.ts';
import type { Store } from './store.ts';

/** What a process knows of the runs that it advances: who watches them, and the deltas of attempts in progress. */
export class Hub {
  readonly #feeds = new Map<string, Feed>();

  /** The feed of a run, made when there is none; it goes when neither a holder nor a watcher needs it. */
  feed(runId: string): Feed {
    let feed = this.#feeds.get(runId);
    if (feed === undefined) {
      feed = new Feed(() => this.#feeds.delete(runId));
      this.#feeds.set(runId, feed);
    }
    return feed;
  }

  /** Tells the holder in this process, if it is here, that something was posted. */
  wake(runId: string): void {
    this.#feeds.get(runId)?.holder?.onPost();
  }

  /** Whether this process advances the run. */
  holds(runId: string): boolean {
    return this.#feeds.get(runId)?.holder !== undefined;
  }
}

const hubs = new WeakMap<Store, Hub>();

/** The hub of a store in this process: every runner of the store shares it. */
export function hubOf(store: Store): Hub {
  let hub = hubs.get(store);
  if (hub === undefined) {
    hub = new Hub();
    hubs.set(store, hub);
  }
  return hub;
}

interface Holder {
  onPost(): void;
}

/** One run in this process. */
export class Feed {
  holder: Holder | undefined;
  readonly #onIdle: () => void;
  readonly #listeners = new Set<(event: Watched) => void>();
  /** By frame: the deltas of its attempt in progress. */
  readonly #attempts = new Map<string, Delta[]>();

  constructor(onIdle: () => void) {
    this.#onIdle = onIdle;
  }

  subscribe(listener: (event: Watched) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
      this.#sweep();
    };
  }

  hold(holder: Holder): () => void {
    this.holder = holder;
    return () => {
      if (this.holder === holder) {
        this.holder = undefined;
        this.#attempts.clear();
      }
      this.#sweep();
    };
  }

  durable(events: readonly RunEvent[]): void {
    for (const event of events) {
      if (event.type === 'model-response' || event.type === 'frame-end') {
        this.#attempts.delete(event.frame);
      } else if (event.type === 'run-resume' || event.type === 'run-end') this.#attempts.clear();
      for (const listener of this.#listeners) listener(event);
    }
  }

  delta(delta: Delta): void {
    const attempt = this.#attempts.get(delta.frame);
    if (delta.type !== 'tool-progress') {
      if (attempt === undefined || attempt[0]?.epoch !== delta.epoch) {
        this.#attempts.set(delta.frame, [delta]);
      } else attempt.push(delta);
    }
    for (const listener of this.#listeners) listener(delta);
  }

  /** The deltas of every attempt in progress, from the first. */
  attempts(): readonly (readonly Delta[])[] {
    return [...this.#attempts.values()].map((deltas) => deltas.slice());
  }

  #sweep(): void {
    if (this.holder === undefined && this.#listeners.size === 0) this.#onIdle();
  }
}

export interface WatchOptions {
  /** After which event: as `cursorOf()` gives it. Default: from the start. */
  readonly cursor?: string | undefined;
  /** Goes on until the run ends or pauses. Default `false`: what is there. */
  readonly follow?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

const pollMs = 80;

/** How often a run of another process is looked at: less often where each look costs something. */
export function pollMsOf({ inboxPollMs = 0 }: Store, ms: number): number {
  return Math.max(ms, inboxPollMs / 4);
}

/**
 * The events of a run from any process: the durable ones behind the cursor, each once and in order, then deltas of the
 * attempts in progress, then what comes (journal.md, Cursors). Ends after `run-end`, or after a `run-pause` that is the
 * last event.
 *
 * @throws UserError for a cursor that is none.
 */
export async function* watch(
  store: Store,
  runId: string,
  { cursor, follow = false, signal }: WatchOptions,
): AsyncGenerator<Watched, void> {
  const from = cursor === undefined || cursor === '' ? { seq: 0 } : parseCursor(cursor);
  if (from === undefined) {
    throw new UserError(
      `${JSON.stringify(cursor?.slice(0, 40))} is no cursor. Send the id of the last event you received, as it was.`,
    );
  }
  const view = new View(from.seq);
  const queue: Watched[] = [];
  let ring: (() => void) | undefined;
  const push = (event: Watched): void => {
    queue.push(event);
    ring?.();
  };
  const closing = new AbortController();
  const stopOn = () => ring?.();
  signal?.addEventListener('abort', stopOn, { once: true });
  const hub = hubOf(store);
  const feed = follow ? hub.feed(runId) : undefined;
  // Nothing is awaited between looking at the attempts and subscribing, so no delta falls between.
  const attempts = feed?.attempts() ?? [];
  const unsubscribe = feed?.subscribe(push);
  const missed = async function* (): AsyncGenerator<RunEvent, void> {
    for await (const event of store.runs.read(runId, { after: view.seq })) {
      if (view.takes(event)) yield event;
    }
  };
  try {
    yield* missed();
    if (!follow) return;
    for (const deltas of attempts) {
      const first = deltas[0];
      if (first === undefined || view.answered(first)) continue;
      const known = first.epoch === from.epoch ? (from.n ?? 0) : undefined;
      if (known === undefined) yield view.placed(voidBefore(first));
      for (const delta of deltas) {
        if (delta.n > (known ?? 0) && view.takes(delta)) yield view.placed(delta);
      }
    }
    if (store.runs.channel !== undefined && !hub.holds(runId)) {
      void relay(store.runs.channel.follow(runId, { signal: closing.signal }), push, from);
    }
    let look = true;
    for (;;) {
      if (isAborted(signal)) return;
      while (queue.length > 0) {
        const event = queue.shift();
        if (event === undefined) break;
        // What comes before it may not have come here yet: from another process, deltas are the faster ones.
        if ((isDurable(event) ? event.seq - 1 : event.after) > view.seq) yield* missed();
        if (view.takes(event)) yield view.placed(event);
      }
      if (look || view.over) {
        const end = await store.runs.peek(runId);
        if (end === undefined) return;
        const { seq } = view;
        if (end.seq > seq) yield* missed();
        if (view.seq > seq) continue;
        // A run that paused may have been taken up in the meantime.
        if (end.ended || (view.over && end.seq === seq)) return;
      }
      await bell(
        (wake) => {
          ring = wake;
        },
        hub.holds(runId) ? 1_000 : pollMsOf(store, pollMs),
        () => queue.length > 0 || isAborted(signal),
      );
      look = queue.length === 0;
    }
  } finally {
    closing.abort();
    signal?.removeEventListener('abort', stopOn);
    unsubscribe?.();
  }
}

/** What one watcher has seen: each durable event once and in order, and no delta that is answered or repeated. */
class View {
  seq: number;
  over = false;
  readonly #answered = new Map<string, number>();
  readonly #seen = new Map<string, { readonly epoch: string; n: number }>();

  constructor(seq: number) {
    this.seq = seq;
  }

  takes(event: Watched): boolean {
    if (isDurable(event)) {
      if (event.seq !== this.seq + 1) return false;
      this.seq = event.seq;
      this.over = event.type === 'run-end' || event.type === 'run-pause';
      if (event.type === 'model-response') this.#answered.set(event.frame, event.seq);
      return true;
    }
    if (this.answered(event)) return false;
    const seen = this.#seen.get(event.frame);
    if (seen !== undefined && seen.epoch === event.epoch) {
      if (event.n <= seen.n) return false;
      seen.n = event.n;
    } else this.#seen.set(event.frame, { epoch: event.epoch, n: event.n });
    return true;
  }

  /** The event as this watcher's cursor needs it: a delta comes after the last durable event that the watcher has. */
  placed(event: Watched): Watched {
    return isDurable(event) || event.after === this.seq ? event : { ...event, after: this.seq };
  }

  /** The attempt of this delta was answered by a `model-response` already seen. */
  answered(delta: Delta): boolean {
    return delta.after < (this.#answered.get(delta.frame) ?? 0);
  }
}

function voidBefore(first: Delta): Delta {
  const { runId, frame, agent, after, epoch } = first;
  return { type: 'void', runId, frame, agent, after, epoch, n: 0 };
}

async function relay(
  deltas: AsyncIterable<Delta>,
  push: (delta: Delta) => void,
  from: { readonly epoch?: string | undefined; readonly n?: number | undefined },
): Promise<void> {
  const voided = new Set<string>();
  try {
    for await (const delta of deltas) {
      if (delta.epoch === from.epoch) {
        if (delta.n <= (from.n ?? 0)) continue;
      } else if (!voided.has(delta.epoch)) {
        voided.add(delta.epoch);
        if (delta.type !== 'void') push(voidBefore(delta));
      }
      push(delta);
    }
  } catch {
    // The side channel is best effort: without it a follower still gets every durable event.
  }
}

function bell(
  arm: (wake: (() => void) | undefined) => void,
  ms: number,
  ready: () => boolean,
): Promise<void> {
  return new Promise((resolve) => {
    const ring = () => {
      clearTimeout(timer);
      arm(undefined);
      resolve();
    };
    const timer = setTimeout(ring, ms);
    arm(ring);
    if (ready()) ring();
  });
}

// A function, because the type checker would take a property that was false once for false forever.
function isAborted(signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true;
}
