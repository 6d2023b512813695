import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { comparable, dyingStore, journalOf, reloaded, testClock, typesOf } from '../test/engine.ts';
import { runPlan, World, type RunPlan } from '../test/scripted-world.ts';
import { Agent } from './agent.ts';
import type { RunEvent } from './events.ts';
import type { Json, JsonObject } from './json.ts';
import type { Message, Output } from './message.ts';
import { memoryStore } from './memory-store.ts';
import { Runner } from './runner.ts';
import type { RunResult } from './run-result.ts';
import type { SessionBase, Store } from './store.ts';
import { ok, scriptedModel } from './testing/index.ts';

// A run is the fold of its steps (journal.md, design.md §1): whoever takes the next step, and wherever.

const numRuns = 150;

const call = { callId: 'c', toolName: 'look' } as const;
const looked: Output = { type: 'json', value: 'Much.' };
const before: readonly Message[] = [
  { id: 'a', role: 'user', parts: [{ type: 'text', text: 'Look.' }] },
  { id: 'b', role: 'assistant', parts: [{ type: 'tool-call', ...call, input: {} }] },
  { id: 'c', role: 'tool', parts: [{ type: 'tool-result', ...call, output: looked }] },
  { id: 'd', role: 'assistant', parts: [{ type: 'text', text: 'Seen.' }] },
  { id: 'e', role: 'user', parts: [{ type: 'text', text: 'Good.' }] },
  { id: 'f', role: 'assistant', parts: [{ type: 'text', text: 'Yes.' }] },
];

async function storeFor(plan: RunPlan, now?: () => number): Promise<Store> {
  const store = memoryStore({ now });
  if (plan.inSession) {
    await store.sessions.commit(
      's',
      { append: before, state: { before: 1 } },
      { expectedVersion: '0', operationId: 'base' },
    );
  }
  return store;
}

function optionsOf(world: World) {
  const { inSession, compaction } = world.plan;
  const options = { signal: world.abort.signal, compaction };
  return inSession ? { ...options, sessionId: 's' } : options;
}

/** What the session has, which no run holds. */
async function kept(plan: RunPlan, store: Store): Promise<SessionBase> {
  if (!plan.inSession) return { messages: [], state: {} };
  const { activeRunId, messages, state } = await store.sessions.load('s');
  ok(activeRunId === undefined, 'the session is held after the end');
  return { messages, state };
}

/** The state of the session as its journals say. */
function stateOf(journal: readonly RunEvent[]): JsonObject {
  const state: Record<string, Json> = { before: 1 };
  for (const event of journal) {
    if (event.type === 'session-state') Object.assign(state, event.patch);
  }
  return Object.fromEntries(Object.entries(state).filter(([, value]) => value !== null));
}

async function inOneGo(plan: RunPlan) {
  const world = new World(plan);
  const store = await storeFor(plan);
  const runner = new Runner(world.agent(), { store });
  let result = await runner.run('Go.', optionsOf(world));
  while (result.status === 'interrupted') {
    result = await runner.resume(result.runId, world.decideAll(result), {
      signal: world.abort.signal,
    });
  }
  return { world, store, result };
}

async function stepByStep(plan: RunPlan) {
  const world = new World(plan);
  let store = await storeFor(plan);
  const { signal } = world.abort;
  const { runId } = await new Runner(world.agent(), { store }).start('Go.', optionsOf(world));
  for (let steps = 0; steps < 100; steps += 1) {
    store = await reloaded(store, runId);
    const runner = new Runner(world.agent(), { store });
    const { status, interruptions } = await runner.step(runId, { signal });
    if (status === 'interrupted') {
      // Each answer by itself, from a process of its own.
      for (const one of interruptions) {
        store = await reloaded(store, runId);
        const poster = new Runner(world.agent(), { store });
        const id = `answer ${one.id}`;
        await poster.post(runId, { id, type: 'decide', decisions: [world.decide(one)] });
      }
    } else if (status !== 'running') break;
  }
  const result = await new Runner(world.agent(), { store }).get(runId);
  if (result === undefined || result.status === 'running')
    throw new Error('The run has not ended.');
  return { world, store, result };
}

function seen(result: RunResult<unknown>) {
  const { status, finalOutput, response, toolResults, newMessages, usage, error } = result;
  const facts = { status, finalOutput, response, toolResults, newMessages, usage, error };
  return JSON.parse(
    JSON.stringify({ ...facts, stopReason: result.stopReason }).replaceAll(result.runId, 'RUN'),
  );
}

test('a run is the fold of its steps, each in a new process that knows the journal only', async () => {
  await fc.assert(
    fc.asyncProperty(runPlan, async (plan) => {
      const whole = await inOneGo(plan);
      const steps = await stepByStep(plan);
      expect(seen(steps.result)).toEqual(seen(whole.result));
      const a = await journalOf(whole.store, whole.result.runId);
      const b = await journalOf(steps.store, steps.result.runId);
      expect(comparable(b)).toEqual(comparable(a));
      expect(steps.world.effects).toEqual(whole.world.effects);
      expect(new Set(whole.world.effects).size).toBe(whole.world.effects.length);
      const [left, right] = await Promise.all(
        [whole, steps].map(async ({ store, result }) =>
          JSON.stringify(await kept(plan, store)).replaceAll(result.runId, 'RUN'),
        ),
      );
      expect(right).toBe(left);
      expect([...whole.world.misshapen, ...steps.world.misshapen]).toEqual([]);
    }),
    { numRuns },
  );
});

