import { expect, test } from 'vitest';
import { verifyAll } from '../test/engine.ts';
import { Agent } from './agent.ts';
import type { Compaction } from './events.ts';
import { memoryStore } from './memory-store.ts';
import type { Message } from './message.ts';
import { Runner } from './runner.ts';
import type { SessionLimits } from './session-limits.ts';
import { scriptedModel } from './testing/index.ts';

function bot() {
  return new Agent({ name: 'bot', model: scriptedModel(() => 'Yes.') });
}

/** A session with so many turns, each with a question of so many characters. */
async function sessionOf(turns: number, characters: number) {
  const store = memoryStore();
  const messages = Array.from({ length: turns }, (_, turn): Message[] => [
    { id: `u${turn}`, role: 'user', parts: [{ type: 'text', text: 'x'.repeat(characters) }] },
    { id: `a${turn}`, role: 'assistant', parts: [{ type: 'text', text: 'Yes.' }] },
  ]).flat();
  await store.sessions.commit(
    's',
    { append: messages },
    { expectedVersion: '0', operationId: 'base' },
  );
  return store;
}

test.each([
  [3, 10, { messages: 5 }, /has 6 messages; it may have 5 \(sessionLimits\)\. Begin a new one or/],
  [1, 900, { bytes: 1_000 }, /has more than the 1000 bytes that it may have/],
  [1_001, 1, {}, /has 2002 messages; it may have 2000/],
  [90, 100_000, {}, /has more than the 8000000 bytes/],
] as const)(
  'a conversation of %d turns of %d characters is too large for a run (%o)',
  async (turns, characters, sessionLimits, message) => {
    const store = await sessionOf(turns, characters);
    const before = await store.sessions.load('s');
    const runner = new Runner(bot(), { store, sessionLimits });
    const refused = runner.run('Hi', { sessionId: 's' });
    await expect(refused).rejects.toThrow(message);
    await expect(refused).rejects.toMatchObject({ code: 'limit', httpStatus: 413 });
    // Nothing was claimed, and nothing recorded.
    expect(await store.sessions.load('s')).toEqual(before);
    expect((await store.runs.list({ limit: 1 })).runs).toEqual([]);
    // Begun anew under its id, it has room again.
    await runner.resetConversation('s');
    expect((await runner.run('Hi', { sessionId: 's' })).status).toBe('completed');
  },
);

test('at its limit a conversation still takes a run', async () => {
  const store = await sessionOf(3, 10);
  const runner = new Runner(bot(), { store, sessionLimits: { messages: 6 } });
  expect((await runner.run('Hi', { sessionId: 's' })).status).toBe('completed');
  await expect(runner.run('Hi', { sessionId: 's' })).rejects.toMatchObject({ code: 'limit' });
});

test.each<Compaction>([
  { trigger: { messages: 100 }, keepLast: 2 },
  { trigger: { tokens: 100_000 }, keepLast: 2 },
])('what compaction makes fit is compacted at once: %o', async (compaction) => {
  const store = await sessionOf(3, 10);
  const model = scriptedModel(() => 'Yes.');
  const agent = new Agent({ name: 'bot', model });
  const runner = new Runner(agent, { store, compaction, sessionLimits: { messages: 5 } });
  expect((await runner.run('Hi', { sessionId: 's' })).status).toBe('completed');
  expect(model.requests[0]?.messages).toHaveLength(3);
  expect((await store.sessions.load('s')).messages).toHaveLength(4);
  await verifyAll(store);
});

test('what compaction does not make fit is refused with what is left to do', async () => {
  const store = await sessionOf(3, 10);
  const compaction = { trigger: { messages: 100 }, keepLast: 4 };
  const runner = new Runner(bot(), { store, compaction, sessionLimits: { messages: 2 } });
  await expect(runner.run('Hi', { sessionId: 's' })).rejects.toThrow(
    'Conversation s has 6 messages; it may have 2 (sessionLimits), and compaction does not make it fit. Begin a new one or reset it (reset_conversation of a chat, Runner.resetConversation in code).',
  );
});

test('a run that is there is found by its key, however large its conversation has become', async () => {
  const store = await sessionOf(3, 10);
  const options = { sessionId: 's', idempotencyKey: 'k'.repeat(32) };
  const runner = new Runner(bot(), { store, sessionLimits: { messages: 6 } });
  const first = await runner.run('Hi', options);
  expect((await runner.run('Hi', options)).runId).toBe(first.runId);
});

test.each([
  [{ messages: 0 }, 'sessionLimits.messages is 0'],
  [{ bytes: Number.NaN }, 'sessionLimits.bytes is NaN'],
  [{ message: 5 }, 'unknown option "message"'],
])('limits that cannot be meant are refused: %o', (limits, message) => {
  // Plain JavaScript may give anything.
  const sessionLimits: SessionLimits = Object.fromEntries(Object.entries(limits));
  expect(() => new Runner(bot(), { sessionLimits })).toThrow(message);
});
