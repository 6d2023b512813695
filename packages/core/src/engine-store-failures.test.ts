import { expect, test } from 'vitest';
import { z } from 'zod';
import { dyingStore, journalOf, testClock, typesOf, verifyAll } from '../test/engine.ts';
import { Agent } from './agent.ts';
import { RunConflictError } from './errors.ts';
import { isDurable } from './events.ts';
import { memoryStore } from './memory-store.ts';
import { Runner } from './runner.ts';
import type { Store } from './store.ts';
import {
  collect,
  eventually,
  faultyStore,
  gate,
  scriptedModel,
  type StoreFault,
  type StoreMethod,
} from './testing/index.ts';
import { tool } from './tool.ts';

// What becomes of a run when its store loses answers, fills up, fails, or gives the run to somebody else.

const parameters = z.object({});

function payingAgent() {
  const paid: string[] = [];
  const pay = tool({
    name: 'pay',
    description: 'Pays',
    parameters,
    execute: (_input, { callId }) => {
      paid.push(callId);
      return 'paid';
    },
  });
  const turn = {
    calls: [
      ['pay', {}],
      ['pay', {}],
    ] as const,
  };
  const model = scriptedModel([turn, turn, 'Done.'], { by: 'conversation' });
  return { paid, agent: new Agent({ name: 'bot', model, tools: [pay] }) };
}

const lost: { method: StoreMethod; nth: number; fail: 'before' | 'after' }[] = [];
for (const fail of ['before', 'after'] as const) {
  for (const nth of [1, 2, 3, 4, 5]) lost.push({ method: 'runs.append', nth, fail });
  for (const nth of [1, 2, 3]) lost.push({ method: 'sessions.commit', nth, fail });
  lost.push({ method: 'runs.create', nth: 1, fail });
}

test.each(lost)('$fail $method no. $nth fails once: nothing is lost or doubled', async (fault) => {
  const memory = memoryStore();
  const store = faultyStore(memory, { faults: [fault] });
  const { paid, agent } = payingAgent();
  const result = await new Runner(agent, { store }).run('Pay.', { sessionId: 's' });
  expect(result.status).toBe('completed');
  expect(new Set(paid).size).toBe(4);
  expect(paid).toHaveLength(4);
  const [journal] = await verifyAll(memory);
  expect(typesOf(journal ?? []).filter((type) => type === 'tool-result')).toHaveLength(4);
  const session = await memory.sessions.load('s');
  expect(session.activeRunId).toBeUndefined();
  expect(session.messages.map(({ role }) => role).join(' ')).toBe(
    'user assistant tool assistant tool assistant',
  );
});

test.each(['runs.inbox', 'runs.renew', 'runs.peek', 'sessions.load', 'runs.release'] as const)(
  'one %s that fails does not fail the run',
  async (method) => {
    for (const nth of [1, 2]) {
      const memory = memoryStore();
      const faults: StoreFault[] = [{ method, nth, fail: 'before' }];
      const { paid, agent } = payingAgent();
      const store = faultyStore(memory, { faults });
      const result = await new Runner(agent, { store }).run('Pay.', { sessionId: 's' });
      expect(result.status).toBe('completed');
      expect(paid).toHaveLength(4);
      expect((await memory.sessions.load('s')).activeRunId).toBeUndefined();
      await verifyAll(memory);
    }
  },
);

test('a store that is full ends the run failed, with what was done in its journal', async () => {
  const store = memoryStore({ maxBytes: 6_000 });
  const big = tool({
    name: 'big',
    description: 'Big',
    parameters,
    execute: () => 'x'.repeat(4_000),
  });
  const model = scriptedModel(() => ({ calls: [['big', {}]] }));
  const runner = new Runner(new Agent({ name: 'bot', model, tools: [big] }), { store });
  const result = await runner.run('Go');
  expect(result).toMatchObject({ status: 'failed', error: { code: 'store_full' } });
  await journalOf(store, result.runId);
});

test('a store that fails for a while: the run rejects, and is gone on with from what is written', async () => {
  const memory = memoryStore();
  let failing = true;
  const store: Store = {
    ...memory,
    runs: {
      ...memory.runs,
      append: async (runId, events, at) => {
        if (failing && events.some(({ type }) => type === 'tool-result')) throw new Error('away');
        return memory.runs.append(runId, events, at);
      },
    },
  };
  const { paid, agent } = payingAgent();
  await expect(new Runner(agent, { store }).run('Pay.')).rejects.toThrow('away');
  expect(paid).toHaveLength(2);
  const [before] = await verifyAll(memory);
  expect(before?.at(-1)?.type).toBe('tool-start');
  failing = false;
  const result = await new Runner(agent, { store }).resume(before?.[0]?.runId ?? '');
  expect(result.status).toBe('completed');
  expect(paid).toHaveLength(4);
  expect(result.toolResults.map(({ isError }) => isError)).toEqual([true, true, false, false]);
  await journalOf(memory, result.runId);
});

