import { expect, test } from 'vitest';
import { z } from 'zod';
import { journalOf, reloaded, verifyAll } from '../test/engine.ts';
import { noted } from '../test/handoff-world.ts';
import { Agent } from './agent.ts';
import { ModelError } from './errors.ts';
import { handoff } from './handoff.ts';
import type { HandoffConfig } from './handoff-config.ts';
import { memoryStore } from './memory-store.ts';
import { Runner } from './runner.ts';
import { scriptedModel, type Script, type ScriptedTurn } from './testing/index.ts';
import { tool } from './tool.ts';

// A session belongs to its entry agent: under that name the agent that has the conversation answers.

function toBills(message = 'Refund.'): ScriptedTurn {
  return { text: 'One moment.', calls: [['handoff_to_bills', { message }]] };
}

function world(script: { readonly desk?: Script; readonly bills?: Script } = {}) {
  const models = {
    desk: scriptedModel(script.desk ?? [toBills(), 'The desk.']),
    bills: scriptedModel(script.bills ?? (() => 'Bills.')),
    other: scriptedModel(() => 'Other.'),
  };
  const bills: Agent = new Agent({ name: 'bills', model: models.bills, handoffs: () => [desk] });
  const desk: Agent = new Agent({ name: 'desk', model: models.desk, handoffs: () => [bills] });
  const other = new Agent({ name: 'other', model: models.other });
  const store = memoryStore();
  const runner = new Runner(desk, { store });
  return { models, store, runner, desk, bills, other };
}

const inSession = { sessionId: 's' };

test('the same name goes to the active agent; the session keeps its entry agent', async () => {
  const { store, runner, models } = world();
  const first = await runner.run('One.', inSession);
  expect(first.handoffPath).toEqual(['desk', 'bills']);
  expect(await store.sessions.load('s')).toMatchObject({
    entryAgent: 'desk',
    activeAgent: 'bills',
  });
  const second = await runner.run('Two.', inSession);
  expect(second).toMatchObject({ response: 'Bills.', agent: 'bills', handoffPath: ['bills'] });
  expect(models.desk.calls).toBe(1);
  expect(models.bills.requests[1]?.messages.map(noted)).toEqual([
    'user: One.',
    'assistant: One moment. [handoff_to_bills]',
    'tool: ["handoff_to_bills: the conversation was handed over."]',
    'assistant: Bills.',
    'user: Two.',
  ]);
  expect(await store.sessions.load('s')).toMatchObject({
    entryAgent: 'desk',
    activeAgent: 'bills',
  });
  // The run says who was asked and who answered.
  const [start] = await journalOf(store, second.runId);
  expect(start).toMatchObject({ type: 'run-start', agent: 'bills', entryAgent: 'desk' });
  expect((await runner.header(second.runId))?.agent).toBe('desk');
});

test('another name switches, and the switch holds', async () => {
  const { store, runner, other, models } = world({ desk: [toBills(), 'The desk again.'] });
  await runner.run('One.', inSession);
  const elsewhere = new Runner(other, { store });
  const switched = await elsewhere.run('Two.', inSession);
  expect(switched).toMatchObject({ response: 'Other.', handoffPath: ['other'] });
  expect(models.other.requests[0]?.messages).toHaveLength(5);
  expect(await store.sessions.load('s')).toMatchObject({
    entryAgent: 'other',
    activeAgent: 'other',
  });
  // The first name is another one now: a switch back, to the entry agent itself.
  const back = await runner.run('Three.', inSession);
  expect(back).toMatchObject({ response: 'The desk again.', handoffPath: ['desk'] });
  await verifyAll(store);
});

test('the name of the active agent is another name, too', async () => {
  const { store, runner, bills } = world();
  await runner.run('One.', inSession);
  await new Runner(bills, { store }).run('Two.', inSession);
  expect(await store.sessions.load('s')).toMatchObject({
    entryAgent: 'bills',
    activeAgent: 'bills',
  });
});

test('an earlier name of the entry agent is its name', async () => {
  const { store, runner, bills, models } = world();
  await runner.run('One.', inSession);
  const renamed = new Agent({
    name: 'front',
    aliases: ['desk'],
    model: models.desk,
    handoffs: [bills.clone({ handoffs: [] })],
  });
  const result = await new Runner(renamed, { store }).run('Two.', inSession);
  expect(result.handoffPath).toEqual(['bills']);
  expect(await store.sessions.load('s')).toMatchObject({ entryAgent: 'front' });
});

