import { memoryStore, Runner } from '@agent-functions/core';
import { eventually, faultyStore } from '@agent-functions/core/testing';
import { sqliteStore } from '@agent-functions/stores-sqlite';
import { expect, test } from 'vitest';
import { databaseFile } from '../../test/database-file.ts';
import { plainServer } from '../../test/plain-server.ts';
import { remoteAgent } from './remote-agent.ts';

// A process goes away while the remote agent works: its task goes on, and another process follows it.

test('killed while the answer streams, another process gets all of it', async () => {
  await using server = await plainServer();
  let now = Date.now();
  const store = memoryStore({ now: () => now });
  const gone = new AbortController();
  const doomed = faultyStore(store, { until: gone.signal });
  const agent = () => remoteAgent(server.url, { name: 'plain' });
  const life = new Runner(agent(), { store: doomed }).run('slow one').catch(() => undefined);
  await eventually(() => server.agent.gates.length === 1, 'the remote agent works');
  await eventually(() => server.calls.includes('SubscribeToTask') || undefined, 'it is followed');
  gone.abort();
  now += 60_000;
  const [run] = (await store.runs.list({ limit: 1 })).runs;
  const result = new Runner(agent(), { store }).resume(run?.runId ?? '');
  const follows = () => server.calls.filter((one) => one === 'SubscribeToTask').length === 2;
  await eventually(follows, 'it is followed again');
  server.agent.release();
  expect((await result).response).toBe('Half and whole.');
  expect(server.agent.messages).toHaveLength(1);
  await life;
});

test('a process that only lets go of the run cancels nothing', async () => {
  await using server = await plainServer();
  const store = sqliteStore(databaseFile());
  const agent = () => remoteAgent(server.url, { name: 'plain' });
  const leaves = new AbortController();
  const handOver = { signal: leaves.signal, settleMs: 1 };
  const first = new Runner(agent(), { store, handOver }).run('slow one');
  await eventually(() => server.calls.includes('SubscribeToTask') || undefined, 'it is followed');
  leaves.abort();
  await expect(first).rejects.toMatchObject({ code: 'handed_over' });
  const [run] = (await store.runs.list({ limit: 1 })).runs;
  const result = new Runner(agent(), { store }).resume(run?.runId ?? '');
  const follows = () => server.calls.filter((one) => one === 'SubscribeToTask').length > 1;
  await eventually(follows, 'it is followed again');
  server.agent.release();
  expect((await result).response).toBe('Half and whole.');
  expect(server.agent.cancelled).toEqual([]);
  await store.close?.();
});
