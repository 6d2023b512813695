import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { journalOf, reloaded, typesOf, verifyAll } from '../test/engine.ts';
import { Agent } from './agent.ts';
import { compacted, planCompaction } from './compaction.ts';
import type { Compaction } from './events.ts';
import { handoff } from './handoff.ts';
import { memoryStore } from './memory-store.ts';
import { textOf, type Message } from './message.ts';
import type { ModelRequest } from './model.ts';
import { Runner } from './runner.ts';
import type { Store } from './store.ts';
import { faultyStore, scriptedModel } from './testing/index.ts';
import { tool } from './tool.ts';

const look = tool({
  name: 'look',
  description: 'Looks',
  parameters: z.object({}),
  effect: 'read',
  execute: () => 'a long text',
});

/** Messages as a person would note them down: u, a, c (calls), r (results), - (cleared). */
function noted(messages: readonly Message[]): string {
  return messages
    .map(({ role, parts: [part] }) => {
      if (part?.type === 'tool-call') return 'c';
      if (part?.type !== 'tool-result') return role.slice(0, 1);
      return part.output.type === 'json' && part.output.value === '(cleared)' ? '-' : 'r';
    })
    .join('');
}

function conversation(notes: string): Message[] {
  const call = { callId: 'c', toolName: 'look' } as const;
  return Array.from(notes, (note, index): Message => {
    const id = `m${index}`;
    const text = { type: 'text', text: id } as const;
    switch (note) {
      case 'u':
        return { id, role: 'user', parts: [text] };
      // What core tells a model of its answer.
      case 'v':
        return { id: `f0.t${index}.v`, runId: 'r', role: 'user', parts: [text] };
      case 'c':
        return { id, role: 'assistant', parts: [{ type: 'tool-call', ...call, input: {} }] };
      case 'r': {
        const output = { type: 'json', value: 'much' } as const;
        return { id, role: 'tool', parts: [{ type: 'tool-result', ...call, output }] };
      }
      default:
        return { id, role: 'assistant', parts: [text] };
    }
  });
}

function left(notes: string, compaction: Omit<Compaction, 'trigger'>): string {
  const messages = conversation(notes);
  const plan = planCompaction(messages, { trigger: {}, ...compaction });
  return plan === undefined ? 'all' : noted(compacted(messages, plan));
}

test.each([
  // Cut at a user's message, so that at least `keepLast` are left.
  ['uauaua', { keepLast: 2 }, 'ua'],
  ['uauaua', { keepLast: 3 }, 'uaua'],
  ['uauau', { keepLast: 1 }, 'u'],
  ['uaucrcrcra', { keepLast: 2 }, 'ucrcrcra'],
  // What core says as a user belongs to an answer.
  ['uauava', { keepLast: 2 }, 'uaua'],
  // Nothing is old enough.
  ['ucrcra', { keepLast: 2 }, 'all'],
  ['ua', { keepLast: 9 }, 'all'],
  ['aaaa', { keepLast: 1 }, 'all'],
  // Results become notes; calls stay with them.
  ['ucrcrcrcra', { clearToolResults: true }, 'uc-crcrcra'],
  ['ucrcrcrcra', { clearToolResults: true, keepLast: 3 }, 'uc-c-c-cra'],
  ['uauaua', { clearToolResults: true }, 'all'],
  ['uaucrcrcra', { keepLast: 3, clearToolResults: true }, 'uc-c-cra'],
] as const)('%s with %o becomes %s', (notes, compaction, expected) => {
  expect(left(notes, compaction).replaceAll('v', 'u')).toBe(expected);
});

const notes = fc
  .array(fc.constantFrom('ua', 'ucra', 'ucrcrcra', 'uava', 'u'), { maxLength: 8 })
  .map((turns) => turns.join(''));
const anyCompaction = fc
  .record({
    keepLast: fc.option(fc.integer({ min: 1, max: 12 }), { nil: undefined }),
    clearToolResults: fc.boolean(),
  })
  .map((one): Compaction => ({ trigger: {}, ...one }));

test('what is left begins with a request, has its calls with their results, and loses nothing more when it is folded again', () => {
  fc.assert(
    fc.property(notes, anyCompaction, (given, compaction) => {
      const messages = conversation(given);
      const plan = planCompaction(messages, compaction);
      if (plan === undefined) return;
      const kept = compacted(messages, plan);
      expect(kept[0]?.id).toMatch(/^m\d+$/);
      expect(kept[0]?.role).toBe('user');
      expect(noted(kept)).not.toMatch(/c(?![r-])|(?<!c)[r-]/);
      expect(kept.length).toBe(messages.length - plan.removed);
      expect(kept.length).toBeGreaterThanOrEqual(compaction.keepLast ?? 0);
      const last = messages.slice(-(compaction.keepLast ?? 6));
      expect(kept.slice(-last.length)).toEqual(last);
      // As whoever reads the session after the run does.
      expect(compacted(kept, plan)).toEqual(kept);
    }),
  );
});

