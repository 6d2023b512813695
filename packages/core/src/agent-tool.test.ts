import { expect, test } from 'vitest';
import { z } from 'zod';
import { journalOf, typesOf } from '../test/engine.ts';
import { noted } from '../test/handoff-world.ts';
import { Agent } from './agent.ts';
import type { AgentToolOptions } from './agent-tool.ts';
import { ModelError } from './errors.ts';
import { memoryStore } from './memory-store.ts';
import { Runner } from './runner.ts';
import { collect, scriptedModel, type Script, type ScriptedTurn } from './testing/index.ts';
import { tool, type Tool } from './tool.ts';

// An agent as a tool of another: a frame of the same run.

/** An agent `caller` that asks agent `weather` as a tool. */
function asking<In>(
  script: { readonly caller: Script; readonly weather: Script },
  options: AgentToolOptions<unknown, In> = {},
  weatherTools: readonly Tool[] = [],
) {
  const models = { caller: scriptedModel(script.caller), weather: scriptedModel(script.weather) };
  const weather = new Agent({
    name: 'weather',
    description: 'Knows the weather.',
    model: models.weather,
    tools: weatherTools,
  });
  const caller = new Agent({
    name: 'caller',
    model: models.caller,
    tools: [weather.asTool<In>(options)],
  });
  const store = memoryStore();
  return { models, store, runner: new Runner(caller, { store }), caller };
}

function ask(message = 'In Bern?', name = 'weather'): ScriptedTurn {
  return { calls: [[name, { message }]] };
}

test('it has its own frame, sees what it is asked only, and its answer is the result', async () => {
  const { models, store, runner } = asking({
    caller: [ask(), 'Take a coat.'],
    weather: ['It rains.'],
  });
  const result = await runner.run('What do I wear?', { sessionId: 's' });
  expect(result).toMatchObject({ response: 'Take a coat.', agent: 'caller', lastAgent: 'caller' });
  expect(models.caller.requests[0]?.tools).toMatchObject([
    { name: 'weather', description: 'Knows the weather.' },
  ]);
  expect(models.weather.requests[0]?.messages.map(noted)).toEqual(['user: In Bern?']);
  expect(models.caller.requests[1]?.messages.map(noted).slice(1)).toEqual([
    'assistant: [weather]',
    'tool: ["It rains."]',
  ]);
  expect(result.hops).toEqual([{ from: 'caller', to: 'weather', primitive: 'call' }]);
  expect(result.toolResults).toMatchObject([
    { tool: 'weather', arguments: { message: 'In Bern?' }, result: 'It rains.', isError: false },
  ]);
  expect(result.usage).toMatchObject({ requests: 3, totalTokens: 45 });
  const journal = await journalOf(store, result.runId);
  expect(typesOf(journal)).not.toContain('tool-start');
  expect(journal.find(({ type }) => type === 'tool-result')).toMatchObject({ how: 'handoff' });
  // The conversation is the caller's; what was said in the other frame is in the journal.
  const { messages, activeAgent } = await store.sessions.load('s');
  expect(messages.map(noted)).toEqual([
    'user: What do I wear?',
    'assistant: [weather]',
    'tool: ["It rains."]',
    'assistant: Take a coat.',
  ]);
  expect(activeAgent).toBe('caller');
});

test('toolName and toolDescription are what the model reads', async () => {
  const { models, runner } = asking(
    { caller: [ask('In Bern?', 'ask_weather'), 'Done.'], weather: ['It rains.'] },
    { toolName: 'ask_weather', toolDescription: 'Ask before any trip.' },
  );
  await runner.run('Go.');
  expect(models.caller.requests[0]?.tools).toMatchObject([
    { name: 'ask_weather', description: 'Ask before any trip.' },
  ]);
  expect(models.weather.calls).toBe(1);
});

test('parameters are checked, and put before the agent as JSON', async () => {
  const parameters = z.object({ city: z.string(), days: z.number() });
  const { models, runner } = asking(
    {
      caller: [
        { calls: [['weather', { city: 'Bern' }]] },
        { calls: [['weather', { city: 'Bern', days: 2 }]] },
        'Done.',
      ],
      weather: ['It rains.'],
    },
    { parameters },
  );
  const result = await runner.run('Go.');
  expect(models.caller.requests[0]?.tools[0]?.inputSchema).toMatchObject({
    required: ['city', 'days'],
  });
  expect(result.toolResults.map(({ isError }) => isError)).toEqual([true, false]);
  expect(result.hops).toHaveLength(1);
  expect(models.weather.requests[0]?.messages.map(noted)).toEqual([
    'user: {"city":"Bern","days":2}',
  ]);
});

