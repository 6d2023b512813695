import { AgentError } from '../errors.ts';
import { randomId } from '../ids.ts';
import type { Store } from '../store.ts';
import { equal, ok, rejection } from './assert.ts';
import type { StoreMethod } from './faulty-store.ts';
import type { StoreCase } from './store-case.ts';
import {
  holdsAtTheEnd,
  holdsNow,
  noDeeds,
  processOn,
  runsOf,
  type Process,
} from './store-world.ts';

/** Longer than a claim counts whose run was never created (journal.md, Sessions). */
const startingMs = 61_000;

/**
 * The start and end of a run in its session (journal.md, Sessions), interrupted at every write that it makes, and gone
 * on with by another process: core's own protocol on the store's own guarantees.
 */
export function protocolContract(it: StoreCase, clockCanBeSet: boolean): void {
  const leaseMs = clockCanBeSet ? 30_000 : 400;
  const whens = ['before', 'after'] as const;

  for (const when of whens) {
    it(`goes on with a request that is repeated elsewhere, after a death ${when} each write`, async ({
      store,
      other,
      pass,
    }) => {
      const deeds = noDeeds();
      const asked: { [sessionId: string]: string[] } = {};
      const writes = await writesOf(store, leaseMs);
      for (let write = 1; write <= writes; write++) {
        const sessionId = `${when}${write}`;
        const request = { sessionId, idempotencyKey: `${randomId()} ${sessionId}` };
        const first = processOn(store, deeds, { leaseMs, dies: { write, when } });
        await dies(first, first.runner.run('pay look', request));
        await holdsNow(other);
        await pass(leaseMs + 5);
        const second = processOn(other, deeds, { leaseMs });
        const result = await second.runner.run('pay look', request);
        equal(result.status, 'completed', `${sessionId}: it is completed`);
        await second.runner.run('And again.', { sessionId });
        asked[sessionId] = ['pay look', 'And again.'];
        equal((await other.runs.list({ sessionId, limit: 9 })).runs.length, 2, 'one run a request');
        equal((await second.runner.run('pay look', request)).runId, result.runId, 'found again');
      }
      await holdsAtTheEnd(other, deeds, asked);
    });

    it(`takes up what a process left that died ${when} each write`, async ({
      store,
      other,
      pass,
    }) => {
      const deeds = noDeeds();
      const asked: { [sessionId: string]: string[] } = {};
      const writes = await writesOf(store, leaseMs);
      for (let write = 1; write <= writes; write++) {
        const sessionId = `${when}${write}`;
        const first = processOn(store, deeds, { leaseMs, dies: { write, when } });
        await dies(first, first.runner.run('pay look', { sessionId }));
        await pass(leaseMs + 5);
        const second = processOn(other, deeds, { leaseMs });
        const { activeRunId } = await other.sessions.load(sessionId);
        const exists = activeRunId !== undefined && (await other.runs.header(activeRunId));
        if (exists) equal((await second.runner.resume(activeRunId)).status, 'completed', 'resumed');
        await holdsNow(store);
        const isThere = exists || activeRunId === undefined;
        asked[sessionId] = isThere && write > 1 ? ['pay look'] : [];
        if (activeRunId === undefined || exists) {
          await second.runner.run('Next.', { sessionId });
          asked[sessionId].push('Next.');
        } else {
          // Its claim counts a while, though nothing came of it.
          const busy = await rejection(second.runner.run('Next.', { sessionId }), 'a claim');
          equal(AgentError.isInstance(busy) && busy.code, 'session_busy', 'the claim counts');
          if (!clockCanBeSet) {
            delete asked[sessionId];
            continue;
          }
          await pass(startingMs);
          await second.runner.run('Next.', { sessionId });
          asked[sessionId] = ['Next.'];
        }
      }
      await holdsAtTheEnd(other, deeds, asked);
    });

    it(`is not disturbed by one write that fails ${when === 'before' ? 'unwritten' : 'with its answer lost'}`, async ({
      store,
      other,
    }) => {
      const deeds = noDeeds();
      const asked: { [sessionId: string]: string[] } = {};
      const faults: readonly (readonly [StoreMethod, number])[] = [
        ['runs.create', 1],
        ...[1, 2, 3, 4, 5].map((nth) => ['runs.append', nth] as const),
        ...[1, 2, 3].map((nth) => ['sessions.commit', nth] as const),
      ];
      for (const [method, nth] of faults) {
        const sessionId = `${method} ${nth}`;
        const process = processOn(store, deeds, { leaseMs, faults: [{ method, nth, fail: when }] });
        const result = await process.runner.run('pay look', { sessionId });
        equal(result.status, 'completed', `${sessionId}: completed`);
        asked[sessionId] = ['pay look'];
      }
      equal(deeds.pay.length, faults.length, 'each paid once');
      equal((await runsOf(other)).length, faults.length, 'one run each');
      await holdsAtTheEnd(other, deeds, asked);
    });
  }

  it('starts one of many requests for a session at once, and answers the others that it is busy', async ({
    store,
    other,
  }) => {
    const deeds = noDeeds();
    const both = [store, other].map((handle) => processOn(handle, deeds, { leaseMs }).runner);
    const settled = await Promise.allSettled(
      Array.from({ length: 8 }, async (_, who) => both[who % 2]?.run('ask', { sessionId: 's1' })),
    );
    const won = settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    equal(won.length, 1, 'one has begun');
    for (const one of settled) {
      if (one.status === 'fulfilled') continue;
      const error: unknown = one.reason;
      ok(AgentError.isInstance(error), String(error));
      equal(error.code, 'session_busy', error.message);
    }
    equal((await runsOf(other)).length, 1, 'and is the only run');
    const [waiting] = won;
    ok(waiting?.status === 'interrupted', 'it waits for an answer');
    const decisions = waiting.interruptions.map(({ id }) => ({
      interruptionId: id,
      approved: true as const,
    }));
    equal((await both[1]?.resume(waiting.runId, decisions))?.status, 'completed', 'answered');
    await holdsAtTheEnd(store, deeds, { s1: ['ask'] });
  });

  it('makes one run of many requests with one key at once', async ({ store, other }) => {
    const deeds = noDeeds();
    const both = [store, other].map((handle) => processOn(handle, deeds, { leaseMs }).runner);
    const request = { sessionId: 's1', idempotencyKey: randomId() };
    const results = await Promise.all(
      Array.from({ length: 8 }, async (_, who) => both[who % 2]?.run('pay look', request)),
    );
    equal(new Set(results.map((one) => one?.runId)).size, 1, 'one run');
    for (const one of results) equal(one?.response, 'Done: pay look', 'its answer for everybody');
    equal(deeds.pay.length, 1, 'paid once');
    await holdsAtTheEnd(other, deeds, { s1: ['pay look'] });
  });

  for (const who of ['made', 'took'] as const) {
    it(`keeps a run that others finished while who ${who} it slept before the confirm`, async ({
      store,
      other,
      pass,
    }) => {
      const deeds = noDeeds();
      const request = { sessionId: 's1', idempotencyKey: randomId() };
      if (who === 'took') {
        const first = processOn(store, deeds, { leaseMs, dies: { write: 2, when: 'after' } });
        await dies(first, first.runner.run('pay look', request));
        await pass(leaseMs + 5);
      }
      let slept = false;
      const sleeper = processOn(store, deeds, {
        leaseMs,
        before: async ({ method }) => {
          const [run] = await runsOf(other);
          if (method !== 'sessions.commit' || run === undefined || slept) return;
          slept = true;
          await pass(leaseMs + 5);
          const { runner } = processOn(other, deeds, { leaseMs });
          equal((await runner.resume(run.runId)).status, 'completed', 'finished by another');
        },
      });
      const late = await sleeper.runner.run('pay look', request).catch((error: unknown) => error);
      ok(slept, `it slept: ${String(late)}`);
      const [run] = await runsOf(other);
      ok(run, 'the run is still there');
      const { runner } = processOn(other, deeds, { leaseMs });
      equal((await runner.run('pay look', request)).runId, run.runId, 'and is found by its key');
      equal(deeds.pay.length, 1, 'paid once');
      await holdsAtTheEnd(store, deeds, { s1: ['pay look'] });
    });
  }

  if (!clockCanBeSet) return;

  it('gives a session away whose claim came to nothing for a minute; the late run is no more', async ({
    store,
    other,
    pass,
  }) => {
    const deeds = noDeeds();
    let slept = false;
    const slow = processOn(store, deeds, {
      leaseMs,
      before: async ({ method }) => {
        if (method !== 'runs.create' || slept) return;
        slept = true;
        // The process sleeps between its claim and its create; somebody else starts meanwhile.
        const { runner } = processOn(other, deeds, { leaseMs });
        await pass(startingMs - 2_000);
        const busy = await rejection(runner.run('Two', { sessionId: 's1' }), 'a claim');
        equal(AgentError.isInstance(busy) && busy.code, 'session_busy', 'the claim counts');
        await pass(2_000);
        await runner.run('Two', { sessionId: 's1' });
      },
    });
    const late = await rejection(slow.runner.run('pay', { sessionId: 's1' }), 'the late one');
    equal(AgentError.isInstance(late) && late.code, 'session_busy', 'it is answered busy');
    equal((await runsOf(other)).length, 1, 'its run is gone');
    equal(deeds.pay, [], 'it did nothing');
    await holdsAtTheEnd(store, deeds, { s1: ['Two'] });
  });
}

/** How many creates, appends and commits a run makes that is not disturbed. */
async function writesOf(store: Store, leaseMs: number): Promise<number> {
  let writes = 0;
  const process = processOn(store, noDeeds(), {
    leaseMs,
    after: ({ write }) => {
      writes = write;
    },
  });
  await process.runner.run('pay look', { sessionId: 'counted' });
  ok(writes >= 6, 'claim, create, confirm, turns, end, commit');
  return writes;
}

/** The process dies while it runs; what its caller hears of it, if anything, does not matter. */
async function dies(process: Process, running: Promise<unknown>): Promise<void> {
  const settled = running.then(
    () => undefined,
    () => undefined,
  );
  await process.gone;
  await settled;
}
