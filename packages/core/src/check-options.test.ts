import { expect, test } from 'vitest';
import { z } from 'zod';
import { Agent } from './agent.ts';
import { handoff } from './handoff.ts';
import { memoryStore } from './memory-store.ts';
import { outputText } from './message.ts';
import { ReflectionAgent } from './reflection-agent.ts';
import { Runner } from './runner.ts';
import { scriptedModel, type ScriptedTurn } from './testing/index.ts';
import { tool } from './tool.ts';

// What plain JavaScript gives where the types are not looked at: refused with what to write, before anything runs.

const billing = new Agent({ name: 'billing', model: scriptedModel(() => 'Billed.') });

/** Calls with whatever is given, as plain JavaScript does. */
function given(make: (...args: never[]) => unknown, ...args: readonly unknown[]): () => unknown {
  return () => Reflect.apply(make, undefined, args);
}
const agent = (options: object) =>
  given((all: never) => new Agent(all), { name: 'desk', ...options });
const reflecting = (options: object) =>
  given((all: never) => new ReflectionAgent(all), { name: 'desk', ...options });
const swarm = (target: unknown) => agent({ handoffConfig: { mode: 'swarm', targets: [target] } });
const runner = (config: unknown) => given((all: never) => new Runner(billing, all), config);
const asTool = (options: unknown) => given((all: never) => billing.asTool(all), options);
const withTool = (options: object) =>
  given((all: never) => tool(all), {
    name: 'pay',
    description: '',
    parameters: z.object({}),
    execute: () => 'paid',
    ...options,
  });

test.each<readonly [string, () => unknown, string]>([
  [
    'an option that a runner has not',
    runner({ maxTurn: 3 }),
    'new Runner() has an unknown option "maxTurn". Options: context, models, store, leaseMs,',
  ],
  ['a runner of a list', runner([]), 'new Runner() was given a list instead of an object'],
  ['context', runner({ context: {} }), 'new Runner() has context an object (); it must be a func'],
  ['handoff() of nobody', given(handoff, undefined), 'handoff() was given undefined instead of an'],
  ['handoff() of a name', given(handoff, 'billing'), 'handoff() was given "billing" instead of an'],
  [
    'handoff() of an object',
    given(handoff, { a: 1 }),
    'was given an object (a) instead of an agent',
  ],
  [
    'options that are none',
    given(handoff, billing, null),
    'handoff(billing) was given null instead',
  ],
  [
    'onHandoff',
    given(handoff, billing, { onHandoff: 'log' }),
    'handoff(billing) has onHandoff "log"; it must be a function.',
  ],
  [
    'isEnabled',
    given(handoff, billing, { isEnabled: false }),
    'isEnabled false; it must be a func',
  ],
  [
    'transformInput',
    given(handoff, billing, { transformInput: 1 }),
    'transformInput 1; it must be',
  ],
  ['contextKeys', given(handoff, billing, { contextKeys: 'tier' }), 'must be a list of texts.'],
  [
    'a name in handoffs',
    agent({ handoffs: ['billing'] }),
    'A list of handoffs was given "billing"',
  ],
  [
    'a hole in handoffs',
    agent({ handoffs: [undefined] }),
    'was given undefined instead of an agent',
  ],
  ['handoffs that are no list', agent({ handoffs: billing }), 'Write handoffs: [agent, …]'],
  ['handoffConfig', agent({ handoffConfig: null }), 'instead of an object with mode and targets'],
  ['a name among the targets', swarm('billing'), 'instead of an object with agent or agentName'],
  [
    'a target with a name as agent',
    swarm({ agent: 'billing' }),
    'was given "billing" instead of an',
  ],
  ['a target with an agent as name', swarm({ agentName: billing }), 'agentName an object'],
  [
    'a condition',
    swarm({ agent: billing, condition: true }),
    'has the condition true on target bi',
  ],
  [
    'a condition of blanks',
    swarm({ agent: billing, condition: ' ' }),
    'has an empty condition on ta',
  ],
  ['no options for asTool()', asTool(null), 'billing.asTool() was given null instead of an object'],
  ['asTool({ delegate })', asTool({ delegate: 'no' }), 'delegate "no"; it must be true or false.'],
  [
    'asTool({ needsApproval })',
    asTool({ needsApproval: 'yes' }),
    'billing.asTool() has needsApproval "yes"; it must be true, false or a function.',
  ],
  [
    'tool({ needsApproval })',
    withTool({ needsApproval: 'yes' }),
    'needsApproval of tool pay is "yes"; it must be true, false or a function.',
  ],
  ['tool({ guardrails })', withTool({ guardrails: { inputs: [] } }), 'unknown option "inputs"'],
  [
    'a guardrail of a tool',
    withTool({ guardrails: { input: [{}] } }),
    'among its input guardrails',
  ],
  [
    'an agent among tools',
    agent({ tools: [billing] }),
    'Write tools: [agent.asTool()], or handoffs',
  ],
  ['a tool that is none', agent({ tools: ['pay'] }), 'has "pay" among its tools. Make tools with'],
  ['guardrails', agent({ inputGuardrails: {} }), 'as input guardrails. Write a list of them.'],
  [
    'a function as guardrail',
    agent({ inputGuardrails: [() => ({ action: 'allow' })] }),
    `has a function among its input guardrails. Write { name: '…', check:`,
  ],
  [
    'the mode of a guardrail',
    agent({ inputGuardrails: [{ name: 'safe', mode: 'block', check: () => undefined }] }),
    `has the guardrail safe with mode "block". Write 'blocking' or 'parallel'`,
  ],
  ['middleware', agent({ middleware: { name: 'log' } }), 'as middleware. Write a list of them.'],
  [
    'middleware that wraps nothing',
    agent({ middleware: [{ name: 'log', wrapModel: () => undefined }] }),
    'with the function wrapModelCall, wrapToolCall or both.',
  ],
  [
    'a ReflectionAgent of nothing',
    given((all: never) => new ReflectionAgent(all), null),
    'given null',
  ],
  [
    'evaluationPrompt',
    reflecting({ evaluationPrompt: 5 }),
    'evaluationPrompt 5; it must be a text.',
  ],
  ['evaluationModel', reflecting({ evaluationModel: {} }), `must be a model, or 'provider/model'.`],
  ['enableSelfEvaluation', reflecting({ enableSelfEvaluation: 'no' }), 'must be true or false.'],
])('%s of another kind is refused', (_what, act, message) => {
  expect(act).toThrow(expect.objectContaining({ name: 'UserError' }));
  expect(act).toThrow(message);
});