test('an active agent that is gone from this process: the entry agent answers', async () => {
  const { store, runner } = world();
  await runner.run('One.', inSession);
  const model = scriptedModel(['bills is gone; I do it.']);
  const alone = new Runner(new Agent({ name: 'desk', model }), { store });
  const result = await alone.run('Two.', inSession);
  expect(result).toMatchObject({ response: 'bills is gone; I do it.', handoffPath: ['desk'] });
  expect(await store.sessions.load('s')).toMatchObject({ activeAgent: 'desk' });
});

test('an active agent that was renamed goes on under its new name', async () => {
  const { store, runner } = world();
  await runner.run('One.', inSession);
  const model = scriptedModel(['Accounts.']);
  const accounts = new Agent({ name: 'accounts', aliases: ['bills'], model });
  const desk = new Agent({ name: 'desk', model: scriptedModel([]), handoffs: [accounts] });
  const result = await new Runner(desk, { store }).run('Two.', inSession);
  expect(result.handoffPath).toEqual(['accounts']);
  expect(await store.sessions.load('s')).toMatchObject({ activeAgent: 'accounts' });
});

test('the active agent hands back, and the entry agent has the next turn', async () => {
  const { store, runner } = world({
    desk: [toBills(), 'Back at the desk.', 'Still the desk.'],
    bills: ['Bills.', { calls: [['handoff_to_desk', { message: 'Yours.' }]] }],
  });
  await runner.run('One.', inSession);
  const back = await runner.run('Two.', inSession);
  expect(back).toMatchObject({ response: 'Back at the desk.', handoffPath: ['bills', 'desk'] });
  expect((await runner.run('Three.', inSession)).handoffPath).toEqual(['desk']);
  await verifyAll(store);
});

test('a run that fails after a transfer leaves the conversation with the target', async () => {
  const { store, runner } = world({
    bills: [new ModelError('no', { reason: 'authentication' }), 'Bills is back.'],
  });
  expect(await runner.run('One.', inSession)).toMatchObject({ status: 'failed' });
  const next = await runner.run('Two.', inSession);
  expect(next).toMatchObject({ response: 'Bills is back.', handoffPath: ['bills'] });
  await verifyAll(store);
});

// Who keeps the word, by mode.

const targets = (bills: Agent) => [{ agent: bills, condition: () => true }];

test.each<readonly [Omit<HandoffConfig, 'targets'>, string]>([
  [{ mode: 'conditional' }, 'desk'],
  [{ mode: 'conditional', defaultReturn: 'return_to_caller' }, 'desk'],
  [{ mode: 'swarm' }, 'bills'],
  [{ mode: 'swarm', defaultReturn: 'return_to_caller' }, 'desk'],
  [{ mode: 'coordinator' }, 'desk'],
  [{ mode: 'coordinator', defaultReturn: 'bubble_up' }, 'desk'],
  [{ mode: 'coordinator', strategy: 'broadcast' }, 'desk'],
  [{ mode: 'sequential' }, 'desk'],
])('%o: %s has the next turn', async (config, next) => {
  const bills = new Agent({ name: 'bills', model: scriptedModel(() => 'Bills.') });
  const toAll = config.mode === 'sequential' || config.strategy === 'broadcast';
  const desk = new Agent({
    name: 'desk',
    model: scriptedModel(({ messages }) =>
      messages.some(({ role }) => role === 'tool') || config.mode === 'conditional' || toAll
        ? 'The desk.'
        : toBills(),
    ),
    handoffConfig: { ...config, targets: toAll ? [{ agent: bills }] : targets(bills) },
  });
  const store = memoryStore();
  const runner = new Runner(desk, { store });
  const first = await runner.run('One.', inSession);
  expect(first.handoffPath).toEqual(['desk', 'bills']);
  expect((await store.sessions.load('s')).activeAgent).toBe(next);
  expect((await runner.run('Two.', inSession)).handoffPath[0]).toBe(next);
  await verifyAll(store);
});

// end_conversation.

test('end_conversation closes the session after the answer; the next request is told so', async () => {
  const bills = new Agent({ name: 'bills', model: scriptedModel(['Goodbye.']) });
  const desk = new Agent({
    name: 'desk',
    model: scriptedModel([toBills(), 'Hello again.']),
    handoffs: [handoff(bills, { controlReturn: 'end_conversation' })],
  });
  const store = memoryStore();
  const runner = new Runner(desk, { store });
  const result = await runner.run('One.', inSession);
  expect(result).toMatchObject({ status: 'completed', response: 'Goodbye.' });
  expect(await store.sessions.load('s')).toMatchObject({ closed: true });
  await expect(runner.run('Two.', inSession)).rejects.toMatchObject({
    code: 'session_closed',
    message: expect.stringContaining('Session s is closed.'),
  });
  expect((await store.runs.list({ limit: 9 })).runs).toHaveLength(1);
  // Begun anew under its id, it is open again, and the entry agent has the word.
  await runner.resetConversation('s');
  const again = await runner.run('Three.', inSession);
  expect(again).toMatchObject({ response: 'Hello again.', handoffPath: ['desk'] });
  expect(again.messages).toHaveLength(2);
});