/** How often a store was written to. */
function counted(inner: Store): { readonly store: Store; readonly writes: () => number } {
  let writes = 0;
  const store = faultyStore(inner, {
    before: ({ method }) => {
      if (/\.(create|append|commit)$/.test(method)) writes += 1;
    },
  });
  return { store, writes: () => writes };
}

function shownTo(requests: readonly ModelRequest[]): string[] {
  return requests.map(({ messages }) => noted(messages));
}

test('a conversation is cut when more messages would be shown, and the session keeps no more; the journals keep all', async () => {
  const memory = memoryStore();
  const { store, writes } = counted(memory);
  const model = scriptedModel(() => 'Yes.');
  const agent = new Agent({ name: 'bot', model });
  const compaction = { trigger: { messages: 5 }, keepLast: 3 };
  const runner = new Runner(agent, { store, compaction });
  const perRun: number[] = [];
  for (let turn = 1; turn <= 6; turn += 1) {
    const before = writes();
    await runner.run(`Turn ${turn}`, { sessionId: 's' });
    perRun.push(writes() - before);
  }
  expect(shownTo(model.requests)).toEqual(['u', 'uau', 'uauau', 'uau', 'uauau', 'uau']);
  const { messages } = await store.sessions.load('s');
  expect(messages.map(textOf)).toEqual(['Turn 5', 'Yes.', 'Turn 6', 'Yes.']);
  // Claim, create, confirm, end, commit: with and without.
  expect(perRun).toEqual([5, 5, 5, 5, 5, 5]);
  const journals = (await verifyAll(memory)).toReversed();
  expect(journals.map((journal) => typesOf(journal).includes('compaction'))).toEqual([
    false,
    false,
    false,
    true,
    false,
    true,
  ]);
  expect(
    journals.map(
      ([first]) =>
        first?.type === 'run-start' &&
        textOf(first.input[0] ?? { id: '', role: 'user', parts: [] }),
    ),
  ).toEqual([1, 2, 3, 4, 5, 6].map((turn) => `Turn ${turn}`));
});

test('the result has the conversation as the session keeps it, whenever it is read', async () => {
  const store = memoryStore();
  const runner = new Runner(new Agent({ name: 'bot', model: scriptedModel(() => 'Yes.') }), {
    store,
    compaction: { trigger: { messages: 2 }, keepLast: 1 },
  });
  const first = await runner.run('One', { sessionId: 's' });
  const second = await runner.run('Two', { sessionId: 's' });
  expect(noted(second.messages)).toBe('ua');
  expect((await store.sessions.load('s')).messages).toEqual(second.messages);
  const later = await runner.get(second.runId);
  expect(later?.status === 'completed' && later.messages).toEqual(second.messages);
  // What came before a run whose own messages are left out is left out, too.
  const past = await runner.get(first.runId);
  expect(past?.status === 'completed' && past.messages).toEqual(first.messages);
});

test('what a model says that it read counts for the next turn, and for the next run', async () => {
  const store = memoryStore();
  const read = (inputTokens: number) => ({ usage: { inputTokens } });
  const calls = [['look', {}]] as const;
  const model = scriptedModel([
    { text: 'One.', ...read(900) },
    { calls, ...read(1_000) },
    { calls, ...read(1_001) },
    { text: 'Two.', ...read(1_001) },
    'Three.',
  ]);
  const agent = new Agent({ name: 'bot', model, tools: [look] });
  const compaction = { trigger: { tokens: 1_000 }, keepLast: 2, clearToolResults: true };
  const runner = new Runner(agent, { store, compaction });
  await runner.run('1', { sessionId: 's' });
  const second = await runner.run('2', { sessionId: 's' });
  expect(shownTo(model.requests)).toEqual(['u', 'uau', 'uaucr', 'ucrcr']);
  await runner.run('3', { sessionId: 's' });
  expect(noted((await store.sessions.load('s')).messages)).toBe('uc-craua');
  expect(shownTo(model.requests).at(-1)).toBe('uc-crau');
  const journal = await journalOf(store, second.runId);
  expect(journal.filter(({ type }) => type === 'compaction')).toMatchObject([
    { removed: 2, cleared: 0 },
    { removed: 0, cleared: 1 },
  ]);
  // What a client is told of a call is not what a model is reminded of.
  expect(second.toolResults.map(({ result }) => result)).toEqual(['a long text', 'a long text']);
});

