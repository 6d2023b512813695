import { expect, test } from 'vitest';
import { z } from 'zod';
import { dyingStore, journalOf, testClock, typesOf } from '../test/engine.ts';
import { wakingStore } from '../test/waking-store.ts';
import { Agent, withContext } from './agent.ts';

import { memoryStore } from './memory-store.ts';
import { Runner } from './runner.ts';
import type { Store } from './store.ts';
import { eventually, gate, rejection, scriptedModel, type Script } from './testing/index.ts';
import { tool } from './tool.ts';

const leaseMs = 30_000;
const behindMs = 100;
const earlyMs = 1_000;

function bot(script: Script = ['Hello.']): Agent {
  return new Agent({ name: 'bot', model: scriptedModel(script) });
}

test('a run is created, and taken up, under a wake that comes when the lease has lapsed', async () => {
  const clock = testClock();
  const { store, done, scheduled, holders } = wakingStore({ now: clock.now });
  const runner = new Runner(bot(), { store, leaseMs });
  const { runId } = await runner.start('Hi');
  expect(done).toEqual(['schedule', 'create', 'release']);
  await runner.resume(runId);
  expect(done.slice(3)).toEqual(['schedule', 'acquire', 'release']);
  expect(new Set(holders).size).toBe(2);
  expect(scheduled).toEqual(
    holders.map((holder) => ({
      call: { runId, holder },
      atMs: clock.now() + leaseMs + behindMs - earlyMs,
    })),
  );
});

test('a lease that took longer to get than it holds has another wake', async () => {
  const { store, done } = wakingStore();
  const slow: Store = {
    ...store,
    runs: {
      ...store.runs,
      create: async (...args) => {
        await new Promise((resolve) => setTimeout(resolve, 150));
        return store.runs.create(...args);
      },
    },
  };
  await new Runner(bot(), { store: slow, leaseMs: 100 }).run('Hi');
  expect(done.slice(0, 3)).toEqual(['schedule', 'create', 'schedule']);
});

test('a store without wakes is asked for none, and a run that cannot be guarded is not begun', async () => {
  const { runId } = await new Runner(bot(), { store: memoryStore() }).run('Hi');
  expect(runId).not.toBe('');
  const { store, done } = wakingStore();
  const broken: Store = {
    ...store,
    wake: { schedule: () => Promise.reject(new Error('The queue is gone.')) },
  };
  const runner = new Runner(bot(), { store: broken });
  await expect(runner.run('Hi', { sessionId: 's' })).rejects.toThrow('The queue is gone.');
  expect(done).toEqual([]);
  expect((await store.sessions.load('s')).activeRunId).toBeUndefined();
});

function asking(expiresInMs?: number) {
  const paid: string[] = [];
  const pay = tool({
    name: 'pay',
    description: 'Pays',
    parameters: z.object({}),
    needsApproval: true,
    ...(expiresInMs === undefined ? {} : { approvalTimeoutMs: expiresInMs }),
    execute: (_input, { callId }) => {
      paid.push(callId);
      return 'paid';
    },
  });
  const model = scriptedModel([{ calls: [['pay', {}]] }, 'Done.'], { by: 'conversation' });
  return { paid, agent: new Agent({ name: 'bot', model, tools: [pay] }) };
}

test('a decision and a cancel are posted behind a wake that comes a moment later', async () => {
  const clock = testClock();
  const { store, done, scheduled } = wakingStore({ now: clock.now });
  const runner = new Runner(asking().agent, { store });
  const { runId, interruptions } = await runner.run('Pay.');
  const before = done.length;
  await runner.post(runId, {
    id: 'd1',
    type: 'decide',
    decisions: [{ interruptionId: interruptions[0]?.id ?? '', approved: true }],
  });
  await runner.post(runId, { id: 'c1', type: 'cancel' });
  expect(done.slice(before)).toEqual(['schedule', 'post', 'schedule', 'post']);
  expect(scheduled.slice(-2)).toEqual([
    { call: { runId }, atMs: clock.now() + 1_000 },
    { call: { runId }, atMs: clock.now() + 1_000 },
  ]);
});

test('a wake goes on with a run that nobody holds, to its end', async () => {
  const { store } = wakingStore();
  const runner = new Runner(bot(), { store });
  const { runId } = await runner.start('Hi');
  expect(await runner.wake({ runId })).toBe('ended');
  expect(await runner.get(runId)).toMatchObject({ status: 'completed', finalOutput: 'Hello.' });
  expect(await runner.wake({ runId })).toBe('ended');
});

