import { chaosContract } from './store-chaos-contract.ts';
import { channelContract } from './store-channel-contract.ts';
import { inboxContract } from './store-inbox-contract.ts';
import { journalContract } from './store-journal-contract.ts';
import { leaseContract } from './store-lease-contract.ts';
import { pagingContract } from './store-paging-contract.ts';
import { protocolContract } from './store-protocol-contract.ts';
import { raceContract } from './store-race-contract.ts';
import { recordsContract } from './store-records-contract.ts';
import { runContract } from './store-run-contract.ts';
import { because, storeCases, type MakeStore, type StoreLimits } from './store-case.ts';
import { expiryContract } from './store-expiry-contract.ts';
import { sessionContract } from './store-session-contract.ts';
import { volumeContract } from './store-volume-contract.ts';
import type { TestFunctions } from './test-functions.ts';

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
  const define = storeCases(test, make, limits);

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
    test.describe('records', () => {
      recordsContract(define);
    });
    test.describe(`runs in sessions, interrupted${because(limits.clock)}`, () => {
      protocolContract(define, limits.clock === undefined);
    });
    test.describe(`chaos${because(limits.clock)}`, () => {
      chaosContract(define, limits);
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
