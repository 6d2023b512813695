import { expect, test } from 'vitest';
import { z } from 'zod';
import { noted } from '../test/handoff-world.ts';
import { journalOf } from '../test/engine.ts';
import { scored, shownIn, writing } from '../test/reflection-world.ts';
import { AgentError, ModelError } from './errors.ts';
import { memoryStore } from './memory-store.ts';
import { Runner } from './runner.ts';
import { collect, faultyStore, gate, type ScriptedTurn } from './testing/index.ts';
import { tool } from './tool.ts';

// Whatever stops an answer from getting better: the best draft there was is what the caller gets.

const failures: readonly [string, ScriptedTurn, object][] = [
  ['refused', { refusal: 'I will not.' }, { code: 'model_refusal' }],
  [
    'filtered',
    { text: 'Half a', finishReason: 'content-filter' },
    { code: 'model_error', reason: 'content-filter' },
  ],
  [
    'a model error',
    new ModelError('no', { reason: 'invalid-request' }),
    { code: 'model_error', reason: 'invalid-request' },
  ],
  ['an error of a vendor', new TypeError('terminated'), { code: expect.any(String) }],
];

test.each(failures)(
  'a rewrite that fails leaves the best draft: %s',
  async (_name, turn, error) => {
    const { runner, store, judge, model } = writing(
      ['One.', 'Two.', turn],
      [scored(0.3), scored(0.6)],
      { modelSettings: { retry: { maxRetries: 0 } } },
    );
    const result = await runner.run('Write.', { sessionId: 's' });
    expect(result).toMatchObject({ status: 'completed', response: 'Two.', finishReason: 'stop' });
    expect([model.calls, judge.calls]).toEqual([3, 2]);
    expect(result.reflection).toMatchObject({ score: 0.6, iterations: 2, error });
    expect(result.reflection?.history.at(-1)).toMatchObject({
      iteration: 2,
      accepted: false,
      error,
    });
    expect(result.newMessages.map(noted)).toEqual(['user: Write.', 'assistant: Two.']);
    expect((await store.sessions.load('s')).messages).toEqual(result.newMessages);
    await journalOf(store, result.runId);
  },
);

test('instructions that throw while rewriting leave the best draft', async () => {
  let asked = 0;
  const { runner } = writing(['One.'], [scored(0.3)], {
    instructions: () => {
      asked += 1;
      if (asked > 1) throw new Error('the database is gone');
      return 'Write.';
    },
  });
  const result = await runner.run('Write.');
  expect([result.status, result.response]).toEqual(['completed', 'One.']);
  expect(result.reflection?.error?.code).toBe('internal');
});

test('a store that takes no more is no failure of a draft or of a judge', async () => {
  // The first append writes a draft before it is judged, the second its judgement before the rewrite.
  for (const nth of [1, 2]) {
    const { agent } = writing(
      () => 'One.',
      () => scored(0.3),
    );
    const error = new AgentError('store_full', 'The run is as long as it may be.');
    const store = faultyStore(memoryStore(), {
      faults: [{ method: 'runs.append', nth, fail: 'before', error }],
    });
    const result = await new Runner(agent, { store }).run('Write.');
    expect([result.status, result.error?.code]).toEqual(['failed', 'store_full']);
    expect(result.reflection?.error).toBeUndefined();
    await journalOf(store, result.runId);
  }
});

test('a first draft that fails fails the run: there is no other', async () => {
  for (const [, turn] of failures) {
    const { runner, judge, store } = writing([turn], [], {
      modelSettings: { retry: { maxRetries: 0 } },
    });
    const result = await runner.run('Write.');
    expect([result.status, result.reflection, judge.calls]).toEqual(['failed', undefined, 0]);
    await journalOf(store, result.runId);
  }
});

const look = tool({
  name: 'look',
  description: 'Looks.',
  parameters: z.object({}),
  execute: () => 'seen',
});

