import { expect, test } from 'vitest';
import { z } from 'zod';
import { journalOf, testClock, typesOf } from '../test/engine.ts';
import { Agent } from './agent.ts';
import type { Decision, Interruption } from './interruption.ts';
import { isJsonObject } from './json.ts';
import { memoryStore } from './memory-store.ts';
import { Runner } from './runner.ts';
import type { Store } from './store.ts';
import { faultyStore, gate, scriptedModel, type ScriptedCall } from './testing/index.ts';
import { tool } from './tool.ts';

/** An agent that asks before it refunds, and looks things up without asking. */
function clerk(calls: readonly ScriptedCall[], approvalTimeoutMs?: number) {
  const refunds: number[] = [];
  const refund = tool({
    name: 'refund',
    description: 'Refunds',
    parameters: z.object({ amount: z.number() }),
    needsApproval: true,
    approvalTimeoutMs,
    execute: ({ amount }) => {
      refunds.push(amount);
      return { refunded: amount };
    },
  });
  const look = tool({
    name: 'look',
    description: 'Looks',
    parameters: z.object({}),
    effect: 'read',
    execute: () => 'seen',
  });
  const model = scriptedModel([{ calls }, 'Done.'], { by: 'conversation' });
  return { refunds, model, agent: new Agent({ name: 'clerk', model, tools: [refund, look] }) };
}

const two: readonly ScriptedCall[] = [
  ['refund', { amount: 1 }],
  ['refund', { amount: 2 }],
];

async function paused(calls: readonly ScriptedCall[], store: Store = memoryStore()) {
  const made = clerk(calls);
  const runner = new Runner(made.agent, { store });
  const first = await runner.run('Refund.');
  expect(first.status).toBe('interrupted');
  return { ...made, runner, store, runId: first.runId, asked: first.interruptions };
}

function idOf(asked: readonly Interruption[], index = 0): string {
  return asked[index]?.id ?? `no interruption ${index}`;
}

function yes(interruptionId: string): Decision {
  return { interruptionId, approved: true };
}

test('calls that need no approval run before the run pauses; the pause costs no lease', async () => {
  const { store, runId, refunds, asked } = await paused([...two, ['look', {}]]);
  const journal = await journalOf(store, runId);
  expect(typesOf(journal).slice(1)).toEqual([
    'model-response',
    'interruption',
    'interruption',
    'tool-start',
    'tool-result',
    'run-pause',
  ]);
  expect(refunds).toEqual([]);
  expect(asked.map(({ input }) => input)).toEqual([{ amount: 1 }, { amount: 2 }]);
  expect(asked[0]).toMatchObject({ kind: 'approval', toolName: 'refund', frame: 'f0' });
  expect(asked[0]?.inputHash).toMatch(/^[0-9a-f]{64}$/);
  expect((await store.runs.peek(runId))?.lease).toBeUndefined();
});

test('several approvals answered together, or each by itself from another Runner', async () => {
  for (const apart of [false, true]) {
    const { store, runId, agent, refunds, asked, runner } = await paused(two);
    const decisions = [yes(idOf(asked)), yes(idOf(asked, 1))];
    if (apart) {
      const half = await new Runner(agent, { store }).resume(runId, decisions.slice(0, 1));
      expect(half.status).toBe('interrupted');
      expect(half.interruptions.map(({ id }) => id)).toEqual([idOf(asked, 1)]);
      expect(refunds).toEqual([]);
    }
    const rest = apart ? decisions.slice(1) : decisions;
    expect((await runner.resume(runId, rest)).status).toBe('completed');
    expect(refunds).toEqual([1, 2]);
    await journalOf(store, runId);
  }
});

test('a set of decisions counts as a whole or not at all', async () => {
  const { store, runId, runner, refunds, asked } = await paused(two);
  const before = await journalOf(store, runId);
  for (const decisions of [
    [yes(idOf(asked)), yes('f0.t9.c9.approval')],
    [yes(idOf(asked)), yes(idOf(asked))],
    [yes(idOf(asked)), { interruptionId: idOf(asked, 1), outcome: 'not-done' }],
    [yes(idOf(asked)), { interruptionId: idOf(asked, 1), answer: 'yes' }],
    [
      yes(idOf(asked)),
      { interruptionId: idOf(asked, 1), approved: true, input: { amount: 'all' } },
    ],
  ] satisfies Decision[][]) {
    const refused = runner.resume(runId, decisions);
    await expect(refused).rejects.toMatchObject({
      code: expect.stringMatching(/^(approval_invalid|user_error)$/),
    });
  }
  expect(await journalOf(store, runId)).toEqual(before);
  expect(await store.runs.inbox(runId)).toEqual([]);
  const result = await runner.resume(runId, [yes(idOf(asked)), yes(idOf(asked, 1))]);
  expect(result.status).toBe('completed');
  expect(refunds).toEqual([1, 2]);
});

