import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { comparable, dyingStore, journalOf, reloaded, testClock } from '../test/engine.ts';
import { decideAll, FrameWorld, treePlan, type FramePlan } from '../test/random-frames.ts';
import { memoryStore } from './memory-store.ts';
import type { RunResult } from './run-result.ts';
import { Runner } from './runner.ts';
import type { Store } from './store.ts';

// A run of many frames is the fold of its steps, too: random trees of calls, transfers, tools, approvals and failures.

const inSession = { sessionId: 's' };

async function inOneGo(plan: FramePlan) {
  const world = new FrameWorld(plan);
  const store = memoryStore();
  const runner = new Runner(world.agent(), { store });
  let result = await runner.run('at:', inSession);
  while (result.status === 'interrupted') {
    result = await runner.resume(result.runId, decideAll(result.interruptions));
  }
  return { world, store, result };
}

async function stepByStep(plan: FramePlan) {
  const world = new FrameWorld(plan);
  let store: Store = memoryStore();
  const { runId } = await new Runner(world.agent(), { store }).start('at:', inSession);
  for (let steps = 0; steps < 200; steps += 1) {
    store = await reloaded(store, runId);
    const { status, interruptions } = await new Runner(world.agent(), { store }).step(runId);
    if (status === 'interrupted') {
      for (const decision of decideAll(interruptions)) {
        store = await reloaded(store, runId);
        const id = `answer ${decision.interruptionId}`;
        const poster = new Runner(world.agent(), { store });
        await poster.post(runId, { id, type: 'decide', decisions: [decision] });
      }
    } else if (status !== 'running') break;
  }
  const result = await new Runner(world.agent(), { store }).get(runId);
  if (result === undefined || result.status === 'running') throw new Error('It has not ended.');
  return { world, store, result };
}

// Frames side by side come in any order: what holds is each frame's own order.
function seen(result: RunResult) {
  const { status, response, newMessages, usage, error, handoffPath, lastAgent } = result;
  const results = result.toolResults.map((one) => JSON.stringify(one)).toSorted();
  const facts = [status, response, error, lastAgent, usage.requests, results, newMessages];
  return JSON.parse(
    JSON.stringify([...facts, handoffPath.toSorted()]).replaceAll(result.runId, 'RUN'),
  );
}

function inFrames(events: readonly unknown[]): Record<string, unknown[]> {
  const frames: Record<string, unknown[]> = {};
  for (const event of events) {
    const { frame, type } = event as { readonly frame: string; readonly type: string };
    // When a run pauses, and in which order it lists frames, depends on who is faster.
    if (type !== 'run-pause' && type !== 'run-end') (frames[frame] ??= []).push(event);
  }
  for (const [frame, list] of Object.entries(frames)) {
    // Decisions are recorded where they are drained.
    frames[frame] = list.map((one) => JSON.stringify(one)).toSorted();
  }
  return frames;
}

test(
  'a run of many frames is the fold of its steps, each in a new process',
  { timeout: 60_000 },
  async () => {
    await fc.assert(
      fc.asyncProperty(treePlan, async (plan) => {
        const whole = await inOneGo(plan);
        const steps = await stepByStep(plan);
        expect(seen(steps.result)).toEqual(seen(whole.result));
        const a = await journalOf(whole.store, whole.result.runId);
        const b = await journalOf(steps.store, steps.result.runId);
        expect(inFrames(comparable(b))).toEqual(inFrames(comparable(a)));
        expect(steps.world.effects.toSorted()).toEqual(whole.world.effects.toSorted());
        expect(new Set(whole.world.effects).size).toBe(whole.world.effects.length);
        const kept = await whole.store.sessions.load('s');
        expect(kept.activeRunId).toBeUndefined();
        expect(kept.messages.slice(0, whole.result.newMessages.length)).toEqual(
          whole.result.newMessages,
        );
      }),
      { numRuns: 100 },
    );
  },
);

test(
  'killed before or after any write, it is finished by another process; no effect happens twice',
  { timeout: 60_000 },
  async () => {
    const at = fc.record({
      write: fc.integer({ min: 1, max: 40 }),
      when: fc.constantFrom('before' as const, 'after' as const),
    });
    await fc.assert(
      fc.asyncProperty(treePlan, at, async (plan, cut) => {
        const world = new FrameWorld(plan);
        const clock = testClock();
        const store = memoryStore({ now: clock.now });
        const crash = dyingStore(store, cut);
        const first = new Runner(world.agent(), { store: crash.store });
        const life = (async () => {
          let result = await first.run('at:', inSession);
          while (result.status === 'interrupted') {
            result = await first.resume(result.runId, decideAll(result.interruptions));
          }
        })();
        await Promise.race([life, crash.gone]);
        life.catch(() => undefined); // Gone, it may still fail on its own; nobody hears that.
        const [header] = (await store.runs.list({ limit: 1 })).runs;
        if (header === undefined) return;
        const { runId } = header;
        const recorded = await journalOf(store, runId);
        clock.pass(60_000);
        const second = new Runner(world.agent(), { store });
        let result = await second.resume(runId);
        while (result.status === 'interrupted') {
          result = await second.resume(runId, decideAll(result.interruptions));
        }
        const journal = await journalOf(store, runId);
        expect(journal.slice(0, recorded.length)).toEqual(recorded);
        expect(journal.at(-1)?.type).toBe('run-end');
        const once = world.effects.filter((effect) => /^(pay|ask) /.test(effect));
        expect(new Set(once).size).toBe(once.length);
        const { messages, activeRunId } = await store.sessions.load('s');
        expect(activeRunId).toBeUndefined();
        const ids = messages.map((one) => `${one.runId} ${one.id}`);
        expect(new Set(ids).size).toBe(ids.length);
      }),
      { numRuns: 200 },
    );
  },
);

test('cancelled while any of its tools runs, it ends cancelled, and nothing goes on behind it', async () => {
  await fc.assert(
    fc.asyncProperty(treePlan, fc.integer({ min: 1, max: 6 }), async (plan, at) => {
      const abort = new AbortController();
      const world = new FrameWorld(plan, (count) => {
        if (count === at) abort.abort();
      });
      const store = memoryStore();
      const runner = new Runner(world.agent(), { store });
      const { signal } = abort;
      let result = await runner.run('at:', { ...inSession, signal });
      while (result.status === 'interrupted') {
        result = await runner.resume(result.runId, decideAll(result.interruptions), { signal });
      }
      const happened = world.effects.length;
      expect(result.status === 'cancelled').toBe(happened >= at);
      const journal = await journalOf(store, result.runId);
      expect(journal.at(-1)?.type).toBe('run-end');
      expect((await store.sessions.load('s')).activeRunId).toBeUndefined();
      await new Promise((resolve) => setImmediate(resolve));
      expect(world.effects).toHaveLength(happened);
    }),
    { numRuns: 200 },
  );
});