test("history 'full' shows it the caller's conversation, without the turn that asks", async () => {
  const { models, runner } = asking(
    { caller: ['Hello.', ask(), 'Done.'], weather: ['It rains.'] },
    { history: 'full' },
  );
  await runner.run('Hi.', { sessionId: 's' });
  await runner.run('What do I wear?', { sessionId: 's' });
  expect(models.weather.requests[0]?.messages.map(noted)).toEqual([
    'user: Hi.',
    'assistant: Hello.',
    'user: What do I wear?',
    'user: In Bern?',
  ]);
});

test('delegate: its answer is the answer, word for word, and the caller is not asked again', async () => {
  const { models, store, runner } = asking(
    { caller: [ask()], weather: ['It rains.'] },
    { delegate: true },
  );
  const result = await runner.run('Go.', { sessionId: 's' });
  expect(result).toMatchObject({
    status: 'completed',
    response: 'It rains.',
    finalOutput: 'It rains.',
    lastAgent: 'weather',
  });
  expect(models.caller.calls).toBe(1);
  await journalOf(store, result.runId);
  const { messages, activeAgent } = await store.sessions.load('s');
  expect(messages.map(noted).at(-1)).toBe('assistant: It rains.');
  expect(activeAgent).toBe('caller');
});

test('delegate does not hide the other calls of a turn, nor a failure', async () => {
  const two: ScriptedTurn = {
    calls: [
      ['weather', { message: 'Bern?' }],
      ['weather', { message: 'Rome?' }],
    ],
  };
  const several = asking(
    { caller: [two, 'Both.'], weather: ['Rain.', 'Sun.'] },
    { delegate: true },
  );
  expect((await several.runner.run('Go.')).response).toBe('Both.');
  const failing = asking(
    {
      caller: [ask(), 'Nobody knows.'],
      weather: [new ModelError('no', { reason: 'authentication' })],
    },
    { delegate: true },
  );
  expect((await failing.runner.run('Go.')).response).toBe('Nobody knows.');
});

test('a structured answer is the result, and with delegate the output of the run', async () => {
  const forecast = new Agent({
    name: 'weather',
    model: scriptedModel([{ json: { rain: true } }, { json: { rain: true } }]),
    outputType: z.object({ rain: z.boolean() }),
  });
  const model = scriptedModel([ask(), 'Wet.', ask()]);
  const plain = new Agent({ name: 'plain', model, tools: [forecast.asTool()] });
  expect((await new Runner(plain).run('Go.')).toolResults[0]?.result).toEqual({ rain: true });
  const delegating = plain.clone({ tools: [forecast.asTool({ delegate: true })] });
  const result = await new Runner(delegating).run('Go.');
  expect(result.finalOutput).toEqual({ rain: true });
  expect(result.response).toBe('{"rain":true}');
});

test.each([
  { streamEvents: undefined, shown: 'It rains.' },
  { streamEvents: true, shown: 'It rains.' },
  { streamEvents: false, shown: '' },
])('streamEvents $streamEvents: watchers see "$shown" as it comes', async (given) => {
  const inner = tool({
    name: 'look',
    description: 'Looks',
    parameters: z.object({}),
    effect: 'read',
    execute: () => 1,
  });
  const { runner, store } = asking(
    {
      caller: [ask(), 'Take a coat.'],
      weather: [{ calls: [['look', {}]] }, { reasoning: 'Hm.', text: 'It rains.' }],
    },
    { streamEvents: given.streamEvents },
    [inner],
  );
  const stream = runner.stream('Go.');
  const shown: Record<string, string> = { f0: '', 'f0.1': '' };
  let other = 0;
  for await (const event of stream) {
    if (event.type === 'text-delta') shown[event.frame] += event.delta;
    const quiet = event.type === 'reasoning-delta' || event.type === 'tool-input-delta';
    if (quiet && event.frame === 'f0.1') other += 1;
  }
  expect(shown).toEqual({ f0: 'Take a coat.', 'f0.1': given.shown });
  expect(other > 0).toBe(given.shown !== '');
  // What is durable is there all the same.
  const { runId } = await stream.result;
  const journal = await journalOf(store, runId);
  expect(journal.filter(({ frame }) => frame === 'f0.1').map(({ type }) => type)).toEqual([
    'model-response',
    'tool-start',
    'tool-result',
    'model-response',
    'frame-end',
  ]);
});