test('a run that somebody else took while it worked goes on there, and both callers get its end', async () => {
  const clock = testClock();
  const memory = memoryStore({ now: clock.now });
  const there = gate();
  const { agent: second, paid } = payingAgent();
  const model = scriptedModel([{ before: there, text: 'From the first.' }]);
  const first = new Agent({ name: 'bot', model });
  const stream = new Runner(first, { store: memory }).stream('Go');
  const seen = collect(stream);
  const running = stream.result;
  await there.reached;
  const [header] = (await memory.runs.list({ limit: 1 })).runs;
  clock.pass(60_000); // The first process stalled; its lease lapsed.
  const taken = new Runner(second, { store: memory }).resume(header?.runId ?? '');
  await eventually(
    async () => ((await memory.runs.peek(header?.runId ?? ''))?.seq ?? 0) > 1,
    'the second goes on',
  );
  there.open();
  const [a, b] = await Promise.all([running, taken]);
  expect(a.response).toBe('Done.');
  expect(b.response).toBe('Done.');
  expect(paid).toHaveLength(4);
  // The stream shows what the second recorded, each event once.
  expect((await seen).filter(isDurable)).toEqual(await journalOf(memory, a.runId));
});

test('five leases that lapse without progress end the run failed: crash_loop', async () => {
  const clock = testClock();
  const store = memoryStore({ now: clock.now });
  const { agent } = payingAgent();
  const { runId } = await new Runner(agent, { store }).start('Go', { sessionId: 's' });
  for (let death = 0; death < 5; death += 1) {
    const hanging = new Agent({ name: 'bot', model: scriptedModel([{ hang: true }]) });
    const process = dyingStore(store, { write: 99, when: 'after' });
    void new Runner(hanging, { store: process.store }).resume(runId).catch(() => undefined);
    await eventually(async () => (await store.runs.peek(runId))?.lease, 'it is taken up');
    process.kill();
    clock.pass(60_000);
  }
  const result = await new Runner(agent, { store }).resume(runId);
  expect(result).toMatchObject({ status: 'failed', error: { code: 'crash_loop' } });
  await journalOf(store, runId);
  expect((await store.sessions.load('s')).activeRunId).toBeUndefined();
});

test('a waiting caller takes the run up when the process that advanced it goes away', async () => {
  const clock = testClock();
  const store = memoryStore({ now: clock.now });
  const { agent, paid } = payingAgent();
  const there = gate();
  const hanging = new Agent({
    name: 'bot',
    model: scriptedModel([{ hang: true, events: [there] }]),
  });
  const process = dyingStore(store, { write: 99, when: 'after' });
  void new Runner(hanging, { store: process.store }).run('Go').catch(() => undefined);
  await there.reached;
  const [header] = (await store.runs.list({ limit: 1 })).runs;
  const waiting = new Runner(agent, { store }).resume(header?.runId ?? '');
  process.kill();
  clock.pass(60_000);
  expect((await waiting).status).toBe('completed');
  expect(paid).toHaveLength(4);
  await journalOf(store, header?.runId ?? '');
});

test('an append that another holder made impossible stops the run here; its tools do not start', async () => {
  const memory = memoryStore();
  const { agent, paid } = payingAgent();
  const store = faultyStore(memory, {
    faults: [
      {
        method: 'runs.append',
        nth: 1,
        fail: 'before',
        error: new RunConflictError('taken', { reason: 'lease' }),
      },
    ],
    before: async ({ method, nth }) => {
      if (method !== 'runs.append' || nth !== 1) return;
      const [run] = (await memory.runs.list({ limit: 1 })).runs;
      const runId = run?.runId ?? '';
      const lease = (await memory.runs.peek(runId))?.lease;
      if (lease === undefined) throw new Error('no lease');
      await memory.runs.release(runId, lease);
      await memory.runs.acquire(runId, { holder: 'other', ttlMs: 60_000 });
    },
  });
  const abort = new AbortController();
  const running = new Runner(agent, { store }).run('Pay.', { signal: abort.signal });
  running.catch(() => undefined);
  await new Promise((resolve) => setTimeout(resolve, 150));
  expect(paid).toEqual([]);
  abort.abort();
  await expect(running).rejects.toThrow();
  await verifyAll(memory);
});
