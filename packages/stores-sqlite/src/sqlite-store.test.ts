import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { RunEvent } from '@agent-functions/core';
import { collect, storeContract } from '@agent-functions/core/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sqliteStore } from './sqlite-store.ts';

const test = { describe, it, beforeAll, afterAll };
let folder: string;
let files = 0;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sqlite-store-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});
const newPath = (): string => join(folder, `${++files}.db`);

storeContract(test, 'sqlite, a file', (options) => {
  const path = newPath();
  const store = sqliteStore({ path, ...options });
  return Promise.resolve({
    store,
    another: () => Promise.resolve(sqliteStore({ path, ...options })),
    dispose: async () => await store.close?.(),
  });
});

storeContract(
  test,
  'sqlite, in memory',
  (options) => {
    const store = sqliteStore({ path: ':memory:', ...options });
    return Promise.resolve({ store, dispose: async () => await store.close?.() });
  },
  {
    another: 'the data lives in one process',
    volume: { reason: 'the file was seen to take it', events: 10_000, bytes: 1_000_000, seeds: 1 },
  },
);

const base = { v: 1, at: 1, runId: 'r1', frame: 'f0', agent: 'weather' } as const;
const first: RunEvent = { ...base, seq: 1, type: 'run-start', input: [], options: {} };
const header = { runId: 'r1', agent: 'weather', createdAt: 1 };
const lease = { holder: 'h1', ttlMs: 60_000 };

