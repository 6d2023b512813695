import { expect, test } from 'vitest';
import { z } from 'zod';
import { dyingStore, journalOf, testClock, typesOf, verifyAll } from '../test/engine.ts';
import { Agent } from './agent.ts';
import { ModelError } from './errors.ts';
import { isDurable } from './events.ts';
import type { Json, JsonObject } from './json.ts';
import { memoryStore } from './memory-store.ts';
import { toPublicEvent } from './public-event.ts';
import { Runner } from './runner.ts';
import { collect, gate, scriptedModel, type ScriptedTurn } from './testing/index.ts';
import { tool, type Effect, type ToolContext } from './tool.ts';

const inSession = { sessionId: 's' };

/** A tool that does with its context what the test says. */
function uses(
  name: string,
  execute: (context: ToolContext, input: { readonly n: number }) => Json | Promise<Json>,
  options: {
    readonly effect?: Effect;
    readonly timeoutMs?: number;
    readonly retry?: { readonly maxRetries: number };
    readonly needsApproval?: boolean;
  } = {},
) {
  return tool({
    name,
    description: name,
    parameters: z.object({ n: z.number().default(0) }),
    execute: (input, context) => execute(context, input),
    ...options,
  });
}

const add = uses('add', ({ sessionState, updateSessionState }, { n }) => {
  updateSessionState({ sum: Number(sessionState['sum'] ?? 0) + n });
  return 'added';
});

function bot(script: readonly ScriptedTurn[], tools = [add]) {
  return new Agent({ name: 'bot', model: scriptedModel(script), tools });
}

const adds = (n: number): ScriptedTurn => ({ calls: [['add', { n }]] });

test('what a tool keeps with the session is there for the next call, the instructions and the next run', async () => {
  const store = memoryStore();
  const seen: JsonObject[] = [];
  const model = scriptedModel([adds(1), adds(2), 'Three.', adds(4), 'Seven.']);
  const agent = new Agent({
    name: 'bot',
    model,
    tools: [add],
    instructions: ({ sessionState }) => {
      seen.push(sessionState);
      return `The sum is ${JSON.stringify(sessionState['sum'] ?? 0)}.`;
    },
  });
  const runner = new Runner(agent, { store });
  const { runId } = await runner.run('Add.', inSession);
  expect((await store.sessions.load('s')).state).toEqual({ sum: 3 });
  await runner.run('More.', inSession);
  expect((await store.sessions.load('s')).state).toEqual({ sum: 7 });
  expect(seen).toEqual([{}, { sum: 1 }, { sum: 3 }, { sum: 3 }, { sum: 7 }]);
  expect(model.requests.map(({ instructions }) => instructions)).toContain('The sum is 3.');
  const journal = await journalOf(store, runId);
  expect(typesOf(journal).slice(2, 5)).toEqual(['tool-start', 'session-state', 'tool-result']);
  // Begun anew, the conversation keeps it.
  await runner.resetConversation('s');
  expect((await store.sessions.load('s')).state).toEqual({ sum: 7 });
});

test('fields are set one by one, and null removes one; a run that changes nothing writes nothing', async () => {
  const store = memoryStore();
  const set = uses('set', ({ updateSessionState, sessionState }, { n }) => {
    updateSessionState({ n, list: [n], lost: undefined });
    updateSessionState({ old: null, more: { deep: true } });
    // A call sees what it has set.
    return sessionState['more'] ?? null;
  });
  await store.sessions.commit(
    's',
    { state: { old: 1, kept: 'x' } },
    { expectedVersion: '0', operationId: 'a' },
  );
  const reads = uses('reads', ({ sessionState }) => sessionState);
  const runner = new Runner(
    bot(
      [{ calls: [['set', { n: 5 }]] }, 'Set.', { calls: [['reads', {}]] }, 'Read.'],
      [set, reads],
    ),
    { store },
  );
  await runner.run('Set.', inSession);
  const state = { kept: 'x', n: 5, list: [5], more: { deep: true } };
  expect((await store.sessions.load('s')).state).toEqual(state);
  const read = await runner.run('Read.', inSession);
  expect(read.toolResults[0]?.result).toEqual(state);
  expect(typesOf(await journalOf(store, read.runId))).not.toContain('session-state');
});

