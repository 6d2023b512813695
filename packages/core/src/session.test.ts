import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { dyingStore, journalOf, testClock, typesOf, verifyAll } from '../test/engine.ts';
import { Agent } from './agent.ts';
import { ModelError } from './errors.ts';
import { textOf } from './message.ts';
import { memoryStore } from './memory-store.ts';
import { Runner } from './runner.ts';
import type { Store } from './store.ts';
import {
  collect,
  eventually,
  faultyStore,
  gate,
  scriptedModel,
  type Script,
  type StoreMethod,
} from './testing/index.ts';
import { tool } from './tool.ts';

function bot(script: Script = (_request) => 'Hello.') {
  return new Agent({ name: 'bot', model: scriptedModel(script) });
}

const pay = tool({
  name: 'pay',
  description: 'Pays',
  parameters: z.object({}),
  execute: () => 'paid',
});
const ask = tool({
  name: 'ask',
  description: 'Asks',
  parameters: z.object({}),
  needsApproval: true,
  execute: () => 'done',
});

async function said(store: Store, sessionId = 's'): Promise<string[]> {
  const { messages } = await store.sessions.load(sessionId);
  return messages.map((one) => `${one.role}: ${textOf(one)}`);
}

test('a session works on one run at a time; who comes meanwhile learns on which', async () => {
  const there = gate();
  const store = memoryStore();
  const runner = new Runner(bot([{ before: there, text: 'First.' }, 'Second.']), { store });
  const running = runner.run('One', { sessionId: 's' });
  await there.reached;
  const { activeRunId, activeConfirmed } = await store.sessions.load('s');
  expect(activeConfirmed).toBe(true);
  await expect(runner.run('Two', { sessionId: 's' })).rejects.toMatchObject({
    code: 'session_busy',
    activeRunId,
  });
  expect((await store.runs.list({ limit: 9 })).runs).toHaveLength(1);
  there.open();
  const first = await running;
  expect(first.runId).toBe(activeRunId);
  const second = await runner.run('Two', { sessionId: 's' });
  expect(second.messages.map(({ role }) => role)).toEqual([
    'user',
    'assistant',
    'user',
    'assistant',
  ]);
  expect(await said(store)).toEqual([
    'user: One',
    'assistant: First.',
    'user: Two',
    'assistant: Second.',
  ]);
  await verifyAll(store);
});

test('of many that start at once exactly one does', async () => {
  const store = memoryStore();
  const there = gate();
  const agent = bot(() => ({ before: there, text: 'Yes.' }));
  const settled = Promise.allSettled(
    Array.from({ length: 8 }, (_, n) =>
      new Runner(agent, { store }).run(`${n}`, { sessionId: 's' }),
    ),
  );
  await there.reached;
  there.open();
  const statuses = (await settled).map(({ status }) => status);
  expect(statuses.filter((status) => status === 'fulfilled')).toHaveLength(1);
  expect(await said(store)).toHaveLength(2);
  expect((await store.runs.list({ limit: 9 })).runs).toHaveLength(1);
});

test('a session that waits for an answer is busy, and free when the run has ended', async () => {
  const store = memoryStore();
  const model = scriptedModel([{ calls: [['ask', {}]] }, 'Asked.', 'Next.']);
  const runner = new Runner(new Agent({ name: 'bot', model, tools: [ask] }), { store });
  const paused = await runner.run('One', { sessionId: 's' });
  await expect(runner.run('Two', { sessionId: 's' })).rejects.toMatchObject({
    code: 'session_busy',
    activeRunId: paused.runId,
  });
  const decisions = paused.interruptions.map(({ id }) => ({
    interruptionId: id,
    approved: true as const,
  }));
  const done = await runner.resume(paused.runId, decisions);
  expect(done.messages).toHaveLength(4);
  expect((await runner.run('Two', { sessionId: 's' })).status).toBe('completed');
});

test('a run whose process died between its end and the commit is in the session before the next begins', async () => {
  const memory = memoryStore();
  const crash = dyingStore(memory, { write: 5, when: 'before' });
  // claim, create, confirm, end; the commit is the fifth write.
  void new Runner(bot(), { store: crash.store })
    .run('One', { sessionId: 's' })
    .catch(() => undefined);
  await crash.gone;
  const [journal] = await verifyAll(memory);
  expect(journal?.at(-1)?.type).toBe('run-end');
  expect(await said(memory)).toEqual([]);
  const model = scriptedModel(['Second.']);
  const next = new Runner(new Agent({ name: 'bot', model }), { store: memory });
  await next.run('Two', { sessionId: 's' });
  expect(model.requests[0]?.messages).toHaveLength(3);
  expect(await said(memory)).toEqual([
    'user: One',
    'assistant: Hello.',
    'user: Two',
    'assistant: Second.',
  ]);
});

