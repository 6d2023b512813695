import type { Store } from '../store.ts';

/** How much a case writes: the whole of it, unless a store's limits say less. */
export interface StoreVolume {
  /** Of the long journal. Default 100,000. */
  readonly events: number;
  /** Of the largest value, about. Default 10,000,000. */
  readonly bytes: number;
  /** How often what is decided by chance is tried. Default 20. */
  readonly rounds: number;
}

/** One test's store, its second handle (the store itself where there is none), and its clock. */
export interface StoreFixture {
  readonly store: Store;
  readonly other: Store;
  /** Lets time pass: sets the clock, or waits where it cannot be set. */
  readonly pass: (ms: number) => Promise<void>;
  readonly volume: StoreVolume;
}

/** What a case wants its store to be made with. */
export interface StoreCaseOptions {
  readonly keepRunsMs?: number | undefined;
  readonly keepSessionsMs?: number | undefined;
}

/** Registers one test of a store. */
export type StoreCase = (
  name: string,
  body: (fixture: StoreFixture) => Promise<void>,
  options?: StoreCaseOptions,
) => void;
