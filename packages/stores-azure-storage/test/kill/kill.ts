import { randomBytes } from 'node:crypto';
import { isDurable, keyedRunId, Runner, type RunEvent, type Store } from '@agent-functions/core';
import { verifyJournal } from '@agent-functions/core/testing';
import {
  checkEffects,
  checkFrames,
  checkResult,
  checkSession,
  expectEqual,
} from '../../../stores-sqlite/test/kill/checks.ts';
import type { EffectsServer } from '../../../stores-sqlite/test/kill/effects-server.ts';
import { momentsOf } from '../../../stores-sqlite/test/kill/kill.ts';
import { decide, outsideAt, type Scenario } from '../../../stores-sqlite/test/kill/scenario.ts';
import { azureStorageStore } from '../../src/index.ts';
import type { Azurite } from '../azurite.ts';
import { answer, ask, type Asking } from './client.ts';
import type { AtWrite } from './standing-store.ts';
import { startWorker, type Worker } from './start-worker.ts';

// The kill test over HTTP and the queue: a worker runs a scenario and dies; the next worker gets nothing but the wakes of
// the queue, and the answers to what the run asks; then everything is checked.

export const leaseMs = 1_000;
/** How much later than its lease an abandoned run may go on. */
const recoveryMs = 2_000;

/** Where a run dies: at a write, or some time after it has begun one. */
export type Kill = AtWrite | { readonly write: number; readonly plusMs: number } | undefined;

export interface Plan {
  readonly asking: Asking;
  readonly kill: Kill;
}

export interface Bench {
  readonly azurite: Azurite;
  readonly effects: EffectsServer;
}

export interface Outcome {
  /** Whether the worker died before the run had come to its end. */
  readonly killed: boolean;
  readonly writes: number;
  readonly events: readonly RunEvent[];
  /** Calls of `once` tools whose outcome was reported as unknown. */
  readonly unknown: number;
  /** From the worker's death to the first event of the next one, for a run that was at work. */
  readonly recoveredInMs: number | undefined;
}

/** Runs cases of one scenario, which die with one worker, each at its own write. */
export async function killCases(
  bench: Bench,
  scenario: Scenario,
  plans: readonly Plan[],
): Promise<readonly Outcome[]> {
  const { azurite, effects } = bench;
  const prefix = azurite.prefix();
  const { connectionString } = azurite;
  const store = azureStorageStore({ connectionString, prefix });
  const order = { scenario: scenario.name, prefix, effects: effects.url, leaseMs };
  const cases = await Promise.all(plans.map((plan) => caseOf(bench, scenario, store, plan)));
  const stand = new Map(
    cases.flatMap(({ sessionId, plan: { kill } }) => (isAtWrite(kill) ? [[sessionId, kill]] : [])),
  );
  const workers: Worker[] = [];
  try {
    const [first, second] = await Promise.all([
      startWorker(connectionString, order, stand),
      startWorker(connectionString, order),
    ]);
    workers.push(first, second);
    first.pump();
    await Promise.all(cases.map((one) => one.untilDeath(first)));
    const writes = cases.map(({ sessionId }) => first.writes.get(sessionId) ?? 0);
    const died = cases.map((one) => !one.ended());
    const killedAt = Date.now();
    await first.kill();
    second.pump();
    return await Promise.all(
      cases.map((one, index) =>
        one.takenUp(second, {
          killed: died[index] ?? true,
          killedAt,
          writes: writes[index] ?? 0,
        }),
      ),
    );
  } catch (error) {
    const notes = workers.map((each, index) => `worker ${index + 1}: ${each.notes.join('\n  ')}`);
    throw new Error(`${scenario.name}: ${String(error)}\n${notes.join('\n')}`, { cause: error });
  } finally {
    await Promise.all(workers.map((each) => each.kill()));
    await store.close();
  }
}

const askings: readonly Asking[] = ['json', 'later', 'stream'];

/** Every write boundary from `from` on, before and after; each way to ask in turn. */
export function boundaries(from: number, count: number): readonly Plan[] {
  return Array.from({ length: count * 2 }, (_, index) => ({
    asking: askings[(from + index) % askings.length] ?? 'json',
    kill: {
      when: index % 2 === 0 ? ('before' as const) : ('after' as const),
      write: from + Math.floor(index / 2),
    },
  }));
}

/** `count` moments of a seeded generator: some milliseconds after one of the writes that each run makes. */
export function moments(
  seed: number,
  count: number,
): readonly { readonly scenario: Scenario; readonly plan: Plan }[] {
  return momentsOf(seed, count).map(({ scenario, kill }, index) => {
    const drawn = kill !== undefined && 'afterMs' in kill ? kill.afterMs : 0;
    const asking = askings[index % askings.length] ?? 'json';
    return { scenario, plan: { asking, kill: { write: 1 + (drawn % 5), plusMs: drawn } } };
  });
}

