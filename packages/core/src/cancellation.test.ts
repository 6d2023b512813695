import { afterEach, expect, test } from 'vitest';
import { z } from 'zod';
import { journalOf, typesOf } from '../test/engine.ts';
import { Agent } from './agent.ts';
import { memoryStore } from './memory-store.ts';
import { Runner } from './runner.ts';
import { collect, equal, eventually, faultyStore, gate, scriptedModel } from './testing/index.ts';
import { tool } from './tool.ts';

// One unobserved rejection kills a Functions process.
const unhandled: unknown[] = [];
process.on('unhandledRejection', (reason) => unhandled.push(reason));
afterEach(async () => {
  await new Promise((resolve) => setImmediate(resolve));
  equal(unhandled.splice(0), [], 'unhandled rejections');
});

const parameters = z.object({});
const never = () => new Promise<never>(() => undefined);

test('an abort during the model call aborts its signal and ends the run cancelled', async () => {
  const abort = new AbortController();
  const there = gate();
  const model = scriptedModel([{ text: 'Half an ans', beforeResponse: there }]);
  const store = memoryStore();
  const runner = new Runner(new Agent({ name: 'bot', model }), { store });
  const running = runner.run('Hi', { signal: abort.signal });
  await there.reached;
  expect(model.running).toBe(1);
  abort.abort();
  const result = await running;
  expect(result.status).toBe('cancelled');
  expect(result.finalOutput).toBeUndefined();
  expect(model.running).toBe(0);
  expect(typesOf(await journalOf(store, result.runId))).toEqual([
    'run-start',
    'cancel-request',
    'run-end',
  ]);
});

test('a run whose signal was aborted before it starts is recorded as cancelled and asks no model', async () => {
  const model = scriptedModel([]);
  const store = memoryStore();
  const runner = new Runner(new Agent({ name: 'bot', model }), { store });
  const result = await runner.run('Hi', { signal: AbortSignal.abort() });
  expect(result.status).toBe('cancelled');
  expect(model.calls).toBe(0);
  await journalOf(store, result.runId);
});

test('a tool that ignores its signal does not hold up the cancel; what it did is unknown', async () => {
  const abort = new AbortController();
  const late = gate();
  const started = gate();
  const stubborn = tool({
    name: 'stubborn',
    description: 'Does not listen',
    parameters,
    execute: async () => {
      await Promise.all([started.wait(), late.wait()]);
      throw new Error('too late for anybody');
    },
  });
  const reader = tool({
    name: 'reader',
    description: 'Only reads',
    parameters,
    effect: 'read',
    execute: () => late.wait(),
  });
  const model = scriptedModel([
    {
      calls: [
        ['stubborn', {}],
        ['reader', {}],
      ],
    },
  ]);
  const store = memoryStore();
  const runner = new Runner(new Agent({ name: 'bot', model, tools: [stubborn, reader] }), {
    store,
  });
  const running = runner.run('Go', { signal: abort.signal });
  await started.reached;
  abort.abort();
  const result = await running;
  expect(result.status).toBe('cancelled');
  const journal = await journalOf(store, result.runId);
  const results = journal.filter((event) => event.type === 'tool-result');
  expect(results.map(({ toolName, how }) => `${toolName} ${how}`)).toEqual([
    'stubborn unknown-outcome',
    'reader ran',
  ]);
  started.open();
  late.open();
  await new Promise((resolve) => setImmediate(resolve));
  expect(await journalOf(store, result.runId)).toEqual(journal);
});

test('a paused run is cancelled from another Runner on the same store', async () => {
  const refund = tool({
    name: 'refund',
    description: 'Refunds',
    parameters,
    needsApproval: true,
    execute: () => 'done',
  });
  const model = scriptedModel([{ calls: [['refund', {}]] }]);
  const store = memoryStore();
  const agent = new Agent({ name: 'bot', model, tools: [refund] });
  const paused = await new Runner(agent, { store }).run('Refund.', { sessionId: 's' });
  expect(paused.status).toBe('interrupted');
  const other = new Runner(agent, { store });
  await other.cancel(paused.runId, 'changed my mind');
  const result = await other.get(paused.runId);
  expect(result?.status).toBe('cancelled');
  const journal = await journalOf(store, paused.runId);
  expect(journal.find(({ type }) => type === 'cancel-request')).toMatchObject({
    reason: 'changed my mind',
  });
  expect((await store.sessions.load('s')).messages.at(-1)?.role).toBe('assistant');
  expect((await store.sessions.load('s')).activeRunId).toBeUndefined();
});

