import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { memoryStore } from '../memory-store.ts';
import { collect } from './assert.ts';
import { faultyStore, type StoreCall } from './faulty-store.ts';
import { storeContract } from './store-contract.ts';
import { begin, headerOf, startOf, warning } from './store-fixtures.ts';

storeContract(
  { describe, it, beforeAll, afterAll },
  'faulty, told nothing',
  (options) =>
    Promise.resolve({ store: faultyStore(memoryStore(options)), dispose: () => Promise.resolve() }),
  {
    another: 'the data lives in one process',
    channel: 'the data lives in one process',
    volume: { reason: 'memory was seen to take it', events: 5_000, bytes: 1_000_000, seeds: 1 },
  },
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

  it('fails by chance as often as it is told, the same way for the same seed', async () => {
    const outcomes = async (seed: number): Promise<readonly string[]> => {
      const memory = memoryStore();
      await begin(memory, 'r1');
      const chaos = { seed, failBefore: 0.2, lostAnswers: 0.2 };
      const { runs } = faultyStore(memory, { chaos });
      const seen: string[] = [];
      for (let n = 0; n < 500; n++) {
        const before = await memory.runs.inbox('r1');
        const posted = await runs
          .post('r1', { id: `c${n}`, type: 'cancel' })
          .then(() => 'posted')
          .catch((error: unknown) => String(error));
        const now = await memory.runs.inbox('r1');
        seen.push(`${now.length - before.length} ${posted}`);
      }
      return seen;
    };
    const seen = await outcomes(7);
    expect(await outcomes(7)).toEqual(seen);
    expect(await outcomes(8)).not.toEqual(seen);
    const kinds = new Map<string, number>();
    for (const one of seen) kinds.set(one, (kinds.get(one) ?? 0) + 1);
    expect(kinds.get('1 posted')).toBeGreaterThan(250);
    for (const why of ['(429).', '(503).', ': the connection broke.']) {
      for (const [written, when] of [
        [0, 'before'],
        [1, 'after'],
      ] as const) {
        const error = why.startsWith(':') ? 'Error' : 'AgentError';
        const outcome = `${written} ${error}: runs.post failed by chance, ${when} it was made`;
        const often = kinds.get(`${outcome}${why.startsWith(':') ? '' : ' '}${why}`);
        expect(often).toBeGreaterThan(10);
      }
    }
  });

  it('breaks a read by chance, at its start or half way', async () => {
    const memory = memoryStore();
    const { token } = await begin(memory, 'r1');
    const events = Array.from({ length: 9 }, (_, index) => warning('r1', index + 2));
    await memory.runs.append('r1', events, { expectedSeq: 1, token });
    const { runs } = faultyStore(memory, { chaos: { seed: 1, failBefore: 0.3, lostAnswers: 0.3 } });
    const counts = new Set<number>();
    for (let round = 0; round < 30; round++) {
      let seen = 0;
      try {
        for await (const { seq } of runs.read('r1')) expect(seq).toBe(++seen);
      } catch (error) {
        expect(String(error)).toContain('runs.read failed by chance');
      }
      counts.add(seen);
    }
    expect(counts).toEqual(new Set([0, 2, 10]));
  });

  it('answers nothing once its process is gone, and lets nothing through', async () => {
    const memory = memoryStore();
    const process = new AbortController();
    const store = faultyStore(memory, {
      until: process.signal,
      after: ({ write }) => {
        if (write === 2) process.abort();
      },
      before: ({ write }) => {
        if (write === 3) throw new Error('never asked');
      },
    });
    const { token } = await begin(store, 'r1');
    const append = (seq: number) =>
      store.runs.append('r1', [warning('r1', seq)], { expectedSeq: seq - 1, token });
    const gone = { code: 'store_unavailable', retryable: false };
    await expect(append(2)).rejects.toMatchObject(gone);
    await expect(append(3)).rejects.toMatchObject(gone);
    await expect(store.now()).rejects.toMatchObject(gone);
    await expect(collect(store.runs.read('r1'))).rejects.toMatchObject(gone);
    expect((await memory.runs.peek('r1'))?.seq).toBe(2);
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
