import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { memoryStore } from '../memory-store.ts';
import { faultyStore, type StoreCall } from './faulty-store.ts';
import { storeContract } from './store-contract.ts';
import { begin, headerOf, startOf, warning } from './store-fixtures.ts';

storeContract(
  { describe, it, beforeAll, afterAll },
  'faulty, told nothing',
  (options) =>
    Promise.resolve({ store: faultyStore(memoryStore(options)), dispose: () => Promise.resolve() }),
  { another: 'the data lives in one process', channel: 'the data lives in one process' },
);

describe('faultyStore', () => {
  it('fails the nth call before it is written, or after', async () => {
    const store = faultyStore(memoryStore(), {
      faults: [
        { method: 'runs.append', nth: 1, fail: 'before' },
        { method: 'runs.append', nth: 2, fail: 'after', error: new Error('answer lost') },
      ],
    });
    const { token } = await begin(store, 'r1');
    const append = () => store.runs.append('r1', [warning('r1', 2)], { expectedSeq: 1, token });
    await expect(append()).rejects.toThrow('before runs.append no. 1');
    expect((await store.runs.peek('r1'))?.seq).toBe(1);
    await expect(append()).rejects.toThrow('answer lost');
    expect((await store.runs.peek('r1'))?.seq).toBe(2);
    await expect(append()).rejects.toMatchObject({ code: 'run_conflict' });
  });

  it('fails every call of a method when no number is given, and delays', async () => {
    const store = faultyStore(memoryStore(), {
      faults: [
        { method: 'runs.peek', delayMs: 20 },
        { method: 'sessions.load', fail: 'before' },
      ],
    });
    const started = performance.now();
    await store.runs.peek('r1');
    expect(performance.now() - started).toBeGreaterThan(15);
    await expect(store.sessions.load('s1')).rejects.toThrow('as told');
    await expect(store.sessions.load('s1')).rejects.toThrow('no. 2');
  });

  it('calls its hooks around every create, append and commit, counted together', async () => {
    const seen: string[] = [];
    const note =
      (when: string) =>
      ({ method, nth, write }: StoreCall) => {
        seen.push(`${when} ${method} ${nth} ${write}`);
      };
    const store = faultyStore(memoryStore(), { before: note('before'), after: note('after') });
    const { token } = await begin(store, 'r1');
    await store.runs.peek('r1');
    await store.sessions.commit('s1', {}, { expectedVersion: '0', operationId: 'o1' });
    await store.runs.append('r1', [warning('r1', 2)], { expectedSeq: 1, token });
    const lost = store.runs.append('r1', [warning('r1', 2)], { expectedSeq: 1, token });
    await expect(lost).rejects.toMatchObject({ code: 'run_conflict' });
    expect(seen).toEqual([
      'before runs.create 1 1',
      'after runs.create 1 1',
      'before sessions.commit 1 2',
      'after sessions.commit 1 2',
      'before runs.append 1 3',
      'after runs.append 1 3',
      'before runs.append 2 4',
    ]);
  });

  it('throws what a hook throws', async () => {
    const store = faultyStore(memoryStore(), {
      before: () => {
        throw new Error('stopped');
      },
    });
    const refused = store.runs.create(headerOf('r1'), startOf('r1'), { holder: 'h', ttlMs: 9 });
    await expect(refused).rejects.toThrow('stopped');
  });
});