test('a list of handoffs that a function forgot to return is refused before anything runs', async () => {
  const lazy = agent({ handoffs: () => undefined })();
  const model = lazy instanceof Agent ? lazy : undefined;
  await expect((async () => model?.chat('Go.'))()).rejects.toThrow(
    'Write handoffs: () => [agent, …].',
  );
});

test.each<readonly [string, (runner: Runner) => unknown, string]>([
  [
    'handoffTo() of nothing',
    calling('handoffTo', undefined),
    'handoffTo() was given undefined instead',
  ],
  [
    'handoffTo() without inputData',
    calling('handoffTo', { targetAgent: 'billing' }),
    `handoffTo() has inputData undefined. Write what billing is asked: a text, or { message: '…' }.`,
  ],
  [
    'an option that handoffTo() has not',
    calling('handoffTo', { targetAgent: 'billing', inputData: 'Go.', sessionId: 's' }),
    'handoffTo() has an unknown option "sessionId". Options: targetAgent,',
  ],
  [
    'no conversation to reset',
    calling('resetConversation', ''),
    'was given "" instead of the id of a',
  ],
])('%s is refused, and nothing starts', async (_what, act, message) => {
  const model = scriptedModel([]);
  const desk = new Agent({ name: 'desk', model, handoffs: [billing] });
  const runner = new Runner(desk, { store: memoryStore() });
  await expect((async () => act(runner))()).rejects.toThrow(message);
  expect(model.calls).toBe(0);
});

function calling(method: 'handoffTo' | 'resetConversation', value: unknown) {
  return (runner: Runner): unknown =>
    Reflect.apply((one: never) => runner[method](one), undefined, [value]);
}

test('middleware of a runner and of a run is looked at like that of an agent', async () => {
  const wrong = [{ name: 'log' }];
  expect(() => new Runner(billing, { middleware: wrong })).toThrow(
    'The runner has an object (name)',
  );
  await expect(new Runner(billing).run('Go.', { middleware: wrong })).rejects.toThrow(
    'The run has an',
  );
});

