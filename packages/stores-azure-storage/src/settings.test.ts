import { describe, expect, it } from 'vitest';
import { azureStorageStore } from './azure-storage-store.ts';
import { connectionOf } from './settings.ts';

const credential = {
  getToken: () => Promise.resolve({ token: 't', expiresOnTimestamp: Date.now() + 60_000 }),
};
const key = 'c2VjcmV0LWtleQ==';
const connectionString = `DefaultEndpointsProtocol=https;AccountName=shop;AccountKey=${key};EndpointSuffix=core.windows.net`;
const shop = {
  table: 'https://shop.table.core.windows.net',
  blob: 'https://shop.blob.core.windows.net',
  queue: 'https://shop.queue.core.windows.net',
};

describe('where the account is', () => {
  it('is in the setting AzureWebJobsStorage, or the one that is named', () => {
    const found = { type: 'connection-string', connectionString };
    expect(connectionOf({}, { AzureWebJobsStorage: connectionString })).toEqual(found);
    expect(connectionOf({ connection: 'Runs' }, { Runs: connectionString })).toEqual(found);
    expect(connectionOf({ connectionString }, {})).toEqual(found);
  });

  it('is said by the identity settings of Functions, with a credential', () => {
    const found = { type: 'endpoints', endpoints: shop, credential };
    const env = { AzureWebJobsStorage__accountName: 'shop' };
    expect(connectionOf({ credential }, env)).toEqual(found);
    expect(
      connectionOf(
        { credential, connection: 'Runs' },
        {
          Runs__tableServiceUri: shop.table,
          Runs__blobServiceUri: shop.blob,
          Runs__queueServiceUri: shop.queue,
        },
      ),
    ).toEqual(found);
    expect(connectionOf({ credential, endpoints: shop }, {})).toEqual(found);
  });

  it('follows from one address of the account where Functions ask for no other', () => {
    const env = {
      AzureWebJobsStorage__blobServiceUri: 'https://shop.blob.core.usgovcloudapi.net',
      AzureWebJobsStorage__queueServiceUri: 'https://shop.queue.core.usgovcloudapi.net',
    };
    expect(connectionOf({ credential }, env)).toMatchObject({
      endpoints: { table: 'https://shop.table.core.usgovcloudapi.net' },
    });
  });

  it('is asked for by name where it is missing, when the store is first used', async () => {
    const store = azureStorageStore({ connection: 'NoSuchSetting' });
    await expect(store.now()).rejects.toMatchObject({ code: 'not_configured', httpStatus: 503 });
    await expect(store.runs.peek('r1')).rejects.toThrow('NoSuchSetting__accountName');
  });

  it('needs a credential where it is said by identity settings', () => {
    const env = { AzureWebJobsStorage__accountName: 'shop' };
    expect(() => connectionOf({}, env)).toThrow('new DefaultAzureCredential()');
    const withClient = { ...env, AzureWebJobsStorage__clientId: 'c' };
    expect(() => connectionOf({}, withClient)).toThrow(
      'new ManagedIdentityCredential({ clientId: process.env.AzureWebJobsStorage__clientId })',
    );
  });

  it('is refused where it cannot be meant, without a word of what it holds', () => {
    for (const [env, why] of [
      [{ AzureWebJobsStorage: `AccountKey=${key}` }, 'is no connection string'],
      [{ AzureWebJobsStorage: 'hello' }, 'The setting AzureWebJobsStorage'],
      [{ AzureWebJobsStorage__blobServiceUri: 'shop' }, 'AzureWebJobsStorage__'],
    ] as const) {
      let message = '';
      try {
        connectionOf({ credential }, env);
      } catch (error) {
        message = error instanceof Error ? error.message : '';
      }
      expect(message).toContain(why);
      expect(message).not.toContain(key);
    }
  });
});

describe('options', () => {
  it('that contradict each other, or that there are not, are refused at once', () => {
    const given = (options: object) => () => azureStorageStore(options);
    expect(given({ connectionString, connection: 'X' })).toThrow('connection and connectionString');
    expect(given({ endpoints: shop })).toThrow('without a credential');
    expect(given({ endpoints: { ...shop, blob: 'shop' }, credential })).toThrow('endpoints.blob');
    expect(given({ conectionString: key })).toThrow('unknown option "conectionString"');
    expect(given({ prefix: 'Agent-Functions' })).toThrow('3 to 50 small letters and digits');
    expect(given({ prefix: 7 })).toThrow('prefix of type number');
    expect(given({ wakeQueue: 'a--b' })).toThrow('single hyphens');
    expect(given({ wakeQueue: true })).toThrow('a name or false');
    expect(given({ keepRunsMs: -1 })).toThrow('keepRunsMs -1');
    expect(given({ keepSessionsMs: Number.NaN })).toThrow('keepSessionsMs NaN');
  });
});