test('a claim whose run was never created counts for a minute', async () => {
  const clock = testClock();
  const memory = memoryStore({ now: clock.now });
  const crash = dyingStore(memory, { write: 2, when: 'before' });
  void new Runner(bot(), { store: crash.store })
    .run('One', { sessionId: 's' })
    .catch(() => undefined);
  await crash.gone;
  const next = new Runner(bot(), { store: memory });
  await expect(next.run('Two', { sessionId: 's' })).rejects.toMatchObject({ code: 'session_busy' });
  clock.pass(59_000);
  await expect(next.run('Two', { sessionId: 's' })).rejects.toMatchObject({ code: 'session_busy' });
  clock.pass(1_001);
  expect((await next.run('Two', { sessionId: 's' })).status).toBe('completed');
  expect(await said(memory)).toEqual(['user: Two', 'assistant: Hello.']);
});

test('a run that was created and not confirmed goes on, in its session', async () => {
  const clock = testClock();
  const memory = memoryStore({ now: clock.now });
  const crash = dyingStore(memory, { write: 3, when: 'before' });
  void new Runner(bot(), { store: crash.store })
    .run('One', { sessionId: 's' })
    .catch(() => undefined);
  await crash.gone;
  const { activeRunId } = await memory.sessions.load('s');
  clock.pass(60_000);
  const other = new Runner(bot(), { store: memory });
  const result = await other.resume(activeRunId ?? '');
  expect(result.status).toBe('completed');
  expect(await said(memory)).toEqual(['user: One', 'assistant: Hello.']);
  await journalOf(memory, result.runId);
});

test('a run that lost its session before it was confirmed is no more', async () => {
  const clock = testClock();
  const memory = memoryStore({ now: clock.now });
  const { sessions } = memory;
  const slow = faultyStore(memory, {
    before: async ({ method }) => {
      if (method !== 'runs.create' || clock.now() !== start) return;
      // The process sleeps for an hour between its claim and its create; somebody else starts.
      clock.pass(3_600_000);
      await new Runner(bot(), { store: memory }).run('Two', { sessionId: 's' });
    },
  });
  const start = clock.now();
  const late = new Runner(bot(), { store: slow }).run('One', { sessionId: 's' });
  await expect(late).rejects.toMatchObject({ code: 'session_busy' });
  expect(await said(memory)).toEqual(['user: Two', 'assistant: Hello.']);
  expect((await memory.runs.list({ limit: 9 })).runs).toHaveLength(1);
  expect((await sessions.load('s')).activeRunId).toBeUndefined();
});

test('however a run ends, the session has its input, what was done, and a note', async () => {
  const abort = new AbortController();
  const slow = tool({
    name: 'slow',
    description: 'Slow',
    parameters: z.object({}),
    execute: () => {
      abort.abort();
      return new Promise<never>(() => undefined);
    },
  });
  const calls = [
    ['pay', {}],
    ['slow', {}],
  ] as const;
  const cases = [
    {
      script: [{ calls: [['pay', {}]] }, new ModelError('no', { reason: 'authentication' })],
      options: {},
      status: 'failed',
    },
    { script: [{ calls: [['pay', {}]] }], options: { maxTurns: 1 }, status: 'stopped' },
    { script: [{ calls }], options: { signal: abort.signal }, status: 'cancelled' },
  ] as const;
  for (const { script, options, status } of cases) {
    const store = memoryStore();
    const model = scriptedModel(script);
    const runner = new Runner(new Agent({ name: 'bot', model, tools: [pay, slow] }), { store });
    const result = await runner.run('Pay.', { sessionId: 's', ...options });
    expect(result.status).toBe(status);
    const { messages, activeRunId } = await store.sessions.load('s');
    expect(activeRunId).toBeUndefined();
    expect(messages.map(({ role }) => role)).toEqual(['user', 'assistant', 'tool', 'assistant']);
    const results = messages[2]?.parts ?? [];
    expect(results.length).toBe(messages[1]?.parts.length);
    expect(messages.at(-1)?.parts).toMatchObject([
      { text: expect.stringContaining('not finished') },
    ]);
    await journalOf(store, result.runId);
  }
});

test('a closed session takes no run', async () => {
  const store = memoryStore();
  const change = { closed: true };
  await store.sessions.commit('s', change, { expectedVersion: '0', operationId: 'close' });
  await expect(new Runner(bot(), { store }).run('Hi', { sessionId: 's' })).rejects.toMatchObject({
    code: 'session_closed',
  });
  expect((await store.runs.list({ limit: 1 })).runs).toEqual([]);
});

