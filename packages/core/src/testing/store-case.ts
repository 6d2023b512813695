import type { Store } from '../store.ts';

/** One test's store, its second handle (the store itself where there is none), and its clock. */
export interface StoreFixture {
  readonly store: Store;
  readonly other: Store;
  /** Lets time pass: sets the clock, or waits where it cannot be set. */
  readonly pass: (ms: number) => Promise<void>;
}

/** Registers one test of a store. */
export type StoreCase = (name: string, body: (fixture: StoreFixture) => Promise<void>) => void;
