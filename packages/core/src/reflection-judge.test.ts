import { expect, test } from 'vitest';
import { noted } from '../test/handoff-world.ts';
import { journalOf } from '../test/engine.ts';
import { scored, writing } from '../test/reflection-world.ts';
import { ModelError } from './errors.ts';
import { ReflectionAgent } from './reflection-agent.ts';
import type { Evaluated, Evaluation } from './reflection.ts';
import { Runner } from './runner.ts';
import { gate, scriptedModel, type ScriptedTurn } from './testing/index.ts';

const nonsense: Readonly<Record<string, ScriptedTurn>> = {
  'no JSON': 'Quite good!',
  nothing: { parts: [] },
  'wrong keys': { json: { quality: 0.9 } },
  'a criterion missing': { json: { scores: { taste: 0.9 }, feedback: '' } },
  'too high': scored(1.01),
  'too low': scored(-0.1),
  'ten of ten': scored(10),
  'a string': scored('0.9'),
  'a list': { json: [0.9] },
  null: { json: null },
  'scores as a list': { json: { scores: [0.9] } },
  'broken off': { text: '{"scores":{"quality":0.9', finishReason: 'length' },
  'a refusal': { refusal: 'I do not judge.' },
  'a number that is none': { text: '{"scores":{"quality":NaN}}' },
};

test.each(Object.entries(nonsense))(
  'a judge that answers nonsense is asked once more, then the draft is the answer: %s',
  async (_name, answer) => {
    const { runner, model, judge, store } = writing(['Draft.'], () => answer);
    const result = await runner.run('Write.');
    expect([model.calls, judge.calls, result.usage.requests]).toEqual([1, 2, 3]);
    expect(result).toMatchObject({ status: 'completed', response: 'Draft.' });
    expect(result.reflection).toEqual({
      score: undefined,
      iterations: 0,
      history: [{ iteration: 0, accepted: true, error: result.reflection?.error }],
      error: { code: 'model_behavior', message: expect.stringContaining('no usable scores') },
    });
    expect(result.toJSON()['reflection']).toMatchObject({ error: { code: 'model_behavior' } });
    const journal = await journalOf(store, result.runId);
    const ids = journal.flatMap((event) =>
      event.type === 'model-response' ? [event.message.id] : [],
    );
    expect(new Set(ids).size).toBe(3);

    const second = writing(['Draft.'], [answer, scored(0.9)]);
    const { reflection } = await second.runner.run('Write.');
    expect([second.judge.calls, reflection?.score, reflection?.error]).toEqual([2, 0.9, undefined]);
  },
);

test('nonsense about a rewrite leaves the best so far', async () => {
  const { runner, model } = writing(['One.', 'Two.'], [scored(0.3), 'Hm.', 'Hm.']);
  const { response, reflection } = await runner.run('Write.');
  expect([response, model.calls]).toEqual(['One.', 2]);
  expect(reflection).toMatchObject({
    score: 0.3,
    iterations: 1,
    error: { code: 'model_behavior' },
    history: [{ accepted: true }, { iteration: 1, accepted: false }],
  });
});

test('scores in a code fence, with feedback left out or odd, are usable', async () => {
  for (const text of [
    '```json\n{"scores":{"quality":0.9},"feedback":""}\n```',
    '{"scores":{"quality":0.9,"other":7}}',
    '{"scores":{"quality":0.9},"feedback":5}',
  ]) {
    const { runner } = writing(['Draft.'], [{ text }]);
    const { reflection } = await runner.run('Write.');
    expect(reflection?.history).toEqual([
      { iteration: 0, score: 0.9, scores: { quality: 0.9 }, accepted: true },
    ]);
  }
});

test('the draft is the answer when the judge cannot be reached; its calls before are counted', async () => {
  const down = new ModelError('10.0.0.7 says no', { reason: 'authentication' });
  const { runner, store } = writing(['Draft.'], ['Hm.', down]);
  const result = await runner.run('Write.');
  expect(result).toMatchObject({ status: 'completed', response: 'Draft.' });
  expect(result.reflection?.error).toMatchObject({ code: 'model_error', reason: 'authentication' });
  expect(JSON.stringify(result.toJSON())).not.toContain('10.0.0.7');
  expect(result.usage.requests).toBe(2);
  await journalOf(store, result.runId);
});

