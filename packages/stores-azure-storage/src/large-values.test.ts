import { randomBytes } from 'node:crypto';
import type { RunEvent, Signal } from '@agent-functions/core';
import { collect, eventually } from '@agent-functions/core/testing';
import { BlobServiceClient } from '@azure/storage-blob';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startAzurite, type Azurite } from '../test/azurite.ts';
import { startProxy, type Proxy } from '../test/proxy.ts';
import { rowsOf, storedBytes } from '../test/rows.ts';
import { azureStorageStore } from './azure-storage-store.ts';

// Azurite takes what an account would refuse: the limits are checked on what is sent.
// https://learn.microsoft.com/rest/api/storageservices/understanding-the-table-service-data-model
// https://learn.microsoft.com/rest/api/storageservices/performing-entity-group-transactions

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

const base = { v: 1, at: 1, runId: 'r1', frame: 'f0', agent: 'weather' } as const;
const header = { runId: 'r1', agent: 'weather', createdAt: 1 };
const lease = { holder: 'h1', ttlMs: 60_000 };

/** A text that cannot be packed into less than so many bytes. */
function noise(bytes: number): string {
  return randomBytes(bytes).toString('base64');
}

function note(seq: number, bytes: number): RunEvent {
  return { ...base, seq, type: 'warning', code: 'test', message: noise(bytes) };
}

function open(now?: () => number) {
  const prefix = azurite.prefix();
  proxy.clear();
  const store = azureStorageStore({ connectionString: proxy.connectionString, prefix, now });
  const create = (first: RunEvent) => store.runs.create(header, first, lease);
  return { prefix, store, create };
}

async function blobsIn(prefix: string): Promise<readonly string[]> {
  const service = BlobServiceClient.fromConnectionString(azurite.connectionString);
  const container = service.getContainerClient(`${prefix}-values`);
  const names: string[] = [];
  if (!(await container.exists())) return names;
  for await (const { name } of container.listBlobsFlat()) names.push(name);
  return names;
}

/** What the service would refuse in what was sent and in what came of it. */
async function checkLimits(prefix: string): Promise<void> {
  for (const { place, body, operations } of proxy.requests) {
    if (!place.startsWith(prefix) || place.endsWith('-values')) continue;
    expect(body.length).toBeLessThanOrEqual(4 * 1_048_576);
    expect(operations.length).toBeLessThanOrEqual(100);
  }
  for (const table of ['runs', 'sessions', 'index']) {
    const rows = await rowsOf(azurite, `${prefix}${table}`).catch(() => []);
    for (const row of rows) {
      expect(storedBytes([row]), row.rowKey).toBeLessThanOrEqual(1_048_576);
      expect(Object.keys(row.columns).length).toBeLessThanOrEqual(252);
      for (const [name, value] of Object.entries(row.columns)) {
        const bytes =
          typeof value === 'string'
            ? 2 * value.length
            : value instanceof Uint8Array
              ? value.length
              : 8;
        expect(bytes, `${row.rowKey} ${name}`).toBeLessThanOrEqual(65_536);
      }
    }
  }
}

