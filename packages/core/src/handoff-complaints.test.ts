import { expect, test } from 'vitest';
import { z } from 'zod';
import { journalOf, reloaded } from '../test/engine.ts';
import { noted } from '../test/handoff-world.ts';
import { Agent } from './agent.ts';
import { ModelError } from './errors.ts';
import { handoff, type History } from './handoff.ts';
import { memoryStore } from './memory-store.ts';
import { textOf } from './message.ts';
import { Runner } from './runner.ts';
import { scriptedModel, type ScriptedTurn, type ScriptedTurnFunction } from './testing/index.ts';
import { tool } from './tool.ts';

// What users of other libraries complain of, each as a test that it does not happen here.

const look = lookingTool('look');

function lookingTool(name: string) {
  return tool({
    name,
    description: 'Looks',
    parameters: z.object({}),
    effect: 'read',
    execute: () => `${name} saw it`,
  });
}

function to(agent: string, message = `To ${agent}.`): ScriptedTurn {
  return { text: `I ask ${agent}.`, calls: [[`handoff_to_${agent}`, { message }]] };
}

/** Two agents that hand off to each other. */
function pair(
  a: readonly (ScriptedTurn | ScriptedTurnFunction)[],
  b: readonly (ScriptedTurn | ScriptedTurnFunction)[],
) {
  const models = { a: scriptedModel(a), b: scriptedModel(b) };
  const first: Agent = new Agent({ name: 'a', model: models.a, handoffs: () => [second] });
  const second: Agent = new Agent({
    name: 'b',
    model: models.b,
    tools: [look],
    handoffs: () => [first],
  });
  const store = memoryStore();
  return { models, store, runner: new Runner(first, { store }) };
}

test.each<readonly [string, History<unknown>]>([
  ['the whole history', 'full'],
  ['none', 'none'],
  ['the last message', { last: 1 }],
  ['what a function chose', () => []],
])('the message of the handoff is passed on, with %s', async (_name, history) => {
  const model = scriptedModel(['Done.']);
  const billing = new Agent({ name: 'billing', model });
  const input = { message: 'Refund order 42', reason: 'money', context: { order: 42 } };
  const triage = new Agent({
    name: 'triage',
    model: scriptedModel([{ calls: [['handoff_to_billing', input]] }]),
    handoffs: [handoff(billing, { history })],
  });
  const result = await new Runner(triage).run('Help.');
  const last = model.requests[0]?.messages.at(-1);
  expect(last?.role).toBe('user');
  expect(last === undefined ? '' : textOf(last)).toBe(
    'triage handed this conversation over to you: Refund order 42\n\nContext: {"order":42}',
  );
  expect(result.hops[0]?.reason).toBe('money');
});

test('an agent keeps its own tools and never gets those of the caller', async () => {
  const models = {
    a: scriptedModel([{ calls: [['of_a', {}]] }, to('b'), 'Done.']),
    b: scriptedModel([{ calls: [['of_a', {}]] }, { calls: [['of_b', {}]] }, to('a')]),
  };
  const a: Agent = new Agent({
    name: 'a',
    model: models.a,
    tools: [lookingTool('of_a')],
    handoffs: () => [b],
  });
  const b: Agent = new Agent({
    name: 'b',
    model: models.b,
    tools: [lookingTool('of_b')],
    handoffs: () => [a],
  });
  const store = memoryStore();
  const result = await new Runner(a, { store }).run('Go.');
  const offered = (model: typeof models.a) =>
    model.requests.map(({ tools }) => tools.map(({ name }) => name));
  expect(offered(models.a)).toEqual([1, 2, 3].map(() => ['of_a', 'handoff_to_b']));
  expect(offered(models.b)).toEqual([1, 2, 3].map(() => ['of_b', 'handoff_to_a']));
  // Called all the same, because it saw the call in the history: refused, and the model reads why.
  expect(result.toolResults.map(({ tool: name, isError }) => [name, isError])).toEqual([
    ['of_a', false],
    ['handoff_to_b', false],
    ['of_a', true],
    ['of_b', false],
    ['handoff_to_a', false],
  ]);
  expect(models.b.requests[1]?.messages.at(-1)?.parts[0]).toMatchObject({
    type: 'tool-result',
    output: { value: 'There is no tool named "of_a". Tools: of_b, handoff_to_a.' },
  });
  const tools = { a: ['of_a'], b: ['of_b'] };
  await journalOf(store, result.runId, { tools });
});

