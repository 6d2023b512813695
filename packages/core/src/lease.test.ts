import { expect, test } from 'vitest';
import { z } from 'zod';
import { journalOf, testClock, typesOf } from '../test/engine.ts';
import { Agent } from './agent.ts';
import { AgentError } from './errors.ts';
import { LeaseKeeper, LeaseLostError } from './lease.ts';
import { memoryStore } from './memory-store.ts';
import { Runner } from './runner.ts';
import type { Store } from './store.ts';
import { eventually, faultyStore, gate, scriptedModel } from './testing/index.ts';
import { tool } from './tool.ts';

const leaseMs = 240;

/** A store in which a lease is renewed `times`, and then no more: the network is gone for renewals. */
function unrenewable(store: Store, times = 0): Store {
  let renewed = 0;
  const renew: Store['runs']['renew'] = (...args) => {
    renewed += 1;
    if (renewed > times) return Promise.reject(new Error('unreachable'));
    return store.runs.renew(...args);
  };
  return { ...store, runs: { ...store.runs, renew } };
}

test('a lease is renewed as long as its run works, however long a model takes', async () => {
  const memory = memoryStore();
  let renewals = 0;
  const there = gate();
  const runs: Store['runs'] = {
    ...memory.runs,
    renew: (...args) => {
      renewals += 1;
      if (renewals === 4) there.open();
      return memory.runs.renew(...args);
    },
  };
  const model = scriptedModel([{ before: there, text: 'At last.' }]);
  const runner = new Runner(new Agent({ name: 'bot', model }), {
    store: { ...memory, runs },
    leaseMs,
  });
  const result = await runner.run('Go');
  expect(result.response).toBe('At last.');
  expect(typesOf(await journalOf(memory, result.runId))).not.toContain('run-resume');
  // Nothing is renewed after the end.
  const after = renewals;
  await new Promise((resolve) => setTimeout(resolve, leaseMs));
  expect(renewals).toBe(after);
});

test('a holder that cannot renew aborts its model before the lease lapses, and the run goes on elsewhere', async () => {
  const memory = memoryStore();
  const started = gate();
  // Whoever goes on, this one or the other, gets the second turn.
  const hanging = scriptedModel([{ hang: true, events: [started] }, 'Here.']);
  started.open();
  const holder = new Runner(new Agent({ name: 'bot', model: hanging }), {
    store: unrenewable(memory),
    leaseMs,
  });
  const running = holder.run('Go');
  running.catch(() => undefined);
  await started.reached;
  const asked = performance.now();
  const left = () => hanging.running === 0 || hanging.calls > 1;
  await eventually(left, 'the model is left');
  expect(performance.now() - asked).toBeLessThan(leaseMs);
  const [header] = (await memory.runs.list({ limit: 1 })).runs;
  const other = new Runner(new Agent({ name: 'bot', model: scriptedModel(['Here.']) }), {
    store: memory,
  });
  const taken = await other.resume(header?.runId ?? '');
  expect(taken.response).toBe('Here.');
  expect(typesOf(await journalOf(memory, taken.runId))).toContain('run-resume');
  // Who asked first gets the same answer.
  expect((await running).response).toBe('Here.');
});

test('a renewal that fails once is tried again', async () => {
  const memory = memoryStore();
  const there = gate();
  let renewals = 0;
  const runs: Store['runs'] = {
    ...memory.runs,
    renew: (...args) => {
      renewals += 1;
      if (renewals === 4) there.open();
      return renewals === 2 ? Promise.reject(new Error('blip')) : memory.runs.renew(...args);
    },
  };
  const model = scriptedModel([{ before: there, text: 'Fine.' }]);
  const runner = new Runner(new Agent({ name: 'bot', model }), {
    store: { ...memory, runs },
    leaseMs,
  });
  const result = await runner.run('Go');
  expect(result.response).toBe('Fine.');
  expect(typesOf(await journalOf(memory, result.runId))).not.toContain('run-resume');
});

