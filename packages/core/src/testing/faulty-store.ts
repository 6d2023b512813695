import { AgentError } from '../errors.ts';
import type { RunEvent } from '../events.ts';
import type { Store } from '../store.ts';
import { seededRandom } from './seeded-random.ts';

/** A method of a store, by its part: `runs.append`, `sessions.commit`. */
export type StoreMethod =
  | `runs.${Exclude<keyof Store['runs'], 'read' | 'channel'>}`
  | `sessions.${keyof Store['sessions']}`
  | `records.${keyof Store['records']}`
  | 'wake.schedule';

/** One call as the wrapper sees it. */
export interface StoreCall {
  /** As in StoreMethod. */
  readonly method: string;
  /** The how-manieth call of this method through this wrapper, from 1. */
  readonly nth: number;
  /** Of `runs.create`, `runs.append` and `sessions.commit`: the how-manieth of all three, from 1; else 0. */
  readonly write: number;
}

/** What goes wrong with one call, or (without `nth`) with each call of a method. */
export interface StoreFault {
  readonly method: StoreMethod;
  readonly nth?: number | undefined;
  /** Waits this long before the call. */
  readonly delayMs?: number | undefined;
  /** `before`: nothing is written. `after`: it is written, and the answer is lost. Absent: it only waits. */
  readonly fail?: 'before' | 'after' | undefined;
  /** What it fails with. Default: an error without a code, like one of the network. */
  readonly error?: Error | undefined;
}

/** What goes wrong by chance; the same seed gives the same dice. `runs.read` fails at its start or half way. */
export interface StoreChaos {
  readonly seed: number;
  /** How likely (0 to 1) a call fails before it reaches the store. Default 0. */
  readonly failBefore?: number | undefined;
  /** How likely a call is made and its answer lost. Default 0. */
  readonly lostAnswers?: number | undefined;
  /** Each call waits up to so long before, and as long after it was made. Default 0: not at all. */
  readonly slowMs?: number | undefined;
}

export interface FaultyStoreOptions {
  readonly faults?: readonly StoreFault[] | undefined;
  readonly chaos?: StoreChaos | undefined;
  /**
   * Once it aborts every call rejects and nothing reaches the store any more, not even what waits: how a store looks to
   * a process that is gone. Its error is no reason to try again.
   */
  readonly until?: AbortSignal | undefined;
  /** Called before each create, append and commit; `call.write` counts them. What it throws is thrown. */
  readonly before?: ((call: StoreCall) => void | Promise<void>) | undefined;
  /** Called after each of them that succeeded, before its answer is given. */
  readonly after?: ((call: StoreCall) => void | Promise<void>) | undefined;
}

const writes: ReadonlySet<string> = new Set(['runs.create', 'runs.append', 'sessions.commit']);

/**
 * A store that fails as told, or by chance: what a test cannot ask of a real one. Everything else, the channel included,
 * is the wrapped store's own.
 */
export function faultyStore(store: Store, options: FaultyStoreOptions = {}): Store {
  const { until } = options;
  const { wake } = store;
  const counts = new Map<string, number>();
  const chance = chances(options.chaos);
  let written = 0;
  const alive = (method: string): void => {
    if (until?.aborted === true) throw gone(method);
  };

  const call = async (method: string, run: () => Promise<unknown>): Promise<unknown> => {
    alive(method);
    const nth = (counts.get(method) ?? 0) + 1;
    counts.set(method, nth);
    const write = writes.has(method) ? ++written : 0;
    const faults = (options.faults ?? []).filter(
      (fault) => fault.method === method && (fault.nth ?? nth) === nth,
    );
    const luck = chance(method);
    const failAt = (point: 'before' | 'after'): void => {
      const fault = faults.find(({ fail }) => fail === point);
      if (fault !== undefined) {
        throw fault.error ?? new Error(`The store failed ${point} ${method} no. ${nth}, as told.`);
      }
      if (luck.fail === point) throw luck.error;
    };
    for (const { delayMs } of faults) await wait(delayMs);
    await wait(luck.beforeMs);
    if (write > 0) await options.before?.({ method, nth, write });
    alive(method);
    failAt('before');
    const answer = await run();
    if (write > 0) await options.after?.({ method, nth, write });
    await wait(luck.afterMs);
    alive(method);
    failAt('after');
    return answer;
  };

  async function* read(events: AsyncIterable<RunEvent>): AsyncGenerator<RunEvent, void> {
    alive('runs.read');
    const luck = chance('runs.read');
    await wait(luck.beforeMs);
    if (luck.fail === 'before') throw luck.error;
    let seen = 0;
    for await (const event of events) {
      alive('runs.read');
      if (luck.fail === 'after' && ++seen > 2) throw luck.error;
      yield event;
    }
  }

  const wrap = <T extends object>(part: T, name: 'runs' | 'sessions' | 'records'): T =>
    new Proxy(part, {
      get(target, key) {
        const value: unknown = Reflect.get(target, key);
        if (typeof value !== 'function') return value;
        const method = `${name}.${String(key)}`;
        if (method === 'runs.read') {
          return (...args: readonly unknown[]) => read(Reflect.apply(value, target, args));
        }
        return (...args: readonly unknown[]) =>
          call(method, () => Promise.resolve(Reflect.apply(value, target, args)));
      },
    });

  return {
    runs: wrap(store.runs, 'runs'),
    sessions: wrap(store.sessions, 'sessions'),
    records: wrap(store.records, 'records'),
    durable: store.durable,
    async now() {
      alive('now');
      return store.now();
    },
    async expired(page) {
      alive('expired');
      return store.expired(page);
    },
    wake: wake && {
      trigger: wake.trigger,
      async schedule(look, atMs) {
        await call('wake.schedule', () => wake.schedule(look, atMs));
      },
    },
    close: async () => store.close?.(),
  };
}

interface Luck {
  readonly fail?: 'before' | 'after' | undefined;
  readonly error?: Error | undefined;
  readonly beforeMs?: number | undefined;
  readonly afterMs?: number | undefined;
}

const lucky: Luck = {};

function chances(chaos: StoreChaos | undefined): (method: string) => Luck {
  if (chaos === undefined) return () => lucky;
  const { failBefore = 0, lostAnswers = 0, slowMs = 0 } = chaos;
  const random = seededRandom(chaos.seed);
  return (method) => {
    // Always as many dice, so that what one call gets does not depend on what another got.
    const [die, kind, before, after] = [random(), random(), random(), random()];
    const fail = die < failBefore ? 'before' : die < failBefore + lostAnswers ? 'after' : undefined;
    return {
      fail,
      error: fail === undefined ? undefined : failureOf(kind, fail, method),
      beforeMs: before * slowMs,
      afterMs: after * slowMs,
    };
  };
}

/** A server that is asked too often (429), one that is busy (503), or a connection that broke. */
function failureOf(kind: number, when: 'before' | 'after', method: string): Error {
  const why = kind < 1 / 3 ? '429' : kind < 2 / 3 ? '503' : undefined;
  const what = `${method} failed by chance, ${when} it was made`;
  return why === undefined
    ? new Error(`${what}: the connection broke.`)
    : new AgentError('store_unavailable', `${what} (${why}).`, { retryable: true });
}

function gone(method: string): AgentError {
  return new AgentError('store_unavailable', `${method}: this process is gone, as the test wants.`);
}

async function wait(ms: number | undefined): Promise<void> {
  if (ms === undefined || ms <= 0) return;
  await new Promise<void>((done) => setTimeout(done, ms));
}