// What callbacks answer is seen when they are called.

interface Callbacks {
  readonly history?: () => unknown;
  readonly transformInput?: () => unknown;
  readonly needsApproval?: () => unknown;
  readonly wrapModelCall?: () => unknown;
}

async function answered(callbacks: Callbacks) {
  const { needsApproval, wrapModelCall, ...options } = callbacks;
  const script: ScriptedTurn[] = [
    {
      calls: [[needsApproval === undefined ? 'handoff_to_billing' : 'billing', { message: 'Go.' }]],
    },
    'Not handed.',
  ];
  const desk = new Agent({
    name: 'desk',
    model: scriptedModel(script),
    handoffs: [Reflect.apply(handoff, undefined, [billing, options])],
    tools:
      needsApproval === undefined
        ? []
        : [Reflect.apply((all: never) => billing.asTool(all), undefined, [{ needsApproval }])],
    middleware: wrapModelCall === undefined ? [] : [Reflect.construct(Wrapping, [wrapModelCall])],
  });
  return new Runner(desk, { store: memoryStore() }).run('Go.');
}

class Wrapping {
  readonly name = 'wrapping';
  readonly wrapModelCall: () => never;
  constructor(wrap: () => never) {
    this.wrapModelCall = wrap;
  }
}

test.each<readonly [Callbacks, string]>([
  [{ history: () => undefined }, 'The history function answered undefined; it must answer a list'],
  [
    { history: () => ['hello'] },
    'The history function answered a list; it must answer a list of m',
  ],
  [
    { transformInput: () => undefined },
    'transformInput answered nothing; it must answer the input',
  ],
  [{ transformInput: async () => 'later' }, 'transformInput answered a promise; it must answer'],
  [{ needsApproval: () => undefined }, 'it answered undefined, not true or false'],
  [{ needsApproval: () => 5 }, 'it answered 5, not true or false'],
])('%o: nothing is handed over, and the model reads why', async (callbacks, message) => {
  const result = await answered(callbacks);
  expect(result.response).toBe('Not handed.');
  expect(result.handoffPath).toEqual(['desk']);
  expect(result.toolResults[0]).toMatchObject({ isError: true });
  const read = result.newMessages.flatMap(({ parts }) =>
    parts.flatMap((part) => (part.type === 'tool-result' ? [outputText(part.output)] : [])),
  );
  expect(read[0]).toContain(message);
  // What the app's functions do is not for clients.
  expect(result.toolResults[0]?.result).not.toContain(message);
});

test('middleware that forgot to answer is not passed by', async () => {
  const result = await answered({ wrapModelCall: () => undefined });
  expect(result.status).toBe('failed');
  expect(result.error?.message).toBe(
    'wrapModelCall of middleware wrapping answered undefined. Write wrapModelCall: (request, context, next) => next(request).',
  );
});

test('contextKeys name what the request brought, and nothing that every object has', async () => {
  const seen: unknown[] = [];
  const target = new Agent({
    name: 'target',
    model: scriptedModel(['Done.']),
    instructions: ({ requestContext }) => {
      seen.push(requestContext);
      return '';
    },
  });
  const desk = new Agent({
    name: 'desk',
    model: scriptedModel([{ calls: [['handoff_to_target', { message: 'Go.' }]] }]),
    handoffs: [handoff(target, { contextKeys: ['constructor', '__proto__', 'tier'] })],
  });
  await new Runner(desk).run({ message: 'Go.', context: { tier: 'gold', pin: 1 } });
  expect(seen).toEqual([{ tier: 'gold' }]);
});

test('a condition that answers nothing does not hold, in whatever mode', async () => {
  for (const mode of ['swarm', 'conditional'] as const) {
    const model = scriptedModel(['I answer.']);
    const made = agent({
      model,
      handoffConfig: { mode, targets: [{ agent: billing, condition: () => undefined }] },
    })();
    if (!(made instanceof Agent)) throw new Error('It was not made.');
    const result = await new Runner(made).run('Go.');
    expect(result.handoffPath).toEqual(['desk']);
    expect(model.requests[0]?.tools).toEqual([]);
  }
});