test('a run that does not complete closes nothing', async () => {
  const model = scriptedModel([new ModelError('no', { reason: 'authentication' }), 'Goodbye.']);
  const bills = new Agent({ name: 'bills', model });
  const desk = new Agent({
    name: 'desk',
    model: scriptedModel([toBills()]),
    handoffs: [handoff(bills, { controlReturn: 'end_conversation' })],
  });
  const store = memoryStore();
  const runner = new Runner(desk, { store });
  expect(await runner.run('One.', inSession)).toMatchObject({ status: 'failed' });
  expect((await store.sessions.load('s')).closed ?? false).toBe(false);
  expect((await runner.run('Two.', inSession)).response).toBe('Goodbye.');
});

test('an agent that was only asked does not close the conversation', async () => {
  const leaf = new Agent({ name: 'leaf', model: scriptedModel(['Goodbye.']) });
  const middle = new Agent({
    name: 'middle',
    model: scriptedModel([{ calls: [['handoff_to_leaf', { message: 'End.' }]] }]),
    handoffs: [handoff(leaf, { controlReturn: 'end_conversation' })],
  });
  const desk = new Agent({
    name: 'desk',
    model: scriptedModel([{ calls: [['middle', { message: 'Ask.' }]] }, 'The desk.']),
    tools: [middle.asTool()],
  });
  const store = memoryStore();
  const result = await new Runner(desk, { store }).run('One.', inSession);
  expect(result.response).toBe('The desk.');
  const { closed, activeAgent } = await store.sessions.load('s');
  expect([closed ?? false, activeAgent]).toEqual([false, 'desk']);
});

// Whatever belongs to the entry agent.

test('beforeRun and afterRun are those of the agent that was asked', async () => {
  const bills = new Agent({
    name: 'bills',
    model: scriptedModel(() => 'Bills.'),
    beforeRun: () => {
      throw new Error('not asked');
    },
    afterRun: () => ({ response: 'not asked' }),
  });
  const desk = new Agent({
    name: 'desk',
    model: scriptedModel([toBills()]),
    handoffs: [bills],
    beforeRun: ({ requestContext }) => ({ requestContext: { ...requestContext, by: 'desk' } }),
    afterRun: ({ response }) => ({ response: `${response} (desk)` }),
  });
  const runner = new Runner(desk, { store: memoryStore() });
  for (const message of ['One.', 'Two.']) {
    const result = await runner.run(message, inSession);
    expect(result).toMatchObject({ response: 'Bills. (desk)', context: { by: 'desk' } });
  }
});

test('a run of the active agent that waits goes on in another process', async () => {
  const pay = tool({
    name: 'pay',
    description: 'Pays',
    parameters: z.object({}),
    needsApproval: true,
    execute: () => 'paid',
  });
  const desk = () => {
    const model = scriptedModel([{ calls: [['pay', {}]] }, 'Paid.'], { by: 'conversation' });
    const bills = new Agent({ name: 'bills', model, tools: [pay] });
    return new Agent({ name: 'desk', model: scriptedModel([]), handoffs: [bills] });
  };
  const store = memoryStore();
  await store.sessions.commit(
    's',
    { append: [], entryAgent: 'desk', activeAgent: 'bills' },
    { expectedVersion: '0', operationId: 'base' },
  );
  const waiting = await new Runner(desk(), { store }).run('Pay.', inSession);
  expect(waiting).toMatchObject({ status: 'interrupted', interruptions: [{ agent: 'bills' }] });
  const elsewhere = await reloaded(store, waiting.runId);
  const result = await new Runner(desk(), { store: elsewhere }).resume(waiting.runId, [
    { interruptionId: waiting.interruptions[0]?.id ?? '', approved: true },
  ]);
  expect(result).toMatchObject({ status: 'completed', response: 'Paid.', handoffPath: ['bills'] });
  expect(await elsewhere.sessions.load('s')).toMatchObject({
    entryAgent: 'desk',
    activeAgent: 'bills',
  });
});

test('handoffTo asks the agent it is called of, whoever has the conversation', async () => {
  const { store, runner } = world({ desk: [toBills()], bills: ['Bills.', 'Bills again.'] });
  await runner.run('One.', inSession);
  const result = await runner.handoffTo({
    targetAgent: 'bills',
    inputData: { message: 'Refund 42.' },
    conversationId: 's',
  });
  expect(result).toMatchObject({ response: 'Bills again.', handoffPath: ['desk', 'bills'] });
  await verifyAll(store);
});
