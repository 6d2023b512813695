import { expect, test } from 'vitest';
import { z } from 'zod';
import { Agent } from './agent.ts';
import { memoryStore } from './memory-store.ts';
import { ControlReturn, handoff, HandoffMode, HandoffStrategy } from './handoff.ts';
import type { HandoffConfig } from './handoff-config.ts';
import type { ChatRequest } from './run-result.ts';
import { Runner } from './runner.ts';
import { scriptedModel } from './testing/index.ts';
import { tool } from './tool.ts';

// What an agent's handoffs come to, and every refusal with its sentence.

// The table of legal combinations once more, as a reader would write it down: mode, strategy, return, and what of it.
const rows = [
  ['swarm', 'direct', 'bubble_up', 'tools: transfer'],
  ['swarm', 'direct', 'end_conversation', 'tools: transfer, closes'],
  ['swarm', 'direct', 'return_to_caller', 'tools: call'],
  ['coordinator', 'direct', 'return_to_caller', 'tools: call'],
  ['coordinator', 'direct', 'bubble_up', 'tools: call, verbatim'],
  ['coordinator', 'best_match', 'return_to_caller', 'route by model: call'],
  ['coordinator', 'best_match', 'bubble_up', 'route by model: call, verbatim'],
  ['coordinator', 'broadcast', 'return_to_caller', 'broadcast: call'],
  ['sequential', 'direct', 'continue_chain', 'chain: chain'],
  ['sequential', 'direct', 'bubble_up', 'chain: chain'],
  ['sequential', 'direct', 'end_conversation', 'chain: chain, closes'],
  ['conditional', 'route', 'bubble_up', 'route by condition: route'],
  ['conditional', 'route', 'end_conversation', 'route by condition: route, closes'],
  ['conditional', 'route', 'return_to_caller', 'route by condition: call'],
  ['conditional', 'best_match', 'bubble_up', 'route by model: route'],
  ['conditional', 'best_match', 'end_conversation', 'route by model: route, closes'],
  ['conditional', 'best_match', 'return_to_caller', 'route by model: call'],
] as const;

const defaults: readonly (readonly [Partial<HandoffConfig>, string])[] = [
  [{ mode: 'swarm' }, 'tools: transfer'],
  [{ mode: 'coordinator' }, 'tools: call'],
  [{ mode: 'coordinator', strategy: 'broadcast' }, 'broadcast: call'],
  [{ mode: 'coordinator', strategy: 'best_match' }, 'route by model: call'],
  [{ mode: 'sequential' }, 'chain: chain'],
  [{ mode: 'conditional' }, 'route by condition: route'],
  [{ mode: 'conditional', strategy: 'best_match' }, 'route by model: route'],
  [{ mode: 'coordinator', defaultReturn: 'bubble_up' }, 'tools: call, verbatim'],
];

const modes = Object.values(HandoffMode);
const strategies = Object.values(HandoffStrategy);
const returns = Object.values(ControlReturn);

const other = new Agent({ name: 'other', model: scriptedModel(['Other.']) });
const third = new Agent({ name: 'third', model: scriptedModel(['Third.']) });

function made(config: object): Agent {
  return Reflect.construct(Agent, [{ name: 'first', handoffConfig: config }]);
}

/** What a config comes to, in one line. */
function outline(config: object): string {
  const { opening, tools, targets } = made(config).handoffPlan;
  const [one] = targets;
  const what = [
    one?.primitive,
    ...(one?.verbatim ? ['verbatim'] : []),
    ...(one?.closes ? ['closes'] : []),
  ].join(', ');
  const by =
    opening?.type !== 'route'
      ? (opening?.type ?? 'none')
      : ['route', opening.byCondition && 'by condition', opening.byModel && 'by model']
          .filter((word) => word !== false)
          .join(' ');
  const places = [...(tools.length > 0 ? ['tools'] : []), ...(by === 'none' ? [] : [by])];
  return `${places.join(' and ')}: ${what}`;
}

