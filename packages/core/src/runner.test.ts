import { expect, test } from 'vitest';
import { z } from 'zod';
import { Agent } from './agent.ts';
import { ModelError } from './errors.ts';
import type { RunEvent, Watched } from './events.ts';
import { memoryStore } from './memory-store.ts';
import { Runner } from './runner.ts';
import { collect, gate, scriptedModel, verifyJournal } from './testing/index.ts';
import { tool } from './tool.ts';

async function journalOf(
  runner: { events(runId: string): AsyncIterable<Watched> },
  runId: string,
): Promise<RunEvent[]> {
  const events = await collect(runner.events(runId));
  const durable = events.filter((event): event is RunEvent => 'seq' in event);
  verifyJournal(durable);
  return durable;
}

const weather = tool({
  name: 'get_weather',
  description: 'Current weather',
  parameters: z.object({ city: z.string() }),
  effect: 'read',
  execute: ({ city }) => ({ city, celsius: 12 }),
});

test('an agent answers after calling its tool', async () => {
  const model = scriptedModel([{ calls: [['get_weather', { city: 'Seattle' }]] }, 'It is 12 °C.']);
  const agent = new Agent({ name: 'bot', model, tools: [weather] });
  const runner = new Runner(agent, { store: memoryStore() });
  const result = await runner.run('Weather in Seattle?');
  expect(result.status).toBe('completed');
  expect(result.finalOutput).toBe('It is 12 °C.');
  expect(result.toolResults).toEqual([
    {
      callId: 'f0.t1.c1',
      tool: 'get_weather',
      arguments: { city: 'Seattle' },
      result: { city: 'Seattle', celsius: 12 },
      isError: false,
    },
  ]);
  expect(result.usage.requests).toBe(2);
  const journal = await journalOf(runner, result.runId);
  expect(journal.map(({ type }) => type)).toEqual([
    'run-start',
    'model-response',
    'tool-start',
    'tool-result',
    'model-response',
    'frame-end',
    'run-end',
  ]);
});

test('a stream shows deltas as they come, then the events that replace them', async () => {
  const agent = new Agent({ name: 'bot', model: scriptedModel(['Hello there, world.']) });
  const stream = new Runner(agent).stream('Hi');
  const events = await collect(stream);
  const text = events.map((event) => (event.type === 'text-delta' ? event.delta : '')).join('');
  expect(text).toBe('Hello there, world.');
  expect(events.at(-1)?.type).toBe('run-end');
  expect((await stream.result).response).toBe(text);
});

test('a session carries the conversation from run to run', async () => {
  const model = scriptedModel(['Hello Ann.', 'You are Ann.']);
  const runner = new Runner(new Agent({ name: 'bot', model }), { store: memoryStore() });
  await runner.run('I am Ann.', { sessionId: 's' });
  await runner.run('Who am I?', { sessionId: 's' });
  expect(model.requests[1]?.messages.map(({ role }) => role)).toEqual([
    'user',
    'assistant',
    'user',
  ]);
});

test('a call that needs approval pauses the run, which goes on when it is answered', async () => {
  const refunds: number[] = [];
  const refund = tool({
    name: 'refund',
    description: 'Refunds',
    parameters: z.object({ amount: z.number() }),
    needsApproval: ({ amount }) => amount > 10,
    execute: ({ amount }) => {
      refunds.push(amount);
      return 'refunded';
    },
  });
  const model = scriptedModel([
    {
      calls: [
        ['refund', { amount: 5 }],
        ['refund', { amount: 50 }],
      ],
    },
    'Done.',
  ]);
  const runner = new Runner(new Agent({ name: 'bot', model, tools: [refund] }));
  const first = await runner.run('Refund both.');
  expect(first.status).toBe('interrupted');
  expect(refunds).toEqual([5]);
  expect(first.interruptions.map(({ kind, input }) => ({ kind, input }))).toEqual([
    { kind: 'approval', input: { amount: 50 } },
  ]);
  const done = await runner.resume(
    first.runId,
    first.interruptions.map(({ id }) => ({ interruptionId: id, approved: true as const })),
  );
  expect(done.status).toBe('completed');
  expect(refunds).toEqual([5, 50]);
  await journalOf(runner, done.runId);
});

test('one transient model error after a tool ran: the tool ran once', async () => {
  let ran = 0;
  const count = tool({
    name: 'count',
    description: 'Counts',
    parameters: z.object({}),
    execute: () => {
      ran += 1;
      return ran;
    },
  });
  const model = scriptedModel([
    { calls: [['count', {}]] },
    new ModelError('busy', { reason: 'overloaded' }),
    'Once.',
  ]);
  const agent = new Agent({
    name: 'bot',
    model,
    tools: [count],
    modelSettings: { retry: { initialDelayMs: 1 } },
  });
  const result = await new Runner(agent).run('Count.');
  expect(result.response).toBe('Once.');
  expect(ran).toBe(1);
});

test('a model that is down for good fails the run, visibly', async () => {
  const model = scriptedModel(() => new ModelError('down', { reason: 'overloaded' }));
  const agent = new Agent({ name: 'bot', model, modelSettings: { retry: { maxRetries: 0 } } });
  const result = await new Runner(agent).run('Hi');
  expect(result.status).toBe('failed');
  expect(result.error).toMatchObject({ code: 'model_error', reason: 'overloaded' });
  expect(() => result.orThrow()).toThrow('failed');
});

test('structured output is asked for again with the validation errors', async () => {
  const model = scriptedModel(['{"n":"x"}', '{"n":3}']);
  const agent = new Agent({ name: 'bot', model, outputType: z.object({ n: z.number() }) });
  const result = await new Runner(agent).run('Give n.');
  expect(result.orThrow()).toEqual({ n: 3 });
  const asked = model.requests[1]?.messages.at(-1);
  expect(asked?.role).toBe('user');
  expect(JSON.stringify(asked?.parts)).toContain('n:');
});

test('tool results are listed in the order of the calls, whichever settled first', async () => {
  const slow = gate();
  const wait = tool({
    name: 'wait',
    description: 'Waits for the gate',
    parameters: z.object({}),
    execute: async () => {
      await slow.wait();
      return 'slow';
    },
  });
  const open = tool({
    name: 'open',
    description: 'Opens the gate',
    parameters: z.object({}),
    execute: () => {
      slow.open();
      return 'fast';
    },
  });
  const model = scriptedModel([
    {
      calls: [
        ['wait', {}],
        ['open', {}],
      ],
    },
    'Done.',
  ]);
  const result = await new Runner(new Agent({ name: 'bot', model, tools: [wait, open] })).run(
    'Go.',
  );
  expect(result.toolResults.map(({ result: value }) => value)).toEqual(['slow', 'fast']);
});