test('a bounce-back is not a silent turn: who handed over is asked again, and answers', async () => {
  const { models, store, runner } = pair(
    [to('b', 'Is it paid?'), 'It is not for b.'],
    [to('a', 'Not mine.')],
  );
  const result = await runner.run('Go.');
  expect(result).toMatchObject({ status: 'completed', response: 'It is not for b.' });
  expect(result.handoffPath).toEqual(['a', 'b', 'a']);
  expect(result.lastAgent).toBe('a');
  expect(models.a.requests[1]?.messages.map(noted)).toEqual([
    'user: Go.',
    'assistant: I ask b.',
    'user: a handed this conversation over to you: Is it paid?',
    'assistant: I ask a.',
    'user: b handed this conversation over to you: Not mine.',
  ]);
  await journalOf(store, result.runId);
});

test('nothing is duplicated after a restore', async () => {
  const seen: string[][] = [];
  const noting =
    (turn: ScriptedTurn): ScriptedTurnFunction =>
    ({ messages }) => {
      seen.push(messages.map((one) => `${one.runId} ${one.id}`));
      return turn;
    };
  // Each process has agents and models of its own; what the script says next stands in the conversation.
  const fresh = (store: ReturnType<typeof memoryStore>) => {
    const byTurns = (turns: readonly ScriptedTurn[], own: string): ScriptedTurnFunction => {
      return (request, index) => {
        const done = request.messages.filter(
          ({ role, agent }) => role === 'assistant' && agent === own,
        );
        return noting(turns[done.length] ?? 'Again.')(request, index);
      };
    };
    const first: Agent = new Agent({
      name: 'a',
      model: scriptedModel(byTurns([to('b')], 'a')),
      handoffs: () => [second],
    });
    const second: Agent = new Agent({
      name: 'b',
      model: scriptedModel(byTurns([{ calls: [['look', {}]] }, 'Done.'], 'b')),
      tools: [look],
      handoffs: () => [first],
    });
    return new Runner(first, { store });
  };
  let store = memoryStore();
  for (const message of ['One.', 'Two.']) {
    const { runId } = await fresh(store).start(message, { sessionId: 's' });
    for (let status = 'running'; status === 'running';) {
      // What was written of the run and its session, read by a process that knows nothing else.
      const copy = await reloaded(store, runId);
      ({ status } = await fresh(copy).step(runId));
      store = memoryStore();
      store = copy;
    }
  }
  const { messages } = await store.sessions.load('s');
  expect(messages.map(noted)).toEqual([
    'user: One.',
    'assistant: I ask b. [handoff_to_b]',
    'tool: ["handoff_to_b: the conversation was handed over."]',
    'assistant: [look]',
    'tool: ["look saw it"]',
    'assistant: Done.',
    'user: Two.',
    'assistant: Again.',
  ]);
  for (const ids of [...seen, messages.map((one) => `${one.runId} ${one.id}`)]) {
    expect(new Set(ids).size).toBe(ids.length);
  }
});

test('the next turn goes to the agent that has the conversation', async () => {
  const { models, runner } = pair(
    [to('b'), 'a is back.', 'a again.'],
    ['b answers.', 'b goes on.', to('a')],
  );
  const turns = [];
  for (const message of ['One.', 'Two.', 'Three.', 'Four.']) {
    const { agent, response, handoffPath } = await runner.run(message, { sessionId: 's' });
    turns.push({ agent, response, handoffPath });
  }
  expect(turns).toEqual([
    { agent: 'a', response: 'b answers.', handoffPath: ['a', 'b'] },
    { agent: 'b', response: 'b goes on.', handoffPath: ['b'] },
    { agent: 'b', response: 'a is back.', handoffPath: ['b', 'a'] },
    { agent: 'a', response: 'a again.', handoffPath: ['a'] },
  ]);
  expect(models.b.requests[1]?.messages.map(noted).slice(-2)).toEqual([
    'assistant: b answers.',
    'user: Two.',
  ]);
});

const down = new ModelError('The service is down.', { reason: 'authentication' });