describe('sqliteStore', () => {
  it('makes the folder of its file, and finds everything again after close()', async () => {
    const path = join(folder, 'a', 'b c', 'ümlaut.db');
    const store = sqliteStore(path);
    expect(store.durable).toBe(true);
    await store.runs.create(header, first, lease);
    await store.sessions.commit(
      's1',
      { state: { city: 'Oslo' } },
      { expectedVersion: '0', operationId: 'o1' },
    );
    await store.close?.();
    // The last to leave puts everything into the one file.
    expect(existsSync(`${path}-wal`)).toBe(false);
    const again = sqliteStore({ path });
    expect(await again.runs.header('r1')).toEqual(header);
    expect(await collect(again.runs.read('r1'))).toEqual([first]);
    expect((await again.sessions.load('s1')).state).toEqual({ city: 'Oslo' });
    await again.close?.();
  });

  it('is made once by many who open it at the same time', async () => {
    for (let round = 0; round < 5; round++) {
      const path = newPath();
      const stores = Array.from({ length: 6 }, () => sqliteStore(path));
      await Promise.all(stores.map((store) => store.now()));
      await Promise.all(stores.map((store) => store.close()));
    }
  }, 30_000);

  it('is not durable in memory, and refuses an empty path', () => {
    expect(sqliteStore(':memory:').durable).toBe(false);
    expect(() => sqliteStore('')).toThrow("needs the path of a file, or ':memory:'");
  });

  it('starts nothing before its first call, and opens no file for a store that is closed', async () => {
    const path = newPath();
    const store = sqliteStore(path);
    await store.close?.();
    expect(existsSync(path)).toBe(false);
    await expect(store.runs.peek('r1')).rejects.toThrow('was closed');
    await store.close?.();
  });

  it('names a run 7 days after its end and a session 30 days after its last use', async () => {
    const day = 24 * 3_600_000;
    let time = 100 * day;
    const store = sqliteStore({ path: ':memory:', now: () => time });
    await store.runs.create(header, first, lease);
    const usage = { requests: 0, inputTokens: 0, outputTokens: 0, totalTokens: 0 };
    const end: RunEvent = {
      ...base,
      seq: 2,
      type: 'run-end',
      status: 'completed',
      usage: { ...usage, perRequest: [] },
      handoffPath: [],
    };
    await store.runs.append('r1', [end], { expectedSeq: 1, token: 1 });
    await store.sessions.commit('s1', {}, { expectedVersion: '0', operationId: 'o1' });
    const after = async (ms: number) => {
      time = 100 * day + ms;
      return await store.expired({ limit: 9 });
    };
    expect(await after(7 * day - 1)).toEqual({ runs: [], sessions: [] });
    expect(await after(7 * day)).toEqual({ runs: ['r1'], sessions: [] });
    expect(await after(30 * day - 1)).toEqual({ runs: ['r1'], sessions: [] });
    expect(await after(30 * day)).toEqual({ runs: ['r1'], sessions: ['s1'] });
    await store.close();
    expect(() => sqliteStore({ path: ':memory:', keepRunsMs: -1 })).toThrow('keepRunsMs is -1');
  });

  it('finishes what was asked before close()', async () => {
    const store = sqliteStore(newPath());
    await store.runs.create(header, first, lease);
    const posting = store.runs.post('r1', { id: 'c1', type: 'cancel' });
    const reading = store.runs.inbox('r1');
    await store.close?.();
    expect(await posting).toEqual({ accepted: true });
    expect(await reading).toHaveLength(1);
  });

  it('says what is wrong with a path that cannot be written', async () => {
    const file = newPath();
    writeFileSync(file, '');
    const asFolder = join(folder, 'folder');
    mkdirSync(asFolder);
    for (const [path, why] of [
      [join(file, 'below-a-file.db'), 'Choose a path that this process may write to'],
      [asFolder, 'Choose a path on a local disk that this process may write to'],
    ] as const) {
      const store = sqliteStore(path);
      const asking = store.runs.peek('r1');
      await expect(asking).rejects.toMatchObject({ code: 'store_unavailable', httpStatus: 503 });
      await expect(store.now()).rejects.toThrow(why);
      await store.close?.();
    }
  });

  it('works once what was wrong with its path is put right', async () => {
    const blocked = newPath();
    writeFileSync(blocked, '');
    const store = sqliteStore(join(blocked, 'runs.db'));
    await expect(store.now()).rejects.toThrow(blocked);
    rmSync(blocked);
    expect(await store.now()).toBeGreaterThan(0);
    await store.close?.();
  });

  it('refuses a file that is no database, of another program or of another version', async () => {
    const text = newPath();
    writeFileSync(text, 'This is a text, and not a short one. '.repeat(100));
    const foreign = newPath();
    const other = new DatabaseSync(foreign);
    other.exec('CREATE TABLE birds (name TEXT)');
    other.close();
    const newer = newPath();
    const store = sqliteStore(newer);
    await store.now();
    await store.close?.();
    const later = new DatabaseSync(newer);
    later.exec('PRAGMA user_version = 7');
    later.close();
    for (const [path, why] of [
      [text, 'is not a database'],
      [foreign, 'belongs to another program'],
      [newer, 'has schema version 7; this version of @agent-functions/stores-sqlite reads up to 4'],
    ] as const) {
      const wrong = sqliteStore(path);
      await expect(wrong.now()).rejects.toThrow(why);
      await expect(wrong.runs.peek('r1')).rejects.toMatchObject({ code: 'store_unavailable' });
      await wrong.close?.();
    }
    const untouched = new DatabaseSync(foreign);
    expect(untouched.prepare('PRAGMA journal_mode').get()).toEqual({ journal_mode: 'delete' });
    untouched.close();
  });

  it('keeps streaming while values of 10 MB are written', async () => {
    const store = sqliteStore(newPath());
    await store.runs.create(header, first, lease);
    const rows = Array.from({ length: 90_000 }, (_, id) => ({
      id,
      text: 'about sixty characters of text, as a tool would return them',
    }));
    // A live stream has something to send every few milliseconds. What this thread works in between without a pause is
    // counted in its own processor time: how busy the machine is does not matter.
    const work = (): number => process.threadCpuUsage().user / 1_000;
    const gaps: number[] = [];
    let last = work();
    const stream = setInterval(() => {
      gaps.push(work() - last);
      last = work();
    }, 2);
    let seq = 1;
    for (const data of ['x'.repeat(10_000_000), 'é日🦊'.repeat(2_500_000), rows]) {
      const event: RunEvent = {
        ...base,
        seq: seq + 1,
        type: 'tool-checkpoint',
        callId: 'f0.t1.c1',
        data,
      };
      await store.runs.append('r1', [event], { expectedSeq: seq++, token: 1 });
    }
    clearInterval(stream);
    // On this thread one of these writes would be 75 ms or more.
    expect(gaps.length).toBeGreaterThan(20);
    expect(Math.max(...gaps)).toBeLessThan(50);
    const read = await collect(store.runs.read('r1', { after: 3 }));
    expect(read[0]).toMatchObject({ seq: 4, data: rows });
    await store.close?.();
  }, 60_000);

  it('writes no delta while nobody follows', async () => {
    const path = newPath();
    const store = sqliteStore(path);
    await store.runs.create(header, first, lease);
    for (let n = 1; n <= 5; n++) {
      store.runs.channel?.publish('r1', [
        { ...base, after: 1, epoch: 'a', n, type: 'text-delta', messageId: 'm1', delta: 'x' },
      ]);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    const reader = new DatabaseSync(path, { readOnly: true });
    expect(reader.prepare('SELECT count(*) AS n FROM sqlite_sequence').get()).toBeDefined();
    expect(reader.prepare("SELECT * FROM sqlite_sequence WHERE name = 'deltas'").all()).toEqual([]);
    reader.close();
    await store.close?.();
  });

  it('forgets the deltas of a holder that was lost', async () => {
    let time = 1_000;
    const options = { path: newPath(), now: () => time };
    const store = sqliteStore(options);
    const other = sqliteStore(options);
    await store.runs.create(header, first, { holder: 'h1', ttlMs: 10 });
    const see = async (count: number): Promise<readonly string[]> => {
      const seen: string[] = [];
      const signal = AbortSignal.timeout(5_000);
      for await (const { epoch, n } of other.runs.channel?.follow('r1', { signal }) ?? []) {
        seen.push(`${epoch}${n}`);
        if (seen.length === count) break;
      }
      return seen;
    };
    const show = (from: typeof store, epoch: string): void => {
      from.runs.channel?.publish('r1', [
        { ...base, after: 1, epoch, n: 1, type: 'text-delta', messageId: 'm1', delta: 'x' },
      ]);
    };
    show(store, 'lost');
    expect(await see(1)).toEqual(['lost1']);
    await store.close?.();
    time += 20;
    await other.runs.acquire('r1', { holder: 'h2', ttlMs: 10 });
    show(other, 'new');
    expect(await see(1)).toEqual(['new1']);
    await other.close?.();
  });
});