test('the judge is told the request, the draft and the criteria, and nothing of the agent', async () => {
  const { runner, judge } = writing(['Draft.'], [scored(0.9)], {
    instructions: 'You are a poet.',
    modelSettings: {
      temperature: 1,
      maxTokens: 20,
      stop: ['.'],
      toolChoice: 'required',
      timeoutMs: 9_000,
      providerOptions: { judge: { a: 1 } },
    },
    criteria: ['quality'],
  });
  await runner.run('Write a poem.');
  const [asked] = judge.requests;
  expect(asked?.instructions).toContain('You judge answers');
  expect(asked?.messages.map(noted)).toEqual([
    expect.stringMatching(/Request:\nWrite a poem\.\n\nAnswer:\nDraft\.\n\nScore .*: quality\./),
  ]);
  expect(asked?.output?.name).toBe('judgement');
  // What the writer's model takes, another may refuse; and a judgement is not cut like an answer.
  expect(asked?.settings).toEqual({ timeoutMs: 9_000, providerOptions: { judge: { a: 1 } } });
});

test('without a model of its own the agent judges itself, with its settings and not its length', async () => {
  const model = scriptedModel(['Draft.', scored(0.9)]);
  const agent = new ReflectionAgent({
    name: 'writer',
    model,
    criteria: ['quality'],
    modelSettings: { temperature: 0.1, maxTokens: 20, stop: ['.'] },
  });
  expect((await agent.chat('Write.')).reflection?.score).toBe(0.9);
  expect(model.requests.map(({ settings }) => settings)).toEqual([
    { temperature: 0.1, maxTokens: 20, stop: ['.'] },
    { temperature: 0.1 },
  ]);
});

test('evaluationPrompt replaces what the judge is told', async () => {
  const { runner, judge } = writing(['Draft.'], [scored(0.9)], {
    evaluationPrompt: 'Judge like a lawyer.',
  });
  await runner.run('Write.');
  expect(judge.requests[0]?.instructions).toBe('Judge like a lawyer.');
});

test('the judge may be named: the runner looks it up', async () => {
  const judge = scriptedModel([scored(0.9)]);
  const asked: unknown[] = [];
  const models = {
    model: (spec: unknown) => {
      asked.push(spec);
      return judge;
    },
  };
  const agent = new ReflectionAgent({
    name: 'writer',
    model: scriptedModel(['Draft.']),
    evaluationModel: 'other/judge',
    criteria: ['quality'],
  });
  const result = await new Runner(agent, { models }).run('Write.');
  expect([result.reflection?.score, judge.calls, asked]).toEqual([0.9, 1, ['other/judge']]);
});

test('middleware is around the judge too', async () => {
  const asked: unknown[] = [];
  const { runner } = writing(['Draft.'], [scored(0.9)], {
    middleware: [
      {
        name: 'seer',
        wrapModelCall: (request, { agentPath }, next) => {
          asked.push([request.output?.name, agentPath]);
          return next(request);
        },
      },
    ],
  });
  await runner.run('Write.');
  expect(asked).toEqual([
    [undefined, ['writer']],
    ['judgement', ['writer']],
  ]);
});

test('usage names who judged', async () => {
  const { runner } = writing(['One.'], [{ ...Object(scored(0.9)), usage: { inputTokens: 70 } }]);
  const { usage } = await runner.run('Write.');
  expect(usage).toMatchObject({ requests: 2, inputTokens: 80 });
  expect(usage.perRequest.map(({ provider, modelId }) => [provider, modelId])).toEqual([
    ['scripted', 'script'],
    ['judge', 'strict'],
  ]);
});

/** A writer that is judged by a function. */
function judgedBy(
  evaluationFunction: (draft: Evaluated) => Evaluation | Promise<Evaluation>,
  drafts = 3,
) {
  return writing((_request, index) => `Draft ${index}.`, [], {
    evaluationModel: undefined,
    criteria: undefined,
    maxReflectionIterations: drafts - 1,
    evaluationFunction,
  });
}

test('a function judges instead of a model: a number, an object, at once or later', async () => {
  for (const evaluation of [
    () => 0.9,
    async () => 0.9,
    () => ({ score: 0.9 }),
    async () => ({ score: 0.9, feedback: '', scores: { rhyme: 1 } }),
  ]) {
    const { runner, model } = judgedBy(evaluation);
    const result = await runner.run('Write.');
    expect([result.reflection?.score, model.calls, result.usage.requests]).toEqual([0.9, 1, 1]);
  }
});

test('the function is told the request, the draft and its run; its feedback reaches the rewrite', async () => {
  const drafts: Evaluated[] = [];
  const { runner, model, store } = judgedBy((draft) => {
    drafts.push(draft);
    return draft.response === 'Draft 0.'
      ? { score: 0.2, feedback: 'Make it rhyme.', scores: { rhyme: 0.2 } }
      : 0.9;
  });
  const result = await runner.run({ message: 'Write.', userId: 'ann', context: { city: 'Bern' } });
  expect(result.response).toBe('Draft 1.');
  expect(drafts[0]).toMatchObject({
    message: 'Write.',
    requestContext: { city: 'Bern' },
    response: 'Draft 0.',
    output: 'Draft 0.',
    context: { runId: result.runId, userId: 'ann', agentPath: ['writer'] },
  });
  expect(drafts[0]?.messages.map(noted)).toEqual(['user: Write.']);
  expect(model.requests[1]?.messages.map(noted).at(-1)).toContain('Make it rhyme.');
  expect(result.reflection?.history[0]).toMatchObject({ scores: { rhyme: 0.2 } });
  await journalOf(store, result.runId);
});

