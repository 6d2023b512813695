import { expect, test } from 'vitest';
import { z } from 'zod';
import { journalOf, typesOf } from '../test/engine.ts';
import { wakingStore } from '../test/waking-store.ts';
import { Agent } from './agent.ts';
import type { HandOver } from './leaving.ts';
import { memoryStore } from './memory-store.ts';
import { Runner } from './runner.ts';
import { eventually, gate, rejection, scriptedModel, type Gate } from './testing/index.ts';
import { tool, type ToolConfig } from './tool.ts';

// A process that must stop lets go of its runs, and another one goes on with them.

const long = 60_000;

function leaving(settleMs: number = long): {
  readonly handOver: HandOver;
  readonly begin: () => void;
} {
  const controller = new AbortController();
  return {
    handOver: { signal: controller.signal, settleMs },
    begin: () => controller.abort(),
  };
}

const input = z.object({});
type Input = z.infer<typeof input>;

/** A tool that stands still until its gate opens, and counts how often it was begun. */
function slowTool(
  name: string,
  opens: Gate,
  more: Partial<ToolConfig<typeof input, unknown, unknown>> = {},
) {
  const begun: string[] = [];
  const made = tool({
    name,
    description: `Does ${name}`,
    parameters: input,
    execute: async (_input: Input, { callId }) => {
      begun.push(callId);
      await opens.wait();
      return `${name} done`;
    },
    ...more,
  });
  return { begun, tool: made };
}

const callOf = (name: string) => [name, {}] as const;

test('a model call in flight settles and is recorded; then the run is let go of, and goes on elsewhere', async () => {
  const { store, done, scheduled } = wakingStore();
  const answering = gate();
  const look = slowTool('look', gate(), { effect: 'read', execute: () => 'seen' });
  const model = scriptedModel([{ before: answering, calls: [callOf('look')] }, 'Done.'], {
    by: 'conversation',
  });
  const runner = new Runner(new Agent({ name: 'bot', model, tools: [look.tool] }), { store });
  const { handOver, begin } = leaving();
  const running = rejection(runner.run('Go', { handOver }));
  await answering.reached;
  begin();
  answering.open();
  expect(await running).toMatchObject({ code: 'handed_over', retryable: true });
  const runId = scheduled[0]?.call.runId ?? '';
  expect((await store.runs.peek(runId))?.lease).toBeUndefined();
  expect(done.slice(-2)).toEqual(['release', 'schedule']);
  expect(scheduled.at(-1)?.call).toEqual({ runId });
  const left = await journalOf(store, runId);
  expect(typesOf(left)).toEqual(['run-start', 'model-response']);
  expect(await runner.wake({ runId })).toBe('ended');
  const events = await journalOf(store, runId);
  expect(events.slice(0, left.length)).toEqual(left);
  expect(model.calls).toBe(2);
  // A lease that was let go of is no attempt.
  expect(typesOf(events)).not.toContain('run-resume');
});

test('calls in flight settle and are recorded, and are not repeated', async () => {
  const { store, scheduled } = wakingStore();
  const paying = gate();
  const pay = slowTool('pay', paying);
  const model = scriptedModel([{ calls: [callOf('pay'), callOf('pay')] }, 'Done.'], {
    by: 'conversation',
  });
  const runner = new Runner(new Agent({ name: 'bot', model, tools: [pay.tool] }), { store });
  const { handOver, begin } = leaving();
  const running = rejection(runner.run('Go', { handOver }));
  await paying.reached;
  begin();
  paying.open();
  expect(await running).toMatchObject({ code: 'handed_over' });
  const runId = scheduled[0]?.call.runId ?? '';
  const results = (await journalOf(store, runId)).filter(({ type }) => type === 'tool-result');
  expect(results).toHaveLength(2);
  expect(model.calls).toBe(1);
  await runner.wake({ runId });
  expect(await runner.get(runId)).toMatchObject({ status: 'completed', finalOutput: 'Done.' });
  expect(pay.begun).toHaveLength(2);
});

test('a model call that does not settle in time is aborted, and asked again', async () => {
  const { store, scheduled } = wakingStore();
  const model = scriptedModel([{ hang: true, text: 'Hel' }, 'Hello.']);
  const runner = new Runner(new Agent({ name: 'bot', model }), { store });
  const { handOver, begin } = leaving(20);
  const running = rejection(runner.run('Go', { handOver }));
  await eventually(() => model.calls === 1, 'the model is asked');
  begin();
  expect(await running).toMatchObject({ code: 'handed_over' });
  const runId = scheduled[0]?.call.runId ?? '';
  expect(await runner.wake({ runId })).toBe('ended');
  expect(await runner.get(runId)).toMatchObject({ finalOutput: 'Hello.' });
  expect(typesOf(await journalOf(store, runId))).toEqual([
    'run-start',
    'model-response',
    'frame-end',
    'run-end',
  ]);
});