test('turns that run out while rewriting leave the best draft', async () => {
  const { runner, store, model } = writing(
    (_request, index) => (index === 0 ? 'One.' : { text: 'Hm.', calls: [['look', {}]] }),
    [scored(0.3)],
    { tools: [look], maxTurns: 3 },
  );
  const result = await runner.run('Write.', { sessionId: 's' });
  expect([result.status, result.response, model.calls]).toEqual(['completed', 'One.', 3]);
  expect(result.reflection).toMatchObject({
    score: 0.3,
    iterations: 1,
    error: { code: 'limit', message: expect.stringContaining('3 turns') },
  });
  // What tools did stays in the conversation; the answer comes after it.
  expect(result.newMessages.map(noted)).toEqual([
    'user: Write.',
    'assistant: [look]',
    'tool: ["seen"]',
    'assistant: [look]',
    'tool: ["seen"]',
    'assistant: One.',
  ]);
  await journalOf(store, result.runId);
});

test('turns that run out before a draft is there stop the run as ever', async () => {
  const { runner } = writing(() => ({ text: 'Hm.', calls: [['look', {}]] }), [], {
    tools: [look],
    maxTurns: 2,
  });
  const result = await runner.run('Write.');
  expect([result.status, result.stopReason]).toEqual(['stopped', 'max_turns']);
  // Text beside calls was never shown.
  expect([result.response, result.reflection]).toEqual(['', undefined]);
});

test('a limit of the run stops it with the best draft as the work so far', async () => {
  const { runner, store } = writing(
    ['One.', 'Two.', 'Three.'],
    [scored(0.5), scored(0.3), scored(0.6)],
  );
  // Each call counts 15 tokens: the fourth makes it 60.
  const options = { sessionId: 's', limits: { totalTokens: 60 } };
  const result = await runner.run('Write.', options);
  expect([result.status, result.stopReason]).toEqual(['stopped', 'total_tokens']);
  expect([result.response, result.finalOutput]).toEqual(['One.', undefined]);
  expect(result.reflection).toMatchObject({ score: 0.5, iterations: 1 });
  expect(result.newMessages.map(noted)).toEqual(['user: Write.', 'assistant: One.']);
  const { messages } = await store.sessions.load('s');
  expect(messages.slice(0, 2)).toEqual(result.newMessages);
  expect(messages.map(noted).slice(2)).toEqual([expect.stringContaining('not finished')]);
  await journalOf(store, result.runId);
});

test('time that runs out while the judge works leaves what there is', async () => {
  for (const [judgements, response] of [
    [[{ hang: true }], 'One.'],
    [[scored(0.5), { hang: true }], 'One.'],
    [[scored(0.5), scored(0.6), { hang: true }], 'Two.'],
  ] as const) {
    const { runner, store, judge } = writing(['One.', 'Two.', 'Three.'], judgements);
    const result = await runner.run('Write.', { limits: { wallClockMs: 100 } });
    expect([result.status, result.stopReason]).toEqual(['stopped', 'wall_clock']);
    expect([result.response, judge.running]).toEqual([response, 0]);
    await journalOf(store, result.runId);
  }
});

test('a cancel while rewriting gives the best draft, not the one in the making', async () => {
  const writingTwo = gate();
  const abort = new AbortController();
  const { runner, store } = writing(
    ['One.', { text: 'Two, which is better.', beforeResponse: writingTwo }],
    [scored(0.5)],
  );
  const running = runner.run('Write.', { signal: abort.signal });
  await writingTwo.reached;
  abort.abort();
  const result = await running;
  expect([result.status, result.response]).toEqual(['cancelled', 'One.']);
  expect(result.newMessages.map(noted)).toEqual(['user: Write.', 'assistant: One.']);
  await journalOf(store, result.runId);
});

test('a draft that output guardrails did not look at is not the work so far', async () => {
  const { runner, store } = writing(['One.', 'Two.'], [scored(0.5), scored(0.6)], {
    outputGuardrails: [{ name: 'look', check: () => ({ action: 'allow' }) }],
  });
  const result = await runner.run('Write.', { limits: { totalTokens: 30 } });
  expect([result.status, result.response]).toEqual(['stopped', '']);
  expect(result.newMessages.map(noted)).toEqual(['user: Write.']);
  await journalOf(store, result.runId);
});

