import { expect, test } from 'vitest';
import { z } from 'zod';
import { noted } from '../test/handoff-world.ts';
import { journalOf, typesOf } from '../test/engine.ts';
import { scored, shownIn, writing } from '../test/reflection-world.ts';
import type { Watched } from './events.ts';
import { collect } from './testing/index.ts';
import { tool } from './tool.ts';

function textIn(events: readonly Watched[]): string {
  return events.map((event) => (event.type === 'text-delta' ? event.delta : '')).join('');
}

const look = tool({
  name: 'look',
  description: 'Looks.',
  parameters: z.object({}),
  execute: () => 'seen',
});

test('the kept text streams once, as the answer; nobody sees another draft', async () => {
  const { runner, store } = writing(
    [
      { text: 'Aside one.', reasoning: 'Thought one.', calls: [['look', {}]] },
      { text: 'Draft one.', reasoning: 'Thought two.' },
      'Draft two is it.',
      { text: 'Aside two.', calls: [['look', {}]] },
      'Draft three.',
    ],
    [scored(0.3, 'More.'), scored(0.6), scored(0.1)],
    { tools: [look], maxReflectionIterations: 2 },
  );
  const stream = runner.stream('Write.', { sessionId: 's' });
  const events = await collect(stream);
  const result = await stream.result;
  expect(result.response).toBe('Draft two is it.');
  expect(textIn(events)).toBe('Draft two is it.');
  const shown = shownIn(events);
  for (const hidden of ['Aside', 'Draft one', 'Draft three', 'Thought']) {
    expect(shown).not.toContain(hidden);
    expect(JSON.stringify(result.newMessages)).not.toContain(hidden);
    expect(JSON.stringify(await store.sessions.load('s'))).not.toContain(hidden);
  }
  // What is going on is visible all the same.
  const types = typesOf(events);
  expect(types.filter((type) => type === 'reflection')).toHaveLength(3);
  expect(shown).toContain('More.');
  // The text comes after it was decided, and before the end.
  expect(types.lastIndexOf('reflection')).toBeLessThan(types.indexOf('text-delta'));
  expect(types.lastIndexOf('text-delta')).toBeLessThan(types.indexOf('frame-end'));
  await journalOf(store, result.runId);
});

test('textStream gives the kept text once, and withdraws nothing', async () => {
  const { runner } = writing(['One.', 'Two.', 'Three.'], [scored(0.5), scored(0.6), scored(0.2)], {
    maxReflectionIterations: 2,
  });
  const stream = runner.stream('Write.');
  expect((await collect(stream.textStream())).join('')).toBe('Two.');
  expect((await stream.result).response).toBe('Two.');
});

test('a typed answer streams as the model wrote it', async () => {
  const { runner } = writing<{ n: number }>(
    ['{ "n": 1 }', '```json\n{ "n": 2 }\n```'],
    [scored(0.5), scored(0.9)],
    {
      outputType: z.object({ n: z.number() }),
    },
  );
  const stream = runner.stream('Write.');
  const text = (await collect(stream.textStream())).join('');
  const { response, finalOutput } = await stream.result;
  expect([text, finalOutput]).toEqual([response, { n: 2 }]);
});

test('what afterRun changes is the answer; the text that streamed is not withdrawn', async () => {
  const { runner } = writing(['One.'], [scored(0.9)], {
    afterRun: () => ({ response: 'Signed.', output: { type: 'json', value: 'Signed.' } }),
  });
  const stream = runner.stream('Write.');
  expect((await collect(stream.textStream())).join('')).toBe('One.');
  expect((await stream.result).response).toBe('Signed.');
});

test('a watcher who comes later sees the kept text only', async () => {
  const { runner, store } = writing(['One.', 'Two.'], [scored(0.5), scored(0.9)]);
  const { runId } = await runner.run('Write.');
  const events = await collect(runner.events(runId));
  expect(shownIn(events)).not.toContain('One.');
  expect(shownIn(events)).toContain('Two.');
  await journalOf(store, runId);
});

test('the next turn of the session knows the kept answer and nothing of the drafts', async () => {
  const { runner, model } = writing(
    ['One.', 'Two.', 'Three.', 'Hello again.'],
    [scored(0.5, 'More.'), scored(0.7), scored(0.3), scored(0.9)],
    { maxReflectionIterations: 2 },
  );
  await runner.run('Write.', { sessionId: 's' });
  await runner.run('And?', { sessionId: 's' });
  expect(model.requests.at(-1)?.messages.map(noted)).toEqual([
    'user: Write.',
    'assistant: Two.',
    'user: And?',
  ]);
});
