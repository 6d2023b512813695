import { storeContract } from '@agent-functions/core/testing';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { startAzurite, type Azurite } from '../test/azurite.ts';
import { azureStorageStore } from './azure-storage-store.ts';

let azurite: Azurite;
beforeAll(async () => {
  azurite = await startAzurite();
}, 60_000);
afterAll(() => azurite.stop());

storeContract({ describe, it, beforeAll, afterAll }, 'azure storage, Azurite', (options) => {
  const { connectionString } = azurite;
  const given = { ...options, connectionString, prefix: azurite.prefix() };
  const store = azureStorageStore(given);
  return Promise.resolve({
    store,
    another: () => Promise.resolve(azureStorageStore(given)),
    dispose: () => store.close(),
  });
});
