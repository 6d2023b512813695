import { expect, test } from 'vitest';
import { journalOf } from '../test/engine.ts';
import { memoryStore } from './memory-store.ts';
import { textOf } from './message.ts';
import { ReflectionAgent } from './reflection-agent.ts';
import { Runner } from './runner.ts';
import { collect, scriptedModel } from './testing/index.ts';

const scores = (value: number, feedback = '') => ({
  json: { scores: { quality: value }, feedback },
});

test('the best draft is the answer; the kept text streams', async () => {
  const model = scriptedModel(['First.', 'Second.', 'Third.']);
  const judge = scriptedModel([scores(0.5, 'More.'), scores(0.6, 'Yet more.'), scores(0.2)]);
  const agent = new ReflectionAgent({
    name: 'writer',
    model,
    evaluationModel: judge,
    criteria: ['quality'],
    maxReflectionIterations: 2,
  });
  const store = memoryStore();
  const stream = new Runner(agent, { store }).stream('Write.', { sessionId: 's' });
  const text = await collect(stream.textStream());
  const result = await stream.result;
  expect(result.error).toBeUndefined();
  expect(result.response).toBe('Second.');
  expect(text.join('')).toBe('Second.');
  expect(result.reflection).toMatchObject({ score: 0.6, iterations: 2 });
  expect(result.newMessages.map(textOf)).toEqual(['Write.', 'Second.']);
  await journalOf(store, result.runId);
});