test('calls side by side change one state, each what it set', async () => {
  const store = memoryStore();
  const there = gate();
  const slow = uses('slow', async ({ updateSessionState }) => {
    updateSessionState({ slow: 1, both: 'slow' });
    await there.wait();
    return 1;
  });
  const quick = uses('quick', async ({ updateSessionState }) => {
    await there.reached;
    updateSessionState({ quick: 1, both: 'quick' });
    there.open();
    return 1;
  });
  const calls = ['slow', 'quick'].map((name) => [name, {}] as const);
  await new Runner(bot([{ calls }, 'Done.'], [slow, quick]), { store }).run('Go.', inSession);
  expect((await store.sessions.load('s')).state).toMatchObject({ slow: 1, quick: 1 });
  await verifyAll(store);
});

test('a call whose outcome does not count changes nothing', async () => {
  const cancel = new AbortController();
  const late: (() => void)[] = [];
  const cases = [
    uses('throws', ({ updateSessionState }) => {
      updateSessionState({ wrong: 1 });
      throw new Error('no');
    }),
    uses(
      'hangs',
      ({ updateSessionState }) => {
        updateSessionState({ wrong: 2 });
        late.push(() => updateSessionState({ wrong: 3 }));
        return new Promise<never>(() => undefined);
      },
      { timeoutMs: 5 },
    ),
    uses('cancelled', ({ updateSessionState }) => {
      updateSessionState({ wrong: 4 });
      cancel.abort();
      return new Promise<never>(() => undefined);
    }),
  ];
  for (const one of cases) {
    const store = memoryStore();
    const script = [adds(1), { calls: [[one.name, {}] as const] }, 'Done.'];
    const runner = new Runner(bot(script, [add, one]), { store });
    await runner.run('Go.', { ...inSession, signal: cancel.signal });
    for (const act of late) expect(act).toThrow();
    expect([one.name, (await store.sessions.load('s')).state]).toEqual([one.name, { sum: 1 }]);
    await verifyAll(store);
  }
});

test('of a call that is tried again, the try counts that returned', async () => {
  const store = memoryStore();
  let tries = 0;
  const flaky = uses(
    'flaky',
    ({ updateSessionState }) => {
      tries += 1;
      updateSessionState({ [`try${tries}`]: true });
      if (tries === 1) throw new Error('not yet');
      return 'done';
    },
    { effect: 'idempotent', retry: { maxRetries: 1 } },
  );
  await new Runner(bot([{ calls: [['flaky', {}]] }, 'Done.'], [flaky]), { store }).run(
    'Go.',
    inSession,
  );
  expect((await store.sessions.load('s')).state).toEqual({ try2: true });
});

test('however a run ends, the session has what its calls kept', async () => {
  for (const [script, options, status] of [
    [[adds(1), new ModelError('no', { reason: 'authentication' })], {}, 'failed'],
    [[adds(1)], { maxTurns: 1 }, 'stopped'],
  ] as const) {
    const store = memoryStore();
    const runner = new Runner(bot(script), { store });
    expect(await runner.run('Go.', { ...inSession, ...options })).toMatchObject({ status });
    expect((await store.sessions.load('s')).state).toEqual({ sum: 1 });
  }
});

test.each([
  ['read', { sum: 5 }],
  ['once', {}],
] as const)(
  'a process that dies while a %s tool works leaves no trace of what that set',
  async (effect, state) => {
    const clock = testClock();
    const memory = memoryStore({ now: clock.now });
    const under = gate();
    const crash = dyingStore(memory, { write: 99, when: 'after' });
    let runs = 0;
    const agent = () =>
      new Agent({
        name: 'bot',
        model: scriptedModel([{ calls: [['add', {}]] }, 'Done.'], { by: 'conversation' }),
        tools: [
          uses(
            'add',
            async ({ sessionState, updateSessionState }) => {
              updateSessionState({ sum: Number(sessionState['sum'] ?? 0) + 5 });
              runs += 1;
              if (runs === 1) await under.wait();
              return 1;
            },
            { effect },
          ),
        ],
      });
    void new Runner(agent(), { store: crash.store }).run('Go.', inSession).catch(() => undefined);
    await under.reached;
    crash.kill();
    const [run] = (await memory.runs.list({ limit: 1 })).runs;
    clock.pass(60_000);
    const result = await new Runner(agent(), { store: memory }).resume(run?.runId ?? '');
    expect(result.status).toBe('completed');
    expect((await memory.sessions.load('s')).state).toEqual(state);
    await verifyAll(memory);
    under.open();
  },
);

