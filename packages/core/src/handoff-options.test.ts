import { expect, test } from 'vitest';
import { z } from 'zod';
import { journalOf, reloaded } from '../test/engine.ts';
import { noted } from '../test/handoff-world.ts';
import { Agent, withContext } from './agent.ts';
import { handoff, type HandoffOptions } from './handoff.ts';
import type { HandoffTarget } from './handoff-config.ts';
import { memoryStore } from './memory-store.ts';
import type { RunInput, RunOptions } from './run-result.ts';
import { Runner } from './runner.ts';
import { scriptedModel, type ScriptedTurn } from './testing/index.ts';
import { tool } from './tool.ts';

// Every option of a handoff, seen in what the models receive.

/** An agent `desk` that hands off to `bills` as the options say. */
function desk<In>(script: readonly ScriptedTurn[], options: HandoffOptions<unknown, In> = {}) {
  const models = { desk: scriptedModel(script), bills: scriptedModel(() => 'Bills.') };
  const bills = new Agent({ name: 'bills', description: 'Knows bills.', model: models.bills });
  const agent = new Agent({
    name: 'desk',
    model: models.desk,
    handoffs: [handoff<unknown, string, In>(bills, options)],
  });
  const store = memoryStore();
  const run = async (input: RunInput = 'Go.', runOptions: RunOptions = {}) => {
    const result = await new Runner(agent, { store }).run(input, runOptions);
    await journalOf(store, result.runId);
    return result;
  };
  return { models, run };
}

function toBills(input: object = { message: 'Refund.' }): ScriptedTurn {
  return { calls: [['handoff_to_bills', input]] };
}

test('without options the model reads who it is and what for, and says message, reason and context', async () => {
  const { models, run } = desk(['No need.']);
  await run();
  const [offered] = models.desk.requests[0]?.tools ?? [];
  expect(offered).toMatchObject({
    name: 'handoff_to_bills',
    description: 'Hands over to bills. Knows bills.',
    inputSchema: {
      properties: { message: { type: 'string' }, reason: {}, context: { type: 'object' } },
      required: ['message'],
      additionalProperties: false,
    },
  });
});

test('toolName and description', async () => {
  const { models, run } = desk([{ calls: [['ask_money', { message: 'Refund.' }]] }], {
    toolName: 'ask_money',
    description: 'For anything about money.',
  });
  expect(await run()).toMatchObject({ response: 'Bills.', handoffPath: ['desk', 'bills'] });
  expect(models.desk.requests[0]?.tools).toMatchObject([
    { name: 'ask_money', description: 'For anything about money.' },
  ]);
});

test('arguments that do not fit are told to the model, and nothing is handed over', async () => {
  const { models, run } = desk([
    toBills({ text: 'Refund.' }),
    toBills({ message: 'Refund.', context: 'order 42' }),
    { calls: [{ toolName: 'handoff_to_bills', inputText: '{"message":' }] },
    'I do it.',
  ]);
  const result = await run();
  expect(result).toMatchObject({ response: 'I do it.', hops: [] });
  expect(result.toolResults.map((one) => one.result)).toEqual([
    expect.stringContaining('message: it must be a text'),
    expect.stringContaining('context: it must be an object'),
    expect.stringContaining('are not valid JSON'),
  ]);
  expect(models.bills.calls).toBe(0);
});

test('inputType is what the model must say; what it makes of it is handed over, and told to onHandoff', async () => {
  const told: unknown[] = [];
  const { models, run } = desk([toBills({ order: '42', reason: 'late' })], {
    inputType: z.object({
      order: z.string().transform(Number),
      reason: z.string(),
      urgent: z.boolean().default(false),
    }),
    onHandoff: (context, input) => {
      told.push({ agentPath: context.agentPath, input, next: input.order + 1 });
    },
  });
  const result = await run();
  expect(told).toEqual([
    { agentPath: ['desk'], input: { order: 42, reason: 'late', urgent: false }, next: 43 },
  ]);
  expect(result.hops[0]?.reason).toBe('late');
  expect(models.bills.requests[0]?.messages.map(noted).at(-1)).toBe(
    'user: desk handed this conversation over to you: {"order":42,"reason":"late","urgent":false}',
  );
  // What the model wrote is what the answer lists.
  expect(result.toolResults[0]?.arguments).toEqual({ order: '42', reason: 'late' });
});

