import { expect, test } from 'vitest';
import { z } from 'zod';
import { journalOf } from '../test/engine.ts';
import { noted } from '../test/handoff-world.ts';
import { Agent } from './agent.ts';
import type { RunEvent } from './events.ts';
import type { HandoffConfig, HandoffTarget } from './handoff-config.ts';
import { memoryStore } from './memory-store.ts';
import type { RunInput } from './run-result.ts';
import { Runner } from './runner.ts';
import { collect, scriptedModel, type Script, type ScriptedTurn } from './testing/index.ts';
import { tool } from './tool.ts';

// Who gets a request before the agent's first turn: conditions, and a model that is asked.

const names = ['bills', 'trips', 'talk'] as const;
type Name = (typeof names)[number];

const search = tool({
  name: 'search_flights',
  description: 'Searches',
  parameters: z.object({}),
  execute: () => 1,
});

/** A desk that routes to specialists; each target as given, in order. */
function desk(
  script: Script,
  config: Omit<Partial<HandoffConfig>, 'targets'> & {
    readonly targets: readonly (Omit<HandoffTarget, 'agent'> & { readonly to: Name })[];
  },
) {
  const specialists = Object.fromEntries(
    names.map((name) => {
      const model = scriptedModel(() => `${name} answers.`);
      const tools = name === 'trips' ? [search] : [];
      return [name, new Agent({ name, description: `About ${name}.`, model, tools })];
    }),
  );
  const model = scriptedModel(script);
  const agent = new Agent({
    name: 'desk',
    model,
    instructions: 'Be kind.',
    handoffConfig: {
      mode: 'conditional',
      ...config,
      targets: config.targets.map(({ to, ...target }) => ({
        ...target,
        ...(specialists[to] === undefined ? {} : { agent: specialists[to] }),
      })),
    },
  });
  const store = memoryStore();
  const runner = new Runner(agent, { store });
  const ask = async (input: RunInput = 'Where is my refund?') => {
    const result = await runner.run(input);
    const journal = await journalOf(store, result.runId);
    return { result, journal };
  };
  return { model, store, runner, ask };
}

function routed(journal: readonly RunEvent[]) {
  return journal.flatMap((one) =>
    one.type === 'route' ? [{ to: one.to, reason: one.reason }] : [],
  );
}

function choice(agent: string | null, reason = ''): ScriptedTurn {
  return { json: { agent, reason } };
}

// Conditions.

test('conditions as functions: the first that holds has the request, and no model is asked', async () => {
  const asked: unknown[] = [];
  const { model, ask } = desk([], {
    targets: [
      { to: 'trips', condition: ({ message }) => message.includes('flight') },
      {
        to: 'bills',
        condition: async (request) => {
          asked.push(request);
          return request.requestContext['vip'] === true;
        },
      },
      { to: 'talk', condition: () => true },
    ],
  });
  const { result, journal } = await ask({ message: 'Refund, please.', context: { vip: true } });
  expect(result).toMatchObject({ response: 'bills answers.', lastAgent: 'bills' });
  expect(result.hops).toEqual([
    { from: 'desk', to: 'bills', primitive: 'route', reason: 'its condition holds' },
  ]);
  expect(asked).toEqual([
    { message: 'Refund, please.', context: undefined, requestContext: { vip: true } },
  ]);
  expect(model.calls).toBe(0);
  expect(routed(journal)).toEqual([{ to: 'bills', reason: 'its condition holds' }]);
  expect(result.usage.requests).toBe(1);
});

test('conditions as sentences: the model judges all in one recorded call, the first that holds counts', async () => {
  const { model, ask } = desk([{ json: { holds: [3, 2] } }], {
    targets: [
      { to: 'trips', condition: 'it is about a trip' },
      { to: 'bills', condition: 'it is about money' },
      { to: 'talk', condition: 'it is small talk' },
    ],
  });
  const { result, journal } = await ask();
  expect(result).toMatchObject({ response: 'bills answers.' });
  expect(result.hops[0]?.reason).toBe('it is about money');
  expect(model.calls).toBe(1);
  const [request] = model.requests;
  expect(request?.messages.map(noted)).toEqual([
    'user: Request: Where is my refund?\n\nConditions:\n1. it is about a trip\n2. it is about money\n3. it is small talk',
  ]);
  expect(request?.tools).toEqual([]);
  expect(request?.output?.schema).toMatchObject({ required: ['holds'] });
  expect(request?.instructions).not.toContain('Be kind.');
  const responses = journal.flatMap((one) => (one.type === 'model-response' ? [one] : []));
  expect(responses.map(({ purpose, agent }) => [purpose, agent])).toEqual([
    ['route', 'desk'],
    ['turn', 'bills'],
  ]);
  expect(result.usage).toMatchObject({ requests: 2, totalTokens: 30 });
  // What was decided is written with the call that decided it, and nothing of it is the conversation.
  expect(result.newMessages.map(noted)).toEqual([
    'user: Where is my refund?',
    'assistant: bills answers.',
  ]);
});