test('a function that fails, or gives no score from 0 to 1, leaves the draft with an error', async () => {
  // Plain JavaScript may answer anything.
  const answers: readonly [string, () => unknown, string][] = [
    [
      'throws',
      () => {
        throw new Error('secret');
      },
      'internal',
    ],
    ['rejects', () => Promise.reject(new Error('secret')), 'internal'],
    ['too high', () => 1.5, 'model_behavior'],
    ['too low', () => ({ score: -1 }), 'model_behavior'],
    ['NaN', () => Number.NaN, 'model_behavior'],
    ['a string', () => '0.9', 'model_behavior'],
    ['nothing', () => undefined, 'model_behavior'],
    ['null', () => null, 'model_behavior'],
    ['no score', () => ({ feedback: 'Good.' }), 'model_behavior'],
    ['odd scores', () => ({ score: 0.9, scores: { rhyme: Number.NaN } }), 'model_behavior'],
    ['odd feedback', () => ({ score: 0.9, feedback: { text: 'secret' } }), 'model_behavior'],
  ];
  for (const [name, answer, code] of answers) {
    const { runner, model, store } = judgedBy(answer as () => Evaluation);
    const result = await runner.run('Write.');
    expect([name, result.status, result.response]).toEqual([name, 'completed', 'Draft 0.']);
    expect([name, model.calls, result.reflection?.error?.code]).toEqual([name, 1, code]);
    expect(result.reflection?.score).toBeUndefined();
    expect(JSON.stringify(result.toJSON())).not.toContain('secret');
    await journalOf(store, result.runId);
  }
});

test('what the function answered is recorded as it was then', async () => {
  const evaluation = { score: 0.1, scores: { rhyme: 0.1 }, feedback: 'Rhyme.' };
  const { runner } = judgedBy(() => {
    evaluation.score += 0.1;
    evaluation.scores.rhyme += 0.1;
    return evaluation;
  });
  const { reflection } = await runner.run('Write.');
  const rhymes = reflection?.history.map(({ scores }) => scores?.['rhyme'] ?? 0) ?? [];
  expect(new Set(rhymes).size).toBe(3);
});

test('a function that never answers does not hold up a cancel', async () => {
  const asked = gate();
  const abort = new AbortController();
  const { runner, store } = judgedBy(async () => {
    await asked.wait();
    return 1;
  });
  const running = runner.run('Write.', { signal: abort.signal });
  await asked.reached;
  abort.abort();
  const result = await running;
  expect(result.status).toBe('cancelled');
  await journalOf(store, result.runId);
});

test('with a function and a model the lower score counts, and both say what to improve', async () => {
  for (const [byFunction, byModel] of [
    [0.3, 0.6],
    [0.6, 0.3],
  ] as const) {
    const { runner, model, judge } = writing(
      ['One.', 'Two.'],
      [scored(byModel, 'Clearer.'), scored(0.9)],
      {
        enableSelfEvaluation: true,
        maxReflectionIterations: 1,
        evaluationFunction: ({ response }) =>
          response === 'One.' ? { score: byFunction, feedback: 'Shorter.' } : 0.85,
      },
    );
    const { response, reflection } = await runner.run('Write.');
    expect([response, judge.calls]).toEqual(['Two.', 2]);
    expect(reflection?.history).toMatchObject([
      { score: 0.3, scores: { quality: byModel } },
      { score: 0.85 },
    ]);
    const told = model.requests[1]?.messages.map(noted).at(-1);
    expect(told).toContain('Clearer.');
    expect(told).toContain('Shorter.');
  }
});

test('a cancel while the judge works ends the run; what was asked before is counted', async () => {
  const judging = gate();
  const abort = new AbortController();
  const { runner, store, judge } = writing(['Draft.'], ['Hm.', { before: judging, text: '{}' }]);
  const running = runner.run('Write.', { signal: abort.signal, sessionId: 's' });
  await judging.reached;
  abort.abort();
  const result = await running;
  expect([result.status, judge.running]).toEqual(['cancelled', 0]);
  expect(result.usage.requests).toBe(2);
  // Nobody judged it, but it is what there is.
  expect(result.response).toBe('Draft.');
  expect((await store.sessions.load('s')).messages.map(noted)).toEqual([
    'user: Write.',
    'assistant: Draft.',
  ]);
  await journalOf(store, result.runId);
});
