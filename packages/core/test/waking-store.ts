import { memoryStore } from '../src/memory-store.ts';
import type { RunStore, Store, WakeCall } from '../src/store.ts';

export interface ScheduledWake {
  readonly call: WakeCall;
  readonly atMs: number;
}

export interface WakingStore {
  readonly store: Store;
  /** What was done to runs, in order: `schedule`, `create`, `acquire`, `release`, `post`. */
  readonly done: string[];
  readonly scheduled: ScheduledWake[];
  /** The holders that asked for a lease. */
  readonly holders: string[];
}

/** A memory store that counts as durable and keeps the wakes that it is asked for, instead of making them come. */
export function wakingStore(
  options: { readonly now?: (() => number) | undefined; readonly memory?: Store } = {},
): WakingStore {
  const memory = options.memory ?? memoryStore({ now: options.now });
  const done: string[] = [];
  const scheduled: ScheduledWake[] = [];
  const holders: string[] = [];
  const noted = <K extends 'create' | 'acquire' | 'release' | 'post'>(method: K): RunStore[K] =>
    new Proxy(memory.runs[method], {
      apply(target, self, args: readonly unknown[]): unknown {
        done.push(method);
        const asked = method === 'create' ? args[2] : method === 'acquire' ? args[1] : undefined;
        if (typeof asked === 'object' && asked !== null && 'holder' in asked) {
          holders.push(String(asked.holder));
        }
        return Reflect.apply(target, self, args);
      },
    });
  const runs: RunStore = {
    ...memory.runs,
    create: noted('create'),
    acquire: noted('acquire'),
    release: noted('release'),
    post: noted('post'),
  };
  const wake: Store['wake'] = {
    schedule: async (call, atMs) => {
      done.push('schedule');
      scheduled.push({ call, atMs });
    },
  };
  return { store: { ...memory, runs, durable: true, wake }, done, scheduled, holders };
}
