import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Agent, tool, type Store } from '@agent-functions/core';
import { eventually, scriptedModel, verifyJournal } from '@agent-functions/core/testing';
import { sqliteStore } from '@agent-functions/stores-sqlite';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { z } from 'zod';
import { agentServer, type AgentServer } from '../src/index.ts';

// An answer that comes days later, to another process: a store of its own on the same file, and a clock that we set.

const day = 86_400_000;
let time: number;
let folder: string;
let stores: Store[];
let paid: unknown[];

beforeEach(async () => {
  time = Date.UTC(2026, 10, 22);
  folder = await mkdtemp(join(tmpdir(), 'decisions-'));
  stores = [];
  paid = [];
});

afterEach(async () => {
  for (const store of stores) await store.close?.();
  await rm(folder, { recursive: true });
});

/** A process of its own, as far as its store and its server go. */
function begin(answers: Parameters<typeof scriptedModel>[0]): {
  readonly server: AgentServer;
  readonly store: Store;
} {
  const store = sqliteStore({ path: join(folder, 'runs.db'), now: () => time });
  stores.push(store);
  const pay = tool({
    name: 'pay',
    description: 'Pays.',
    parameters: z.object({ amount: z.number() }),
    needsApproval: true,
    approvalTimeoutMs: 7 * day,
    execute: (input) => {
      paid.push(input);
      return `paid ${input.amount}`;
    },
  });
  const agent = new Agent({ name: 'payer', model: scriptedModel(answers), tools: [pay] });
  return {
    store,
    server: agentServer({ agents: [agent], store, logger: { log: () => undefined } }),
  };
}

const asks = [{ calls: [['pay', { amount: 300 }]] }] as const;
const id = 'f0.t1.c1.approval';

async function send(server: AgentServer, path: string, body: unknown) {
  const response = await server.fetch(
    new Request(`http://agents.test${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    }),
  );
  const answer: Record<string, unknown> = JSON.parse(await response.text());
  return { status: response.status, body: answer };
}

async function paused(): Promise<string> {
  const { server } = begin(asks);
  const { body } = await send(server, '/api/payer/chat', { message: 'Pay' });
  expect(body).toMatchObject({ status: 'interrupted' });
  await server.close();
  return String(body['run_id']);
}

async function ended({ runs }: Store, runId: string): Promise<void> {
  await eventually(async () => (await runs.peek(runId))?.ended, 'the run ends');
  const events = [];
  for await (const event of runs.read(runId)) events.push(event);
  verifyJournal(events);
}

test('an answer three days later, twice at once: one counts, the edit runs, the other learns what counted', async () => {
  const runId = await paused();
  time += 3 * day;
  const [one, two] = [begin(['Done.']), begin(['Done.'])];
  const path = `/api/runs/${runId}/decisions`;
  const edits = [{ amount: 200 }, { amount: 100 }];
  const answers = await Promise.all(
    [one, two].map(({ server }, n) =>
      send(server, path, [{ interruption_id: id, approved: true, input: edits[n] }]),
    ),
  );
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202, 409]));
  const first = answers.findIndex(({ status }) => status === 202);
  const late = answers.find(({ status }) => status === 409);
  const decided = [{ interruption_id: id, approved: true, input: edits[first] }];
  expect(late?.body).toMatchObject({ code: 'approval_invalid', run_id: runId, decided });
  await ended(one.store, runId);
  expect(paid).toEqual([edits[first]]);
  const again = await send(two.server, path, [{ interruption_id: id, approved: false }]);
  expect(again).toMatchObject({ status: 409, body: { code: 'approval_invalid', decided } });
  for (const { server } of [one, two]) await server.close();
});

test('an answer after its time is refused as expired, before and after the run has gone on', async () => {
  const runId = await paused();
  time += 7 * day;
  const { server, store } = begin(['Nobody answered.']);
  const path = `/api/runs/${runId}/decisions`;
  const late = await send(server, path, [{ interruption_id: id, approved: true }]);
  expect(late).toMatchObject({ status: 409, body: { code: 'approval_expired', run_id: runId } });
  await server.fetch(new Request(`http://agents.test/api/runs/${runId}`));
  await ended(store, runId);
  const later = await send(server, path, [{ interruption_id: id, approved: true }]);
  expect(later).toMatchObject({ status: 409, body: { code: 'approval_expired' } });
  expect(paid).toEqual([]);
  await server.close();
});

test.each([
  ['of the wrong form', [{ interruption_id: id, answer: 'yes' }]],
  ['that is merely truthy', [{ interruption_id: id, approved: 'yes' }]],
  [
    'with an input that does not fit',
    [{ interruption_id: id, approved: true, input: { amount: 'x' } }],
  ],
  ['for nothing', [{ interruption_id: 'f0.t9.c1.approval', approved: true }]],
])('an answer %s is a 422, and the run goes on waiting', async (_, body) => {
  const runId = await paused();
  time += 3 * day;
  const { server } = begin([]);
  const refused = await send(server, `/api/runs/${runId}/decisions`, body);
  expect(refused).toMatchObject({ status: 422, body: { code: 'approval_invalid' } });
  const run = await server.fetch(new Request(`http://agents.test/api/runs/${runId}`));
  expect(await run.json()).toMatchObject({ status: 'interrupted' });
  await server.close();
});