test('what a judge or a failure quotes of a draft is not for clients before guardrails looked at it', async () => {
  const { runner, store, model } = writing(
    ['Call 555 now.', 'Call 555.', { refusal: 'Not 555.' }],
    [scored(0.5, 'Do not say 555.'), scored(0.4, 'Still 555.')],
    {
      outputGuardrails: [{ name: 'digits', check: () => ({ action: 'rewrite', value: 'Call.' }) }],
    },
  );
  const stream = runner.stream('Write.', { sessionId: 's' });
  const events = await collect(stream);
  const result = await stream.result;
  expect([result.response, model.calls]).toEqual(['Call.', 3]);
  expect(shownIn(events)).not.toContain('555');
  const answer = result.toJSON();
  expect(JSON.stringify(answer)).not.toContain('555');
  expect(answer['reflection']).toMatchObject({
    error: { code: 'model_refusal' },
    history: [{ score: 0.5 }, { score: 0.4 }, { error: { code: 'model_refusal' } }],
  });
  // The app itself knows.
  expect(result.reflection?.history[0]?.feedback).toBe('Do not say 555.');
  expect(JSON.stringify(await store.sessions.load('s'))).not.toContain('555');
  await journalOf(store, result.runId);
});

test('output guardrails look at the kept answer only, and may have it written again', async () => {
  const checked: unknown[] = [];
  const { runner, judge, store } = writing(
    ['One.', 'Two.', 'Three.', 'A polite one.'],
    [scored(0.3), scored(0.6), scored(0.2)],
    {
      maxReflectionIterations: 2,
      outputGuardrails: [
        {
          name: 'polite',
          check: ({ value }) => {
            checked.push(value);
            if (value === 'Two.') return { action: 'reject', message: 'Be polite.' };
            return { action: 'rewrite', value: `${JSON.stringify(value)} Thanks.` };
          },
        },
      ],
    },
  );
  const result = await runner.run('Write.', { sessionId: 's' });
  expect(checked).toEqual(['Two.', 'A polite one.']);
  expect(result.response).toBe('"A polite one." Thanks.');
  // What was asked for by a guardrail is not judged again.
  expect([judge.calls, result.reflection?.iterations]).toEqual([3, 2]);
  expect(result.newMessages.map(noted)).toEqual([
    'user: Write.',
    'assistant: "A polite one." Thanks.',
  ]);
  await journalOf(store, result.runId);
});

test('approvals are asked for while drafting and while rewriting, and decided elsewhere', async () => {
  const refunds: string[] = [];
  const refund = tool({
    name: 'refund',
    description: 'Refunds.',
    parameters: z.object({}),
    needsApproval: true,
    execute: (_input, { callId }) => {
      refunds.push(callId);
      return 'refunded';
    },
  });
  const { runner, model, judge, store } = writing(
    [{ calls: [['refund', {}]] }, 'One.', { text: 'Again.', calls: [['refund', {}]] }, 'Two.'],
    [scored(0.5), scored(0.9)],
    { tools: [refund] },
  );
  let result = await runner.run('Refund.');
  expect(result.reflection).toBeUndefined();
  for (const [calls, judged] of [
    [1, 0],
    [3, 1],
  ]) {
    expect([result.status, result.response]).toEqual(['interrupted', '']);
    expect([model.calls, judge.calls]).toEqual([calls, judged]);
    const [asked] = result.interruptions;
    result = await runner.resume(result.runId, [
      { interruptionId: asked?.id ?? '', approved: true },
    ]);
  }
  expect([result.status, result.response]).toEqual(['completed', 'Two.']);
  expect([model.calls, judge.calls, refunds.length]).toEqual([4, 2, 2]);
  await journalOf(store, result.runId);
});
