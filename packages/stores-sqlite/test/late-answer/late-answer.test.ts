import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Json, JsonObject } from '@agent-functions/core';
import { collect, eventually, verifyJournal } from '@agent-functions/core/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { sqliteStore } from '../../src/index.ts';

const day = 86_400_000;
const id = 'f0.t1.c1.approval';

let folder: string;
let path: string;
let ends: (() => Promise<void>)[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'agent-functions-late-'));
  path = join(folder, 'runs.db');
  ends = [];
});
afterEach(async () => {
  for (const end of ends) await end();
  await rm(folder, { recursive: true });
});

/** A process that lives so much later. */
async function startedLater(laterMs: number): Promise<{ url: string; kill: () => Promise<void> }> {
  const child = spawn(
    process.execPath,
    [
      '--conditions=@agent-functions/source',
      '--disable-warning=ExperimentalWarning',
      fileURLToPath(new URL('serve-later.ts', import.meta.url)),
      path,
      String(laterMs),
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const ended = once(child, 'close');
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL');
    await ended;
  };
  ends.push(kill);
  const [url]: unknown[] = await once(createInterface({ input: child.stdout }), 'line');
  return { url: String(url), kill };
}

async function post(url: string, body: Json): Promise<{ status: number; body: JsonObject }> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return { status: response.status, body: JSON.parse(await response.text()) };
}

/** A run that asked, in a process that is gone. */
async function asked(): Promise<string> {
  const first = await startedLater(0);
  const { body } = await post(`${first.url}/api/agents/clerk/chat`, { message: 'Refund.' });
  expect(body).toMatchObject({ status: 'interrupted', interruptions: [{ id }] });
  await first.kill();
  const { run_id: runId } = body;
  if (typeof runId !== 'string') throw new Error('the run has an id');
  return runId;
}

const edit = (amount: Json): Json => [{ interruption_id: id, approved: true, input: { amount } }];

test('answered three days later, in two other processes at once: one counts, its edit runs, the other learns it', async () => {
  const runId = await asked();
  const [one, two] = await Promise.all([startedLater(3 * day), startedLater(3 * day)]);
  const decisions = `/api/runs/${runId}/decisions`;
  const misfit = await post(one.url + decisions, edit('all'));
  expect(misfit).toMatchObject({ status: 422, body: { code: 'approval_invalid' } });
  const answers = await Promise.all([
    post(one.url + decisions, edit(10)),
    post(two.url + decisions, edit(20)),
  ]);
  const statuses = answers.map(({ status }) => status);
  expect(new Set(statuses)).toEqual(new Set([202, 409]));
  const first = statuses.indexOf(202);
  const amount = first === 0 ? 10 : 20;
  expect(answers[1 - first]?.body).toMatchObject({
    code: 'approval_invalid',
    decided: [{ interruption_id: id, approved: true, input: { amount } }],
  });
  // Whoever took the answer is gone at once; the other one goes on with the run.
  const [taker, other] = first === 0 ? [one, two] : [two, one];
  await taker.kill();
  const run = await eventually(async () => {
    const { status, ...rest }: JsonObject = JSON.parse(
      await (await fetch(`${other.url}/api/runs/${runId}`)).text(),
    );
    return status === 'completed' && rest;
  }, 'the run ends');
  expect(run).toMatchObject({
    response: 'Done.',
    tool_results: [{ tool: 'refund', arguments: { amount }, result: { refunded: amount } }],
  });
  const store = sqliteStore({ path, synchronous: 'normal' });
  const journal = await collect(store.runs.read(runId));
  verifyJournal(journal);
  expect(journal.filter(({ type }) => type === 'decision')).toHaveLength(1);
  for (const event of journal) {
    if (event.type === 'tool-start') expect(event.input).toEqual({ amount });
  }
  await store.close();
}, 60_000);

test('answered on the eighth day of seven, in another process: refused as expired, and nothing runs', async () => {
  const runId = await asked();
  const { url } = await startedLater(8 * day);
  const late = await post(`${url}/api/runs/${runId}/decisions`, edit(10));
  expect(late).toMatchObject({ status: 409, body: { code: 'approval_expired' } });
  const store = sqliteStore({ path, synchronous: 'normal' });
  await eventually(async () => (await store.runs.peek(runId))?.ended, 'the run ends', 10_000);
  const journal = await collect(store.runs.read(runId));
  verifyJournal(journal);
  expect(journal.filter(({ type }) => type === 'decision')).toMatchObject([{ by: 'system' }]);
  expect(journal.filter(({ type }) => type === 'tool-start')).toEqual([]);
  await store.close();
}, 60_000);
