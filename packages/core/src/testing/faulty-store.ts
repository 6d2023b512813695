import type { Store } from '../store.ts';

/** A method of a store, by its part: `runs.append`, `sessions.commit`. */
export type StoreMethod =
  | `runs.${Exclude<keyof Store['runs'], 'read' | 'channel'>}`
  | `sessions.${keyof Store['sessions']}`;

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

export interface FaultyStoreOptions {
  readonly faults?: readonly StoreFault[] | undefined;
  /** Called before each create, append and commit; `call.write` counts them. What it throws is thrown. */
  readonly before?: ((call: StoreCall) => void | Promise<void>) | undefined;
  /** Called after each of them that succeeded, before its answer is given. */
  readonly after?: ((call: StoreCall) => void | Promise<void>) | undefined;
}

const writes: ReadonlySet<string> = new Set(['runs.create', 'runs.append', 'sessions.commit']);

/** A store that fails as told: what a test cannot ask of a real one. Everything else is the wrapped store's own. */
export function faultyStore(store: Store, options: FaultyStoreOptions = {}): Store {
  const counts = new Map<string, number>();
  let written = 0;

  const call = async (method: string, run: () => Promise<unknown>): Promise<unknown> => {
    const nth = (counts.get(method) ?? 0) + 1;
    counts.set(method, nth);
    const write = writes.has(method) ? ++written : 0;
    const faults = (options.faults ?? []).filter(
      (fault) => fault.method === method && (fault.nth ?? nth) === nth,
    );
    const failAt = (point: 'before' | 'after'): void => {
      const fault = faults.find(({ fail }) => fail === point);
      if (fault === undefined) return;
      throw fault.error ?? new Error(`The store failed ${point} ${method} no. ${nth}, as told.`);
    };
    for (const { delayMs } of faults) {
      if (delayMs !== undefined) await new Promise<void>((done) => setTimeout(done, delayMs));
    }
    if (write > 0) await options.before?.({ method, nth, write });
    failAt('before');
    const answer = await run();
    if (write > 0) await options.after?.({ method, nth, write });
    failAt('after');
    return answer;
  };

  const wrap = <T extends object>(part: T, name: 'runs' | 'sessions'): T =>
    new Proxy(part, {
      get(target, key) {
        const value: unknown = Reflect.get(target, key);
        if (typeof value !== 'function' || key === 'read') return value;
        return (...args: readonly unknown[]) =>
          call(`${name}.${String(key)}`, () => Promise.resolve(Reflect.apply(value, target, args)));
      },
    });

  return { ...store, runs: wrap(store.runs, 'runs'), sessions: wrap(store.sessions, 'sessions') };
}
