import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { StreamResponse } from '@a2a-js/sdk';
import { collect, verifyJournal } from '@agent-functions/core/testing';
import { sqliteStore } from '@agent-functions/stores-sqlite';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { answerOf, folded, official, say } from '../../test/official.ts';
import { taskState } from './task-state.ts';

const whole = Array.from({ length: 30 }, (_, n) => `word${n} `).join('');
const script = fileURLToPath(new URL('../../test/slow-server.ts', import.meta.url));

let folder: string;
let path: string;
const children: ChildProcess[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'a2a-killed-'));
  path = join(folder, 'runs.db');
});
afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  rmSync(folder, { recursive: true });
});

async function start(trusted = ''): Promise<{ readonly url: string; kill(): Promise<void> }> {
  const child = spawn(
    process.execPath,
    ['--conditions=@agent-functions/source', script, path, trusted],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  children.push(child);
  const [url]: string[] = await once(createInterface(child.stdout), 'line');
  return {
    url: url ?? '',
    async kill() {
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}

it.each(['JSONRPC', 'HTTP+JSON'] as const)(
  'a task whose server is killed while it streams is followed at another process: the rest, and the same artifact (%s)',
  async (speech) => {
    const first = await start();
    const client = await official(first.url, speech);
    const seen: StreamResponse[] = [];
    const killed = (async () => {
      for await (const event of client.sendMessageStream(say('Write.'))) {
        seen.push(event);
        const updates = seen.filter(({ payload }) => payload?.$case === 'artifactUpdate');
        if (updates.length === 8) await first.kill();
      }
    })();
    await expect(killed).rejects.toThrow();
    const before = folded(seen);
    expect(before.artifactIds).toEqual(['answer']);
    expect(whole.startsWith(before.answer)).toBe(true);

    const second = await start();
    const other = await official(second.url, speech);
    const events: StreamResponse[] = [];
    for await (const event of other.resubscribeTask({ tenant: '', id: before.taskId })) {
      events.push(event);
    }
    const after = folded(events);
    expect(after).toMatchObject({ taskId: before.taskId, artifactIds: ['answer'], answer: whole });
    expect(after.states.at(-1)).toBe(taskState.completed);
    const task = await other.getTask({ tenant: '', id: before.taskId });
    expect([task.artifacts.map(({ artifactId }) => artifactId), answerOf(task)]).toEqual([
      ['answer'],
      whole,
    ]);

    const store = sqliteStore(path);
    const journal = await collect(store.runs.read(before.taskId));
    await store.close();
    verifyJournal(journal);
    expect(journal.filter(({ type }) => type === 'tool-start')).toHaveLength(1);
    expect(journal.some(({ type }) => type === 'run-resume')).toBe(true);
  },
  30_000,
);

it('what a killed server did not tell by push, another process tells', async () => {
  const got: string[] = [];
  const receiver = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => (body += chunk));
    request.on('end', () => {
      got.push(body);
      response.writeHead(204).end();
    });
  });
  await new Promise<void>((resolve) => {
    receiver.listen(0, '127.0.0.1', resolve);
  });
  const origin = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`;
  const first = await start(origin);
  const client = await official(first.url, 'JSONRPC');
  const taskPushNotificationConfig = {
    tenant: '',
    id: 'mine',
    taskId: '',
    url: `${origin}/hook`,
    token: '',
    authentication: undefined,
  };
  await client.sendMessage(
    say('Write.', { configuration: { taskPushNotificationConfig, returnImmediately: true } }),
  );
  await expect.poll(() => got.length).toBeGreaterThan(0);
  await first.kill();
  await start(origin);
  await expect
    .poll(() => got.map((body) => JSON.parse(body).statusUpdate?.status.state).at(-1), {
      timeout: 20_000,
    })
    .toBe('TASK_STATE_COMPLETED');
  const answers = got.flatMap((body) => JSON.parse(body).artifactUpdate ?? []);
  expect(answers.at(-1)).toMatchObject({
    artifact: { artifactId: 'answer', parts: [{ text: whole }] },
    lastChunk: true,
  });
  receiver.close();
}, 40_000);