/** Fails where an abandoned run went on later than it must. */
export function checkRecovery(
  { recoveredInMs }: Outcome,
  where: string,
  withinMs: number = leaseMs + recoveryMs,
): void {
  if (recoveredInMs === undefined || recoveredInMs <= withinMs) return;
  throw new Error(`${where}: it went on after ${recoveredInMs} ms`);
}

interface Case {
  readonly plan: Plan;
  readonly sessionId: string;
  /** Asks, answers what the run asks, until its time to die, or its end. */
  untilDeath(worker: Worker): Promise<void>;
  ended(): boolean;
  /** Waits for the end, checks. */
  takenUp(
    worker: Worker,
    found: { readonly killed: boolean; readonly killedAt: number; readonly writes: number },
  ): Promise<Outcome>;
}

const lookMs = 20;
const tooLongMs = 60_000;

async function caseOf(
  { effects }: Bench,
  scenario: Scenario,
  store: Store,
  plan: Plan,
): Promise<Case> {
  const key = randomBytes(24).toString('hex');
  const sessionId = `s-${key.slice(0, 12)}`;
  const outside = outsideAt(effects.url);
  const agent = scenario.agent(outside);
  const runId = await keyedRunId(undefined, agent.name, key);
  const runner = new Runner(agent, { store });
  const where = `${scenario.name}, ${plan.asking}, killed ${JSON.stringify(plan.kill ?? 'never')}`;
  let over = false;
  let seen: readonly RunEvent[] = [];

  /** One look; answers what the run asks. */
  const look = async (worker: Worker): Promise<void> => {
    const peek = await store.runs.peek(runId);
    if (peek === undefined) return;
    if (peek.seq > seen.length) seen = await eventsOf(runner, runId);
    if (peek.ended) {
      over = (await store.sessions.load(sessionId)).activeRunId === undefined;
      return;
    }
    if (seen.at(-1)?.type !== 'run-pause' || (await store.runs.inbox(runId)).length > 0) return;
    const result = await runner.get(runId);
    if (result?.status !== 'interrupted') return;
    const decisions = await Promise.all(
      result.interruptions.map((asked) => decide(runId, asked, outside)),
    );
    await answer(worker.url, runId, decisions);
  };

  const until = async (worker: Worker, done: () => boolean): Promise<void> => {
    const end = performance.now() + tooLongMs;
    while (!done()) {
      if (performance.now() > end) {
        const last = seen.map(({ type }) => type).join(' ');
        const peek = JSON.stringify(await store.runs.peek(runId));
        throw new Error(`${where}: not at its end after ${tooLongMs} ms: ${last} ${peek}`);
      }
      await look(worker);
      if (!done()) await new Promise((resolve) => setTimeout(resolve, lookMs));
    }
  };

  return {
    plan,
    sessionId,
    ended: () => over,
    async untilDeath(worker) {
      const asked = ask(worker.url, agent.name, { key, sessionId, asking: plan.asking });
      const { kill } = plan;
      const diesBehind = kill === undefined || isAtWrite(kill) ? undefined : kill.write;
      const atWrite = (): boolean =>
        diesBehind !== undefined && (worker.writes.get(sessionId) ?? 0) >= diesBehind;
      await until(worker, () => over || worker.still.has(sessionId) || atWrite());
      if (!over && kill !== undefined && !isAtWrite(kill)) {
        await new Promise((resolve) => setTimeout(resolve, kill.plusMs));
      }
      if (over) await asked;
    },
    async takenUp(worker, { killed, killedAt, writes }) {
      // Nobody has told the client of a run that was not recorded: it asks again.
      if ((await store.runs.header(runId)) === undefined) {
        await ask(worker.url, agent.name, { key, sessionId, asking: plan.asking });
      }
      const recorded = seen;
      await until(worker, () => over);
      const events = await eventsOf(runner, runId);
      verifyJournal(events);
      checkFrames(events, where);
      const result = await runner.get(runId);
      if (result === undefined || result.status === 'running') throw new Error(`${where}: no end`);
      checkResult(result, scenario, where);
      expectEqual(events.slice(0, recorded.length), recorded, `${where}: what was recorded stays`);
      const unknown = checkEffects(events, effects.counts, where);
      const session = await store.sessions.load(sessionId);
      checkSession(session, { scenario, result, events, where });
      const before = events.filter(({ at }) => at <= killedAt);
      const next = events[before.length];
      const wasAtWork = before.length > 0 && before.at(-1)?.type !== 'run-pause';
      const recoveredInMs =
        killed && wasAtWork && next !== undefined ? next.at - killedAt : undefined;
      return { killed, writes, events, unknown, recoveredInMs };
    },
  };
}

export function isAtWrite(kill: Kill): kill is AtWrite {
  return kill !== undefined && 'when' in kill;
}

async function eventsOf(
  runner: Runner<unknown, unknown>,
  runId: string,
): Promise<readonly RunEvent[]> {
  const events: RunEvent[] = [];
  for await (const event of runner.events(runId)) if (isDurable(event)) events.push(event);
  return events;
}