test('a run that is taken up elsewhere is compacted as it was begun', async () => {
  const calls = [['look', {}]] as const;
  const agent = () => {
    const model = scriptedModel([{ calls }, { calls }, 'Done.'], { by: 'conversation' });
    return { model, agent: new Agent({ name: 'bot', model, tools: [look] }) };
  };
  const compaction = { trigger: { messages: 3 }, keepLast: 2, clearToolResults: true };
  const first = memoryStore();
  const { runId } = await new Runner(agent().agent, { store: first, compaction }).start('Go.');
  let store: Store = first;
  const shown: string[] = [];
  for (let step = 0; step < 3; step += 1) {
    store = await reloaded(store, runId);
    const process = agent();
    await new Runner(process.agent, { store }).step(runId);
    shown.push(...shownTo(process.model.requests));
  }
  expect(shown).toEqual(['u', 'ucr', 'uc-cr']);
  await journalOf(store, runId);
});

test('who takes a conversation over leaves out the same; who was asked keeps what it was asked', async () => {
  const store = memoryStore();
  const taken = scriptedModel(['Bills here.', 'Again.']);
  const bills = new Agent({ name: 'bills', model: taken });
  const asked = scriptedModel(['It is 7.']);
  const sums = new Agent({ name: 'sums', model: asked });
  const desk = new Agent({
    name: 'desk',
    model: scriptedModel([
      'Hello.',
      { calls: [['sums', { message: '3 + 4?' }]] },
      { calls: [['handoff_to_bills', { message: 'A bill.' }]] },
    ]),
    tools: [sums.asTool({ history: 'full' })],
    handoffs: [handoff(bills)],
  });
  const compaction = { trigger: { messages: 1 }, keepLast: 1 };
  const runner = new Runner(desk, { store, compaction });
  await runner.run('Hi.', { sessionId: 's' });
  const result = await runner.run('What do I owe?', { sessionId: 's' });
  expect(result.response).toBe('Bills here.');
  expect(asked.requests.map(({ messages }) => messages.map(textOf))).toEqual([['3 + 4?']]);
  expect(taken.requests[0]?.messages.map(textOf)).toEqual([
    'What do I owe?',
    '',
    '',
    'desk handed this conversation over to you: A bill.',
  ]);
  const { messages } = await store.sessions.load('s');
  expect(textOf(messages[0] ?? { id: '', role: 'user', parts: [] })).toBe('What do I owe?');
  await runner.run('And now?', { sessionId: 's' });
  expect(taken.requests.at(-1)?.messages.map(textOf)).toEqual(['And now?']);
  await verifyAll(store);
});

test('a history that a client sends itself is cut as well', async () => {
  const model = scriptedModel(() => 'Yes.');
  const runner = new Runner(new Agent({ name: 'bot', model }), {
    compaction: { trigger: { messages: 3 }, keepLast: 2 },
  });
  const said = (role: 'user' | 'assistant', content: string) => ({ role, content });
  const history = [said('user', 'a'), said('assistant', 'b'), said('user', 'c'), said('user', 'd')];
  const result = await runner.run(history);
  expect(model.requests[0]?.messages.map(textOf)).toEqual(['c', 'd']);
  expect(result.newMessages.map(textOf)).toEqual(['a', 'b', 'c', 'd', 'Yes.']);
});

test.each([
  [{ trigger: {}, keepLast: 2 }, 'says nothing'],
  [{ trigger: { messages: 0 }, keepLast: 2 }, 'trigger.messages is 0'],
  [{ trigger: { tokens: Number.NaN }, keepLast: 2 }, 'trigger.tokens is NaN'],
  [{ trigger: { messages: 9 } }, 'would leave nothing out'],
  [{ trigger: { messages: 9 }, keepLast: 0 }, 'keepLast is 0'],
  [{ trigger: { messages: 9 }, keepLast: 2, summarize: false }, 'unknown option "summarize"'],
  [{ keepLast: 2 }, 'compaction.trigger was given undefined'],
])('a compaction that could not work is refused: %o', async (compaction, message) => {
  const agent = new Agent({ name: 'bot', model: scriptedModel(['Yes.']) });
  // Plain JavaScript may give anything.
  const given: Compaction = Object.assign({ trigger: {} }, { trigger: undefined }, compaction);
  expect(() => new Runner(agent, { compaction: given })).toThrow(message);
  await expect(new Runner(agent).run('Go.', { compaction: given })).rejects.toThrow(message);
});
