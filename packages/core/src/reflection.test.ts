import { expect, test } from 'vitest';
import { z } from 'zod';
import { noted } from '../test/handoff-world.ts';
import { journalOf, typesOf } from '../test/engine.ts';
import { scored, writing } from '../test/reflection-world.ts';
import { toPublicEvent } from './public-event.ts';
import { ReflectionAgent } from './reflection-agent.ts';
import { Runner } from './runner.ts';
import { scriptedModel } from './testing/index.ts';
import { tool } from './tool.ts';

test('a first draft above the threshold costs two model calls', async () => {
  const { runner, model, judge, store } = writing(['First.'], [scored(0.8)]);
  const result = await runner.run('Write.');
  expect(result).toMatchObject({ status: 'completed', response: 'First.', finalOutput: 'First.' });
  expect([model.calls, judge.calls, result.usage.requests]).toEqual([1, 1, 2]);
  expect(typesOf(await journalOf(store, result.runId))).toEqual([
    'run-start',
    'model-response',
    'model-response',
    'reflection',
    'frame-end',
    'run-end',
  ]);
  expect(result.reflection).toEqual({
    score: 0.8,
    iterations: 0,
    history: [{ iteration: 0, score: 0.8, scores: { quality: 0.8 }, accepted: true }],
  });
});

test('each iteration costs two more calls, and no more', async () => {
  for (const maxReflectionIterations of [0, 1, 2, 3, undefined]) {
    const { runner, model, judge, store } = writing(
      () => 'Draft.',
      () => scored(0.1),
      {
        maxReflectionIterations,
      },
    );
    const result = await runner.run('Write.');
    const iterations = maxReflectionIterations ?? 3;
    expect([model.calls, judge.calls]).toEqual([iterations + 1, iterations + 1]);
    expect(result.usage.requests).toBe(2 + 2 * iterations);
    expect(result.reflection).toMatchObject({ iterations, score: 0.1 });
    expect(result.reflection?.history.map(({ accepted }) => accepted)).toEqual(
      Array.from({ length: iterations + 1 }, (_, index) => index === 0),
    );
    await journalOf(store, result.runId);
  }
});

test('rewriting ends when a draft is good enough', async () => {
  const { runner, judge } = writing(['1', '2', '3'], [scored(0.2), scored(0.95)]);
  const { response, reflection } = await runner.run('Write.');
  expect([response, reflection?.score, reflection?.iterations]).toEqual(['2', 0.95, 1]);
  expect(judge.calls).toBe(2);
});

test('the threshold is the one that was set, 0 and 1 included', async () => {
  for (const [reflectionThreshold, iterations] of [
    [0, 0],
    [0.5, 0],
    [0.51, 2],
    [1, 2],
  ] as const) {
    const { runner } = writing(
      () => 'Draft.',
      () => scored(0.5),
      {
        reflectionThreshold,
        maxReflectionIterations: 2,
      },
    );
    expect((await runner.run('Write.')).reflection?.iterations).toBe(iterations);
  }
});

test('a worse rewrite is never taken', async () => {
  for (const [judged, best] of [
    [[0.7, 0.6, 0.5, 0.1], 0],
    [[0.3, 0.7, 0.6, 0.69], 1],
    [[0.3, 0.2, 0.6, 0.5], 2],
    [[0, 0.1, 0.2, 0.3], 3],
    // Equal is not better: what was there first stays.
    [[0.4, 0.4, 0.4, 0.4], 0],
    [[0.1, 0.5, 0.5, 0.2], 1],
  ] as const) {
    const { runner, store } = writing(
      (_request, index) => `Draft ${index}.`,
      (_request, index) => scored(judged[index]),
    );
    const result = await runner.run('Write.', { sessionId: 's' });
    expect(result.response).toBe(`Draft ${best}.`);
    expect(result.finalOutput).toBe(`Draft ${best}.`);
    expect(result.reflection?.score).toBe(judged[best]);
    expect(result.reflection?.history.map(({ score }) => score)).toEqual(judged);
    expect(result.newMessages.map(noted)).toEqual(['user: Write.', `assistant: Draft ${best}.`]);
    expect((await store.sessions.load('s')).messages).toEqual(result.newMessages);
    await journalOf(store, result.runId);
  }
});

test('the rewrite sees the best draft and what to improve, never a draft that was dropped', async () => {
  const { runner, model } = writing(
    ['One.', 'Two.', 'Three.', 'Four.'],
    [
      scored(0.5, 'Name a date.'),
      scored(0.2, 'Now it is vague.'),
      scored(0.6, 'Name a place.'),
      scored(0.7),
    ],
  );
  expect((await runner.run('Write.')).response).toBe('Four.');
  const seen = model.requests.map(({ messages }) => messages.map(noted));
  const request = 'user: Write.';
  const again = 'Answer again in full: the new answer replaces the old one.';
  const first = [
    request,
    'assistant: One.',
    `user: Improve your answer (score 0.50 of 1). Name a date.\n\n${again}`,
  ];
  const dropped =
    'user: Your rewrite was no better (score 0.20 of 1) and is dropped. Now it is vague.\n\nImprove the answer before it, in full.';
  expect(seen).toEqual([
    [request],
    first,
    [...first, dropped],
    [
      ...first,
      dropped,
      'assistant: Three.',
      `user: Improve your answer (score 0.60 of 1). Name a place.\n\n${again}`,
    ],
  ]);
});