test('what only looks like an approval is none', async () => {
  const { runId, runner, refunds, asked } = await paused([['refund', { amount: 1 }]]);
  for (const odd of [
    { approved: 'false' },
    { approved: 1 },
    { approved: null },
    { approved: undefined },
    { outcome: 'maybe' },
    {},
  ]) {
    const decision: Decision = JSON.parse(JSON.stringify({ ...odd, interruptionId: idOf(asked) }));
    await expect(runner.resume(runId, [decision])).rejects.toMatchObject({
      code: 'approval_invalid',
    });
  }
  expect(refunds).toEqual([]);
});

test('edited input runs in place of the shown one; the model is told', async () => {
  const { store, runId, runner, refunds, asked, model } = await paused([
    ['refund', { amount: 100 }],
  ]);
  const decision: Decision = {
    interruptionId: idOf(asked),
    approved: true,
    input: { amount: 10 },
  };
  const result = await runner.resume(runId, [decision]);
  expect(refunds).toEqual([10]);
  expect(result.toolResults).toMatchObject([
    { arguments: { amount: 10 }, result: { refunded: 10 } },
  ]);
  const [said, read] = (model.requests[1]?.messages ?? []).slice(-2);
  expect(said?.parts).toMatchObject([{ input: { amount: 100 } }]);
  expect(JSON.stringify(read?.parts)).toContain('edited');
  expect(JSON.stringify(read?.parts)).toContain('\\"amount\\":10');
  await journalOf(store, runId);
});

test('a refusal is a result with the words of whoever refused', async () => {
  const { store, runId, runner, refunds, asked } = await paused(two);
  const result = await runner.resume(runId, [
    { interruptionId: idOf(asked), approved: false, message: 'Too much.' },
    { interruptionId: idOf(asked, 1), approved: false },
  ]);
  expect(result.status).toBe('completed');
  expect(refunds).toEqual([]);
  expect(result.toolResults).toMatchObject([
    { result: 'Too much.', isError: true },
    { isError: true },
  ]);
  const journal = await journalOf(store, runId);
  const results = journal.filter((event) => event.type === 'tool-result');
  expect(results.map(({ how }) => how)).toEqual(['rejected', 'rejected']);
});

test('the first answer counts; a later one is told which', async () => {
  const { store, runId, runner, refunds, asked } = await paused([['refund', { amount: 1 }]]);
  const first = { id: 'a', type: 'decide', decisions: [yes(idOf(asked))], by: 'ann' } as const;
  const second = {
    id: 'b',
    type: 'decide',
    decisions: [{ interruptionId: idOf(asked), approved: false }],
    by: 'bob',
  } as const;
  expect(await runner.post(runId, first)).toEqual({ accepted: true });
  expect(await runner.post(runId, second)).toEqual({ accepted: false, counted: first });
  expect(await runner.post(runId, first)).toEqual({ accepted: true });
  const result = await runner.resume(runId);
  expect(result.status).toBe('completed');
  expect(refunds).toEqual([1]);
  // After the drain, and after the end, too.
  expect(await runner.post(runId, first)).toEqual({ accepted: true });
  expect(await runner.post(runId, second)).toEqual({ accepted: false, counted: first });
  await expect(runner.resume(runId, second.decisions)).rejects.toMatchObject({
    code: 'approval_invalid',
  });
  const journal = await journalOf(store, runId);
  expect(journal.filter(({ type }) => type === 'decision')).toMatchObject([{ by: 'ann' }]);
});