test('a function before a sentence saves the model call', async () => {
  const { model, ask } = desk([{ json: { holds: [] } }], {
    targets: [
      { to: 'trips', condition: ({ message }) => message.includes('flight') },
      { to: 'bills', condition: 'it is about money' },
      { to: 'talk', condition: () => true },
    ],
  });
  expect((await ask('A flight.')).result.response).toBe('trips answers.');
  expect(model.calls).toBe(0);
  expect((await ask('Hello.')).result.response).toBe('talk answers.');
  expect(model.calls).toBe(1);
});

test('no condition holds: the agent itself answers', async () => {
  const { model, ask } = desk([{ json: { holds: [] } }, 'I can help myself.'], {
    targets: [{ to: 'bills', condition: 'it is about money' }],
  });
  const { result, journal } = await ask();
  expect(result).toMatchObject({ response: 'I can help myself.', lastAgent: 'desk' });
  expect(result.handoffPath).toEqual(['desk']);
  expect(routed(journal)).toEqual([{ to: undefined, reason: undefined }]);
  expect(model.requests[1]).toMatchObject({ instructions: 'Be kind.', tools: [] });
  expect(model.requests[1]?.messages.map(noted)).toEqual(['user: Where is my refund?']);
});

test('a last target without a condition takes what nobody else took', async () => {
  const { ask } = desk([{ json: { holds: [] } }], {
    targets: [{ to: 'bills', condition: 'it is about money' }, { to: 'talk' }],
  });
  const { result } = await ask('Hello.');
  expect(result.hops).toMatchObject([{ to: 'talk', reason: 'no condition holds' }]);
});

test('a condition that throws fails the run', async () => {
  const { ask } = desk([], {
    targets: [
      {
        to: 'bills',
        condition: () => {
          throw new Error('no database');
        },
      },
    ],
  });
  const { result } = await ask();
  expect(result).toMatchObject({ status: 'failed', error: { code: 'internal' } });
});

test('the conversation so far helps to judge', async () => {
  const { model, runner } = desk(
    [{ json: { holds: [] } }, 'Which order?', { json: { holds: [1] } }],
    { targets: [{ to: 'bills', condition: 'it is about money' }] },
  );
  await runner.run('My money!', { sessionId: 's' });
  const second = await runner.run('Number 42.', { sessionId: 's' });
  expect(second.response).toBe('bills answers.');
  expect(model.requests[2]?.messages.map(noted)).toEqual([
    'user: Conversation:\nuser: My money!\nassistant: Which order?\n\nRequest: Number 42.\n\nConditions:\n1. it is about money',
  ]);
});

// A model chooses.

test('best_match: the model reads names, descriptions, tools and routingInstructions', async () => {
  const { model, ask } = desk([choice('trips', 'A flight.')], {
    strategy: 'best_match',
    routingInstructions: 'Prefer trips on Mondays.',
    targets: [
      { to: 'bills' },
      { to: 'trips', description: 'Travel.', condition: 'it is about a trip' },
    ],
  });
  const { result } = await ask('A flight.');
  expect(result.hops).toEqual([
    { from: 'desk', to: 'trips', primitive: 'route', reason: 'A flight.' },
  ]);
  const [request] = model.requests;
  expect(request?.instructions).toContain('Prefer trips on Mondays.');
  expect(request?.messages.map(noted)).toEqual([
    'user: Request: A flight.\n\nAgents:\n- bills: About bills.\n- trips: Travel. Fits when: it is about a trip. Tools: search_flights.',
  ]);
  expect(request?.output?.schema).toMatchObject({
    properties: { agent: { enum: ['bills', 'trips', null] } },
  });
});