test('cancelling a paused run needs no context', async () => {
  const refund = tool({
    name: 'refund',
    description: 'Refunds',
    parameters,
    needsApproval: true,
    execute: () => 'done',
  });
  const model = scriptedModel([{ calls: [['refund', {}]] }]);
  const store = memoryStore();
  const agent = new Agent<{ db: string }>({ name: 'bot', model, tools: [refund] });
  const paused = await new Runner(agent, { store }).run('Go.', { context: { db: 'x' } });
  const other = new Runner(agent, { store });
  await other.cancel(paused.runId);
  expect(await other.get(paused.runId)).toMatchObject({ status: 'cancelled' });
  await journalOf(store, paused.runId);
});

test('a cancel from another Runner reaches the model that works', async () => {
  const there = gate();
  const model = scriptedModel([{ text: 'Never done', beforeResponse: there }]);
  const store = memoryStore();
  const agent = new Agent({ name: 'bot', model });
  const runner = new Runner(agent, { store });
  const header = await runner.start('Hi');
  const running = runner.resume(header.runId);
  await there.reached;
  await new Runner(agent, { store }).cancel(header.runId);
  expect((await running).status).toBe('cancelled');
  expect(model.running).toBe(0);
  await journalOf(store, header.runId);
});

test('a cancel from another process reaches the model within two seconds', async () => {
  const there = gate();
  const model = scriptedModel([{ hang: true, before: undefined, events: [there] }]);
  const store = memoryStore();
  const agent = new Agent({ name: 'bot', model });
  const here = { ...store, durable: true };
  const there2 = faultyStore(here);
  const runner = new Runner(agent, { store: here });
  const header = await runner.start('Hi');
  const running = runner.resume(header.runId);
  await there.reached;
  there.open();
  const asked = performance.now();
  await new Runner(agent, { store: there2 }).cancel(header.runId);
  expect((await running).status).toBe('cancelled');
  expect(performance.now() - asked).toBeLessThan(2_000);
  expect(model.running).toBe(0);
  await journalOf(store, header.runId);
});

test('cancelling what has ended changes nothing; an unknown run is not found', async () => {
  const store = memoryStore();
  const runner = new Runner(new Agent({ name: 'bot', model: scriptedModel(['Hi.']) }), { store });
  const { runId } = await runner.run('Hi');
  const journal = await journalOf(store, runId);
  await runner.cancel(runId);
  expect(await journalOf(store, runId)).toEqual(journal);
  await expect(runner.cancel('nope')).rejects.toMatchObject({ code: 'not_found' });
});

test('RunStream.cancel ends the run and its events', async () => {
  const there = gate();
  const model = scriptedModel([{ text: 'Half', beforeResponse: there }]);
  const stream = new Runner(new Agent({ name: 'bot', model })).stream('Hi');
  const types: string[] = [];
  for await (const event of stream) {
    types.push(event.type);
    if (event.type === 'text-delta') stream.cancel('enough');
  }
  expect(types.at(-1)).toBe('run-end');
  expect((await stream.result).status).toBe('cancelled');
  expect(model.running).toBe(0);
});

test('leaving the loop cancels the run; after detach() it goes on', async () => {
  const left = gate();
  const model = scriptedModel([{ text: 'Half', beforeResponse: left }, 'Whole.']);
  const agent = new Agent({ name: 'bot', model });
  const stream = new Runner(agent).stream('Hi');
  for await (const event of stream) if (event.type === 'text-delta') break;
  expect((await stream.result).status).toBe('cancelled');
  expect(model.running).toBe(0);

  const detached = new Runner(agent).stream('Hi');
  for await (const event of detached) {
    if (event.type === 'run-start') {
      detached.detach();
      break;
    }
  }
  expect((await detached.result).status).toBe('completed');
});

test('the wall clock stops a model and a tool that take too long', async () => {
  const slow = tool({ name: 'slow', description: 'Slow', parameters, execute: never });
  const store = memoryStore();
  const hanging = scriptedModel([{ hang: true }, { calls: [['slow', {}]] }]);
  const runner = new Runner(new Agent({ name: 'bot', model: hanging, tools: [slow] }), { store });
  const limits = { wallClockMs: 30 };
  const inModel = await runner.run('Hi', { limits });
  expect(inModel).toMatchObject({ status: 'stopped', stopReason: 'wall_clock' });
  const inTool = await runner.run('Hi', { limits });
  expect(inTool).toMatchObject({ status: 'stopped', stopReason: 'wall_clock' });
  expect(inTool.toolResults).toMatchObject([{ isError: true }]);
  expect(hanging.running).toBe(0);
  await journalOf(store, inModel.runId);
  await journalOf(store, inTool.runId);
});

