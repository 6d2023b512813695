import { Agent, memoryStore, silentLogger, tool, type Store } from '@agent-functions/core';
import { gate, scriptedModel } from '@agent-functions/core/testing';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { clients } from '../../test/server/clients.ts';
import { mcpHandler } from './mcp-handler.ts';

// A host that may end its process behind the answer: what is left of a run goes on by a wake of the store.

test('a run that outlasts its call is let go of, and another process goes on with it', async () => {
  const woken: string[] = [];
  const store: Store = {
    ...memoryStore(),
    durable: true,
    wake: { schedule: async ({ runId }) => void woken.push(runId) },
  };
  const open = gate();
  let calls = 0;
  const process = () =>
    mcpHandler({
      store,
      waitMs: 100,
      logger: silentLogger,
      agents: [
        new Agent({
          name: 'slow',
          tools: [
            tool({
              name: 'wait',
              description: 'Waits.',
              parameters: z.object({}),
              effect: 'read',
              execute: async () => {
                calls += 1;
                await open.wait();
                return 'done';
              },
            }),
          ],
          model: scriptedModel([{ calls: [['wait', {}]] }, 'There it is.'], { by: 'conversation' }),
        }),
      ],
    });
  const never = new AbortController().signal;
  const left: Promise<unknown>[] = [];
  const here = process();
  await using client = await clients['v2 client, negotiating']({
    fetch: (url, init) =>
      here.fetch(new Request(url, init), {
        handOver: { signal: never, settleMs: 50 },
        waitUntil: (work) => void left.push(work),
      }),
  });
  const answer = await client.call('slow', { message: 'Go.' });
  expect(answer).toMatchObject({ structuredContent: { status: 'running', agent: 'slow' } });
  const { run_id } = Object(answer['structuredContent']);
  await Promise.all(left);
  expect(await store.runs.peek(run_id)).toMatchObject({ ended: false });
  expect((await store.runs.peek(run_id))?.lease).toBeUndefined();
  expect(woken).toContain(run_id);

  // Looked at from an invocation, it is woken and not taken up.
  woken.length = 0;
  expect(await client.call('get_run', { run_id, wait_seconds: 0 })).toMatchObject({
    structuredContent: { status: 'running' },
  });
  expect(woken).toEqual([run_id]);
  expect(calls).toBe(1);

  open.open();
  const there = process();
  await using other = await clients['v2 client, negotiating']({
    fetch: (url, init) => there.fetch(new Request(url, init)),
  });
  await expect
    .poll(() => other.call('get_run', { run_id }))
    .toMatchObject({ structuredContent: { status: 'completed', response: 'There it is.' } });
});
