import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, printedByStart, shownInReadme, startWorker } from 'demo-model/testing';
import { beforeEach, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { startAzurite } from '../../../packages/stores-azure-storage/test/azurite.ts';

const folder = fileURLToPath(new URL('..', import.meta.url));

const interrupted = z.object({
  status: z.literal('interrupted'),
  run_id: z.string(),
  interruptions: z.array(z.object({ id: z.string() })),
});
const waiting = z.object({
  waiting: z.array(
    z.object({
      run_id: z.string(),
      interruption_id: z.string(),
      tool: z.string(),
      input: z.json(),
    }),
  ),
});

beforeEach(() => {
  const own = mkdtempSync(join(tmpdir(), 'approval-queue-'));
  vi.stubEnv('APPROVALS_DB', join(own, 'approvals.db'));
  vi.stubEnv('REFUNDS_FILE', join(own, 'refunds.jsonl'));
  vi.resetModules();
});

/** The app on a file of its own, and what was paid back. */
async function fresh() {
  const { app } = await import('../src/app.ts');
  const { refunds } = await import('../src/ledger.ts');
  const ask = (path: string, body?: unknown): Promise<Response> =>
    app.fetch(
      new Request(`http://localhost${path}`, {
        ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
        headers: { 'content-type': 'application/json' },
      }),
    );
  const chat = (message: string) => ask('/api/agents/refund_desk/chat', { message });
  return { app, ask, chat, refunds };
}

test('npm start tells the story that the README shows', async () => {
  expect(await printedByStart(folder)).toBe(shownInReadme(folder));
}, 60_000);

test('a refund waits in the queue, and is paid once, as it was approved', async () => {
  const { app, ask, chat, refunds } = await fresh();
  const asked = interrupted.parse(await (await chat('Please refund order 1042.')).json());
  const queue = waiting.parse(await (await ask('/api/approvals')).json());
  expect(queue.waiting).toMatchObject([
    { run_id: asked.run_id, tool: 'refund_order', input: { order: 1042, euros: 89 } },
  ]);
  expect(refunds()).toEqual([]);

  const decide = (euros: number) =>
    ask(`/api/runs/${asked.run_id}/decisions`, [
      {
        interruption_id: queue.waiting[0]?.interruption_id,
        approved: true,
        input: { order: 1042, euros },
      },
    ]);
  const answers = await Promise.all([decide(40), decide(80)]);
  expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([202, 409]);
  const counted = answers[0]?.status === 202 ? 40 : 80;
  await expect
    .poll(() => app.runners['refund_desk']?.get(asked.run_id))
    .toMatchObject({
      status: 'completed',
      response: `I refunded ${counted} € for a desk lamp (receipt R-1).`,
    });
  expect(refunds()).toMatchObject([{ order: 1042, euros: counted }]);
  expect(await (await ask('/api/approvals')).json()).toEqual({ waiting: [] });
});

test('a refund that is refused pays nothing, and the customer hears why', async () => {
  const { app, chat, refunds } = await fresh();
  const asked = interrupted.parse(await (await chat('Please refund order 1043.')).json());
  const done = await app.runners['refund_desk']?.resume(asked.run_id, [
    {
      interruptionId: asked.interruptions[0]?.id ?? '',
      approved: false,
      message: 'The kettle works.',
    },
  ]);
  expect(done).toMatchObject({
    status: 'completed',
    response: 'There is no refund for order 1043: The kettle works.',
  });
  expect(refunds()).toEqual([]);
});

test('in a Functions worker a refund waits in the storage account', async () => {
  build(folder);
  await using azurite = await startAzurite();
  await using host = await startWorker(folder, {
    AzureWebJobsStorage: azurite.connectionString,
  });
  const asked = await fetch(`${host.url}/api/agents/refund_desk/chat`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ message: 'Please refund order 1042.' }),
  });
  expect(await asked.json()).toMatchObject({
    status: 'interrupted',
    interruptions: [{ tool_name: 'refund_order', kind: 'approval' }],
  });
}, 60_000);
