import type { Store } from '../store.ts';
import type { TestFunctions } from './test-functions.ts';

/** A store of its own for one test. `another` opens a second handle on the same data, as a second process would. */
export interface StoreUnderTest {
  readonly store: Store;
  readonly another?: (() => Promise<Store>) | undefined;
  dispose(): Promise<void>;
}

/** What a store may leave out, each with its reason: shown in the name of the test that then checks it is so. */
export interface StoreLimits {
  /** The clock cannot be set: tests wait for real. */
  readonly clock?: string | undefined;
  /** No side channel for deltas. */
  readonly channel?: string | undefined;
  /** No second handle on the same data. */
  readonly another?: string | undefined;
  /** Its calls cost milliseconds each: what the cases of large volume write instead of the whole. */
  readonly volume?: ({ readonly reason: string } & Partial<StoreVolume>) | undefined;
}

/** Makes an empty store with the clock and the times to keep things that it is handed. */
export type MakeStore = (options: {
  readonly now?: (() => number) | undefined;
  /** How long runs are kept after their end, and sessions after their last use. Default: as the store likes. */
  readonly keepRunsMs?: number | undefined;
  readonly keepSessionsMs?: number | undefined;
}) => Promise<StoreUnderTest>;

/** How much a case writes: the whole of it, unless a store's limits say less. */
export interface StoreVolume {
  /** Of the long journal. Default 100,000. */
  readonly events: number;
  /** Of the largest value, about. Default 10,000,000. */
  readonly bytes: number;
  /** How often what is decided by chance is tried. Default 20. */
  readonly rounds: number;
  /** How many seeds the chaos runs with. Default 3. */
  readonly seeds: number;
}

const whole: StoreVolume = { events: 100_000, bytes: 10_000_000, rounds: 20, seeds: 3 };

/** One test's store, its second handle (the store itself where there is none), and its clock. */
export interface StoreFixture {
  readonly store: Store;
  readonly other: Store;
  /** Lets time pass: sets the clock, or waits where it cannot be set. */
  readonly pass: (ms: number) => Promise<void>;
  readonly volume: StoreVolume;
}

/** What a case wants its store to be made with. */
interface StoreCaseOptions {
  readonly keepRunsMs?: number | undefined;
  readonly keepSessionsMs?: number | undefined;
  /** The clock goes on by itself; `pass()` puts it forward. Otherwise it stands still between. */
  readonly ticking?: boolean | undefined;
}

/** Registers one test of a store. */
export type StoreCase = (
  name: string,
  body: (fixture: StoreFixture) => Promise<void>,
  options?: StoreCaseOptions,
) => void;

/** Registers tests that each get a store of their own, and close it. */
export function storeCases(test: TestFunctions, make: MakeStore, limits: StoreLimits): StoreCase {
  const volume = volumeOf(limits);
  return (title, body, { ticking = false, ...options } = {}) => {
    test.it(
      title,
      async () => {
        const begun = Date.now();
        let passed = 0;
        const settable = () => (ticking ? Date.now() : begun) + passed;
        const now = limits.clock === undefined ? settable : undefined;
        const made = await make({ now, ...options });
        try {
          const other = await made.another?.();
          try {
            await body({
              store: made.store,
              other: other ?? made.store,
              volume,
              pass: async (ms) => {
                passed += ms;
                if (now === undefined) await new Promise<void>((done) => setTimeout(done, ms));
              },
            });
          } finally {
            await other?.close?.();
          }
        } finally {
          await made.dispose();
        }
      },
      60_000,
    );
  };
}

export function volumeOf({ volume }: StoreLimits): StoreVolume {
  return { ...whole, ...volume };
}

export function because(limit: string | undefined): string {
  return limit === undefined ? '' : ` (limit: ${limit})`;
}