test("somebody else's session is not there", async () => {
  const store = memoryStore();
  const runner = new Runner(bot(), { store });
  await runner.run('Hi', { sessionId: 's', principal: { id: 'ann' } });
  for (const principal of [{ id: 'bob' }, undefined]) {
    await expect(runner.run('Hi', { sessionId: 's', principal })).rejects.toMatchObject({
      code: 'not_found',
    });
  }
  const again = await runner.run('Hi', { sessionId: 's', principal: { id: 'ann' } });
  expect(again.messages).toHaveLength(4);
});

test('the result of a run has the conversation as it was when it ended, whenever it is read', async () => {
  const store = memoryStore();
  const runner = new Runner(bot(), { store });
  const first = await runner.run('One', { sessionId: 's' });
  await runner.run('Two', { sessionId: 's' });
  const later = await runner.get(first.runId);
  expect(later).toMatchObject({ status: 'completed', response: 'Hello.' });
  expect(later?.status === 'completed' && later.messages).toEqual(first.messages);
});

// Idempotency.

const key = 'k'.repeat(32);

test('the same key and request find the same run: while it runs, after its end, and when it failed', async () => {
  const store = memoryStore();
  const there = gate();
  const model = scriptedModel([{ before: there, text: 'Once.' }]);
  const runner = new Runner(new Agent({ name: 'bot', model }), { store });
  const options = { idempotencyKey: key, sessionId: 's' };
  const first = runner.run('Go', options);
  await there.reached;
  const joined = new Runner(new Agent({ name: 'bot', model }), { store }).run('Go', options);
  there.open();
  const [a, b, c] = [await first, await joined, await runner.run('Go', options)];
  expect(new Set([a.runId, b.runId, c.runId]).size).toBe(1);
  expect([a, b, c].map(({ response }) => response)).toEqual(['Once.', 'Once.', 'Once.']);
  expect(model.calls).toBe(1);
  expect(await said(store)).toHaveLength(2);

  const failing = new Runner(bot([new ModelError('no', { reason: 'permission' })]), { store });
  const other = { idempotencyKey: `${key}2` };
  const failed = await failing.run('Go', other);
  const again = await failing.run('Go', other);
  expect(again.runId).toBe(failed.runId);
  expect(again).toMatchObject({ status: 'failed', error: failed.error });
});

test('two at once with one key are one run', async () => {
  for (const sessionId of [undefined, 's']) {
    const store = memoryStore();
    const model = scriptedModel(() => 'Once.');
    const agent = new Agent({ name: 'bot', model });
    const results = await Promise.all(
      Array.from({ length: 5 }, () =>
        new Runner(agent, { store }).run('Go', { idempotencyKey: key, sessionId }),
      ),
    );
    expect(new Set(results.map(({ runId }) => runId)).size).toBe(1);
    expect(model.calls).toBe(1);
    const session = await store.sessions.load('s');
    expect(session.activeRunId).toBeUndefined();
    expect(session.messages).toHaveLength(sessionId === undefined ? 0 : 2);
    await verifyAll(store);
  }
});

test('the same key with another request is refused, and harms neither the run nor its session', async () => {
  const store = memoryStore();
  const runner = new Runner(bot(), { store });
  await runner.run('Go', { idempotencyKey: key, sessionId: 's' });
  for (const [input, sessionId] of [
    ['Go on', 's'],
    ['Go', 't'],
  ] as const) {
    await expect(runner.run(input, { idempotencyKey: key, sessionId })).rejects.toMatchObject({
      code: 'idempotency_mismatch',
    });
  }
  expect((await store.sessions.load('t')).activeRunId).toBeUndefined();
  expect((await runner.run('Next', { sessionId: 's' })).status).toBe('completed');
  expect((await runner.run('Next', { sessionId: 't' })).status).toBe('completed');
});