/** Runs a plan in a process that dies at a write, then in another; `undefined` when it died before the run was there. */
async function killed(plan: RunPlan, at: { write: number; when: 'before' | 'after' }) {
  const world = new World(plan);
  const clock = testClock();
  const store = await storeFor(plan, clock.now);
  const crash = dyingStore(store, at);
  const first = new Runner(world.agent(), { store: crash.store });
  const { signal } = world.abort;
  const life = (async () => {
    let result = await first.run('Go.', optionsOf(world));
    while (result.status === 'interrupted') {
      const decisions = world.decideAll(result);
      result = await first.resume(result.runId, decisions, { signal });
    }
  })();
  await Promise.race([life, crash.gone]);
  life.catch(() => undefined); // Gone, it may still fail on its own; nobody hears that.
  const [header] = (await store.runs.list({ limit: 1 })).runs;
  if (header === undefined) return undefined;
  const { runId } = header;
  const recorded = await journalOf(store, runId);
  clock.pass(60_000);
  const second = new Runner(world.agent(), { store });
  let result = await second.resume(runId, undefined, { signal });
  while (result.status === 'interrupted') {
    result = await second.resume(runId, world.decideAll(result), { signal });
  }

  const journal = await journalOf(store, runId);
  expect(journal.slice(0, recorded.length)).toEqual(recorded);
  expect(journal.at(-1)?.type).toBe('run-end');
  const once = world.effects.filter((effect) => /^(pay|ask|broken) /.test(effect));
  expect(new Set(once).size).toBe(once.length);
  const { messages, state } = await kept(plan, store);
  const ids = messages.map((one) => `${one.runId} ${one.id}`);
  expect(new Set(ids).size).toBe(ids.length);
  if (plan.inSession) {
    expect(messages.slice(0, result.messages.length)).toEqual(result.messages);
    expect(state).toEqual(stateOf(journal));
    expect(state['broken']).toBeUndefined();
    expect(state['try 1']).toBeUndefined();
  }
  expect(world.misshapen).toEqual([]);
  return { recorded, journal };
}

const when = fc.constantFrom('before' as const, 'after' as const);

test('killed before or after any write, a run is finished by another process; no effect happens twice', async () => {
  await fc.assert(
    fc.asyncProperty(
      runPlan,
      fc.record({ write: fc.integer({ min: 1, max: 25 }), when }),
      async (plan, at) => void (await killed(plan, at)),
    ),
    { numRuns: numRuns * 2 },
  );
});

test('every write of a run with tools of every effect can be the last of its process', async () => {
  const call = { n: 7, misfit: false, decide: 'edit', cancels: false } as const;
  const plan: RunPlan = {
    turns: [
      {
        calls: [
          { ...call, tool: 'look' },
          { ...call, tool: 'keep' },
          { ...call, tool: 'pay' },
          { ...call, tool: 'missing' },
        ],
        failures: 1,
        fatal: false,
        cancels: false,
      },
      {
        calls: [
          { ...call, tool: 'ask' },
          { ...call, tool: 'flaky' },
          { ...call, tool: 'look', misfit: true },
          { ...call, tool: 'ask_if' },
        ],
        failures: 0,
        fatal: false,
        cancels: false,
      },
    ],
    misfits: 1,
    inSession: true,
    maxTurns: 10,
    compaction: { trigger: { messages: 6 }, keepLast: 1, clearToolResults: true },
  };
  let cuts = 0;
  for (let ended = false; !ended; cuts += 1) {
    const before = await killed(plan, { write: cuts + 1, when: 'before' });
    await killed(plan, { write: cuts + 1, when: 'after' });
    // Then only the session's commit was left, or nothing.
    ended = before?.recorded.at(-1)?.type === 'run-end';
  }
  expect(cuts).toBeGreaterThan(10);
});

test('a tool source that is down is warned of once, whoever takes the steps', async () => {
  const agent = () =>
    new Agent({
      name: 'bot',
      model: scriptedModel([{ calls: [['gone', {}]] }, { calls: [['gone', {}]] }, 'Done.'], {
        by: 'conversation',
      }),
      mcpServers: [{ name: 'far', listTools: () => Promise.reject(new Error('refused')) }],
    });
  const whole = memoryStore();
  const { runId } = await new Runner(agent(), { store: whole }).run('Go.');
  let store = memoryStore();
  const header = await new Runner(agent(), { store }).start('Go.');
  for (let step = 0; step < 3; step += 1) {
    store = await reloaded(store, header.runId);
    await new Runner(agent(), { store }).step(header.runId);
  }
  const [a, b] = [await journalOf(whole, runId), await journalOf(store, header.runId)];
  expect(typesOf(a).filter((type) => type === 'warning')).toHaveLength(1);
  expect(comparable(b)).toEqual(comparable(a));
});
