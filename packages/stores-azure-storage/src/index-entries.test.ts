import { noUsage, type RunEvent } from '@agent-functions/core';
import { collect, eventually } from '@agent-functions/core/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startAzurite, type Azurite } from '../test/azurite.ts';
import { startProxy, type Proxy } from '../test/proxy.ts';
import { rowsOf } from '../test/rows.ts';
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

const minute = 60_000;
const base = { v: 1, at: 1, runId: 'r1', frame: 'f0', agent: 'weather' } as const;
const first: RunEvent = { ...base, seq: 1, type: 'run-start', input: [], options: {} };
const end: RunEvent = {
  ...base,
  seq: 2,
  type: 'run-end',
  status: 'completed',
  usage: noUsage,
  handoffPath: ['weather'],
};
const header = { runId: 'r1', agent: 'weather', createdAt: 1, owner: 'ann', sessionId: 's1' };
const lease = { holder: 'h1', ttlMs: minute };

function open() {
  const clock = { time: Date.now() };
  const prefix = azurite.prefix();
  const { connectionString } = proxy;
  const store = azureStorageStore({ connectionString, prefix, now: () => clock.time });
  proxy.clear();
  const entries = async () =>
    (await rowsOf(azurite, `${prefix}index`)).map(({ rowKey }) => rowKey.slice(0, 3));
  return { store, clock, prefix, entries };
}

describe('the index', () => {
  it('is what everything is found by: no request scans a table', async () => {
    const { store, clock } = open();
    await store.runs.create(header, first, lease);
    const { version } = await store.sessions.commit(
      's1',
      { owner: 'ann', append: [{ id: 'm1', role: 'user', parts: [] }] },
      { expectedVersion: '0', operationId: 'o1' },
    );
    await store.runs.post('r1', { id: 'c1', type: 'cancel' });
    await store.runs.inbox('r1');
    await collect(store.runs.read('r1'));
    for (const filter of [{}, { owner: 'ann' }, { sessionId: 's1' }, { unfinished: true }]) {
      expect((await store.runs.list({ ...filter, limit: 9 })).runs).toEqual([header]);
    }
    for (const filter of [{}, { owner: 'ann' }]) {
      expect((await store.sessions.list({ ...filter, limit: 9 })).sessions).toHaveLength(1);
    }
    expect((await store.sessions.load('s1')).version).toBe(version);
    await store.runs.append('r1', [end], { expectedSeq: 1, token: 1, drained: ['c1'] });
    clock.time += 31 * 24 * 60 * minute;
    expect(await store.expired({ limit: 9 })).toEqual({ runs: ['r1'], sessions: ['s1'] });
    await store.runs.delete('r1');
    await store.sessions.delete('s1');
    await store.close();
    const reads = proxy.requests.filter(
      ({ service, kind }) => service === 'table' && kind === 'read',
    );
    expect(reads.length).toBeGreaterThan(20);
    for (const { path } of reads) {
      const asked = decodeURIComponent(path);
      expect(asked).toMatch(
        /\(PartitionKey='[^']+',RowKey='[^']+'\)|PartitionKey eq '[^']+' and RowKey g/,
      );
    }
  });

  it('has an ended run among the unfinished no longer than it is looked at', async () => {
    const { store, prefix, entries } = open();
    await store.runs.create(header, first, lease);
    proxy.fail({
      type: 'cut-request',
      when: ({ method, place }) => method === 'DELETE' && place === `${prefix}index`,
    });
    await store.runs.append('r1', [end], { expectedSeq: 1, token: 1 });
    expect((await store.runs.list({ unfinished: true, limit: 9 })).runs).toEqual([]);
    await eventually(async () => !(await entries()).includes('ope'), 'its entry is gone');
    expect((await store.runs.list({ limit: 9 })).runs).toEqual([header]);
    await store.close();
  });

  it('is moved by a session once in ten minutes of its use, and not by every commit', async () => {
    const { store, clock, prefix, entries } = open();
    clock.time = Math.ceil(clock.time / (10 * minute)) * 10 * minute;
    let version = '0';
    const commit = async (operationId: string): Promise<number> => {
      proxy.clear();
      const at = { expectedVersion: version, operationId };
      ({ version } = await store.sessions.commit('s1', { owner: 'ann' }, at));
      return proxy.count('write', `${prefix}index`);
    };
    expect(await commit('o1')).toBeGreaterThan(0);
    for (const operationId of ['o2', 'o3', 'o4']) expect(await commit(operationId)).toBe(0);
    clock.time += 11 * minute;
    expect(await commit('o5')).toBe(1);
    await eventually(async () => (await entries()).length === 3, 'the entries before are gone');
    const { sessions } = await store.sessions.list({ owner: 'ann', limit: 9 });
    expect(sessions).toEqual([{ sessionId: 's1', updatedAt: clock.time }]);
    await store.close();
  });

  it('has a session under its new owner, and not under the one before', async () => {
    const { store, clock, entries } = open();
    const commit = async (owner: string, expectedVersion: string) =>
      store.sessions.commit('s1', { owner }, { expectedVersion, operationId: owner });
    const { version } = await commit('ann', '0');
    await commit('bob', version);
    const listed = async (owner: string) =>
      (await store.sessions.list({ owner, limit: 9 })).sessions.length;
    expect([await listed('ann'), await listed('bob')]).toEqual([0, 1]);
    clock.time += 2 * minute;
    expect([await listed('ann'), await listed('bob')]).toEqual([0, 1]);
    await eventually(async () => (await entries()).length === 3, 'its own entries are left');
    await store.close();
  });
});