test('two answers at once: one counts', async () => {
  const { store, runId, agent, refunds, asked } = await paused([['refund', { amount: 1 }]]);
  const [one, two2] = [new Runner(agent, { store }), new Runner(agent, { store })];
  const settled = await Promise.allSettled([
    one.resume(runId, [yes(idOf(asked))]),
    two2.resume(runId, [{ interruptionId: idOf(asked), approved: false }]),
  ]);
  expect(settled.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
  expect(refunds.length).toBeLessThan(2);
  const journal = await journalOf(store, runId);
  expect(journal.at(-1)?.type).toBe('run-end');
});

test('after its time only a refusal by the system counts, made by the first who looks', async () => {
  const clock = testClock();
  const store = memoryStore({ now: clock.now });
  const { agent, refunds } = clerk([['refund', { amount: 1 }]], 60_000);
  const runner = new Runner(agent, { store });
  const { runId, interruptions } = await runner.run('Refund.');
  expect(interruptions[0]?.expiresAt).toBe(clock.now() + 60_000);
  clock.pass(59_000);
  expect((await runner.step(runId)).status).toBe('interrupted');
  clock.pass(2_000);
  const late = { id: 'late', type: 'decide', decisions: [yes(idOf(interruptions))] } as const;
  expect(await runner.post(runId, late)).toMatchObject({ accepted: false });
  const result = await runner.resume(runId);
  expect(result.status).toBe('completed');
  expect(refunds).toEqual([]);
  expect(result.toolResults).toMatchObject([{ isError: true }]);
  const journal = await journalOf(store, runId);
  expect(journal.find(({ type }) => type === 'decision')).toMatchObject({ by: 'system' });
});

test('nobody but the system answers in the name of the system', async () => {
  const clock = testClock();
  const store = memoryStore({ now: clock.now });
  const { agent, refunds } = clerk([['refund', { amount: 1 }]], 60_000);
  const runner = new Runner(agent, { store });
  const { runId, interruptions } = await runner.run('Refund.');
  clock.pass(61_000);
  const forged = {
    id: 'forged',
    type: 'decide',
    by: 'system',
    decisions: [yes(idOf(interruptions))],
  } as const;
  await expect(runner.post(runId, forged)).rejects.toMatchObject({ code: 'approval_invalid' });
  await runner.resume(runId);
  expect(refunds).toEqual([]);
});

test('an approval expires in a run without a store as well', async () => {
  const { agent } = clerk([['refund', { amount: 1 }]], 1);
  const runner = new Runner(agent);
  const first = await runner.run('Refund.');
  expect(first.interruptions[0]?.expiresAt).toBeGreaterThan(0);
  await new Promise((resolve) => setTimeout(resolve, 5));
  const result = await runner.resume(first.runId);
  expect(result.status).toBe('completed');
  expect(result.toolResults).toMatchObject([{ isError: true }]);
});

test('an answer that comes while other calls of the turn run is followed without a pause', async () => {
  const started = gate();
  const refunds: number[] = [];
  const refund = tool({
    name: 'refund',
    description: 'Refunds',
    parameters: z.object({ amount: z.number() }),
    needsApproval: true,
    execute: ({ amount }) => refunds.push(amount),
  });
  const slow = tool({
    name: 'slow',
    description: 'Slow',
    parameters: z.object({}),
    execute: () => started.wait().then(() => 'done'),
  });
  const model = scriptedModel([
    {
      calls: [
        ['refund', { amount: 1 }],
        ['slow', {}],
      ],
    },
    'Done.',
  ]);
  const store = memoryStore();
  const runner = new Runner(new Agent({ name: 'bot', model, tools: [refund, slow] }), { store });
  const running = runner.run('Go');
  await started.reached;
  const [header] = (await store.runs.list({ limit: 1 })).runs;
  const runId = header?.runId ?? '';
  const decisions = [yes('f0.t1.c1.approval')];
  expect(await runner.post(runId, { id: 'x', type: 'decide', decisions })).toEqual({
    accepted: true,
  });
  started.open();
  const result = await running;
  expect(result.status).toBe('completed');
  expect(refunds).toEqual([1]);
  expect(typesOf(await journalOf(store, runId))).not.toContain('run-pause');
});

test('an answer that comes between the pause and the release of the lease is followed', async () => {
  const memory = memoryStore();
  const { agent, refunds } = clerk([['refund', { amount: 1 }]]);
  const poster = new Runner(agent, { store: memory });
  const store = faultyStore(memory, {
    after: async ({ method }) => {
      if (method !== 'runs.append') return;
      const [header] = (await memory.runs.list({ limit: 1 })).runs;
      const runId = header?.runId ?? '';
      const state = await poster.get(runId);
      if (state?.status !== 'interrupted') return;
      const decisions = state.interruptions.map(({ id }) => yes(id));
      await poster.post(runId, { id: 'quick', type: 'decide', decisions });
    },
  });
  const result = await new Runner(agent, { store }).run('Refund.');
  expect(result.status).toBe('completed');
  expect(refunds).toEqual([1]);
  await journalOf(memory, result.runId);
});

test('the schema of the answer is shown with the question', async () => {
  const { asked } = await paused([['refund', { amount: 1 }]]);
  const schema = asked[0]?.schema;
  expect(isJsonObject(schema) && JSON.stringify(schema)).toContain('approved');
});

test('decisions for an unknown run are not found', async () => {
  const { runner } = await paused([['refund', { amount: 1 }]]);
  await expect(runner.resume('nope', [yes('x')])).rejects.toMatchObject({ code: 'not_found' });
});