test('a wall clock of months is no wall clock of a millisecond', async () => {
  const model = scriptedModel([
    { before: () => new Promise((done) => setTimeout(done, 20)), text: 'Hi.' },
  ]);
  const limits = { wallClockMs: 90 * 86_400_000 };
  const result = await new Runner(new Agent({ name: 'bot', model })).run('Hi', { limits });
  expect(result.status).toBe('completed');
});

test('a tool that generates is left at its next yield, and its finally runs', async () => {
  const abort = new AbortController();
  let turns = 0;
  let cleaned = 0;
  const poll = tool({
    name: 'poll',
    description: 'Polls for ever',
    parameters,
    effect: 'read',
    async *execute() {
      try {
        for (;;) {
          turns += 1;
          if (turns === 3) abort.abort();
          await new Promise((resolve) => setImmediate(resolve));
          yield turns;
        }
      } finally {
        cleaned += 1;
      }
    },
  });
  const model = scriptedModel([{ calls: [['poll', {}]] }]);
  const agent = new Agent({ name: 'bot', model, tools: [poll] });
  const result = await new Runner(agent).run('Go', { signal: abort.signal });
  expect(result.status).toBe('cancelled');
  await eventually(() => cleaned === 1, 'the generator is left');
  expect(turns).toBeLessThan(5);
});

test('a cancel that comes while a run pauses is not lost', async () => {
  const abort = new AbortController();
  const refund = tool({
    name: 'refund',
    description: 'Refunds',
    parameters,
    needsApproval: true,
    execute: () => 'done',
  });
  const model = scriptedModel([{ calls: [['refund', {}]] }]);
  const memory = memoryStore();
  const store = faultyStore(memory, {
    // The append with the pause is under way.
    after: ({ method }) => (method === 'runs.append' ? abort.abort() : undefined),
  });
  const runner = new Runner(new Agent({ name: 'bot', model, tools: [refund] }), { store });
  const result = await runner.run('Go', { signal: abort.signal });
  expect(result.status).toBe('cancelled');
  await journalOf(memory, result.runId);
});

test('a cancel that comes while the answer is made wins over it', async () => {
  const abort = new AbortController();
  const store = memoryStore();
  const agent = new Agent({
    name: 'bot',
    model: scriptedModel(['Hi.']),
    afterRun: async () => {
      abort.abort();
      await Promise.resolve();
      return undefined;
    },
  });
  const result = await new Runner(agent, { store }).run('Go', { signal: abort.signal });
  expect(result.status).toBe('cancelled');
  await journalOf(store, result.runId);
});

test('a cancel that comes while the end is written is too late, and the journal stays as it is', async () => {
  const memory = memoryStore();
  const agent = new Agent({ name: 'bot', model: scriptedModel(['Hi.', 'Hi.']) });
  const posted: string[] = [];
  const store = faultyStore(memory, {
    before: async ({ method }) => {
      if (method !== 'runs.append') return;
      const [run] = (await memory.runs.list({ limit: 1 })).runs;
      const runId = run?.runId ?? '';
      posted.push(runId);
      await runner.post(runId, { id: `late ${posted.length}`, type: 'cancel' });
    },
  });
  const runner: Runner = new Runner(agent, { store });
  const result = await runner.run('Go');
  expect(posted.length).toBeGreaterThan(0);
  const journal = await journalOf(memory, result.runId);
  expect(journal.at(-1)?.type).toBe('run-end');
});

test('functions of the agent that hang do not hold up a cancel', async () => {
  const instructions = gate();
  const approval = gate();
  const check = tool({
    name: 'check',
    description: 'Checks',
    parameters,
    needsApproval: async () => {
      await approval.wait();
      return true;
    },
    execute: () => 'ran',
  });
  const store = memoryStore();
  const asking = new Agent({
    name: 'asking',
    model: scriptedModel(['Hi.']),
    instructions: async () => {
      await instructions.wait();
      return 'Be kind.';
    },
  });
  const judging = new Agent({
    name: 'judging',
    model: scriptedModel([{ calls: [['check', {}]] }]),
    tools: [check],
  });
  for (const [agent, there] of [
    [asking, instructions],
    [judging, approval],
  ] as const) {
    const abort = new AbortController();
    const running = new Runner(agent, { store }).run('Go', { signal: abort.signal });
    await there.reached;
    abort.abort();
    const result = await running;
    expect(result.status).toBe('cancelled');
    await journalOf(store, result.runId);
  }
});

test('a stream that nobody reads harms nobody when it fails', async () => {
  const agent = new Agent({ name: 'bot', model: scriptedModel([]) });
  const stream = new Runner(agent).stream('');
  await expect(stream.started).rejects.toMatchObject({ code: 'user_error' });
  const unread = new Runner(agent).stream('');
  await collect(unread).catch(() => undefined);
});