test('a wake that finds the run held comes again for the lapse if it watches over that lease, else not', async () => {
  const clock = testClock();
  const { store, scheduled, holders } = wakingStore({ now: clock.now });
  const working = gate();
  const runner = new Runner(bot([{ before: working, text: 'Hello.' }]), { store, leaseMs });
  const running = runner.run('Hi');
  await working.reached;
  const [first] = scheduled;
  const runId = first?.call.runId ?? '';
  const [holder = ''] = holders;
  expect(await runner.wake({ runId })).toBe('held');
  expect(await runner.wake({ runId, holder: 'who held it before' })).toBe('held');
  expect(scheduled).toHaveLength(1);
  clock.pass(10_000);
  expect(await runner.wake({ runId, holder })).toBe('held');
  const lease = (await store.runs.peek(runId))?.lease;
  expect(scheduled.slice(1)).toEqual([
    { call: { runId, holder }, atMs: (lease?.expiresAt ?? 0) + behindMs - earlyMs },
  ]);
  working.open();
  await running;
  expect(await runner.wake({ runId, holder })).toBe('ended');
  expect(scheduled).toHaveLength(2);
});

test('when the holder has gone, the wake over its lease takes the run up', async () => {
  const clock = testClock();
  const memory = memoryStore({ now: clock.now });
  const { store, scheduled } = wakingStore({ memory });
  const dying = dyingStore(store, { write: 2, when: 'before' });
  const agent = bot([{ text: 'Hello.' }, { text: 'Hello.' }]);
  void new Runner(agent, { store: dying.store, leaseMs }).run('Hi').catch(() => undefined);
  await dying.gone;
  const call = scheduled[0]?.call ?? { runId: '' };
  const other = new Runner(agent, { store, leaseMs });
  expect(await other.wake(call)).toBe('held');
  clock.pass(leaseMs + behindMs);
  expect(await other.wake(call)).toBe('ended');
  expect(typesOf(await journalOf(store, call.runId))).toContain('run-resume');
});

test('a wake over a lease that is about to lapse waits for that', async () => {
  const memory = memoryStore();
  const { store, scheduled } = wakingStore({ memory });
  const dying = dyingStore(store, { write: 2, when: 'before' });
  const agent = bot(['Hello.', 'Hello.']);
  void new Runner(agent, { store: dying.store, leaseMs: 500 }).run('Hi').catch(() => undefined);
  await dying.gone;
  const call = scheduled[0]?.call ?? { runId: '' };
  expect((await store.runs.peek(call.runId))?.lease?.holder).toBe(call.holder);
  const waiting = new Runner(agent, { store, leaseMs }).wake(call);
  // Should the process that waits go away, there is another one.
  await eventually(() => scheduled.length === 2, 'a later wake over the lease');
  expect(scheduled[1]?.call).toEqual(call);
  expect(await waiting).toBe('ended');
});

test('a wake that waited for the lapse and finds the lease renewed leaves the rest to the later one', async () => {
  const { store, scheduled, holders } = wakingStore();
  const working = gate();
  const agent = bot([{ before: working, text: 'Hello.' }]);
  const runner = new Runner(agent, { store, leaseMs: 300 });
  const running = runner.run('Hi');
  await working.reached;
  const runId = scheduled[0]?.call.runId ?? '';
  const [holder = ''] = holders;
  expect(await runner.wake({ runId, holder })).toBe('held');
  expect(scheduled).toHaveLength(2);
  expect(scheduled[1]?.call).toEqual({ runId, holder });
  working.open();
  await running;
});

test('a wake that finds no run comes again until the run could not come any more', async () => {
  const clock = testClock();
  const { store, scheduled } = wakingStore({ now: clock.now });
  const runner = new Runner(bot(), { store });
  const began = clock.now();
  expect(await runner.wake({ runId: 'r1', holder: 'h1' })).toBe('missing');
  expect(scheduled).toEqual([
    { call: { runId: 'r1', holder: 'h1', missingSince: began }, atMs: began + 5_000 },
  ]);
  clock.pass(59_000);
  expect(await runner.wake({ runId: 'r1', missingSince: began })).toBe('missing');
  expect(scheduled).toHaveLength(2);
  clock.pass(1_000);
  expect(await runner.wake({ runId: 'r1', missingSince: began })).toBe('missing');
  expect(scheduled).toHaveLength(2);
});

