import { seededRandom, storeChaosContract } from '@agent-functions/core/testing';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { startAzurite, type Azurite } from '../test/azurite.ts';
import { startProxy, type Fault, type Proxy } from '../test/proxy.ts';
import { azureStorageStore } from './azure-storage-store.ts';

// The chaos of the contract once more, over an account that fails by itself: requests that never arrive, answers that are
// lost, a service that is busy, in the middle of what one call of the store does.

let azurite: Azurite;
beforeAll(async () => {
  azurite = await startAzurite();
}, 60_000);
afterAll(() => azurite.stop());

const failures: readonly Fault[] = [
  { type: 'lose-answer' },
  { type: 'cut-request' },
  { type: 'refuse', status: 503 },
  { type: 'refuse', status: 429 },
];

function failNowAndThen(proxy: Proxy, seed: number): void {
  const random = seededRandom(seed);
  for (const failure of failures) {
    proxy.fail({ ...failure, times: Infinity, when: () => random() < 0.01 });
  }
}

let seeds = 0;
storeChaosContract(
  { describe, it, beforeAll, afterAll },
  'azure storage, an account that fails',
  async (options) => {
    const proxy = await startProxy(azurite.origins);
    failNowAndThen(proxy, ++seeds);
    const { connectionString } = proxy;
    const given = { ...options, connectionString, prefix: azurite.prefix() };
    const store = azureStorageStore(given);
    return {
      store,
      another: () => Promise.resolve(azureStorageStore(given)),
      async dispose() {
        await store.close();
        await proxy.stop();
      },
    };
  },
  { seeds: [11] },
);