test('a failure of an agent that was called is no success: the caller reads it', async () => {
  const model = scriptedModel([to('b'), 'b could not do it.']);
  const b = new Agent({ name: 'b', model: scriptedModel([down]) });
  const a = new Agent({
    name: 'a',
    model,
    handoffs: [handoff(b, { controlReturn: 'return_to_caller' })],
  });
  const store = memoryStore();
  const result = await new Runner(a, { store }).run('Go.');
  expect(result).toMatchObject({ status: 'completed', response: 'b could not do it.' });
  expect(result.toolResults).toMatchObject([
    { tool: 'handoff_to_b', isError: true, result: expect.stringMatching(/^b failed: /) },
  ]);
  expect(model.requests[1]?.messages.at(-1)?.parts[0]).toMatchObject({
    type: 'tool-result',
    isError: true,
    output: { value: 'b failed: The service is down.' },
  });
  const journal = await journalOf(store, result.runId);
  expect(journal.find(({ type }) => type === 'frame-end')).toMatchObject({
    frame: 'f0.1',
    error: { code: 'model_error' },
  });
});

test('a failure of an agent that the conversation was transferred to fails the run', async () => {
  const { runner, store } = pair([to('b')], [down]);
  const result = await runner.run('Go.');
  expect(result).toMatchObject({
    status: 'failed',
    finalOutput: undefined,
    error: { code: 'model_error', message: 'The service is down.' },
  });
  expect(result.handoffPath).toEqual(['a', 'b']);
  await journalOf(store, result.runId);
});

test.each(['sequential', 'conditional'] as const)(
  'a failure of an agent that a %s config gave the request fails the run',
  async (mode) => {
    const b = new Agent({ name: 'b', model: scriptedModel([down]) });
    const after = scriptedModel(['After.']);
    const c = new Agent({ name: 'c', model: after });
    const targets = [{ agent: b, ...(mode === 'sequential' ? {} : { condition: () => true }) }];
    const a = new Agent({
      name: 'a',
      handoffConfig: { mode, targets: [...targets, { agent: c }] },
    });
    const store = memoryStore();
    const result = await new Runner(a, { store }).run('Go.');
    expect(result).toMatchObject({ status: 'failed', error: { code: 'model_error' } });
    expect(after.calls).toBe(0);
    await journalOf(store, result.runId);
  },
);

// Reasoning and vendor data.

const thinking: ScriptedTurn = {
  reasoning: 'Secret thoughts.',
  text: 'I ask b.',
  calls: [{ toolName: 'handoff_to_b', input: { message: 'Do it.' } }],
  parts: [{ type: 'reasoning', providerData: { one: { signature: 'sig-1' } } }],
};

function carries(messages: unknown, ...private_: readonly string[]): boolean {
  const text = JSON.stringify(messages);
  return private_.some((one) => text.includes(one));
}

test('reasoning and vendor data of one provider never travel to another', async () => {
  const one = (script: readonly ScriptedTurn[]) => scriptedModel(script, { provider: 'one' });
  const models = {
    a: one([
      {
        reasoning: 'Before the tool.',
        calls: [{ toolName: 'look', input: {}, providerData: { one: { id: 'call-1' } } }],
      },
      thinking,
      'a again.',
    ]),
    b: scriptedModel(
      [
        {
          reasoning: 'Other thoughts.',
          text: 'Not mine.',
          parts: [{ type: 'text', text: 'x', providerData: { two: { id: 'two-1' } } }],
          calls: [['handoff_to_a', { message: 'Yours.' }]],
        },
        'b again.',
      ],
      { provider: 'two' },
    ),
  };
  const a: Agent = new Agent({
    name: 'a',
    model: models.a,
    tools: [look],
    handoffs: () => [b],
  });
  const b: Agent = new Agent({ name: 'b', model: models.b, handoffs: () => [a] });
  const store = memoryStore();
  const runner = new Runner(a, { store });
  const result = await runner.run('Go.', { sessionId: 's' });
  expect(result.response).toBe('a again.');
  const [toB] = models.b.requests;
  expect(carries(toB, 'Secret', 'Before the tool', 'sig-1', 'call-1', 'providerData')).toBe(false);
  const backToA = models.a.requests[2];
  expect(carries(backToA, 'Other thoughts', 'two-1')).toBe(false);
  // Another agent reads the conversation in a later turn.
  await new Runner(b, { store }).run('And you?', { sessionId: 's' });
  const later = models.b.requests[1];
  expect(carries(later, 'Secret', 'Before the tool', 'sig-1', 'call-1')).toBe(false);
});