test('onHandoff is told before the target has the word; what it throws the model reads', async () => {
  const { models, run } = desk([toBills(), 'Then I do it.'], {
    onHandoff: async () => {
      throw new Error('bills are closed on Sundays');
    },
  });
  const result = await run();
  expect(result).toMatchObject({ status: 'completed', response: 'Then I do it.', hops: [] });
  expect(result.toolResults).toMatchObject([
    { isError: true, result: 'Nothing was handed to bills.' },
  ]);
  const [, asked] = models.desk.requests;
  expect(JSON.stringify(asked?.messages.at(-1))).toContain('bills are closed on Sundays');
  expect(models.bills.calls).toBe(0);
});

test('isEnabled is asked for each turn, and a handoff that is off cannot be made', async () => {
  let turn = 0;
  const { models, run } = desk([toBills(), toBills()], {
    isEnabled: async ({ requestContext }) => {
      turn += 1;
      return requestContext['vip'] === true && turn > 1;
    },
  });
  const result = await run({ message: 'Go.', context: { vip: true } });
  expect(models.desk.requests.map(({ tools }) => tools.length)).toEqual([0, 1]);
  expect(result).toMatchObject({ response: 'Bills.', handoffPath: ['desk', 'bills'] });
  expect(result.toolResults[0]).toMatchObject({
    isError: true,
    result: 'There is no tool named "handoff_to_bills". There are no tools; answer without.',
  });
});

test('a history that throws is told to the model', async () => {
  const { models, run } = desk([toBills(), 'I do it.'], {
    history: () => {
      throw new Error('no archive');
    },
  });
  expect((await run()).toolResults).toMatchObject([
    { isError: true, result: 'Nothing was handed to bills.' },
  ]);
  expect(JSON.stringify(models.desk.requests[1]?.messages.at(-1))).toContain('no archive');
});

test('a history function is asked once, with the context; what it chose is recorded', async () => {
  const seen: unknown[] = [];
  const { models, run } = desk(['Hello.', toBills()], {
    history: async (messages, { requestContext }) => {
      seen.push(messages.map(noted), requestContext);
      return messages.slice(0, 1);
    },
  });
  await run('Hi.', { sessionId: 's' });
  await run({ message: 'Go.', context: { a: 1 } }, { sessionId: 's' });
  expect(seen).toEqual([['user: Hi.', 'assistant: Hello.', 'user: Go.'], { a: 1 }]);
  expect(models.bills.requests[0]?.messages.map(noted)).toEqual([
    'user: Hi.',
    'user: desk handed this conversation over to you: Refund.',
  ]);
});

test('the last messages come with the calls that their results answer', async () => {
  const look = tool({
    name: 'look',
    description: 'Looks',
    parameters: z.object({}),
    execute: () => 'seen',
  });
  const received: Record<number, readonly string[]> = {};
  for (const last of [0, 1, 2, 3, 9]) {
    const model = scriptedModel(['Bills.']);
    const bills = new Agent({ name: 'bills', model });
    const agent = new Agent({
      name: 'desk',
      model: scriptedModel([{ calls: [['look', {}]] }, toBills()]),
      tools: [look],
      handoffs: [handoff(bills, { history: { last } })],
    });
    await new Runner(agent).run('Go.');
    received[last] = (model.requests[0]?.messages ?? []).map(noted).slice(0, -1);
  }
  const pair = ['assistant: [look]', 'tool: ["seen"]'];
  expect(received).toEqual({
    0: [],
    1: pair,
    2: pair,
    3: ['user: Go.', ...pair],
    9: ['user: Go.', ...pair],
  });
});

test('contextKeys narrow what travels, at each handoff', async () => {
  const seen: unknown[] = [];
  const { agent, handoff: to } = withContext<unknown>();
  const knowing = (name: string) => ({
    name,
    instructions: ({ requestContext }: { readonly requestContext: object }) => {
      seen.push([name, requestContext]);
      return '';
    },
  });
  const c = agent({ ...knowing('c'), model: scriptedModel(['C.']) });
  const b = agent({
    ...knowing('b'),
    model: scriptedModel([{ calls: [['handoff_to_c', { message: 'c' }]] }]),
    handoffs: [to(c, { contextKeys: ['y', 'x'] })],
  });
  const a = agent({
    ...knowing('a'),
    model: scriptedModel([{ calls: [['handoff_to_b', { message: 'b', context: { z: 9 } }]] }]),
    handoffs: [to(b, { contextKeys: ['x', 'z'] })],
  });
  const context = { x: 1, y: 2, z: null };
  const result = await new Runner(a).run({ message: 'Go.', context });
  expect(result.context).toEqual(context);
  expect(seen).toEqual([
    ['a', { x: 1, y: 2, z: null }],
    ['b', { x: 1, z: null }],
    ['c', { x: 1 }],
  ]);
});

