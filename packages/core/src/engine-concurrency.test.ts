import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { journalOf, testClock } from '../test/engine.ts';
import { runPlan, World } from '../test/scripted-world.ts';
import { memoryStore } from './memory-store.ts';
import { Runner } from './runner.ts';
import { faultyStore } from './testing/index.ts';

// Many processes on one run: who holds the lease advances it, the others wait, whatever stalls.

test('of runners that advance one run side by side, with leases that lapse under them, none does anything twice', async () => {
  await fc.assert(
    fc.asyncProperty(
      runPlan,
      fc.integer({ min: 2, max: 4 }),
      fc.array(fc.integer({ min: 1, max: 12 }), { maxLength: 3 }),
      async (plan, count, lapses) => {
        const world = new World({ ...plan, inSession: true });
        const clock = testClock();
        const memory = memoryStore({ now: clock.now });
        // Some appends come a minute late: the lease has lapsed, and somebody else may have the run by then.
        const stalling = () =>
          faultyStore(memory, {
            before: async ({ method, nth }) => {
              if (method !== 'runs.append' || !lapses.includes(nth)) return;
              clock.pass(60_000);
              for (let turn = 0; turn < 20; turn += 1) {
                await new Promise<void>((resolve) => setImmediate(resolve));
              }
            },
          });
        const runners = Array.from(
          { length: count },
          () => new Runner(world.agent(), { store: stalling() }),
        );
        const [first] = runners;
        const header = await first?.start('Go.', { sessionId: 's' });
        const runId = header?.runId ?? '';
        const { signal } = world.abort;
        const advance = async (runner: Runner<unknown, unknown>): Promise<string> => {
          for (;;) {
            const result = await runner.resume(runId, undefined, { signal });
            if (result.status !== 'interrupted') return result.status;
            for (const one of result.interruptions) {
              const decisions = [world.decide(one)];
              await runner
                .post(runId, { id: `answer ${one.id}`, type: 'decide', decisions })
                .catch(() => undefined);
            }
          }
        };
        const settled = await Promise.allSettled(runners.map((runner) => advance(runner)));
        const journal = await journalOf(memory, runId);
        const end = journal.at(-1);
        expect(end?.type).toBe('run-end');
        const once = world.effects.filter((effect) => /^(pay|ask|broken) /.test(effect));
        expect(new Set(once).size).toBe(once.length);
        const statuses = new Set(
          settled.map((one) => (one.status === 'fulfilled' ? one.value : 'rejected')),
        );
        // Whoever was told an end was told the same; an abort is also the end of waiting.
        statuses.delete('rejected');
        expect(statuses.size).toBeLessThanOrEqual(1);
        const session = await memory.sessions.load('s');
        expect(session.activeRunId).toBeUndefined();
        const ids = session.messages.map(({ id }) => id);
        expect(new Set(ids).size).toBe(ids.length);
      },
    ),
    { numRuns: 60 },
  );
});