describe('a large value', () => {
  it('keeps within what a property, a row and a transaction may have', async () => {
    for (const bytes of [40_000, 65_000, 66_000, 131_073, 500_000, 760_000, 800_000, 1_500_000]) {
      const { prefix, store, create } = open();
      const first = { ...note(1, bytes), type: 'run-start', input: [], options: {} } as const;
      await create(first);
      await store.runs.append('r1', [note(2, bytes), note(3, 10)], { expectedSeq: 1, token: 1 });
      const decisions = [{ interruptionId: 'i1', approved: false, message: noise(bytes) }] as const;
      const signal: Signal = { id: 'd1', type: 'decide', decisions };
      await store.runs.post('r1', signal);
      expect(await store.runs.inbox('r1')).toEqual([signal]);
      const message = {
        id: 'm1',
        role: 'user',
        parts: [{ type: 'text', text: noise(bytes) }],
      } as const;
      const state = { kept: noise(bytes) };
      await store.sessions.commit(
        's1',
        { append: [message], state },
        { expectedVersion: '0', operationId: 'o1' },
      );
      expect(await store.sessions.load('s1')).toMatchObject({ messages: [message], state });
      expect((await collect(store.runs.read('r1'))).map(({ seq }) => seq)).toEqual([1, 2, 3]);
      await checkLimits(prefix);
      expect((await blobsIn(prefix)).length > 0, `blobs of ${bytes} bytes`).toBe(bytes > 786_432);
      await store.close();
    }
  }, 60_000);

  it('has its transaction within the limits however many signals it drains', async () => {
    const { prefix, store, create } = open();
    await create(note(1, 10));
    const signals = Array.from({ length: 230 }, (_, n): Signal => ({
      id: `c${n}`,
      type: 'cancel',
    }));
    for (const signal of signals) await store.runs.post('r1', signal);
    const drained = signals.slice(0, 220).map(({ id }) => id);
    const at = { expectedSeq: 1, token: 1, drained: [...drained, 'never posted', 'c0'] };
    await store.runs.append('r1', [note(2, 10)], at);
    expect(await store.runs.inbox('r1')).toEqual(signals.slice(220));
    await store.close();
    await checkLimits(prefix);
    const left = (await rowsOf(azurite, `${prefix}runs`, 'r1')).filter(({ rowKey }) =>
      rowKey.startsWith('i-'),
    );
    expect(left, 'rows of the inbox').toHaveLength(10);
  }, 30_000);

  it('refuses more decisions in one signal than fit a transaction', async () => {
    const { prefix, store, create } = open();
    await create(note(1, 10));
    const decisions = (count: number) =>
      Array.from({ length: count }, (_, n) => ({
        interruptionId: `i${n}`,
        approved: true as const,
      }));
    const most: Signal = { id: 'd1', type: 'decide', decisions: decisions(97) };
    expect(await store.runs.post('r1', most)).toEqual({ accepted: true });
    const more = store.runs.post('r1', { ...most, id: 'd2', decisions: decisions(98) });
    await expect(more).rejects.toThrow('at most 97 fit in one');
    await checkLimits(prefix);
    await store.close();
  });
});

describe('a blob', () => {
  const large = 900_000;

  it('goes with its run, its session, or what replaces it', async () => {
    const { prefix, store, create } = open();
    await create(note(1, 10));
    await store.runs.append('r1', [note(2, large)], { expectedSeq: 1, token: 1 });
    const text = (id: string) =>
      ({ id, role: 'user', parts: [{ type: 'text', text: noise(large) }] }) as const;
    const state = { kept: noise(large) };
    const { version } = await store.sessions.commit(
      's1',
      { append: [text('m1')], state },
      { expectedVersion: '0', operationId: 'o1' },
    );
    expect(await blobsIn(prefix)).toHaveLength(3);
    await store.sessions.commit(
      's1',
      { replaceWith: [text('m2')], state: {} },
      { expectedVersion: version, operationId: 'o2' },
    );
    await eventually(async () => (await blobsIn(prefix)).length === 2, 'what was replaced is gone');
    await store.runs.delete('r1');
    expect(await blobsIn(prefix)).toHaveLength(1);
    await store.sessions.delete('s1');
    expect(await blobsIn(prefix)).toEqual([]);
    await store.close();
  });

  it('is taken away when its write is refused', async () => {
    const { prefix, store, create } = open();
    await create(note(1, 10));
    const append = store.runs.append('r1', [note(9, large)], { expectedSeq: 8, token: 1 });
    await expect(append).rejects.toMatchObject({ reason: 'seq' });
    const commit = store.sessions.commit(
      's1',
      { state: { kept: noise(large) } },
      { expectedVersion: 'another', operationId: 'o1' },
    );
    await expect(commit).rejects.toMatchObject({ code: 'session_conflict' });
    await store.close();
    expect(await blobsIn(prefix)).toEqual([]);
  });

  it('that a process left behind is taken away when another is written a day later', async () => {
    let time = Date.now();
    const { prefix, store, create } = open(() => time);
    await create(note(1, 10));
    proxy.fail({
      type: 'cut-request',
      when: ({ kind, place }) => kind === 'write' && place === `${prefix}runs`,
    });
    const append = (seq: number) =>
      store.runs.append('r1', [note(seq, large)], { expectedSeq: seq - 1, token: 1 });
    await expect(append(2)).rejects.toMatchObject({ code: 'store_unavailable' });
    await append(2);
    expect(await blobsIn(prefix)).toHaveLength(2);
    time += 25 * 3_600_000;
    await append(3);
    await eventually(async () => (await blobsIn(prefix)).length === 2, 'the orphan is gone');
    expect((await collect(store.runs.read('r1'))).map(({ seq }) => seq)).toEqual([1, 2, 3]);
    await store.close();
  });
});