test("controlReturn 'return_to_caller': the answer is the call's result, and the caller goes on", async () => {
  const { models, run } = desk([toBills(), 'Bills says so.'], {
    controlReturn: 'return_to_caller',
  });
  expect(await run()).toMatchObject({ response: 'Bills says so.', lastAgent: 'desk' });
  expect(models.bills.requests[0]?.messages.map(noted)).toEqual(['user: Refund.']);
});

// Conditions where the model chooses.

test('in direct mode a function gates the handoff, a sentence tells the model when', async () => {
  const asked: unknown[] = [];
  const condition: HandoffTarget['condition'] = ({ message, requestContext }) => {
    asked.push([message, requestContext]);
    return message.includes('money');
  };
  const model = scriptedModel(() => 'Desk.');
  const agent = new Agent({
    name: 'desk',
    model,
    handoffConfig: {
      mode: 'swarm',
      targets: [
        { agent: new Agent({ name: 'bills', description: 'Knows bills.' }), condition },
        {
          agent: new Agent({ name: 'trips' }),
          description: 'Knows trips.',
          condition: 'it is about a trip',
        },
      ],
    },
  });
  await new Runner(agent).run({ message: 'My money.', context: { a: 1 } });
  await new Runner(agent).run('Hello.');
  expect(asked).toEqual([
    ['My money.', { a: 1 }],
    ['Hello.', {}],
  ]);
  expect(model.requests.map(({ tools }) => tools.map(({ name }) => name))).toEqual([
    ['handoff_to_bills', 'handoff_to_trips'],
    ['handoff_to_trips'],
  ]);
  expect(model.requests[0]?.tools.map(({ description }) => description)).toEqual([
    'Hands over to bills. Knows bills.',
    'Hands over to trips. Knows trips. Use it when: it is about a trip',
  ]);
});

// Several calls in the turn that hands over.

const effects = () => {
  const done: string[] = [];
  const named = (name: string, needsApproval = false) =>
    tool({
      name,
      description: name,
      parameters: z.object({}),
      needsApproval,
      execute: () => {
        done.push(name);
        return `${name} done`;
      },
    });
  return { done, look: named('look'), pay: named('pay', true) };
};

test('of several transfers in one turn the first counts; the other is told so, and nobody is asked twice', async () => {
  const models = { bills: scriptedModel(() => 'Bills.'), trips: scriptedModel(() => 'Trips.') };
  const agents = (['bills', 'trips'] as const).map(
    (name) => new Agent({ name, model: models[name] }),
  );
  const agent = new Agent({
    name: 'desk',
    model: scriptedModel([
      {
        calls: [
          ['handoff_to_trips', { message: 'First.' }],
          ['handoff_to_bills', { message: 'Second.' }],
        ],
      },
    ]),
    handoffs: agents,
  });
  const store = memoryStore();
  const result = await new Runner(agent, { store }).run('Go.');
  expect(result).toMatchObject({ response: 'Trips.', handoffPath: ['desk', 'trips'] });
  expect(models.bills.calls).toBe(0);
  expect(result.toolResults.map(({ tool: name, isError }) => [name, isError])).toEqual([
    ['handoff_to_trips', false],
    ['handoff_to_bills', true],
  ]);
  expect(models.trips.requests[0]?.messages.map(noted)).toEqual([
    'user: Go.',
    'assistant: [handoff_to_bills]',
    'tool: ["Not done: the conversation was handed to another agent in the same turn."]',
    'user: desk handed this conversation over to you: First.',
  ]);
  await journalOf(store, result.runId);
});

test('a transfer takes effect after the other calls of its turn, and their results travel', async () => {
  const { done, look } = effects();
  const model = scriptedModel(() => (done.push('bills'), 'Bills.'));
  const asked = new Agent({
    name: 'asked',
    model: scriptedModel(() => (done.push('asked'), 'A.')),
  });
  const agent = new Agent({
    name: 'desk',
    model: scriptedModel([
      {
        text: 'I look and hand over.',
        calls: [
          ['handoff_to_bills', { message: 'Refund.' }],
          ['look', {}],
          ['asked', { message: 'What?' }],
        ],
      },
    ]),
    tools: [look, asked.asTool()],
    handoffs: [new Agent({ name: 'bills', model })],
  });
  const store = memoryStore();
  const result = await new Runner(agent, { store }).run('Go.');
  expect(result).toMatchObject({ response: 'Bills.', handoffPath: ['desk', 'asked', 'bills'] });
  expect(done.at(-1)).toBe('bills');
  expect(model.requests[0]?.messages.map(noted)).toEqual([
    'user: Go.',
    'assistant: I look and hand over. [look] [asked]',
    'tool: ["look done"] ["A."]',
    'user: desk handed this conversation over to you: Refund.',
  ]);
  await journalOf(store, result.runId);
});