test('best_match: none fits: the agent itself answers', async () => {
  const { ask } = desk([choice(null), 'I do it.'], {
    strategy: 'best_match',
    targets: [{ to: 'bills' }],
  });
  const { result, journal } = await ask();
  expect(result).toMatchObject({ response: 'I do it.', handoffPath: ['desk'] });
  expect(journal.some(({ type }) => type === 'warning')).toBe(false);
});

test('best_match: a target whose function says no is not offered; with none left nobody is asked', async () => {
  const { model, ask } = desk([choice('trips'), 'I do it.'], {
    strategy: 'best_match',
    targets: [
      { to: 'bills', condition: () => false },
      { to: 'trips', condition: ({ message }) => message !== 'None.' },
    ],
  });
  expect((await ask()).result.response).toBe('trips answers.');
  expect(model.requests[0]?.output?.schema).toMatchObject({
    properties: { agent: { enum: ['trips', null] } },
  });
  expect((await ask('None.')).result.response).toBe('I do it.');
  expect(model.calls).toBe(2);
});

test.each<readonly [string, ScriptedTurn]>([
  ['no JSON', 'bills, I guess'],
  ['another agent', choice('nobody')],
  ['no object', { json: 'bills' }],
])('%s from the router is asked for once more', async (_what, nonsense) => {
  const config = { strategy: 'best_match', targets: [{ to: 'bills' }] } as const;
  const better = desk([nonsense, choice('bills')], config);
  const first = await better.ask();
  expect(first.result).toMatchObject({ response: 'bills answers.', usage: { requests: 3 } });
  expect(first.journal.some(({ type }) => type === 'warning')).toBe(false);

  const { model, ask } = desk([nonsense, nonsense, 'I do it.'], config);
  const { result, journal } = await ask();
  expect(result).toMatchObject({ status: 'completed', response: 'I do it.' });
  expect(model.calls).toBe(3);
  expect(result.usage.requests).toBe(3);
  expect(journal.filter(({ type }) => type === 'warning')).toMatchObject([
    {
      code: 'route-unusable',
      message: 'The routing of desk got no usable answer; it answers itself.',
    },
  ]);
});

test('nonsense about sentences: the agent itself answers, and no later target has the request', async () => {
  const { ask } = desk([{ json: { holds: [9] } }, { json: {} }, 'I do it.'], {
    targets: [
      { to: 'bills', condition: 'it is about money' },
      { to: 'trips', condition: () => true },
      { to: 'talk' },
    ],
  });
  const { result, journal } = await ask();
  expect(result).toMatchObject({ response: 'I do it.', handoffPath: ['desk'] });
  expect(journal.some((one) => one.type === 'warning' && one.code === 'route-unusable')).toBe(true);
});

// enableAutoRouting.

test.each(['swarm', 'coordinator'] as const)(
  'enableAutoRouting in a %s: a model chooses first; none: the agent goes on with its handoffs',
  async (mode) => {
    const config = {
      mode,
      enableAutoRouting: true,
      routingInstructions: 'Money goes to bills.',
      targets: [{ to: 'bills' }, { to: 'talk' }],
    } as const;
    const chosen = desk([choice('bills', 'Money.'), 'The desk says so.'], config);
    const first = await chosen.ask();
    expect(first.result).toMatchObject({
      response: mode === 'swarm' ? 'bills answers.' : 'The desk says so.',
      hops: [{ to: 'bills', primitive: mode === 'swarm' ? 'transfer' : 'call', reason: 'Money.' }],
    });
    expect(chosen.model.requests[0]?.instructions).toContain('Money goes to bills.');

    const none = desk(
      [choice(null), { calls: [['handoff_to_talk', { message: 'Talk.' }]] }, 'The desk says so.'],
      config,
    );
    const second = await none.ask();
    expect(second.result.handoffPath).toEqual(['desk', 'talk']);
    expect(none.model.requests[1]?.tools.map(({ name }) => name)).toEqual([
      'handoff_to_bills',
      'handoff_to_talk',
    ]);
  },
);