test('a target of the same provider gets what is its own, and thoughts that lead nowhere are left out', async () => {
  const model = scriptedModel(['Done.'], { provider: 'one' });
  const b = new Agent({ name: 'b', model });
  const script: ScriptedTurn[] = [
    {
      calls: [{ toolName: 'look', input: {}, providerData: { one: { id: 'call-1' } } }],
    },
    {
      calls: [['handoff_to_b', { message: 'Do it.' }]],
      parts: [{ type: 'reasoning', providerData: { one: { signature: 'sig-1' } } }],
    },
  ];
  const a = new Agent({
    name: 'a',
    model: scriptedModel(script, { provider: 'one' }),
    tools: [look],
    handoffs: [b],
  });
  await new Runner(a).run('Go.');
  expect(model.requests[0]?.messages.map(noted)).toEqual([
    'user: Go.',
    'assistant: [look]',
    'tool: ["look saw it"]',
    'user: a handed this conversation over to you: Do it.',
  ]);
  expect(carries(model.requests, 'call-1')).toBe(true);
  expect(carries(model.requests, 'sig-1')).toBe(false);
});

test('a file that only its vendor has is named, not sent empty', async () => {
  const model = scriptedModel(['Done.'], { provider: 'two' });
  const b = new Agent({ name: 'b', model });
  const a = new Agent({
    name: 'a',
    model: scriptedModel([to('b')], { provider: 'one' }),
    handoffs: [b],
  });
  const file = { type: 'file', mediaType: 'application/pdf', name: 'bill.pdf' } as const;
  const uploaded = { ...file, providerData: { one: { file_id: 'file-1' } } };
  const sent = { ...file, data: 'JVBERg==', providerData: { one: { file_id: 'file-2' } } };
  await new Runner(a).run([{ role: 'user', parts: [uploaded, sent] }]);
  expect(model.requests[0]?.messages[0]?.parts).toEqual([
    { type: 'text', text: '(The file bill.pdf is not here.)' },
    { ...file, data: 'JVBERg==' },
  ]);
});

// Round and round.

test('A to B to A to B with nothing new in between ends the run stopped with the work so far', async () => {
  const { models, runner, store } = pair(
    [{ text: 'The order is 42.', ...calling('b') }, calling('b')],
    [calling('a'), 'Never asked.'],
  );
  const result = await runner.run('Go.', { sessionId: 's' });
  expect(result).toMatchObject({
    status: 'stopped',
    stopReason: 'handoff_loop',
    response: 'The order is 42.',
  });
  expect(result.handoffPath).toEqual(['a', 'b', 'a']);
  expect([models.a.calls, models.b.calls]).toEqual([2, 1]);
  await journalOf(store, result.runId);
  // The conversation goes on after it.
  const { messages, activeAgent } = await store.sessions.load('s');
  expect(activeAgent).toBe('a');
  expect(messages.map(noted).at(-1)).toBe(
    'assistant: (This answer was not finished: a limit was reached (handoff_loop).)',
  );
});

function calling(agent: string): Exclude<ScriptedTurn, string | Error> {
  return { calls: [[`handoff_to_${agent}`, { message: `To ${agent}.` }]] };
}

test('A to B to C to A to B is a loop, too', async () => {
  const next: { readonly [name: string]: string } = { a: 'b', b: 'c', c: 'a' };
  const agents: Agent[] = Object.entries(next).map(([name, after]) => {
    return new Agent({
      name,
      model: scriptedModel(() => calling(after)),
      handoffs: () => agents.filter((one) => one.name === after),
    });
  });
  const [first] = agents;
  if (first === undefined) throw new Error();
  const result = await new Runner(first).run('Go.');
  expect(result).toMatchObject({ status: 'stopped', stopReason: 'handoff_loop' });
  expect(result.handoffPath).toEqual(['a', 'b', 'c', 'a']);
});

test('A to B to A completes where B worked, and may go to B again', async () => {
  const { runner, store } = pair(
    [calling('b'), calling('b'), 'Done.'],
    [{ calls: [['look', {}]] }, calling('a'), 'b has it.'],
  );
  const result = await runner.run('Go.');
  expect(result).toMatchObject({ status: 'completed', response: 'b has it.' });
  expect(result.handoffPath).toEqual(['a', 'b', 'a', 'b']);
  await journalOf(store, result.runId);
});