test('a call that does not settle in time is aborted: a once tool is looked up, or its outcome is unknown', async () => {
  for (const reconciles of [true, false]) {
    const { store, scheduled } = wakingStore();
    const never = gate();
    const pay = slowTool(
      'pay',
      never,
      reconciles ? { reconcile: async () => ({ done: true, output: 'paid before' }) } : {},
    );
    const model = scriptedModel([{ calls: [callOf('pay')] }, 'Done.'], { by: 'conversation' });
    const runner = new Runner(new Agent({ name: 'bot', model, tools: [pay.tool] }), { store });
    const { handOver, begin } = leaving(20);
    const running = rejection(runner.run('Go', { handOver }));
    await never.reached;
    begin();
    expect(await running).toMatchObject({ code: 'handed_over' });
    const runId = scheduled[0]?.call.runId ?? '';
    const left = await journalOf(store, runId);
    expect(typesOf(left)).toEqual(['run-start', 'model-response', 'tool-start']);
    expect(await runner.wake({ runId })).toBe('ended');
    const result = (await journalOf(store, runId)).find(({ type }) => type === 'tool-result');
    expect(result).toMatchObject({ how: reconciles ? 'reconciled' : 'unknown-outcome' });
    expect(pay.begun).toHaveLength(1);
  }
});

test('what settles late, but before the abort, is kept; what follows it is left to others', async () => {
  const { store, scheduled } = wakingStore();
  const quick = gate();
  const never = gate();
  const read = slowTool('read', quick, { effect: 'read' });
  const pay = slowTool('pay', never, { effect: 'idempotent' });
  const model = scriptedModel([{ calls: [callOf('read'), callOf('pay')] }, 'Done.'], {
    by: 'conversation',
  });
  const agent = new Agent({ name: 'bot', model, tools: [read.tool, pay.tool] });
  const runner = new Runner(agent, { store });
  const { handOver, begin } = leaving(100);
  const running = rejection(runner.run('Go', { handOver }));
  await Promise.all([quick.reached, never.reached]);
  begin();
  quick.open();
  expect(await running).toMatchObject({ code: 'handed_over' });
  never.open();
  const runId = scheduled[0]?.call.runId ?? '';
  await runner.wake({ runId });
  expect(await runner.get(runId)).toMatchObject({ status: 'completed' });
  expect([read.begun.length, pay.begun.length]).toEqual([1, 2]);
});

test('an answer that is there is given: the run ends here', async () => {
  const { store } = wakingStore();
  const answering = gate();
  const model = scriptedModel([{ before: answering, text: 'Hello.' }]);
  const runner = new Runner(new Agent({ name: 'bot', model }), { store });
  const { handOver, begin } = leaving();
  const running = runner.run('Go', { handOver });
  await answering.reached;
  begin();
  answering.open();
  expect(await running).toMatchObject({ status: 'completed', finalOutput: 'Hello.' });
});

test('agents at work side by side all settle, and go on elsewhere', async () => {
  const { store, scheduled } = wakingStore();
  const gates = { left: gate(), right: gate() };
  const worker = (name: 'left' | 'right') => {
    const slow = slowTool(`work_${name}`, gates[name]);
    const model = scriptedModel([{ calls: [callOf(`work_${name}`)] }, `${name} has spoken.`], {
      by: 'conversation',
    });
    return { slow, agent: new Agent({ name, model, tools: [slow.tool] }) };
  };
  const left = worker('left');
  const right = worker('right');
  const chair = new Agent({
    name: 'chair',
    model: scriptedModel(['Both have spoken.']),
    handoffConfig: {
      mode: 'coordinator',
      strategy: 'broadcast',
      targets: [{ agent: left.agent }, { agent: right.agent }],
    },
  });
  const runner = new Runner(chair, { store });
  const { handOver, begin } = leaving(100);
  const running = rejection(runner.run('Go', { handOver }));
  await Promise.all([gates.left.reached, gates.right.reached]);
  begin();
  gates.left.open();
  expect(await running).toMatchObject({ code: 'handed_over' });
  gates.right.open();
  const runId = scheduled[0]?.call.runId ?? '';
  expect(await runner.wake({ runId })).toBe('ended');
  expect(await runner.get(runId)).toMatchObject({
    status: 'completed',
    finalOutput: 'Both have spoken.',
  });
  const events = await journalOf(store, runId);
  const results = events.flatMap((event) =>
    event.type === 'tool-result' ? [[event.agent, event.how]] : [],
  );
  expect(results.toSorted(([a = ''], [b = '']) => (a < b ? -1 : 1))).toEqual([
    ['left', 'ran'],
    ['right', 'unknown-outcome'],
  ]);
  expect([left.slow.begun.length, right.slow.begun.length]).toEqual([1, 1]);
});