test('instructions, tools and settings are kept while rewriting, and tools run', async () => {
  const looked: string[] = [];
  const look = tool({
    name: 'look',
    description: 'Looks something up.',
    parameters: z.object({ what: z.string() }),
    execute: ({ what }) => {
      looked.push(what);
      return `${what}: 42`;
    },
  });
  let turn = 0;
  const { runner, model, judge, store } = writing(
    ['Some.', { text: 'Hm.', calls: [['look', { what: 'n' }]] }, 'n is 42.'],
    [scored(0.2, 'Look it up.'), scored(0.9)],
    {
      instructions: () => `Turn ${(turn += 1)}.`,
      tools: [look],
      modelSettings: { temperature: 0.3, maxTokens: 99 },
    },
  );
  const result = await runner.run('What is n?', { sessionId: 's' });
  expect(result.response).toBe('n is 42.');
  expect(looked).toEqual(['n']);
  expect(model.requests.map(({ instructions }) => instructions)).toEqual([
    'Turn 1.',
    'Turn 2.',
    'Turn 3.',
  ]);
  for (const { tools, settings } of model.requests) {
    expect(tools.map(({ name }) => name)).toEqual(['look']);
    expect(settings).toMatchObject({ temperature: 0.3, maxTokens: 99 });
  }
  expect(model.requests[2]?.messages.map(noted).slice(-2)).toEqual([
    'assistant: Hm. [look]',
    'tool: ["n: 42"]',
  ]);
  // Tool turns are turns of the writer: nobody judges them.
  expect([model.calls, judge.calls]).toEqual([3, 2]);
  expect(judge.requests.every(({ tools }) => tools.length === 0)).toBe(true);
  expect(result.toolResults).toMatchObject([{ tool: 'look', result: 'n: 42' }]);
  expect(result.newMessages.map(noted)).toEqual([
    'user: What is n?',
    'assistant: [look]',
    'tool: ["n: 42"]',
    'assistant: n is 42.',
  ]);
  await journalOf(store, result.runId, { tools: { writer: ['look'] } });
});

test('the drafts of a typed output are judged as text and as their type; a misfit rewrite is dropped', async () => {
  const judged: unknown[] = [];
  const { runner, model, store } = writing(
    [{ json: { day: 'never' } }, { json: { day: '2026-01-01' } }, 'a day', { json: {} }],
    [],
    {
      outputType: z.object({ day: z.iso.date().transform((day) => new Date(day)) }),
      evaluationModel: undefined,
      criteria: undefined,
      maxReflectionIterations: 2,
      evaluationFunction: ({ output, response }) => {
        judged.push([output, response]);
        return 0.5;
      },
    },
  );
  const result = await runner.run('When?');
  // The first draft is asked for until it fits; a rewrite that does not fit has had its iteration.
  expect(model.calls).toBe(4);
  expect(judged).toEqual([[{ day: new Date('2026-01-01') }, '{"day":"2026-01-01"}']]);
  expect(result.finalOutput).toEqual({ day: new Date('2026-01-01') });
  expect(result.reflection).toMatchObject({
    score: 0.5,
    iterations: 2,
    history: [
      { score: 0.5, accepted: true },
      { accepted: false, error: { code: 'invalid_output' } },
      { accepted: false, error: { code: 'invalid_output' } },
    ],
    error: { code: 'invalid_output', message: expect.stringContaining('day') },
  });
  expect(model.requests[3]?.messages.map(noted).slice(-3)).toEqual([
    'assistant: {"day":"2026-01-01"}',
    expect.stringContaining('Improve your answer'),
    expect.stringMatching(/^user: Your rewrite was no answer and is dropped\. .*not valid JSON/),
  ]);
  await journalOf(store, result.runId);
});

test('a rewrite after a misfit one is judged again, and the error is history', async () => {
  const { runner } = writing([{ json: 1 }, '', { json: 3 }], [scored(0.1), scored(0.9)], {
    outputType: z.number(),
  });
  const { finalOutput, reflection } = await runner.run('Count.');
  expect(finalOutput).toBe(3);
  expect(reflection?.error).toBeUndefined();
  expect(reflection?.history.map(({ error, score }) => error?.code ?? score)).toEqual([
    0.1,
    'invalid_output',
    0.9,
  ]);
});

test('scores by criterion are in the result, the answer as JSON, the journal and the public events', async () => {
  const judge = scriptedModel([
    { json: { scores: { style: 0.7, facts: 0.8, length: 0.9 }, feedback: 'Shorter.' } },
  ]);
  const agent = new ReflectionAgent({
    name: 'writer',
    model: scriptedModel(['Draft.']),
    evaluationModel: judge,
    criteria: ['style', 'facts', 'length'],
  });
  const stream = new Runner(agent).stream('Write.');
  const events = [];
  for await (const event of stream) events.push(event);
  const result = await stream.result;
  const step = {
    iteration: 0,
    // The mean, without the noise of adding: 0.8 is good enough.
    score: 0.8,
    scores: { style: 0.7, facts: 0.8, length: 0.9 },
    feedback: 'Shorter.',
    accepted: true,
  };
  const summary = { score: 0.8, iterations: 0, history: [step] };
  expect(result.reflection).toEqual(summary);
  expect(result.toJSON()['reflection']).toEqual(summary);
  const recorded = events.find((event) => event.type === 'reflection');
  expect(recorded).toMatchObject({ ...step, done: true, frame: 'f0', agent: 'writer' });
  expect(recorded && toPublicEvent(recorded)).toMatchObject({ ...step, done: true });
  expect(judge.requests[0]).toMatchObject({
    output: {
      schema: {
        properties: { scores: { required: ['style', 'facts', 'length'] } },
      },
    },
  });
});
