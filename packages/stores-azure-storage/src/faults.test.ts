import { AgentError, type RunEvent } from '@agent-functions/core';
import { collect } from '@agent-functions/core/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { azuriteAccount, connectionStringOf, startAzurite, type Azurite } from '../test/azurite.ts';
import { startProxy, type Fault, type Proxy } from '../test/proxy.ts';
import { rowsOf } from '../test/rows.ts';
import { azureStorageStore, type AzureStorageStore } from './azure-storage-store.ts';

// What goes wrong between the store and the account.

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

const base = { v: 1, at: 1, frame: 'f0', agent: 'weather' } as const;
const startOf = (runId: string): RunEvent => ({
  ...base,
  runId,
  seq: 1,
  type: 'run-start',
  input: [],
  options: {},
});
const warning = (runId: string, seq: number): RunEvent => ({
  ...base,
  runId,
  seq,
  type: 'warning',
  code: 'test',
  message: `event ${seq}`,
});
const headerOf = (runId: string) => ({ runId, agent: 'weather', createdAt: 1, owner: 'ann' });
const lease = { holder: 'h1', ttlMs: 60_000 };
const unavailable = { code: 'store_unavailable', retryable: true, httpStatus: 503 };
const failures: readonly Fault[] = [
  { type: 'refuse', status: 503 },
  { type: 'refuse', status: 429 },
  { type: 'refuse', status: 500 },
  { type: 'cut-request' },
  { type: 'lose-answer' },
];

function open(options: { readonly prefix?: string; readonly now?: () => number } = {}) {
  return azureStorageStore({
    connectionString: proxy.connectionString,
    prefix: azurite.prefix(),
    ...options,
  });
}

async function begin(store: AzureStorageStore, runId: string): Promise<void> {
  expect(await store.runs.create(headerOf(runId), startOf(runId), lease)).toMatchObject({
    created: true,
  });
}

describe('an account that fails now and then', () => {
  it('is asked again where it is only read', async () => {
    const store = open();
    await begin(store, 'r1');
    for (const failure of failures) {
      proxy.fail({ ...failure, when: ({ kind }) => kind === 'read' });
      expect(await store.runs.peek('r1')).toMatchObject({ seq: 1 });
    }
    await store.close();
  });

  it('says that a write may have failed, and takes it again', async () => {
    const store = open();
    await begin(store, 'r0');
    const write = (where: string) => (request: { kind: string; place: string }) =>
      request.kind === 'write' && request.place.endsWith(where);
    for (const [index, failure] of failures.entries()) {
      const runId = `r${index + 1}`;
      for (const place of ['index', 'runs']) {
        proxy.fail({ ...failure, when: write(place) });
        const creating = store.runs.create(headerOf(runId), startOf(runId), lease);
        await expect(creating, `${failure.type} ${place}`).rejects.toMatchObject(unavailable);
      }
      const made = await store.runs.create(headerOf(runId), startOf(runId), lease);
      expect(made).toMatchObject({ created: true, lease: { token: 1 } });

      proxy.fail({ ...failure, when: write('runs') });
      const append = () =>
        store.runs.append(runId, [warning(runId, 2)], { expectedSeq: 1, token: 1 });
      await expect(append()).rejects.toMatchObject(unavailable);
      // As a holder does whose append failed: it renews, and looks.
      expect(
        await store.runs.renew(runId, { ...lease, token: 1, expiresAt: 0 }, 60_000),
      ).toBeDefined();
      if ((await store.runs.peek(runId))?.seq === 1) await append();
      expect(await collect(store.runs.read(runId, { after: 1 }))).toEqual([warning(runId, 2)]);

      proxy.fail({ ...failure, when: write('runs') });
      const signal = { id: 'c1', type: 'cancel' } as const;
      await expect(store.runs.post(runId, signal)).rejects.toMatchObject(unavailable);
      expect(await store.runs.post(runId, signal)).toEqual({ accepted: true });
      expect(await store.runs.inbox(runId)).toEqual([signal]);

      proxy.fail({ ...failure, when: write('sessions') });
      const change = { append: [{ id: 'm1', role: 'user', parts: [] }] } as const;
      const at = { expectedVersion: '0', operationId: 'o1' };
      const commit = () => store.sessions.commit(runId, change, at);
      await expect(commit()).rejects.toMatchObject(unavailable);
      const { version } = await commit();
      expect(await store.sessions.load(runId)).toMatchObject({ version, messages: change.append });
    }
    expect((await store.runs.list({ owner: 'ann', limit: 20 })).runs).toHaveLength(6);
    await store.close();
  });

  it('gives the lease to who asked for it, though the answer was lost', async () => {
    const store = open();
    await begin(store, 'r1');
    await store.runs.release('r1', { holder: 'h1', token: 1, expiresAt: 0 });
    proxy.fail({ type: 'lose-answer', when: ({ kind }) => kind === 'write' });
    const taken = await store.runs.acquire('r1', { holder: 'h2', ttlMs: 60_000 });
    expect(taken).toMatchObject({ lease: { holder: 'h2', token: 2 }, attempt: 0 });
    await store.runs.append('r1', [warning('r1', 2)], { expectedSeq: 1, token: 2 });
    await store.close();
  });

  it('leaves an append that comes too late without effect', async () => {
    const prefix = azurite.prefix();
    const store = open({ prefix });
    await begin(store, 'r1');
    const { connectionString } = azurite;
    const other = azureStorageStore({ connectionString, prefix });
    // The holder gives up waiting and asks again; only then the first of the two arrives.
    const undo = proxy.fail({
      type: 'wait',
      delayMs: 300,
      when: ({ kind, place }) => kind === 'write' && place.endsWith('runs'),
    });
    const late = store.runs.append('r1', [warning('r1', 2)], { expectedSeq: 1, token: 1 });
    await other.runs.renew('r1', { ...lease, token: 1, expiresAt: 0 }, 60_000);
    await other.runs.append('r1', [warning('r1', 2)], { expectedSeq: 1, token: 1 });
    await expect(late).rejects.toMatchObject({ code: 'run_conflict', reason: 'seq' });
    undo();
    expect(await collect(store.runs.read('r1'))).toHaveLength(2);
    await store.close();
    await other.close();
  });
});

