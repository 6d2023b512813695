import { expect, test } from 'vitest';
import { comparable, dyingStore, journalOf, reloaded, testClock } from '../test/engine.ts';
import {
  HandoffWorld,
  histories,
  promised,
  request,
  withConversation,
  type HistoryName,
  type Received,
  type Row,
} from '../test/handoff-world.ts';
import { memoryStore } from './memory-store.ts';
import type { RunResult } from './run-result.ts';
import { Runner } from './runner.ts';
import type { Store } from './store.ts';
import { collect } from './testing/index.ts';

// The law of handoffs: every legal row of the table gives each model exactly what it promises, whichever way the run is
// driven: at once, streamed, step by step through JSON and fresh processes, or killed at any write.

const rows: readonly Row[] = [
  ...combinations('swarm', ['direct'], ['bubble_up', 'end_conversation', 'return_to_caller']),
  ...combinations('coordinator', ['direct', 'best_match'], ['return_to_caller', 'bubble_up']),
  ...combinations('coordinator', ['broadcast'], ['return_to_caller']),
  ...combinations('sequential', ['direct'], ['continue_chain', 'bubble_up', 'end_conversation']),
  ...combinations(
    'conditional',
    ['route', 'best_match'],
    ['bubble_up', 'end_conversation', 'return_to_caller'],
  ),
];

function combinations(
  mode: Row['mode'],
  strategies: readonly Row['strategy'][],
  returns: readonly Row['defaultReturn'][],
): Row[] {
  return strategies.flatMap((strategy) =>
    returns.map((defaultReturn) => ({ mode, strategy, defaultReturn })),
  );
}

const names = Object.keys(histories) as HistoryName[];
const cases = rows.flatMap((row) =>
  names.flatMap((history) =>
    [undefined, ['city', 'absent']].map(
      (contextKeys) =>
        [row.mode, row.strategy, row.defaultReturn, history, contextKeys ?? 'all', row] as const,
    ),
  ),
);

type Drive = (
  world: HandoffWorld,
) => Promise<{ readonly store: Store; readonly result: RunResult }>;

const atOnce: Drive = async (world) => {
  const store = await withConversation(memoryStore());
  const result = await new Runner(world.desk(), { store }).run(request, { sessionId: 's' });
  return { store, result };
};

const streamed: Drive = async (world) => {
  const store = await withConversation(memoryStore());
  const stream = new Runner(world.desk(), { store }).stream(request, { sessionId: 's' });
  let text = '';
  const events = await collect(stream);
  for (const event of events) if (event.type === 'text-delta') text += event.delta;
  const result = await stream.result;
  expect(text).toContain(result.response);
  return { store, result };
};

const stepped: Drive = async (world) => {
  let store = await withConversation(memoryStore());
  const { runId } = await new Runner(world.desk(), { store }).start(request, { sessionId: 's' });
  for (let status = 'running', steps = 0; status === 'running' && steps < 30; steps += 1) {
    store = await reloaded(store, runId);
    ({ status } = await new Runner(world.desk(), { store }).step(runId));
  }
  const result = await new Runner(world.desk(), { store }).get(runId);
  if (result === undefined || result.status === 'running') throw new Error('It has not ended.');
  return { store, result };
};

/** By agent, because agents that work side by side come in any order. */
function byAgent(received: readonly Received[]) {
  const of = (agent: string) =>
    received.filter((one) => one.agent === agent && one.purpose === 'turn');
  return { desk: of('desk'), bills: of('bills'), trips: of('trips') };
}

function seen(result: RunResult) {
  const { status, response, finalOutput, handoffPath, hops, lastAgent } = result;
  const { newMessages, toolResults, usage, error } = result;
  const facts = { status, response, finalOutput, handoffPath, hops, lastAgent };
  return JSON.parse(
    JSON.stringify([facts, newMessages, toolResults, usage, error]).replaceAll(result.runId, 'RUN'),
  );
}

