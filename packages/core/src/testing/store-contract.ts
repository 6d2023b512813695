import type { Store } from '../store.ts';
import { channelContract } from './store-channel-contract.ts';
import { inboxContract } from './store-inbox-contract.ts';
import { journalContract } from './store-journal-contract.ts';
import { leaseContract } from './store-lease-contract.ts';
import { pagingContract } from './store-paging-contract.ts';
import { protocolContract } from './store-protocol-contract.ts';
import { raceContract } from './store-race-contract.ts';
import { runContract } from './store-run-contract.ts';
import type { StoreCase, StoreVolume } from './store-case.ts';
import { expiryContract } from './store-expiry-contract.ts';
import { sessionContract } from './store-session-contract.ts';
import { volumeContract } from './store-volume-contract.ts';
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

export type MakeStore = (options: {
  readonly now?: (() => number) | undefined;
  /** How long runs are kept after their end, and sessions after their last use. Default: as the store likes. */
  readonly keepRunsMs?: number | undefined;
  readonly keepSessionsMs?: number | undefined;
}) => Promise<StoreUnderTest>;

const whole: StoreVolume = { events: 100_000, bytes: 10_000_000, rounds: 20 };

/**
 * The specification of `Store`: every implementation passes it. Pass the test runner's functions, and how to make an
 * empty store for each test; `make` gives the store the clock and the times to keep things that it is handed.
 */
export function storeContract(
  test: TestFunctions,
  name: string,
  make: MakeStore,
  limits: StoreLimits = {},
): void {
  const volume = { ...whole, ...limits.volume };
  const define: StoreCase = (title, body, options) => {
    test.it(
      title,
      async () => {
        let time = Date.now();
        const now = limits.clock === undefined ? () => time : undefined;
        const made = await make({ now, ...options });
        try {
          const other = await made.another?.();
          try {
            await body({
              store: made.store,
              volume,
              other: other ?? made.store,
              pass: async (ms) => {
                time += ms;
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

  test.describe(`store: ${name}`, () => {
    test.describe(`runs${because(limits.another)}`, () => {
      runContract(define);
    });
    test.describe('journals', () => {
      journalContract(define);
    });
    test.describe(`leases${because(limits.clock)}`, () => {
      leaseContract(define);
    });
    test.describe('several at once', () => {
      raceContract(define);
    });
    test.describe('inbox', () => {
      inboxContract(define);
    });
    test.describe('sessions', () => {
      sessionContract(define);
    });
    test.describe(`runs in sessions, interrupted${because(limits.clock)}`, () => {
      protocolContract(define, limits.clock === undefined);
    });
    test.describe('pages while others write', () => {
      pagingContract(define);
    });
    test.describe(`volume${because(limits.volume?.reason)}`, () => {
      volumeContract(define);
    });
    test.describe(`what may go${because(limits.clock)}`, () => {
      expiryContract(define, limits.clock === undefined);
    });
    test.describe(`channel${because(limits.channel)}`, () => {
      channelContract(define, limits.channel === undefined);
    });
  });
}

function because(limit: string | undefined): string {
  return limit === undefined ? '' : ` (limit: ${limit})`;
}