test('two at once with one key and different requests: one runs, one is refused, no session is lost', async () => {
  for (const sessions of [
    ['s', 's'],
    ['s', 't'],
  ] as const) {
    const store = memoryStore();
    const agent = bot();
    const settled = await Promise.allSettled(
      sessions.map((sessionId, n) =>
        new Runner(agent, { store }).run(`Go ${n}`, { idempotencyKey: key, sessionId }),
      ),
    );
    expect(settled.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    for (const sessionId of new Set(sessions)) {
      expect((await store.sessions.load(sessionId)).activeRunId).toBeUndefined();
      const next = await new Runner(agent, { store }).run('Next', { sessionId });
      expect(next.status).toBe('completed');
    }
    const all = [...(await said(store, 's')), ...(await said(store, 't'))];
    expect(all.filter((text) => text.startsWith('user: Go'))).toHaveLength(1);
  }
});

test('a repeat that starts slowly finds the run ended, and leaves its session free', async () => {
  const store = memoryStore();
  const slow = gate();
  const model = scriptedModel(() => 'Once.');
  const options = { idempotencyKey: key, sessionId: 's' };
  const agent = new Agent({ name: 'bot', model });
  const sleepy = new Agent({
    name: 'bot',
    model,
    beforeRun: async () => {
      await slow.wait();
      return undefined;
    },
  });
  const late = new Runner(sleepy, { store }).run('Go', options);
  await slow.reached;
  const first = await new Runner(agent, { store }).run('Go', options);
  slow.open();
  expect((await late).runId).toBe(first.runId);
  expect(await said(store)).toHaveLength(2);
  expect((await store.sessions.load('s')).activeRunId).toBeUndefined();
  const next = await new Runner(agent, { store }).run('Next', { sessionId: 's' });
  expect(next.messages).toHaveLength(4);
});

test('a key belongs to its owner and agent, and without an owner must be long', async () => {
  const store = memoryStore();
  const runner = new Runner(bot(), { store });
  const ids = new Set<string>();
  for (const principal of [{ id: 'ann' }, { id: 'bob' }]) {
    ids.add((await runner.run('Go', { idempotencyKey: 'short', principal })).runId);
  }
  ids.add((await runner.run('Go', { idempotencyKey: key })).runId);
  const other = new Agent({ name: 'other', model: scriptedModel(['Hi.']) });
  ids.add((await new Runner(other, { store }).run('Go', { idempotencyKey: key })).runId);
  expect(ids.size).toBe(4);
  await expect(runner.run('Go', { idempotencyKey: 'short' })).rejects.toThrow('at least 32');
  await expect(new Runner(bot()).run('Go', { idempotencyKey: key })).rejects.toThrow('store');
});

test('a stream with a key is known by the id of its run, the joined one too', async () => {
  const store = memoryStore();
  const runner = new Runner(bot(['Once.']), { store });
  const first = runner.stream('Go', { idempotencyKey: key });
  const { runId } = await first.started;
  expect(first.runId).toBe(runId);
  await first.result;
  const joined = runner.stream('Go', { idempotencyKey: key });
  const types = [];
  for await (const event of joined) types.push(event.type);
  expect(joined.runId).toBe(runId);
  expect(types).toEqual(['run-start', 'model-response', 'frame-end', 'run-end']);
});

test('a joined stream of a run that nobody can go on with ends with why', async () => {
  const store = memoryStore();
  const agent = new Agent<{ db: string }>({ name: 'bot', model: scriptedModel([]) });
  const options = { idempotencyKey: key, context: { db: 'x' } };
  const runner = new Runner(agent, { store });
  await runner.start('Go', options);
  const lacking = new Runner<unknown>(new Agent({ name: 'bot', model: scriptedModel([]) }), {
    store,
  });
  const stream = lacking.stream('Go', { idempotencyKey: key });
  await expect(collect(stream)).rejects.toMatchObject({ code: 'not_configured' });
});

const methods: readonly StoreMethod[] = ['runs.create', 'runs.append', 'sessions.commit'];

test('answers that are lost anywhere lose and double nothing, with two turns of a conversation', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.record({
          method: fc.constantFrom(...methods),
          nth: fc.integer({ min: 1, max: 8 }),
          fail: fc.constantFrom('before' as const, 'after' as const),
        }),
        { minLength: 1, maxLength: 2 },
      ),
      async (faults) => {
        const memory = memoryStore();
        const store = faultyStore(memory, { faults });
        const model = scriptedModel([
          { calls: [['pay', {}]] },
          'One.',
          { calls: [['pay', {}]] },
          'Two.',
        ]);
        const agent = new Agent({ name: 'bot', model, tools: [pay] });
        const runner = new Runner(agent, { store });
        await runner.run('1', { sessionId: 's', idempotencyKey: `${key}1` });
        await runner.run('2', { sessionId: 's', idempotencyKey: `${key}2` });
        expect(
          typesOf((await verifyAll(memory)).flat()).filter((type) => type === 'run-end'),
        ).toHaveLength(2);
        expect(await said(memory)).toEqual([
          'user: 1',
          'assistant: ',
          'tool: ',
          'assistant: One.',
          'user: 2',
          'assistant: ',
          'tool: ',
          'assistant: Two.',
        ]);
      },
    ),
    { numRuns: 60 },
  );
});

test('a request that finds an abandoned run wakes it', async () => {
  const clock = testClock();
  const memory = memoryStore({ now: clock.now });
  const crash = dyingStore(memory, { write: 4, when: 'before' });
  void new Runner(bot(), { store: crash.store })
    .run('One', { sessionId: 's' })
    .catch(() => undefined);
  await crash.gone;
  clock.pass(60_000);
  const next = new Runner(bot(), { store: memory });
  await expect(next.run('Two', { sessionId: 's' })).rejects.toMatchObject({ code: 'session_busy' });
  await eventually(
    async () => (await memory.sessions.load('s')).activeRunId === undefined,
    'the abandoned run is finished',
  );
  expect(await said(memory)).toEqual(['user: One', 'assistant: Hello.']);
  await verifyAll(memory);
});