test('a second hand-over shortens the time that is left', async () => {
  const { store } = wakingStore();
  const model = scriptedModel([{ hang: true }]);
  const first = leaving();
  const second = leaving(20);
  const agent = new Agent({ name: 'bot', model });
  const runner = new Runner(agent, { store, handOver: second.handOver });
  const running = rejection(runner.run('Go', { handOver: first.handOver }));
  await eventually(() => model.calls === 1, 'the model is asked');
  first.begin();
  second.begin();
  expect(await running).toMatchObject({ code: 'handed_over' });
});

test('how long things may settle is read when the hand-over begins', async () => {
  const { store } = wakingStore();
  const model = scriptedModel([{ hang: true }]);
  const controller = new AbortController();
  let settleMs = long;
  const handOver: HandOver = {
    signal: controller.signal,
    get settleMs() {
      return settleMs;
    },
  };
  const runner = new Runner(new Agent({ name: 'bot', model }), { store });
  const running = rejection(runner.run('Go', { handOver }));
  await eventually(() => model.calls === 1, 'the model is asked');
  settleMs = 20;
  controller.abort();
  expect(await running).toMatchObject({ code: 'handed_over' });
});

test('a process that leaves takes nothing up: run, step, resume and wake say so', async () => {
  const { store, done, scheduled } = wakingStore();
  const agent = new Agent({ name: 'bot', model: scriptedModel(['Hello.']) });
  const { runId } = await new Runner(agent, { store }).start('Go');
  const { handOver, begin } = leaving();
  const gone = new Runner(agent, { store, handOver });
  begin();
  done.length = 0;
  expect(await rejection(gone.step(runId))).toMatchObject({ code: 'handed_over' });
  expect(await rejection(gone.resume(runId))).toMatchObject({ code: 'handed_over' });
  const now = await store.now();
  expect(await gone.wake({ runId })).toBe('left');
  expect(done).toEqual(['schedule']);
  expect(scheduled.at(-1)?.call).toEqual({ runId });
  expect((scheduled.at(-1)?.atMs ?? 0) - now).toBeGreaterThanOrEqual(500);
  expect(await rejection(gone.run('Go'))).toMatchObject({ code: 'handed_over' });
});

test('a step that is handed over has done its part: the next one goes on', async () => {
  const { store } = wakingStore();
  const paying = gate();
  const pay = slowTool('pay', paying);
  const model = scriptedModel([{ calls: [callOf('pay')] }, 'Done.'], { by: 'conversation' });
  const runner = new Runner(new Agent({ name: 'bot', model, tools: [pay.tool] }), { store });
  const { runId } = await runner.start('Go');
  const { handOver, begin } = leaving();
  const stepping = rejection(runner.step(runId, { handOver }));
  await paying.reached;
  begin();
  paying.open();
  expect(await stepping).toMatchObject({ code: 'handed_over' });
  expect(await runner.step(runId)).toMatchObject({ status: 'completed' });
  expect(pay.begun).toHaveLength(1);
});

test('who watches a stream sees it end with handed_over, and nothing shown is lost', async () => {
  const { store, scheduled } = wakingStore();
  const model = scriptedModel([{ hang: true, text: 'Hel' }, 'Hello.']);
  const runner = new Runner(new Agent({ name: 'bot', model }), { store });
  const { handOver, begin } = leaving(20);
  const stream = runner.stream('Go', { handOver });
  await eventually(() => model.calls === 1, 'the model is asked');
  begin();
  expect(await rejection(stream.result)).toMatchObject({ code: 'handed_over' });
  const runId = scheduled[0]?.call.runId ?? '';
  await runner.wake({ runId });
  expect(await runner.get(runId)).toMatchObject({ finalOutput: 'Hello.' });
});

test('a run that only this process has is not let go of', async () => {
  for (const store of [undefined, memoryStore()]) {
    const answering = gate();
    const model = scriptedModel([{ before: answering, text: 'Hello.' }]);
    const { handOver, begin } = leaving(0);
    const runner = new Runner(new Agent({ name: 'bot', model }), { store, handOver });
    const running = runner.run('Go');
    await answering.reached;
    begin();
    await new Promise((resolve) => setTimeout(resolve, 20));
    answering.open();
    expect(await running).toMatchObject({ status: 'completed' });
  }
});

test('a cancel that comes while a run is let go of ends it', async () => {
  const { store, scheduled } = wakingStore();
  const model = scriptedModel([{ hang: true }]);
  const runner = new Runner(new Agent({ name: 'bot', model }), { store });
  const { handOver, begin } = leaving();
  const running = runner.run('Go', { handOver });
  await eventually(() => model.calls === 1, 'the model is asked');
  begin();
  await runner.cancel(scheduled[0]?.call.runId ?? '');
  expect(await running).toMatchObject({ status: 'cancelled' });
});
