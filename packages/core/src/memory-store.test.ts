import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { memoryStore } from './memory-store.ts';
import { collect } from './testing/assert.ts';
import { storeContract } from './testing/store-contract.ts';
import { begin, endOf, headerOf, startOf, userMessage, warning } from './testing/store-fixtures.ts';

storeContract(
  { describe, it, beforeAll, afterAll },
  'memory',
  (options) => Promise.resolve({ store: memoryStore(options), dispose: () => Promise.resolve() }),
  { another: 'the data lives in one process', channel: 'the data lives in one process' },
);

const end = async (store: ReturnType<typeof memoryStore>, runId: string, token = 1) =>
  await store.runs.append(runId, [endOf(runId, 2)], { expectedSeq: 1, token });

describe('memoryStore', () => {
  it('forgets the run that ended first when it is full, never one that has not ended', async () => {
    const store = memoryStore({ maxRuns: 3 });
    for (const runId of ['a', 'b', 'c']) await begin(store, runId);
    await end(store, 'b');
    await end(store, 'a');
    await begin(store, 'd');
    expect(await store.runs.header('b')).toBeUndefined();
    await begin(store, 'e');
    expect(await store.runs.header('a')).toBeUndefined();
    expect(await store.runs.header('c')).toBeDefined();
  });

  it('refuses a new run with a 503 when none of its runs has ended', async () => {
    const store = memoryStore({ maxRuns: 2 });
    await begin(store, 'a');
    await begin(store, 'b');
    const refused = store.runs.create(headerOf('c'), startOf('c'), { holder: 'h', ttlMs: 9 });
    await expect(refused).rejects.toMatchObject({ code: 'store_full', httpStatus: 503 });
    expect(await store.runs.header('c')).toBeUndefined();
    await end(store, 'a');
    await begin(store, 'c');
  });

  it('keeps a run for an hour after its end, one that has not ended for good', async () => {
    let time = 0;
    const store = memoryStore({ now: () => time });
    await begin(store, 'ended');
    await begin(store, 'paused');
    await end(store, 'ended');
    time += 3_599_999;
    expect(await store.runs.header('ended')).toBeDefined();
    time += 1;
    expect(await store.runs.header('ended')).toBeUndefined();
    expect(await collect(store.runs.read('ended'))).toEqual([]);
    time += 1e9;
    expect((await store.runs.list({ limit: 9 })).runs).toEqual([headerOf('paused')]);
  });

  it('keeps a session for 30 days after its last commit, one with an active run for good', async () => {
    let time = 0;
    const store = memoryStore({ now: () => time, maxBytes: 10_000 });
    const at = { expectedVersion: '0', operationId: 'o' };
    await store.sessions.commit('busy', { activeRunId: 'r1' }, at);
    await store.sessions.commit('idle', { append: [userMessage('m', 'x'.repeat(8_000))] }, at);
    time += 30 * 24 * 3_600_000 - 1;
    expect((await store.sessions.load('idle')).messages).toHaveLength(1);
    time += 1;
    expect((await store.sessions.load('idle')).version).toBe('0');
    expect((await store.sessions.load('busy')).activeRunId).toBe('r1');
    expect(await store.expired({ limit: 9 })).toEqual({ runs: [], sessions: [] });
    // Its room is free again.
    await store.sessions.commit('next', { append: [userMessage('m', 'x'.repeat(8_000))] }, at);
    expect((await store.sessions.list({ limit: 9 })).sessions).toHaveLength(2);
  });

  it('makes room in bytes, and refuses an event that does not fit without writing it', async () => {
    const store = memoryStore({ maxBytes: 10_000 });
    await begin(store, 'old');
    await store.runs.append('old', [{ ...endOf('old', 2), agent: 'x'.repeat(6_000) }], {
      expectedSeq: 1,
      token: 1,
    });
    await begin(store, 'live');
    const big = warning('live', 2, 'x'.repeat(6_000));
    await store.runs.append('live', [big], { expectedSeq: 1, token: 1 });
    expect(await store.runs.header('old')).toBeUndefined();
    await expect(
      store.runs.append('live', [warning('live', 3, 'x'.repeat(6_000))], {
        expectedSeq: 2,
        token: 1,
      }),
    ).rejects.toMatchObject({ code: 'store_full', runId: 'live' });
    expect(await collect(store.runs.read('live', { after: 1 }))).toEqual([big]);
  });

  it('always takes the end of a run, even when it is full', async () => {
    const store = memoryStore({ maxBytes: 1_000 });
    await begin(store, 'live');
    await store.runs.append('live', [{ ...endOf('live', 2), agent: 'x'.repeat(6_000) }], {
      expectedSeq: 1,
      token: 1,
    });
    await begin(store, 'next');
    expect(await store.runs.header('live')).toBeUndefined();
  });

  it('gives back what it forgets: a thousand runs through a small store', async () => {
    const store = memoryStore({ maxRuns: 10, maxBytes: 20_000, maxSessions: 5 });
    for (let index = 0; index < 1_000; index++) {
      const runId = `r${index}`;
      const { token } = await begin(store, runId);
      const large = warning(runId, 2, 'x'.repeat(1_000));
      await store.runs.append(runId, [large], { expectedSeq: 1, token });
      await store.runs.append(runId, [endOf(runId, 3)], { expectedSeq: 2, token });
      await store.runs.post(runId, { id: 'c', type: 'cancel' });
      await store.sessions.commit(
        `s${index}`,
        { append: [userMessage('m', 'x'.repeat(1_000))] },
        { expectedVersion: '0', operationId: 'o' },
      );
      if (index % 3 === 0) await store.sessions.delete(`s${index}`);
      if (index % 3 === 0) await store.runs.delete(runId);
    }
    expect((await store.runs.list({ limit: 99 })).runs.length).toBeLessThanOrEqual(10);
    await begin(store, 'last');
    const whole = warning('last', 2, 'x'.repeat(18_000));
    await store.runs.append('last', [whole], { expectedSeq: 1, token: 1 });
  });

  it('forgets the session that is idle longest, never one with an active run', async () => {
    const store = memoryStore({ maxSessions: 3 });
    const commit = async (sessionId: string, activeRunId?: string) => {
      const { version } = await store.sessions.load(sessionId);
      await store.sessions.commit(
        sessionId,
        { append: [userMessage('m', 'Hi')], activeRunId },
        { expectedVersion: version, operationId: `o${version}` },
      );
    };
    await commit('busy', 'r1');
    await commit('a');
    await commit('b');
    await commit('a');
    await commit('c');
    const left = (await store.sessions.list({ limit: 9 })).sessions.map((s) => s.sessionId);
    expect(left).toEqual(['c', 'a', 'busy']);
  });

  it('refuses a new session with a 503 when each has an active run', async () => {
    const store = memoryStore({ maxSessions: 1 });
    const at = { expectedVersion: '0', operationId: 'o' };
    await store.sessions.commit('a', { activeRunId: 'r1' }, at);
    await expect(store.sessions.commit('b', {}, at)).rejects.toMatchObject({ httpStatus: 503 });
  });

  it('shares events by reference', async () => {
    const store = memoryStore();
    const first = startOf('r1');
    await store.runs.create(headerOf('r1'), first, { holder: 'h', ttlMs: 9 });
    const [read] = await collect(store.runs.read('r1'));
    expect(read).toBe(first);
    expect(store.durable).toBe(false);
  });

  it('appends a 300-byte event in a few microseconds', async () => {
    const store = memoryStore();
    await begin(store, 'r1');
    const started = performance.now();
    for (let seq = 1; seq <= 5_000; seq++) {
      await store.runs.append('r1', [warning('r1', seq + 1)], { expectedSeq: seq, token: 1 });
    }
    // About 10 ms; the bound only fails when an append costs time in proportion to the journal.
    expect(performance.now() - started).toBeLessThan(1_000);
  });
});