test('an agent that was asked quietly asks quietly', async () => {
  const leaf = new Agent({ name: 'leaf', model: scriptedModel(['Whisper.']) });
  const middle = new Agent({
    name: 'middle',
    model: scriptedModel([ask('Go.', 'leaf'), 'Middle.']),
    tools: [leaf.asTool()],
  });
  const top = new Agent({
    name: 'top',
    model: scriptedModel([ask('Go.', 'middle'), 'Top.']),
    tools: [middle.asTool({ streamEvents: false })],
  });
  const events = await collect(new Runner(top).stream('Go.'));
  const speaking = events.flatMap((one) => (one.type === 'text-delta' ? [one.agent] : []));
  expect(new Set(speaking)).toEqual(new Set(['top']));
});

test('a failed agent is an error result with the reason, and the caller goes on', async () => {
  const { models, store, runner } = asking({
    caller: [ask(), 'I do not know.'],
    weather: [new ModelError('The key is wrong.', { reason: 'authentication' })],
  });
  const result = await runner.run('Go.');
  expect(result).toMatchObject({ status: 'completed', response: 'I do not know.' });
  expect(models.caller.requests[1]?.messages.at(-1)?.parts).toMatchObject([
    { isError: true, output: { value: 'weather failed: The key is wrong.' } },
  ]);
  await journalOf(store, result.runId);
});

test('an agent that uses up its turns has failed', async () => {
  const look = tool({
    name: 'look',
    description: 'Looks',
    parameters: z.object({}),
    effect: 'read',
    execute: () => 1,
  });
  const weather = new Agent({
    name: 'weather',
    model: scriptedModel(() => ({ calls: [['look', {}]] })),
    tools: [look],
    maxTurns: 2,
  });
  const caller = new Agent({
    name: 'caller',
    model: scriptedModel([ask(), 'Too long.']),
    tools: [weather.asTool()],
  });
  const store = memoryStore();
  const result = await new Runner(caller, { store }).run('Go.');
  expect(result).toMatchObject({ status: 'completed', response: 'Too long.' });
  expect(result.toolResults.find(({ tool: name }) => name === 'weather')).toMatchObject({
    isError: true,
    result: 'weather failed: weather used its 2 turns and did not finish.',
  });
  await journalOf(store, result.runId);
});

test('what it hands over it answers: the caller reads the answer of whom it handed to', async () => {
  const radar = new Agent({ name: 'radar', model: scriptedModel(['Rain at five.']) });
  const weather = new Agent({
    name: 'weather',
    model: scriptedModel([{ calls: [['handoff_to_radar', { message: 'When?' }]] }]),
    handoffs: [radar],
  });
  const model = scriptedModel([ask(), 'Go at four.']);
  const caller = new Agent({ name: 'caller', model, tools: [weather.asTool()] });
  const store = memoryStore();
  const result = await new Runner(caller, { store }).run('Go.', { sessionId: 's' });
  expect(result).toMatchObject({ response: 'Go at four.', lastAgent: 'caller' });
  expect(result.handoffPath).toEqual(['caller', 'weather', 'radar']);
  expect(model.requests[1]?.messages.map(noted).at(-1)).toBe('tool: ["Rain at five."]');
  // Only who has the conversation itself can pass it on.
  expect((await store.sessions.load('s')).activeAgent).toBe('caller');
  await journalOf(store, result.runId);
});

// Approval before the agent is asked.

test('needsApproval: nobody is asked before a person has agreed', async () => {
  const { models, store, runner } = asking(
    { caller: [ask(), 'Take a coat.'], weather: ['It rains.'] },
    { needsApproval: true },
  );
  const waiting = await runner.run('Go.');
  expect(waiting).toMatchObject({
    status: 'interrupted',
    interruptions: [
      { kind: 'approval', frame: 'f0', toolName: 'weather', input: { message: 'In Bern?' } },
    ],
  });
  expect(models.weather.calls).toBe(0);
  const [asked] = waiting.interruptions;
  const decisions = [{ interruptionId: asked?.id ?? '', approved: true }] as const;
  const result = await runner.resume(waiting.runId, decisions);
  expect(result).toMatchObject({ status: 'completed', response: 'Take a coat.' });
  await journalOf(store, result.runId);
});

