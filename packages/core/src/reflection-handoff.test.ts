import { expect, test } from 'vitest';
import { noted } from '../test/handoff-world.ts';
import { journalOf } from '../test/engine.ts';
import { scored, shownIn, writing } from '../test/reflection-world.ts';
import { Agent } from './agent.ts';
import { handoff } from './handoff.ts';
import { memoryStore } from './memory-store.ts';
import { Runner } from './runner.ts';
import { collect, scriptedModel } from './testing/index.ts';

const drafts = ['One.', 'Two.', 'Three.'];
const judgements = [scored(0.5, 'More.'), scored(0.7), scored(0.2)];
const twice = { maxReflectionIterations: 2, description: 'Writes.' };

async function streamed(desk: Agent) {
  const store = memoryStore();
  const stream = new Runner(desk, { store }).stream('Write.', { sessionId: 's' });
  const events = await collect(stream);
  const result = await stream.result;
  await journalOf(store, result.runId);
  const again = new Runner(desk, { store }).events(result.runId);
  for (const shown of [shownIn(events), shownIn(await collect(again))]) {
    expect(shown).not.toContain('One.');
    expect(shown).not.toContain('Three.');
  }
  return { store, events, result };
}

function textOf(events: Awaited<ReturnType<typeof streamed>>['events'], frame: string): string {
  return events
    .map((event) => (event.type === 'text-delta' && event.frame === frame ? event.delta : ''))
    .join('');
}

test('transferred to, it answers the run with its best draft, which streams', async () => {
  const { agent, model } = writing(drafts, judgements, twice);
  const desk = new Agent({
    name: 'desk',
    model: scriptedModel([
      { calls: [['handoff_to_writer', { message: 'A poem.', reason: 'art' }]] },
    ]),
    handoffs: [agent],
  });
  const { result, events, store } = await streamed(desk);
  expect(result).toMatchObject({ status: 'completed', response: 'Two.', lastAgent: 'writer' });
  expect(result.reflection).toMatchObject({ score: 0.7, iterations: 2 });
  expect(result.toJSON()['reflection']).toMatchObject({ score: 0.7 });
  expect(textOf(events, 'f0.1')).toBe('Two.');
  const own = model.requests[1]?.messages.map(noted) ?? [];
  expect(own.slice(-2)).toEqual(['assistant: One.', expect.stringContaining('More.')]);
  expect((await store.sessions.load('s')).messages.map(noted).at(-1)).toBe('assistant: Two.');
  expect(JSON.stringify(result.newMessages)).not.toMatch(/One|Three/);
});

test('called as a tool, its best draft is what the caller reads, and the run has no reflection of its own', async () => {
  const { agent } = writing(drafts, judgements, twice);
  const model = scriptedModel([{ calls: [['writer', { message: 'A poem.' }]] }, 'Here: Two.']);
  const desk = new Agent({ name: 'desk', model, tools: [agent.asTool()] });
  const { result, events } = await streamed(desk);
  expect(result).toMatchObject({ status: 'completed', response: 'Here: Two.', lastAgent: 'desk' });
  expect(result.reflection).toBeUndefined();
  expect(result.toolResults).toMatchObject([{ tool: 'writer', result: 'Two.' }]);
  expect(model.requests[1]?.messages.map(noted).at(-1)).toBe('tool: ["Two."]');
  expect(events.filter(({ type }) => type === 'reflection')).toHaveLength(3);
  expect(JSON.stringify(result.newMessages)).not.toMatch(/One|Three/);
});

test('called for its answer word for word, its reflection is that of the run', async () => {
  const { agent } = writing(drafts, judgements, twice);
  const model = scriptedModel([{ calls: [['writer', { message: 'A poem.' }]] }]);
  const desk = new Agent({ name: 'desk', model, tools: [agent.asTool({ delegate: true })] });
  const { result } = await streamed(desk);
  expect(result).toMatchObject({ status: 'completed', response: 'Two.', lastAgent: 'writer' });
  expect(result.reflection).toMatchObject({ score: 0.7, iterations: 2 });
  expect(result.newMessages.map(noted).at(-1)).toBe('assistant: Two.');
});