test('a wake that finds a run ended makes the end of its session', async () => {
  const { store, scheduled } = wakingStore();
  // The claim, the create, the confirm, the answer, and the process is gone before the session has its end.
  const dying = dyingStore(store, { write: 5, when: 'before' });
  const session = { sessionId: 's' };
  void new Runner(bot(), { store: dying.store }).run('Hi', session).catch(() => undefined);
  await dying.gone;
  const { activeRunId: runId = '' } = await store.sessions.load('s');
  expect((await store.runs.peek(runId))?.ended).toBe(true);
  const before = scheduled.length;
  expect(await new Runner(bot(), { store }).wake({ runId })).toBe('ended');
  // Should this process go away too, before it is written.
  expect(scheduled.slice(before).map(({ call }) => call)).toEqual([{ runId }]);
  expect(await new Runner(bot(), { store }).wake({ runId })).toBe('ended');
  expect(scheduled).toHaveLength(before + 1);
  const { activeRunId, messages } = await store.sessions.load('s');
  expect(activeRunId).toBeUndefined();
  expect(messages.map(({ role }) => role)).toEqual(['user', 'assistant']);
});

test('a wake that finds a run waiting leaves it, and looks again when a question expires', async () => {
  const clock = testClock();
  const { store, scheduled } = wakingStore({ now: clock.now });
  const { agent, paid } = asking(60_000);
  const runner = new Runner(agent, { store });
  const { runId, interruptions } = await runner.run('Pay.');
  const expiresAt = interruptions[0]?.expiresAt ?? 0;
  expect(scheduled.at(-1)).toEqual({ call: { runId }, atMs: expiresAt + behindMs });
  expect(await runner.wake({ runId })).toBe('waits');
  expect(scheduled.at(-1)).toEqual({ call: { runId }, atMs: expiresAt + behindMs });
  clock.pass(60_000 + behindMs);
  expect(await runner.wake({ runId })).toBe('ended');
  expect(paid).toEqual([]);
});

test('what keeps a run from being taken up is thrown, so that the wake comes again; the last one ends the run', async () => {
  const { store } = wakingStore();
  const { agent } = withContext<{ readonly user: string }>();
  const needy = agent({ name: 'needy', instructions: ({ context }) => context.user });
  const { runId } = await new Runner(needy, { store }).start('Hi', { context: { user: 'Ada' } });
  const bare = new Runner<{ readonly user: string }>(needy, { store });
  const error = await rejection(bare.wake({ runId }));
  expect(error).toBeInstanceOf(Error);
  expect((await store.runs.peek(runId))?.ended).toBe(false);
  expect(await bare.wake({ runId }, { lastTry: true })).toBe('ended');
  const events = await journalOf(store, runId);
  expect(events.at(-1)).toMatchObject({
    type: 'run-end',
    status: 'failed',
    error: { code: 'crash_loop' },
  });
});

test('a store that fails once is asked again by the next wake', async () => {
  const { store } = wakingStore();
  const runner = new Runner(bot(), { store });
  const { runId } = await runner.start('Hi');
  let failing = true;
  const failed: Store = {
    ...store,
    runs: {
      ...store.runs,
      acquire: (...args) => {
        if (!failing) return store.runs.acquire(...args);
        failing = false;
        return Promise.reject(new Error('unreachable'));
      },
    },
  };
  const other = new Runner(bot(), { store: failed });
  await expect(other.wake({ runId })).rejects.toThrow('unreachable');
  expect(await other.wake({ runId })).toBe('ended');
  expect(await other.get(runId)).toMatchObject({ status: 'completed' });
});

test('of two wakes at once one goes on with the run, and nothing is done twice', async () => {
  const { store, scheduled } = wakingStore();
  const { agent, paid } = asking();
  const runner = new Runner(agent, { store });
  const { runId, interruptions } = await runner.run('Pay.');
  await runner.post(runId, {
    id: 'd1',
    type: 'decide',
    decisions: [{ interruptionId: interruptions[0]?.id ?? '', approved: true }],
  });
  const found = await Promise.all([runner.wake({ runId }), runner.wake({ runId })]);
  expect(found).toContain('ended');
  await eventually(async () => (await store.runs.peek(runId))?.ended, 'the run ends');
  expect(paid).toHaveLength(1);
  expect(scheduled.every(({ call }) => call.runId === runId)).toBe(true);
});
