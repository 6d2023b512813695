/** How long a model call may take; up to an eighth of the shortest limit more. Absent: no limit. */
export interface TimeoutOptions {
  /** From the call to the first event: a queue, a cold start or a model that thinks in silence. */
  readonly firstEventMs?: number | undefined;
  /** Silence between two events. */
  readonly gapMs?: number | undefined;
  /** The whole call, waiting for the reader included. */
  readonly totalMs?: number | undefined;
}

/**
 * Watches one call. An event costs it a counter, and a call two operations on a set: calls with the same limits share
 * one timer, which ticks at an eighth of the shortest and looks whether the same event is still waited for.
 */
export class Watchdog {
  readonly #limits: TimeoutOptions;
  readonly #expire: (option: keyof TimeoutOptions) => void;
  readonly #ticker: Ticker;
  #asked = 0;
  #answered = 0;
  #ticks = 0;
  #seenAsked = 0;
  #seenAt = 0;

  constructor(limits: TimeoutOptions, expire: (option: keyof TimeoutOptions) => void) {
    this.#limits = limits;
    this.#expire = expire;
    this.#ticker = tickerFor(limits);
    this.#ticker.add(this);
  }

  asked(): void {
    this.#asked += 1;
  }

  answered(): void {
    this.#answered += 1;
  }

  stop(): void {
    this.#ticker.delete(this);
  }

  /** A tick has passed; the first may have been shorter. */
  tick(): void {
    this.#ticks += 1;
    const { firstEventMs, gapMs, totalMs } = this.#limits;
    const first = this.#answered === 0;
    const sameWait = this.#asked === this.#seenAsked && this.#asked > this.#answered;
    if (!first && !sameWait) {
      this.#seenAsked = this.#asked;
      this.#seenAt = this.#ticks;
    }
    // The first tick of a call comes early, the first look at a wait late.
    const elapsed = (this.#ticks - 1) * this.#ticker.tickMs;
    const silent = (this.#ticks - this.#seenAt) * this.#ticker.tickMs;
    if (reached(elapsed, totalMs)) this.#expire('totalMs');
    else if (first && reached(elapsed, firstEventMs)) this.#expire('firstEventMs');
    else if (!first && reached(silent, gapMs)) this.#expire('gapMs');
  }
}

function reached(ms: number, limit: number | undefined): boolean {
  return limit !== undefined && ms >= limit;
}

/** One timer for all calls with the same tick. It stops by itself a tick after the last call, and keeps no process alive. */
class Ticker {
  readonly tickMs: number;
  readonly #watchdogs = new Set<Watchdog>();
  readonly #idle: () => void;
  #running = false;

  constructor(tickMs: number, idle: () => void) {
    this.tickMs = tickMs;
    this.#idle = idle;
  }

  add(watchdog: Watchdog): void {
    this.#watchdogs.add(watchdog);
    if (!this.#running) this.#arm();
  }

  delete(watchdog: Watchdog): void {
    this.#watchdogs.delete(watchdog);
  }

  #arm(): void {
    this.#running = true;
    const timer = setTimeout(this.#tick, this.tickMs);
    if (canUnref(timer)) timer.unref();
  }

  readonly #tick = (): void => {
    if (this.#watchdogs.size === 0) {
      this.#running = false;
      return this.#idle();
    }
    this.#arm();
    for (const watchdog of this.#watchdogs) watchdog.tick();
  };
}

const tickers = new Map<number, Ticker>();

function tickerFor({ firstEventMs, gapMs, totalMs }: TimeoutOptions): Ticker {
  const shortest = Math.min(firstEventMs ?? Infinity, gapMs ?? Infinity, totalMs ?? Infinity);
  // No timer waits longer than 2^31 milliseconds.
  const tickMs = Math.min(Math.max(1, shortest / 8), 2 ** 30);
  let ticker = tickers.get(tickMs);
  if (ticker === undefined) {
    ticker = new Ticker(tickMs, () => tickers.delete(tickMs));
    tickers.set(tickMs, ticker);
  }
  return ticker;
}

/** Timers of Node keep the process alive unless they are told not to; those of browsers are numbers. */
function canUnref(timer: unknown): timer is { unref(): void } {
  return typeof timer === 'object' && timer !== null && 'unref' in timer;
}