test.each(cases)('%s, %s, %s; history %s, context %s', async (...given) => {
  const [, , , history, keys, row] = given;
  const contextKeys = keys === 'all' ? undefined : keys;
  const driven = await Promise.all(
    [atOnce, streamed, stepped].map(async (drive) => {
      const world = new HandoffWorld(row, { history, contextKeys });
      return { world, ...(await drive(world)) };
    }),
  );
  for (const { world, store, result } of driven) {
    const expected = promised(world, history, contextKeys);
    expect(byAgent(world.received)).toEqual(expected.received);
    expect(result).toMatchObject({ status: 'completed', response: expected.response });
    expect(result.handoffPath).toEqual(expected.handoffPath);
    expect(result.hops.map(({ to }) => to)).toEqual(expected.handoffPath.slice(1));
    expect(world.received.filter(({ purpose }) => purpose === 'route')).toHaveLength(
      expected.routes,
    );
    expect(result.usage.requests).toBe(world.received.length);
    const session = await store.sessions.load('s');
    expect(session).toMatchObject({ entryAgent: 'desk', activeAgent: expected.activeAgent });
    expect(session.closed ?? false).toBe(expected.closed);
    expect(session.messages.slice(2)).toEqual(result.newMessages);
  }
  const [first, ...others] = driven;
  if (first === undefined) throw new Error();
  const tools = { desk: ['note'], bills: ['lookup'], trips: [] };
  const journal = await journalOf(first.store, first.result.runId, { tools });
  for (const { store, result } of others) {
    expect(seen(result)).toEqual(seen(first.result));
    const another = await journalOf(store, result.runId, { tools });
    expect(inFrames(comparable(another))).toEqual(inFrames(comparable(journal)));
  }
});

/** Events of each frame in order: frames side by side may overtake each other. */
function inFrames(events: readonly unknown[]): Record<string, unknown[]> {
  const frames: Record<string, unknown[]> = {};
  for (const event of events) {
    const { frame } = event as { readonly frame: string };
    (frames[frame] ??= []).push(event);
  }
  return frames;
}

/** Runs a row in a process that dies at a write, then in another; `undefined` when it died before the run was there. */
async function killed(row: Row, at: { write: number; when: 'before' | 'after' }) {
  const options = { history: 'full', contextKeys: ['city'] } as const;
  const world = new HandoffWorld(row, options);
  const expected = promised(world, options.history, options.contextKeys);
  const clock = testClock();
  const store = await withConversation(memoryStore({ now: clock.now }));
  const crash = dyingStore(store, at);
  const life = new Runner(world.desk(), { store: crash.store }).run(request, { sessionId: 's' });
  await Promise.race([life, crash.gone]);
  life.catch(() => undefined); // Gone, it may still fail on its own; nobody hears that.
  const [header] = (await store.runs.list({ limit: 1 })).runs;
  if (header === undefined) return undefined;
  const { runId } = header;
  const recorded = await journalOf(store, runId);
  const recordedCalls = recorded.filter(({ type }) => type === 'model-response').length;
  const callsBefore = world.received.length;
  clock.pass(60_000);
  const result = await new Runner(world.desk(), { store }).resume(runId);

  const journal = await journalOf(store, runId);
  expect(journal.slice(0, recorded.length)).toEqual(recorded);
  expect(result).toMatchObject({ status: 'completed', response: expected.response });
  expect(result.handoffPath).toEqual(expected.handoffPath);
  // Only calls whose answer was not recorded are asked again, and they are asked the same.
  const calls = journal.filter(({ type }) => type === 'model-response').length;
  expect(world.received.length - callsBefore).toBe(calls - recordedCalls);
  const { desk, bills, trips } = byAgent(world.received);
  expect({ desk: distinct(desk), bills: distinct(bills), trips: distinct(trips) }).toEqual(
    expected.received,
  );
  expect(result.usage.requests).toBe(calls);
  const { messages, activeRunId, activeAgent } = await store.sessions.load('s');
  expect(activeRunId).toBeUndefined();
  expect(activeAgent).toBe(expected.activeAgent);
  expect(messages.slice(2)).toEqual(result.newMessages);
  const ids = messages.map((one) => `${one.runId} ${one.id}`);
  expect(new Set(ids).size).toBe(ids.length);
  return { recorded, journal };
}

function distinct(received: readonly Received[]): readonly Received[] {
  const known = new Map(received.map((one) => [JSON.stringify(one), one]));
  return [...known.values()];
}

test.each(rows)(
  '$mode, $strategy, $defaultReturn: killed at any write, another process finishes it the same',
  async (row) => {
    let cuts = 0;
    for (let ended = false; !ended; cuts += 1) {
      const before = await killed(row, { write: cuts + 1, when: 'before' });
      await killed(row, { write: cuts + 1, when: 'after' });
      // Then only the session's commit was left.
      ended = before?.recorded.at(-1)?.type === 'run-end';
    }
    expect(cuts).toBeGreaterThan(5);
  },
);