test('enableAutoRouting in a conditional: conditions first, then a model, which may choose any', async () => {
  const config = {
    enableAutoRouting: true,
    targets: [
      { to: 'talk' },
      { to: 'bills', condition: ({ message }: { readonly message: string }) => message === 'Pay.' },
      { to: 'trips', condition: 'it is about a trip' },
    ],
  } as const;
  const byCondition = desk([], config);
  expect((await byCondition.ask('Pay.')).result.response).toBe('bills answers.');
  expect(byCondition.model.calls).toBe(0);

  const byModel = desk([{ json: { holds: [] } }, choice('talk', 'A greeting.')], config);
  const { result } = await byModel.ask('Hello.');
  expect(result.hops).toMatchObject([{ to: 'talk', reason: 'A greeting.' }]);
  expect(result.usage.requests).toBe(3);

  const nobody = desk([{ json: { holds: [] } }, choice(null), 'I do it.'], config);
  expect((await nobody.ask('Hello.')).result.response).toBe('I do it.');

  // The model that chooses is asked even where the judgement was of no use.
  const unusable = desk(['?', '?', choice('talk')], config);
  const third = await unusable.ask('Hello.');
  expect(third.result.response).toBe('talk answers.');
  expect(third.journal.some(({ type }) => type === 'warning')).toBe(false);
});

test('nothing of the routing is streamed', async () => {
  const { runner } = desk([choice('bills', 'Money.')], {
    strategy: 'best_match',
    targets: [{ to: 'bills' }],
  });
  const events = await collect(runner.stream('Where is my refund?'));
  const deltas = events.flatMap((one) =>
    one.type === 'text-delta' || one.type === 'turn-start' ? [one.agent] : [],
  );
  expect(new Set(deltas)).toEqual(new Set(['bills']));
});

test('each request of a conversation is routed anew', async () => {
  const { store, runner } = desk([choice('bills'), choice('trips'), choice(null), 'Me.'], {
    strategy: 'best_match',
    targets: [{ to: 'bills' }, { to: 'trips' }],
  });
  const paths = [];
  for (const message of ['One.', 'Two.', 'Three.']) {
    paths.push((await runner.run(message, { sessionId: 's' })).handoffPath);
  }
  expect(paths).toEqual([['desk', 'bills'], ['desk', 'trips'], ['desk']]);
  const { activeAgent, messages } = await store.sessions.load('s');
  expect(activeAgent).toBe('desk');
  expect(messages.map(noted)).toEqual([
    'user: One.',
    'assistant: bills answers.',
    'user: Two.',
    'assistant: trips answers.',
    'user: Three.',
    'assistant: Me.',
  ]);
});

// transformInput.

test('transformInput makes what the target is asked of what it would be asked', async () => {
  const seen: unknown[] = [];
  const model = scriptedModel(() => 'Done.');
  const target = new Agent({ name: 'target', model });
  const transformInput: NonNullable<HandoffTarget['transformInput']> = (input) => {
    seen.push(input);
    return { order: 42 };
  };
  const config = (mode: HandoffConfig['mode']): HandoffConfig => ({
    mode,
    targets: [
      {
        agent: target,
        transformInput,
        ...(mode === 'conditional' ? { condition: () => true } : {}),
      },
    ],
  });
  const asked: string[] = [];
  for (const mode of ['swarm', 'coordinator', 'sequential', 'conditional'] as const) {
    const script: ScriptedTurn[] = [
      { calls: [['handoff_to_target', { message: 'Order 42' }]] },
      'Desk.',
    ];
    const head = new Agent({
      name: 'head',
      model: scriptedModel(script),
      handoffConfig: config(mode),
    });
    const result = await new Runner(head).run('Go.');
    expect(result.error).toBeUndefined();
    const last = model.requests.at(-1)?.messages.at(-1);
    asked.push(last === undefined ? '' : noted(last));
    // The conversation has what the user wrote.
    expect(result.newMessages.map(noted)[0]).toBe('user: Go.');
  }
  expect(asked).toEqual([
    'user: head handed this conversation over to you: {"order":42}',
    'user: {"order":42}',
    'user: {"order":42}',
    'user: {"order":42}',
  ]);
  expect(seen).toEqual([
    { message: 'Order 42' },
    { message: 'Order 42' },
    { message: 'Go.' },
    { message: 'Go.' },
  ]);
});