describe('an account that cannot be used', () => {
  it('is named by its setting, without its secrets', async () => {
    const { key } = azuriteAccount;
    const nowhere = connectionStringOf({
      table: 'http://127.0.0.1:9',
      blob: 'http://127.0.0.1:9',
      queue: 'http://127.0.0.1:9',
    });
    const forged = azurite.connectionString.replace(key, Buffer.alloc(64).toString('base64'));
    for (const [connectionString, why, retryable] of [
      [nowhere, 'did not answer (ECONNREFUSED)', true],
      [forged, 'refused its credentials (403 AuthorizationFailure)', false],
    ] as const) {
      process.env['TEST_STORAGE'] = connectionString;
      const store = azureStorageStore({ connection: 'TEST_STORAGE' });
      const error = await store.now().catch((thrown: unknown) => thrown);
      delete process.env['TEST_STORAGE'];
      if (!AgentError.isInstance(error)) throw new Error(String(error));
      expect(error).toMatchObject({ code: 'store_unavailable', retryable, httpStatus: 503 });
      expect(error.message).toContain('the setting TEST_STORAGE');
      expect(error.message).toContain(why);
      for (const secret of [key, 'AccountKey', 'SharedKey']) {
        expect(`${error.message} ${error.stack} ${JSON.stringify(error)}`).not.toContain(secret);
      }
      expect(error.cause).toBeUndefined();
    }
  });

  it('says so after it was closed', async () => {
    const store = open();
    await store.now();
    await store.close();
    await store.close();
    await expect(store.runs.peek('r1')).rejects.toThrow('was closed');
  });
});

describe('a process that dies in the middle', () => {
  const minute = 61_000;

  it('hides no run, and leaves no trace of one that it did not make', async () => {
    let time = Date.now();
    const prefix = azurite.prefix();
    const store = open({ prefix, now: () => time });
    await begin(store, 'r1');
    proxy.fail({
      type: 'cut-request',
      when: ({ kind, place }) => kind === 'write' && place === `${prefix}runs`,
    });
    await expect(store.runs.create(headerOf('r2'), startOf('r2'), lease)).rejects.toThrow();
    const listed = async () =>
      (await store.runs.list({ owner: 'ann', limit: 9 })).runs.map(({ runId }) => runId);
    expect(await listed()).toEqual(['r1']);
    const entries = async () =>
      (await rowsOf(azurite, `${prefix}index`)).filter(({ rowKey }) => rowKey.endsWith('i-r2'));
    expect(await entries()).toHaveLength(4);
    time += minute;
    expect(await listed()).toEqual(['r1']);
    expect((await store.runs.list({ unfinished: true, limit: 9 })).runs).toHaveLength(1);
    time += 7 * 24 * 3_600_000;
    expect(await store.expired({ limit: 9 })).toEqual({ runs: [], sessions: [] });
    expect(await entries()).toEqual([]);
    // The one that has not ended is looked at again in seven days.
    expect(await listed()).toEqual(['r1']);
    await store.close();
  });

  it('leaves a deletion that goes on when it is repeated, or cleaned up', async () => {
    let time = Date.now();
    for (const repeat of ['delete', 'clean up', 'create'] as const) {
      for (const nth of [1, 2, 3, 4]) {
        const prefix = azurite.prefix();
        const store = open({ prefix, now: () => time });
        await begin(store, 'r1');
        await store.runs.post('r1', { id: 'c1', type: 'cancel' });
        let writes = 0;
        const undo = proxy.fail({
          type: 'cut-request',
          times: Infinity,
          when: ({ kind }) => kind === 'write' && ++writes >= nth,
        });
        await expect(store.runs.delete('r1'), `write ${nth}`).rejects.toMatchObject(unavailable);
        undo();
        expect(await store.runs.peek('r1')).toEqual(nth === 1 ? expect.anything() : undefined);
        if (nth > 1) {
          const posting = store.runs.post('r1', { id: 'c2', type: 'cancel' });
          await expect(posting).rejects.toMatchObject({ code: 'not_found' });
        }
        time += 1;
        if (repeat === 'create' && nth > 1) await begin(store, 'r1');
        if (repeat === 'clean up' && nth > 1) {
          time += 8 * 24 * 3_600_000;
          const { runs } = await store.expired({ limit: 5 });
          // Where only its entries are left, there is nothing to delete.
          expect(runs).toEqual(nth < 4 ? ['r1'] : []);
        }
        await store.runs.delete('r1');
        if (nth === 4) {
          time += 8 * 24 * 3_600_000;
          expect(await store.expired({ limit: 5 })).toMatchObject({ runs: [] });
        }
        await store.close();
        expect(await rowsOf(azurite, `${prefix}runs`)).toEqual([]);
        expect(await rowsOf(azurite, `${prefix}index`)).toEqual([]);
      }
    }
  }, 60_000);
});
