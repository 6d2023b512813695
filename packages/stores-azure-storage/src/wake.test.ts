import { QueueClient } from '@azure/storage-queue';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startAzurite, type Azurite } from '../test/azurite.ts';
import { startProxy, type Proxy } from '../test/proxy.ts';
import { azureStorageStore } from './azure-storage-store.ts';

let azurite: Azurite;
let proxy: Proxy;
beforeAll(async () => {
  azurite = await startAzurite();
  proxy = await startProxy(azurite.origins);
}, 60_000);
afterAll(async () => {
  await proxy.stop();
  await azurite.stop();
});

describe('wakes', () => {
  it('come out of the queue as Functions read them, when they are due', async () => {
    const time = Date.now();
    const prefix = azurite.prefix();
    const { connectionString } = proxy;
    const wakeQueue = `${prefix}-wake`;
    const store = azureStorageStore({ connectionString, prefix, wakeQueue, now: () => time });
    proxy.clear();
    await store.wake?.schedule({ runId: 'r/ü', missingSince: 5 }, time - 1_000);
    await store.wake?.schedule({ runId: 'r2' }, time + 3_600_000);
    await store.wake?.schedule({ runId: 'r3' }, time + 1_500);
    await store.wake?.schedule({ runId: 'r4' }, time + 30 * 24 * 3_600_000);
    const asked = proxy.requests.flatMap(({ path, status }) =>
      status === 201 ? [new URL(path, 'http://host').searchParams] : [],
    );
    const sent = asked.filter((params) => params.has('visibilitytimeout'));
    expect(sent.map((params) => params.get('visibilitytimeout'))).toEqual([
      '0',
      '3600',
      '2',
      '604800',
    ]);
    expect(new Set(sent.map((params) => params.get('messagettl')))).toEqual(new Set(['-1']));
    const queue = new QueueClient(azurite.connectionString, wakeQueue);
    const { receivedMessageItems } = await queue.receiveMessages({ numberOfMessages: 9 });
    const calls = receivedMessageItems.map(({ messageText }) =>
      JSON.parse(Buffer.from(messageText, 'base64').toString()),
    );
    expect(calls).toEqual([{ runId: 'r/ü', missingSince: 5 }]);
    await store.close();
  });

  it('are there inside a Functions host, which reads them by the setting of the store', () => {
    const { FUNCTIONS_WORKER_RUNTIME: before } = process.env;
    delete process.env['FUNCTIONS_WORKER_RUNTIME'];
    expect(azureStorageStore().wake).toBeUndefined();
    expect(azureStorageStore({ wakeQueue: 'mine' }).wake?.trigger).toEqual({
      type: 'queue',
      queueName: 'mine',
      connection: 'AzureWebJobsStorage',
    });
    process.env['FUNCTIONS_WORKER_RUNTIME'] = 'node';
    try {
      expect(azureStorageStore({ connection: 'Runs', prefix: 'shop' }).wake?.trigger).toEqual({
        type: 'queue',
        queueName: 'shop-wake',
        connection: 'Runs',
      });
      expect(azureStorageStore({ wakeQueue: false }).wake).toBeUndefined();
      const { connectionString } = azurite;
      expect(azureStorageStore({ connectionString }).wake).toEqual({
        schedule: expect.any(Function),
      });
    } finally {
      if (before === undefined) delete process.env['FUNCTIONS_WORKER_RUNTIME'];
      else process.env['FUNCTIONS_WORKER_RUNTIME'] = before;
    }
  });
});
