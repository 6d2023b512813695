import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Delta } from '@agent-functions/core';
import { collect, eventually } from '@agent-functions/core/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sqliteStore } from '../src/index.ts';
import { makeVersion1 } from './version-1.ts';

const child = fileURLToPath(new URL('child.ts', import.meta.url));

/** A process that runs `child.ts`; its answers are lines of JSON. */
function start(...args: readonly string[]) {
  const running = spawn(
    process.execPath,
    [
      '--conditions=@agent-functions/source',
      '--disable-warning=ExperimentalWarning',
      child,
      ...args,
    ],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );
  const lines: unknown[] = [];
  createInterface({ input: running.stdout }).on('line', (line) => lines.push(JSON.parse(line)));
  const ended = once(running, 'close');
  return {
    /** The line of that number, from 0. */
    line: (index: number) =>
      eventually(() => lines[index], `line ${index} of ${args.join(' ')}`, 20_000),
    tell: () => running.stdin.write('\n'),
    kill: () => running.kill('SIGKILL'),
    async exit(): Promise<unknown> {
      const [code]: unknown[] = await ended;
      return code;
    },
  };
}

describe('several processes on one file', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'sqlite-processes-'));
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  async function withRun(name: string) {
    const path = join(folder, name);
    const store = sqliteStore({ path, synchronous: 'normal' });
    await store.runs.create(
      { runId: 'r1', agent: 'weather', createdAt: Date.now() },
      {
        v: 1,
        seq: 1,
        at: Date.now(),
        runId: 'r1',
        frame: 'f0',
        agent: 'weather',
        type: 'run-start',
        input: [],
        options: {},
      },
      { holder: 'parent', ttlMs: 600_000 },
    );
    return { path, store };
  }

  it('two that append to one run never interleave: each event has exactly one winner', async () => {
    const { path, store } = await withRun('append.db');
    const both = ['a', 'b'].map((name) => ({ name, process: start(path, 'append', name) }));
    for (const { process } of both) expect(await process.line(0)).toBe('ready');
    for (const { process } of both) process.tell();
    const won = new Map<unknown, string>();
    for (const { name, process } of both) {
      const seqs = await process.line(1);
      expect(await process.exit()).toBe(0);
      if (!Array.isArray(seqs)) throw new Error('a child answers a list');
      for (const seq of seqs) {
        expect(won.get(seq)).toBeUndefined();
        won.set(seq, name);
      }
    }
    const journal = await collect(store.runs.read('r1', { after: 1 }));
    expect(journal.map(({ seq }) => seq)).toEqual(Array.from({ length: 199 }, (_, n) => n + 2));
    for (const { seq, agent } of journal) expect(won.get(seq)).toBe(agent);
    await store.close?.();
  }, 60_000);

  it('two that make one new database at once both find it made', async () => {
    const path = join(folder, 'new', 'at-once.db');
    const both = Array.from({ length: 4 }, () => sqliteStore(path));
    await Promise.all(both.map((store) => store.now()));
    for (const store of both) await store.close?.();
  });

  it('two that open one file of an earlier version at once both find it upgraded', async () => {
    const path = join(folder, 'version-1.db');
    makeVersion1(path);
    const both = [start(path, 'open'), start(path, 'open')];
    for (const process of both) expect(await process.line(0)).toBe('ready');
    for (const process of both) process.tell();
    for (const process of both) {
      expect(await process.line(1)).toBe(2);
      expect(await process.exit()).toBe(0);
    }
  }, 60_000);

  it('one follows the deltas of another, from the first, across attempts', async () => {
    const { path, store } = await withRun('follow.db');
    const publisher = start(path, 'publish');
    await publisher.line(0);
    const abort = new AbortController();
    const seen: Delta[] = [];
    const following = (async () => {
      for await (const delta of store.runs.channel?.follow('r1', { signal: abort.signal }) ?? []) {
        seen.push(delta);
      }
    })();
    await eventually(() => seen.filter(({ epoch }) => epoch === 'b').length > 20, 'deltas', 20_000);
    const second = seen.filter(({ epoch }) => epoch === 'b').map(({ n }) => n);
    expect(second).toEqual(second.map((_, index) => index + 1));
    const first = seen.filter(({ epoch }) => epoch === 'a').map(({ n }) => n);
    expect(first).toEqual(first.map((_, index) => index + 1));
    expect(seen.findLastIndex(({ epoch }) => epoch === 'a')).toBe(first.length - 1);
    abort.abort();
    await following;
    publisher.tell();
    expect(await publisher.line(1)).toBe('ended');
    expect(await publisher.exit()).toBe(0);
    await store.close?.();
  }, 60_000);

  it('one that is killed while it writes leaves a database that the other goes on with', async () => {
    const { path, store } = await withRun('killed.db');
    const writer = start(path, 'append', 'a');
    await writer.line(0);
    writer.tell();
    await eventually(async () => ((await store.runs.peek('r1'))?.seq ?? 0) > 20, 'some events');
    writer.kill();
    await writer.exit();
    const seq = (await store.runs.peek('r1'))?.seq ?? 0;
    expect(await collect(store.runs.read('r1'))).toHaveLength(seq);
    await store.runs.renew('r1', { holder: 'parent', token: 1, expiresAt: 0 }, 1_000);
    await store.close?.();
  }, 60_000);

  it('one that has nothing left to do ends, also without close()', async () => {
    const { path, store } = await withRun('leave.db');
    const leaver = start(path, 'leave');
    expect(await leaver.line(0)).toBe('left');
    expect(await leaver.exit()).toBe(0);
    await store.close?.();
  }, 60_000);
});
