import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isDurable, Agent, Runner, type RunEvent } from '@agent-functions/core';
import { collect, scriptedModel, verifyJournal } from '@agent-functions/core/testing';
import { expect, test } from 'vitest';
import { sqliteStore } from '../../src/index.ts';

test('a call that kills each process that takes it up ends the run after five, visibly', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'agent-functions-loop-'));
  const path = join(folder, 'runs.db');
  expect(await child(path)).toBe('SIGKILL');
  const store = sqliteStore({ path, synchronous: 'normal' });
  try {
    const { runs } = await store.runs.list({ limit: 1 });
    const runId = runs[0]?.runId ?? '';
    let last = 'SIGKILL';
    let taken = 0;
    while (last === 'SIGKILL' && taken < 10) {
      last = await child(path, runId);
      taken += 1;
    }
    expect(JSON.parse(last)).toEqual({ status: 'failed', code: 'crash_loop' });
    expect(taken).toBe(5);
    const runner = new Runner(new Agent({ name: 'bot', model: scriptedModel([]) }), { store });
    const events = (await collect(runner.events(runId))).filter(isDurable);
    verifyJournal(events satisfies RunEvent[]);
  } finally {
    await store.close();
    await rm(folder, { recursive: true });
  }
}, 60_000);

/** What a process printed last, or the signal that ended it. */
function child(...args: readonly string[]): Promise<string> {
  const file = fileURLToPath(new URL('crash-loop.ts', import.meta.url));
  return new Promise((resolve, reject) => {
    execFile(
      process.execPath,
      [
        '--conditions=@agent-functions/source',
        '--disable-warning=ExperimentalWarning',
        file,
        ...args,
      ],
      (error, stdout, stderr) => {
        if (error === null) resolve(stdout.trim());
        else if (error.signal === 'SIGKILL') resolve('SIGKILL');
        else reject(new Error(stderr));
      },
    );
  });
}