test('what a look outside found to have happened counts with what reconcile() set', async () => {
  const clock = testClock();
  const memory = memoryStore({ now: clock.now });
  const under = gate();
  const crash = dyingStore(memory, { write: 99, when: 'after' });
  const pay = tool({
    name: 'pay',
    description: 'Pays',
    parameters: z.object({}),
    execute: async () => {
      await under.wait();
      return 'paid';
    },
    reconcile: async (_input, { updateSessionState }) => {
      updateSessionState({ paid: true });
      return { done: true, output: 'paid' };
    },
  });
  const agent = () =>
    new Agent({
      name: 'bot',
      model: scriptedModel([{ calls: [['pay', {}]] }, 'Done.'], { by: 'conversation' }),
      tools: [pay],
    });
  void new Runner(agent(), { store: crash.store }).run('Go.', inSession).catch(() => undefined);
  await under.reached;
  crash.kill();
  const [run] = (await memory.runs.list({ limit: 1 })).runs;
  clock.pass(60_000);
  await new Runner(agent(), { store: memory }).resume(run?.runId ?? '');
  expect((await memory.sessions.load('s')).state).toEqual({ paid: true });
  await verifyAll(memory);
  under.open();
});

test('without a session the state lasts as long as the run, pauses included', async () => {
  const ask = uses('ask', ({ sessionState }) => sessionState, { needsApproval: true });
  const script = [
    adds(2),
    { calls: [['ask', {}] as const] },
    'Done.',
    { calls: [['ask', {}] as const] },
  ];
  const runner = new Runner(bot(script, [add, ask]));
  const paused = await runner.run('Go.');
  const [open] = paused.interruptions;
  const done = await runner.resume(paused.runId, [
    { interruptionId: open?.id ?? '', approved: true },
  ]);
  expect(done.toolResults.at(-1)?.result).toEqual({ sum: 2 });
  expect(await journalOf(runner, paused.runId)).toContainEqual(
    expect.objectContaining({ type: 'session-state', patch: { sum: 2 } }),
  );
});

test('agents that are asked and take over share it', async () => {
  const store = memoryStore();
  const sums = bot([adds(2), 'Two.']);
  const asked = new Agent({ name: 'sums', model: sums.model, tools: [add] });
  const agent = new Agent({
    name: 'bot',
    model: scriptedModel([adds(1), { calls: [['sums', { message: 'Add.' }]] }, 'Three.']),
    tools: [add, asked.asTool()],
  });
  await new Runner(agent, { store }).run('Go.', inSession);
  expect((await store.sessions.load('s')).state).toEqual({ sum: 3 });
});

test('it stays inside: a client sees that it changed, not what', async () => {
  const store = memoryStore();
  const runner = new Runner(bot([adds(1), 'Done.']), { store });
  const events = await collect(runner.stream('Go.', inSession));
  const changed = events.filter(isDurable).filter(({ type }) => type === 'session-state');
  expect(changed.map(toPublicEvent)).toEqual([
    expect.objectContaining({ type: 'session-state', call_id: 'f0.t1.c1' }),
  ]);
  expect(JSON.stringify(changed.map(toPublicEvent))).not.toContain('sum');
});

test.each<[unknown, string]>([
  [[1], 'was given a list'],
  ['sum', 'was given "sum"'],
  [{ big: 10n }, 'A bigint (10n) has no JSON form'],
  [{ text: 'x'.repeat(32_000) }, 'more than 32000 bytes'],
])('what cannot be kept is refused, and the tool can go on: %o', async (patch, message) => {
  const store = memoryStore();
  const set = uses('set', (context) => {
    context.updateSessionState({ fine: true });
    try {
      // Plain JavaScript may give anything.
      Reflect.apply(context.updateSessionState, undefined, [patch]);
      return 'taken';
    } catch (error) {
      return String(error);
    }
  });
  const result = await new Runner(bot([{ calls: [['set', {}]] }, 'Done.'], [set]), { store }).run(
    'Go.',
    inSession,
  );
  expect(result.toolResults[0]?.result).toContain(message);
  expect((await store.sessions.load('s')).state).toEqual({ fine: true });
});

test('a change after the result is refused', async () => {
  let kept: ToolContext['updateSessionState'] = () => undefined;
  const keeps = uses('keeps', ({ updateSessionState }) => {
    kept = updateSessionState;
    return 1;
  });
  await new Runner(bot([{ calls: [['keeps', {}]] }, 'Done.'], [keeps])).run('Go.');
  expect(() => kept({ late: true })).toThrow('after its result');
});