test('needsApproval as a function sees what the schema made of the input', async () => {
  const seen: unknown[] = [];
  const { runner, models } = asking(
    {
      caller: [
        { calls: [['weather', { city: 'Bern' }]] },
        { calls: [['weather', { city: 'Rome' }]] },
      ],
      weather: ['It rains.'],
    },
    {
      parameters: z.object({ city: z.string(), days: z.number().default(3) }),
      needsApproval: ({ city, days }, { requestContext }) => {
        seen.push({ city, days, ...requestContext });
        return city === 'Rome';
      },
    },
  );
  const waiting = await runner.run({ message: 'Go.', context: { tenant: 't' } });
  expect(waiting.interruptions).toMatchObject([{ input: { city: 'Rome' } }]);
  expect(seen).toEqual([
    { city: 'Bern', days: 3, tenant: 't' },
    { city: 'Rome', days: 3, tenant: 't' },
  ]);
  expect(models.weather.requests[0]?.messages.map(noted)).toEqual([
    'user: {"city":"Bern","days":3}',
  ]);
});

test('a refused approval is read by the caller; an edited one is what the agent is asked', async () => {
  const refusing = asking({ caller: [ask(), 'Then not.'], weather: [] }, { needsApproval: true });
  const first = await refusing.runner.run('Go.');
  const id = first.interruptions[0]?.id ?? '';
  const refused = await refusing.runner.resume(first.runId, [
    { interruptionId: id, approved: false, message: 'Too dear.' },
  ]);
  expect(refused.toolResults).toMatchObject([{ isError: true, result: 'Too dear.' }]);
  expect(refused.hops).toEqual([]);
  await journalOf(refusing.store, refused.runId);

  const editing = asking({ caller: [ask(), 'Sunny.'], weather: ['Sun.'] }, { needsApproval: true });
  const second = await editing.runner.run('Go.');
  const edited = await editing.runner.resume(second.runId, [
    { interruptionId: id, approved: true, input: { message: 'In Rome?' } },
  ]);
  expect(editing.models.weather.requests[0]?.messages.map(noted)).toEqual(['user: In Rome?']);
  expect(edited.toolResults).toMatchObject([
    { arguments: { message: 'In Rome?' }, result: 'Sun.' },
  ]);
  expect(JSON.stringify(editing.models.caller.requests[1]?.messages.at(-1))).toContain(
    'The input was edited before it ran',
  );
  await journalOf(editing.store, edited.runId);
});

// What is refused.

test('what cannot be is refused when the tool is made', () => {
  const agent = new Agent({ name: 'weather' });
  expect(() => agent.asTool({ toolName: 'ask the weather' })).toThrow(
    'The tool name "ask the weather" of the handoff to weather is not usable',
  );
  const asTool = (options: object) => agent.asTool({ ...options });
  expect(() => asTool({ parameters: {} })).toThrow('Standard Schema');
  expect(() => asTool({ verbatim: true })).toThrow(
    'weather.asTool() has an unknown option "verbatim". Options: toolName,',
  );
  const tools = [agent.asTool(), agent.asTool()];
  expect(() => new Agent({ name: 'caller', tools })).toThrow('two tools named weather');
});

test('its tool does nothing outside a run', () => {
  const made = new Agent({ name: 'weather' }).asTool();
  expect(made.name).toBe('weather');
  expect(() => Reflect.apply(Reflect.get(made, 'execute'), made, [{}, {}])).toThrow(
    'only a run can ask',
  );
});

test('an inputType of the agent is what its tool asks for, unless the tool says otherwise', () => {
  const weather = new Agent({ name: 'weather', inputType: z.object({ city: z.string() }) });
  expect(weather.inputJsonSchema).toMatchObject({ properties: { city: { type: 'string' } } });
  expect(weather.asTool().inputJsonSchema).toEqual(weather.inputJsonSchema);
  const other = weather.asTool({ parameters: z.object({ town: z.string() }) });
  expect(other.inputJsonSchema).toMatchObject({ required: ['town'] });
  const bad = () => new Agent({ name: 'weather', inputType: z.string() });
  expect(bad).toThrow(
    'The inputType of agent weather prints type "string". Callers send an object',
  );
});