test('wherever it answers the run, textStream gives its best draft once', async () => {
  const call = { calls: [['writer', { message: 'A poem.' }]] } as const;
  const transfer = { calls: [['handoff_to_writer', { message: 'A poem.' }]] } as const;
  for (const given of [
    (agent: Agent) => ({ handoffs: [agent], model: scriptedModel([transfer]) }),
    (agent: Agent) => ({
      tools: [agent.asTool({ delegate: true })],
      model: scriptedModel([call]),
    }),
    (agent: Agent) => ({
      handoffConfig: { mode: 'sequential' as const, targets: [{ agent }] },
    }),
    (agent: Agent) => ({
      handoffConfig: {
        mode: 'coordinator' as const,
        strategy: 'best_match' as const,
        defaultReturn: 'bubble_up' as const,
        targets: [{ agent }],
      },
      model: scriptedModel([{ json: { agent: 'writer', reason: 'art' } }]),
    }),
  ]) {
    const { agent } = writing(drafts, judgements, twice);
    const desk = new Agent({ name: 'desk', ...given(agent) });
    const stream = new Runner(desk).stream('Write.');
    const text = (await collect(stream.textStream())).join('');
    const { response, reflection } = await stream.result;
    expect([text, response, reflection?.score]).toEqual(['Two.', 'Two.', 0.7]);
  }
});

test('called without success while rewriting, the best draft is its answer, not its failure', async () => {
  const { agent } = writing(['One.', { refusal: 'No.' }], [scored(0.5)], twice);
  const model = scriptedModel([{ calls: [['writer', { message: 'A poem.' }]] }, 'Done.']);
  const desk = new Agent({ name: 'desk', model, tools: [agent.asTool()] });
  const result = await new Runner(desk).run('Write.');
  expect(result.toolResults).toMatchObject([{ result: 'One.', isError: false }]);
});

test('in a chain, the next one reads the best draft; at its end, it answers the run', async () => {
  const first = writing(drafts, judgements, { ...twice, name: 'first' });
  const last = writing(drafts, judgements, { ...twice, name: 'last' });
  const desk = new Agent({
    name: 'desk',
    handoffConfig: {
      mode: 'sequential',
      targets: [{ agent: first.agent }, { agent: last.agent }],
    },
  });
  const { result, events } = await streamed(desk);
  expect(result).toMatchObject({ status: 'completed', response: 'Two.', lastAgent: 'last' });
  expect(result.handoffPath).toEqual(['desk', 'first', 'last']);
  expect(result.reflection).toMatchObject({ score: 0.7, iterations: 2 });
  expect(last.model.requests[0]?.messages.map(noted).at(-1)).toBe('user: first answered:\nTwo.');
  expect(events.filter(({ type }) => type === 'reflection')).toHaveLength(6);
});

test('side by side, each keeps its own drafts', async () => {
  const made = ['a', 'b', 'c'].map((name, index) =>
    writing([`${name} one.`, `${name} two.`], [scored(0.5), scored(index === 1 ? 0.1 : 0.9)], {
      name,
      maxReflectionIterations: 1,
    }),
  );
  const model = scriptedModel([
    { calls: made.map(({ agent }) => [agent.name, { message: 'Go.' }] as const) },
    'All.',
  ]);
  const desk = new Agent({ name: 'desk', model, tools: made.map(({ agent }) => agent.asTool()) });
  const store = memoryStore();
  const result = await new Runner(desk, { store }).run('Write.');
  expect(result.toolResults.map((one) => one.result)).toEqual(['a two.', 'b one.', 'c two.']);
  await journalOf(store, result.runId);
});

test('as a coordinator, it judges and rewrites what it made of the answers', async () => {
  const helper = new Agent({ name: 'helper', model: scriptedModel(['Fact.', 'Other fact.']) });
  const { agent, model } = writing(
    [
      { calls: [['helper', { message: 'Find.' }]] },
      'It is a fact.',
      { calls: [['helper', { message: 'Find more.' }]] },
      'Two facts.',
    ],
    [scored(0.5), scored(0.9)],
    { tools: [helper.asTool()] },
  );
  const store = memoryStore();
  const result = await new Runner(agent, { store }).run('Write.');
  expect([result.response, model.calls]).toEqual(['Two facts.', 4]);
  expect(result.reflection).toMatchObject({ score: 0.9, iterations: 1 });
  await journalOf(store, result.runId);
});

test('who is handed to while an answer is improved reads the request, not the drafts', async () => {
  const model = scriptedModel(['Here you are.']);
  const expert = new Agent({ name: 'expert', model });
  const { agent } = writing(
    ['A first try.', { calls: [['handoff_to_expert', { message: 'Take over.' }]] }],
    [scored(0.2, 'All wrong.')],
    { handoffs: [handoff(expert, { history: 'full' })] },
  );
  const store = memoryStore();
  const result = await new Runner(agent, { store }).run('Write.', { sessionId: 's' });
  expect(result).toMatchObject({ response: 'Here you are.', lastAgent: 'expert' });
  expect(result.reflection).toBeUndefined();
  expect(model.requests[0]?.messages.map(noted)).toEqual([
    'user: Write.',
    'user: writer handed this conversation over to you: Take over.',
  ]);
  await journalOf(store, result.runId);
});