test('an agent that has the conversation and uses up its turns stops the run with the work so far', async () => {
  const b = new Agent({
    name: 'b',
    model: scriptedModel((_request, index) => ({ text: `Try ${index}.`, calls: [['look', {}]] })),
    tools: [look],
    maxTurns: 2,
  });
  const a = new Agent({ name: 'a', model: scriptedModel([to('b')]), handoffs: [b] });
  const store = memoryStore();
  const result = await new Runner(a, { store }).run('Go.');
  expect(result).toMatchObject({
    status: 'stopped',
    stopReason: 'max_turns',
    response: 'Try 1.',
    lastAgent: 'b',
  });
  await journalOf(store, result.runId);
});

// Hops.

/** `a0` hands off to `a1` and so on; the last one answers. */
function line(count: number, maxHops?: number): Agent {
  let next = new Agent({ name: `a${count}`, model: scriptedModel(['The end.']) });
  for (let index = count - 1; index >= 0; index -= 1) {
    const target = next;
    next = new Agent({
      name: `a${index}`,
      model: scriptedModel([{ text: `Said ${index}.`, ...calling(target.name) }]),
      handoffConfig: {
        mode: 'swarm',
        targets: [{ agent: target }],
        ...(index === 0 && maxHops !== undefined ? { maxHops } : {}),
      },
    });
  }
  return next;
}

test('ten hops are made, the eleventh is refused and ends the run stopped', async () => {
  const store = memoryStore();
  const ten = await new Runner(line(10), { store }).run('Go.');
  expect(ten).toMatchObject({ status: 'completed', response: 'The end.' });
  expect(ten.hops).toHaveLength(10);
  const eleven = await new Runner(line(11), { store }).run('Go.');
  expect(eleven).toMatchObject({
    status: 'stopped',
    stopReason: 'max_hops',
    response: 'Said 10.',
  });
  expect(eleven.hops).toHaveLength(10);
  expect(eleven.lastAgent).toBe('a10');
  const journal = await journalOf(store, eleven.runId);
  expect(journal.at(-2)).toMatchObject({ type: 'tool-result', isError: true, how: 'not-run' });
});

test('limits.maxHops of a run and maxHops of the entry agent are observed; the run says more', async () => {
  const hops = async (agent: Agent, maxHops?: number) => {
    const limits = maxHops === undefined ? {} : { maxHops };
    const { stopReason, hops: made, status } = await new Runner(agent).run('Go.', { limits });
    return [status, stopReason, made.length];
  };
  expect(await hops(line(3), 2)).toEqual(['stopped', 'max_hops', 2]);
  expect(await hops(line(3, 2))).toEqual(['stopped', 'max_hops', 2]);
  expect(await hops(line(3, 2), 3)).toEqual(['completed', undefined, 3]);
  expect(await hops(line(12, 12))).toEqual(['completed', undefined, 12]);
});

test('calls count along the path: agents side by side are not added up, agents within agents are', async () => {
  const leaf = (name: string) => new Agent({ name, model: scriptedModel(['Leaf.', 'Leaf.']) });
  const leaves = ['x', 'y', 'z'].map(leaf);
  const flat = new Agent({
    name: 'flat',
    model: scriptedModel([
      { calls: leaves.map(({ name }) => [name, { message: 'Go.' }] as const) },
      'All.',
    ]),
    tools: leaves.map((one) => one.asTool()),
  });
  const limits = { maxHops: 1 };
  expect(await new Runner(flat).run('Go.', { limits })).toMatchObject({ response: 'All.' });
  const inner = new Agent({
    name: 'inner',
    model: scriptedModel([{ calls: [['deep', { message: 'Go.' }]] }]),
    tools: [leaf('deep').asTool()],
  });
  const outer = new Agent({
    name: 'outer',
    model: scriptedModel([{ text: 'I ask.', calls: [['inner', { message: 'Go.' }]] }]),
    tools: [inner.asTool()],
  });
  const store = memoryStore();
  const deep = await new Runner(outer, { store }).run('Go.', { limits });
  expect(deep).toMatchObject({ status: 'stopped', stopReason: 'max_hops', response: 'I ask.' });
  await journalOf(store, deep.runId);
});