test('no tool starts with less than a third of the lease left: it is renewed first', async () => {
  const memory = memoryStore();
  let leftMs = 0;
  const look = tool({
    name: 'look',
    description: 'Looks',
    parameters: z.object({}),
    execute: async (_input, { runId }) => {
      const lease = (await memory.runs.peek(runId))?.lease;
      leftMs = (lease?.expiresAt ?? 0) - Date.now();
      return 1;
    },
  });
  // The append of the start takes most of the lease, and the timer's renewals do not come through.
  let renewals = 0;
  const runs: Store['runs'] = {
    ...memory.runs,
    renew: (...args) => {
      renewals += 1;
      return renewals < 3 ? Promise.reject(new Error('unreachable')) : memory.runs.renew(...args);
    },
  };
  const store = faultyStore(
    { ...memory, runs },
    { faults: [{ method: 'runs.append', nth: 1, delayMs: 700 }] },
  );
  const model = scriptedModel([{ calls: [['look', {}]] }, 'Done.']);
  const runner = new Runner(new Agent({ name: 'bot', model, tools: [look] }), {
    store,
    leaseMs: 1_000,
  });
  const result = await runner.run('Go');
  expect(result.status).toBe('completed');
  expect(leftMs).toBeGreaterThan(1_000 / 3);
  await journalOf(memory, result.runId);
});

test('a renewal that fails before a tool starts is tried again: the run does not fail of it', async () => {
  const memory = memoryStore();
  let appended = false;
  let failed = 0;
  // The append of the start takes most of the lease; no renewal comes through while it does, and three after it.
  const renew: Store['runs']['renew'] = (...args) => {
    if (appended && failed >= 3) return memory.runs.renew(...args);
    if (appended) failed += 1;
    return Promise.reject(new AgentError('store_unavailable', 'away', { retryable: true }));
  };
  const store = faultyStore(
    { ...memory, runs: { ...memory.runs, renew } },
    {
      faults: [{ method: 'runs.append', nth: 1, delayMs: 700 }],
      after: ({ method }) => {
        appended ||= method === 'runs.append';
      },
    },
  );
  const look = tool({
    name: 'look',
    description: 'Looks',
    parameters: z.object({}),
    execute: () => 1,
  });
  const model = scriptedModel([{ calls: [['look', {}]] }, 'Done.'], { by: 'conversation' });
  const runner = new Runner(new Agent({ name: 'bot', model, tools: [look] }), {
    store,
    leaseMs: 1_000,
  });
  const result = await runner.run('Go');
  expect(result).toMatchObject({ status: 'completed', error: undefined });
  expect(failed).toBe(3);
  await journalOf(memory, result.runId);
});

test('a keeper whose lease was taken says so once, and writes nothing any more', async () => {
  const clock = testClock();
  const memory = memoryStore({ now: clock.now });
  const runner = new Runner(new Agent({ name: 'bot', model: scriptedModel([]) }), {
    store: memory,
  });
  const { runId } = await runner.start('Go');
  const mine = await memory.runs.acquire(runId, { holder: 'me', ttlMs: 60_000 });
  if (mine === undefined) throw new Error('The run is free.');
  const lost: LeaseLostError[] = [];
  const keeper = new LeaseKeeper({
    runId,
    runs: memory.runs,
    lease: mine.lease,
    ttlMs: 60_000,
    askedAt: performance.now(),
    onLost: (error) => lost.push(error),
  });
  keeper.check();
  clock.pass(61_000);
  await memory.runs.acquire(runId, { holder: 'other', ttlMs: 60_000 });
  await expect(keeper.renew()).rejects.toBeInstanceOf(LeaseLostError);
  await expect(keeper.renew()).rejects.toBeInstanceOf(LeaseLostError);
  expect(() => keeper.check()).toThrow(LeaseLostError);
  expect(lost).toHaveLength(1);
  await keeper.release();
  expect((await memory.runs.peek(runId))?.lease?.holder).toBe('other');
});

test('a lease of nothing is refused', () => {
  const agent = new Agent({ name: 'bot', model: scriptedModel([]) });
  for (const odd of [0, -1, Number.NaN, 50]) {
    expect(() => new Runner(agent, { leaseMs: odd })).toThrow('leaseMs');
  }
});