test.each(rows)('%s, %s, %s comes to %s', (mode, strategy, defaultReturn, expected) => {
  expect(outline({ mode, strategy, defaultReturn, targets: [{ agent: other }] })).toBe(expected);
});

test.each(defaults)('%o comes to %s', (config, expected) => {
  expect(outline({ ...config, targets: [{ agent: other }] })).toBe(expected);
});

const products = modes.flatMap((mode) =>
  strategies.flatMap((strategy) => returns.map((one) => [mode, strategy, one] as const)),
);
const illegal = products.filter(
  ([mode, strategy, one]) => !rows.some(([m, s, r]) => m === mode && s === strategy && r === one),
);

function written(values: readonly string[]): string {
  return [...new Set(values)].map((value) => `'${value}'`).join(' or ');
}

test('of all combinations those of the table are legal', () => {
  expect(products).toHaveLength(64);
  expect(illegal).toHaveLength(64 - rows.length);
});

test.each(illegal)('%s, %s, %s is refused with what to write', (mode, strategy, defaultReturn) => {
  const ofMode = rows.filter(([m]) => m === mode);
  const ofBoth = ofMode.filter(([, s]) => s === strategy);
  const wrong =
    ofBoth.length === 0
      ? `strategy "${strategy}". Write strategy: `
      : `strategy '${strategy}' with defaultReturn "${defaultReturn}". Write defaultReturn: `;
  const config = { mode, strategy, defaultReturn, targets: [{ agent: other }] };
  const error = refusal(() => made(config));
  expect(error).toContain(`The handoffConfig of agent first has mode '${mode}'`);
  expect(error).toContain(wrong);
  const right = ofBoth.length === 0 ? ofMode.map(([, s]) => s) : ofBoth.map(([, , r]) => r);
  for (const value of right) expect(error).toContain(`'${value}'`);
  expect(error.split('Write ')[1]?.match(/'/g)).toHaveLength(2 * new Set(right).size);
  expect(error).toMatch(/, or leave it out\.$/);
});

function refusal(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    expect(error).toMatchObject({ code: 'user_error' });
    return error instanceof Error ? error.message : String(error);
  }
  throw new Error('It was not refused.');
}

test.each(['swarm', 'coordinator', 'conditional'] as const)(
  'enableAutoRouting asks a model first in mode %s, and what the mode does stays',
  (mode) => {
    const [, expected] = defaults.find(([config]) => config.mode === mode) ?? [];
    const auto = outline({ mode, enableAutoRouting: true, targets: [{ agent: other }] });
    expect(auto).toBe(
      mode === 'conditional'
        ? 'route by condition by model: route'
        : expected?.replace('tools:', 'tools and route by model:'),
    );
  },
);

const target = { agent: other };

test.each<readonly [string, object, string]>([
  ['no mode', { targets: [target] }, `has mode undefined. Write one of ${written(modes)}.`],
  ['an unknown mode', { mode: 'hive', targets: [target] }, 'has mode "hive". Write one of'],
  [
    'an unknown strategy',
    { mode: 'swarm', strategy: 'vote', targets: [target] },
    `strategy "vote". Write strategy: 'direct', or leave it out.`,
  ],
  [
    'an unknown return',
    { mode: 'swarm', defaultReturn: 'never', targets: [target] },
    'defaultReturn "never". Write defaultReturn:',
  ],
  [
    'an unknown option',
    { mode: 'swarm', targets: [target], maxhops: 3 },
    'has an unknown option "maxhops". Options: mode, targets,',
  ],
  [
    'an unknown option of a target',
    { mode: 'swarm', targets: [{ ...target, when: 'x' }] },
    'A target of the handoffConfig of agent first has an unknown option "when". Options: agentName,',
  ],
  ['no targets', { mode: 'swarm', targets: [] }, `Write targets: [{ agentName: '…' }].`],
  ['no list of targets', { mode: 'swarm' }, `Write targets: [{ agentName: '…' }].`],
  [
    'a target without an agent',
    { mode: 'swarm', targets: [{ description: 'x' }] },
    'a target without exactly one of agentName and agent',
  ],
  [
    'a target with an agent and a name',
    { mode: 'swarm', targets: [{ agent: other, agentName: 'other' }] },
    'a target without exactly one of agentName and agent',
  ],
  [
    'itself as target',
    { mode: 'swarm', targets: [{ agentName: 'first' }] },
    'Agent first hands off to itself. Name another agent.',
  ],
  [
    'a target that is there twice',
    { mode: 'swarm', targets: [target, { agent: third }, { agentName: 'other' }] },
    'has target other twice. List it once',
  ],
  [
    'a condition in a chain',
    { mode: 'sequential', targets: [{ ...target, condition: 'it rains' }] },
    `with 'sequential' every target gets the request. Leave it out, or write mode: 'conditional'.`,
  ],
  [
    'a condition in a broadcast',
    { mode: 'coordinator', strategy: 'broadcast', targets: [{ ...target, condition: () => true }] },
    `with 'broadcast' every target gets the request.`,
  ],
  [
    'an empty condition',
    { mode: 'conditional', targets: [{ ...target, condition: '' }] },
    'has an empty condition on target other. Write when it fits.',
  ],
  [
    'a target that would never be reached',
    { mode: 'conditional', targets: [target, { agent: third, condition: 'it rains' }] },
    'has target other without a condition before others, which would never be reached. Give it a condition, or put it last.',
  ],
  [
    'enableAutoRouting in a chain',
    { mode: 'sequential', enableAutoRouting: true, targets: [target] },
    `has enableAutoRouting with mode 'sequential', where every target gets the request. Leave it out, or write mode: 'conditional'.`,
  ],
  [
    'enableAutoRouting in a broadcast',
    { mode: 'coordinator', strategy: 'broadcast', enableAutoRouting: true, targets: [target] },
    `has enableAutoRouting with strategy 'broadcast'`,
  ],
  [
    'routingInstructions that nobody reads',
    { mode: 'swarm', routingInstructions: 'Prefer other.', targets: [target] },
    `nothing asks a routing model. Write strategy: 'best_match' or enableAutoRouting: true, or leave them out.`,
  ],
  [
    'a history that is none',
    { mode: 'swarm', targets: [{ ...target, history: 'some' }] },
    `The history of the handoff to other is "some". Write 'full', 'none', { last: 10 }, or a function`,
  ],
  [
    'a history of half a message',
    { mode: 'swarm', targets: [{ ...target, history: { last: 0.5 } }] },
    'The history of the handoff to other is {"last":0.5}.',
  ],
  [
    'maxHops of 0',
    { mode: 'swarm', maxHops: 0, targets: [target] },
    'maxHops of agent first is 0; it must be a whole number from 1.',
  ],
  [
    'a chain longer than maxHops',
    { mode: 'sequential', maxHops: 1, targets: [target, { agent: third }] },
    'has 2 targets in a chain, but maxHops is 1. Write maxHops: 2, or fewer targets.',
  ],
])('%s is refused', (_what, config, message) => {
  expect(refusal(() => made(config))).toContain(message);
});

test('a target without a condition may come last, or anywhere where a model is asked', () => {
  const rain = { agent: third, condition: 'it rains' };
  expect(outline({ mode: 'conditional', targets: [rain, target] })).toContain('by condition');
  const config = { mode: 'conditional', enableAutoRouting: true, targets: [target, rain] };
  expect(outline(config)).toContain('by condition by model');
});

test('a chain may ask an agent again', () => {
  const config = { mode: 'sequential', targets: [target, { agent: third }, target] };
  expect(made(config).handoffPlan.targets.map(({ agentName }) => agentName)).toEqual([
    'other',
    'third',
    'other',
  ]);
});

test.each<readonly [string, () => unknown, string]>([
  [
    'handoffs and handoffConfig',
    () =>
      new Agent({
        name: 'first',
        handoffs: [other],
        handoffConfig: { mode: 'swarm', targets: [target] },
      }),
    'has both handoffs and handoffConfig. Keep one',
  ],
  [
    'a lazy list and handoffConfig',
    () =>
      new Agent({
        name: 'first',
        handoffs: () => [other],
        handoffConfig: { mode: 'swarm', targets: [target] },
      }),
    'has both handoffs and handoffConfig. Keep one',
  ],
  [
    'a handoff to itself',
    () => new Agent({ name: 'other', handoffs: [other] }),
    'Agent other hands off to itself. Name another agent.',
  ],
  [
    'two handoffs of one tool name',
    () => new Agent({ name: 'first', handoffs: [other, handoff(other)] }),
    'has two handoffs with the tool name handoff_to_other. Give one of them another: handoff(agent, { toolName }).',
  ],
  [
    'a chain of one',
    () => handoff(other, { controlReturn: 'continue_chain' }),
    `handoff(other) has controlReturn 'continue_chain', which belongs to a chain. Write handoffConfig: { mode: 'sequential', targets: [...] }`,
  ],
  [
    'an unknown return',
    () => Reflect.apply(handoff, undefined, [other, { controlReturn: 'back' }]),
    `handoff(other) has controlReturn "back". Write 'bubble_up', 'return_to_caller' or 'end_conversation'.`,
  ],
  [
    'a tool name that no vendor takes',
    () => handoff(other, { toolName: 'go there' }),
    'The tool name "go there" of the handoff to other is not usable',
  ],
  [
    'an inputType that is no schema',
    () => Reflect.apply(handoff, undefined, [other, { inputType: { type: 'object' } }]),
    'The inputType of the handoff to other is not a Standard Schema',
  ],
  [
    'a history that is none',
    () => Reflect.apply(handoff, undefined, [other, { history: { last: -1 } }]),
    'The history of the handoff to other is {"last":-1}.',
  ],
  [
    'an unknown option',
    () => Reflect.apply(handoff, undefined, [other, { tool_name: 'x' }]),
    'handoff(other) has an unknown option "tool_name". Options: toolName,',
  ],
  [
    'addHandoffTarget without a config',
    () => new Agent({ name: 'first' }).addHandoffTarget(target),
    `Agent first has no handoffConfig to add a target to. Write configureHandoffs({ mode: 'swarm', targets: [...] }) first.`,
  ],
  [
    'addHandoffTarget of a target that cannot be reached',
    () =>
      new Agent({ name: 'first' })
        .configureHandoffs({ mode: 'conditional', targets: [target] })
        .addHandoffTarget({ agent: third, condition: 'it rains' }),
    'would never be reached',
  ],
])('%s is refused', (_what, act, message) => {
  expect(refusal(act)).toContain(message);
});

test('a refused change leaves the agent as it was', () => {
  const agent = made({ mode: 'conditional', targets: [target] });
  expect(() => agent.addHandoffTarget({ agent: third, condition: 'it rains' })).toThrow();
  expect(() => agent.configureHandoffs({ mode: 'swarm', targets: [] })).toThrow();
  expect(agent.handoffPlan.targets.map(({ agentName }) => agentName)).toEqual(['other']);
  const plain = new Agent({ name: 'first', handoffs: [other] });
  expect(() => plain.configureHandoffs({ mode: 'swarm', targets: [target] })).toThrow('both');
  expect(plain.handoffPlan.tools).toHaveLength(1);
});

test('configureHandoffs and addHandoffTarget count until the agent has run', async () => {
  const model = scriptedModel(['First.', 'First.']);
  const agent = new Agent({ name: 'first', model })
    .configureHandoffs({ mode: 'swarm', targets: [target] })
    .addHandoffTarget({ agent: third });
  await agent.chat('Hi');
  expect(model.requests[0]?.tools.map(({ name }) => name)).toEqual([
    'handoff_to_other',
    'handoff_to_third',
  ]);
  expect(refusal(() => agent.addHandoffTarget({ agent: third }))).toContain(
    'addHandoffTarget() came after the first run of agent first',
  );
  expect(refusal(() => agent.configureHandoffs({ mode: 'swarm', targets: [target] }))).toContain(
    'configureHandoffs() came after the first run of agent first',
  );
});

/** What a runner says when it is first asked to run. */
async function refusedRun(agent: Agent, agents: readonly Agent[] = []): Promise<string> {
  const runner = new Runner(agent, { agents });
  const [one, again] = await Promise.allSettled([runner.run('Hi'), runner.run('Hi')]);
  expect(again).toEqual(one); // Not only the first time.
  if (one.status === 'fulfilled') throw new Error('It was not refused.');
  return refusal(() => {
    throw one.reason;
  });
}

test('a target that nobody knows is refused before anything runs', async () => {
  const config = { mode: 'swarm', targets: [{ agentName: 'nobody' }] } as const;
  const agent = new Agent({ name: 'first', handoffConfig: config, model: scriptedModel(['Hi.']) });
  expect(await refusedRun(agent, [other])).toBe(
    'Agent first hands off to nobody, which nobody knows here. Give the agent itself, or pass agents: [...] to the Runner or the app. Known: first, other.',
  );
  const named = new Agent({ name: 'nobody', model: scriptedModel(['I am.']) });
  const runner = new Runner(agent, { agents: [named] });
  expect((await runner.run('Hi')).response).toBe('Hi.');
});

test('a target of a target that nobody knows is refused, too', async () => {
  const config = { mode: 'swarm', targets: [{ agentName: 'nobody' }] } as const;
  const middle = new Agent({ name: 'middle', handoffConfig: config });
  expect(await refusedRun(new Agent({ name: 'first', handoffs: [middle] }))).toContain(
    'Agent middle hands off to nobody',
  );
});

test('a target that overrides processRequest is refused', async () => {
  class Own extends Agent {
    override processRequest(request: ChatRequest) {
      return super.processRequest(request);
    }
  }
  const agent = new Agent({ name: 'first', handoffs: [new Own({ name: 'own' })] });
  expect(await refusedRun(agent)).toBe(
    'Agent first hands off to own, which overrides processRequest; that works around a whole run and would be left out. Use beforeRun and afterRun of the agent that runs start with, or middleware.',
  );
});

test('a tool and a handoff of one name are refused', async () => {
  const look = tool({
    name: 'handoff_to_other',
    description: 'Looks',
    parameters: z.object({}),
    execute: () => 1,
  });
  const agent = new Agent({ name: 'first', tools: [look], handoffs: [other] });
  expect(await refusedRun(agent)).toContain(
    'Agent first has a tool and a handoff named handoff_to_other. Give the handoff another name',
  );
});

test('two agents of one name are refused', async () => {
  const twin = new Agent({ name: 'other' });
  expect(await refusedRun(new Agent({ name: 'first', handoffs: [other] }), [twin])).toBe(
    'Two agents are named other. Rename one.',
  );
});

test('two agents hand off to each other by lazy lists', async () => {
  const a: Agent = new Agent({
    name: 'a',
    model: scriptedModel([{ calls: [['handoff_to_b', { message: 'To b.' }]] }]),
    handoffs: () => [b],
  });
  const b: Agent = new Agent({ name: 'b', model: scriptedModel(['B.']), handoffs: () => [a] });
  const result = await new Runner(a, { store: memoryStore() }).run('Hi');
  expect(result.handoffPath).toEqual(['a', 'b']);
  const lazy: Agent = new Agent({ name: 'lazy', handoffs: () => [lazy] });
  expect(await refusedRun(lazy)).toContain('Agent lazy hands off to itself');
});