test('a transfer beside a call that needs a yes waits for the answer, which may come elsewhere', async () => {
  const { done, pay } = effects();
  const model = scriptedModel(() => 'Bills.');
  const build = () =>
    new Agent({
      name: 'desk',
      model: scriptedModel([
        {
          calls: [
            ['pay', {}],
            ['handoff_to_bills', { message: 'Refund.' }],
          ],
        },
      ]),
      tools: [pay],
      handoffs: [new Agent({ name: 'bills', model })],
    });
  const store = memoryStore();
  const waiting = await new Runner(build(), { store }).run('Go.');
  expect(waiting).toMatchObject({ status: 'interrupted', interruptions: [{ toolName: 'pay' }] });
  expect(model.calls).toBe(0);
  const elsewhere = await reloaded(store, waiting.runId);
  const result = await new Runner(build(), { store: elsewhere }).resume(waiting.runId, [
    { interruptionId: waiting.interruptions[0]?.id ?? '', approved: true },
  ]);
  expect(result).toMatchObject({ status: 'completed', response: 'Bills.' });
  expect(done).toEqual(['pay']);
  expect(model.requests[0]?.messages.map(noted)).toEqual([
    'user: Go.',
    'assistant: [pay]',
    'tool: ["pay done"]',
    'user: desk handed this conversation over to you: Refund.',
  ]);
  await journalOf(elsewhere, waiting.runId);
});

test('a handoff to an agent that is known by name only', async () => {
  const model = scriptedModel(() => 'Bills.');
  const bills = new Agent({ name: 'bills', description: 'Knows bills.', model });
  const deskModel = scriptedModel([toBills()]);
  const agent = new Agent({
    name: 'desk',
    model: deskModel,
    handoffConfig: { mode: 'swarm', targets: [{ agentName: 'bills' }] },
  });
  const result = await new Runner(agent, { agents: [bills] }).run('Go.');
  expect(result).toMatchObject({ response: 'Bills.', handoffPath: ['desk', 'bills'] });
  expect(deskModel.requests[0]?.tools[0]?.description).toBe('Hands over to bills. Knows bills.');
});

test('handoffTo one of a chain asks that one only; control may return to the agent itself', async () => {
  const models = [scriptedModel(() => 'One.'), scriptedModel(() => 'Two.')];
  const targets = models.map((model, index) => ({
    agent: new Agent({ name: `a${index}`, model }),
  }));
  const agent = new Agent({
    name: 'head',
    model: scriptedModel(['a0 said one.']),
    handoffConfig: { mode: 'sequential', targets },
  });
  const store = memoryStore();
  const runner = new Runner(agent, { store });
  const given = { targetAgent: 'a0', inputData: { message: 'Go.' } };
  const first = await runner.handoffTo(given);
  expect(first).toMatchObject({ response: 'One.', handoffPath: ['head', 'a0'] });
  const second = await runner.handoffTo({ ...given, expectedReturn: 'return_to_caller' });
  expect(second).toMatchObject({ response: 'a0 said one.', handoffPath: ['head', 'a0'] });
  expect(models[1]?.calls).toBe(0);
  await journalOf(store, first.runId);
  await journalOf(store, second.runId);
});

test('handoffTo of who routes keeps the conversation with it, as its own routing does', async () => {
  const bills = new Agent({ name: 'bills', model: scriptedModel(['Bills.']) });
  const front = new Agent({
    name: 'front',
    model: scriptedModel(['Front.']),
    handoffConfig: {
      mode: 'conditional',
      targets: [{ agent: bills, condition: () => false }],
    },
  });
  const store = memoryStore();
  const runner = new Runner(front, { store });
  const result = await runner.handoffTo({
    targetAgent: 'bills',
    inputData: 'Order 42',
    conversationId: 's',
    expectedReturn: 'bubble_up',
  });
  expect(result.hops).toMatchObject([{ to: 'bills', primitive: 'route' }]);
  expect(await store.sessions.load('s')).toMatchObject({ activeAgent: 'front' });
});
