import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { isDurable, Runner, type RunEvent, type Store } from '@agent-functions/core';
import { verifyJournal } from '@agent-functions/core/testing';
import {
  checkEffects,
  checkFrames,
  checkResult,
  checkSession,
  checkWatcher,
  expectEqual,
} from './checks.ts';
import type { EffectsServer } from './effects-server.ts';
import { outsideAt, type Scenario } from './scenario.ts';
import { scenarios } from './scenarios.ts';
import { toItsEnd } from './to-its-end.ts';
import { watchAll } from './watch-all.ts';

// The kill test: a child process runs a scenario and dies; this process takes the run over; then everything is checked.

export const leaseMs = 1_000;

interface AtWrite {
  readonly when: 'before' | 'after';
  readonly write: number;
}

/** Where a run dies: at a write, or some time after its process is ready. */
export type Kill = AtWrite | { readonly afterMs: number } | undefined;

export interface Bench {
  readonly path: string;
  readonly store: Store;
  readonly effects: EffectsServer;
}

/** What one case came to; thrown errors say what was wrong. */
export interface Outcome {
  readonly killed: boolean;
  readonly writes: number | undefined;
  readonly events: readonly RunEvent[];
  /** Calls of `once` tools whose outcome was reported as unknown. */
  readonly unknown: number;
}

/** One run of a scenario. */
interface Case {
  readonly key: string;
  readonly sessionId: string;
  readonly kill: Kill;
}

/** What the child is told: runs of one scenario, side by side. */
export interface ChildOrder {
  readonly path: string;
  readonly effects: string;
  readonly scenario: string;
  readonly leaseMs: number;
  readonly cases: readonly ChildCase[];
}

export interface ChildCase {
  readonly key: string;
  readonly sessionId: string;
  readonly kill: AtWrite | null;
}

/** Runs one case: the child, its death, the takeover, the checks. */
export async function killCase(bench: Bench, scenario: Scenario, kill: Kill): Promise<Outcome> {
  const [outcome] = await killCases(bench, scenario, [kill]);
  if (outcome === undefined) throw new Error('one case has one outcome');
  return outcome;
}

/** The same for several runs of one scenario, which die with one process, each at its own write. */
export async function killCases(
  bench: Bench,
  scenario: Scenario,
  kills: readonly Kill[],
): Promise<readonly Outcome[]> {
  const cases = kills.map((kill): Case => {
    const key = randomBytes(24).toString('hex');
    return { key, sessionId: `s-${key.slice(0, 12)}`, kill };
  });
  const taken = cases.map((one) => ({ key: one.key, takeUp: takeover(bench, scenario, one) }));
  const written = await runChild(bench, scenario, cases);
  return Promise.all(taken.map(({ key, takeUp }) => takeUp(written.get(key))));
}

/** Watches a run of the child; the answer takes it up, told the writes that it made if it ended by itself. */
function takeover(
  bench: Bench,
  scenario: Scenario,
  { key, sessionId, kill }: Case,
): (writes: number | undefined) => Promise<Outcome> {
  const { store, effects } = bench;
  const outside = outsideAt(effects.url);
  const runner = new Runner(scenario.agent(outside), { store, leaseMs });
  const watcher = watchAll(runner, store, sessionId);
  return async (writes) => {
    const recorded = await recordedBy(runner, store, sessionId);
    const result = await toItsEnd(runner, { key, sessionId, outside });
    const seen = await watcher;
    const events = await eventsOf(runner, result.runId);
    const where = `${scenario.name}, killed ${JSON.stringify(kill ?? 'never')}`;
    verifyJournal(events);
    checkFrames(events, where);
    checkResult(result, scenario, where);
    expectEqual(events.slice(0, recorded.length), recorded, `${where}: what was recorded stays`);
    const unknown = checkEffects(events, effects.counts, where);
    checkWatcher(seen, events, where);
    const session = await store.sessions.load(sessionId);
    checkSession(session, { scenario, result, events, where });
    return { killed: writes === undefined, writes, events, unknown };
  };
}

/** Resolves when the child is dead or done, with the writes of the cases that came to their end. */
function runChild(
  { path, effects }: Bench,
  { name: scenario }: Scenario,
  cases: readonly Case[],
): Promise<ReadonlyMap<string, number>> {
  const order: ChildOrder = {
    path,
    effects: effects.url,
    scenario,
    leaseMs,
    cases: cases.map((one) => ({ ...one, kill: isAtWrite(one.kill) ? one.kill : null })),
  };
  const [timed] = cases.flatMap(({ kill }) => (kill === undefined || isAtWrite(kill) ? [] : kill));
  const child = spawn(
    process.execPath,
    [
      '--conditions=@agent-functions/source',
      '--disable-warning=ExperimentalWarning',
      fileURLToPath(new URL('child.ts', import.meta.url)),
      JSON.stringify(order),
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let output = '';
  let errors = '';
  child.stdout.setEncoding('utf8');
  child.stderr.setEncoding('utf8');
  child.stdout.on('data', (chunk: string) => {
    output += chunk;
    if (timed !== undefined && chunk.includes('ready')) {
      setTimeout(() => child.kill('SIGKILL'), timed.afterMs);
    }
  });
  child.stderr.on('data', (chunk: string) => {
    errors += chunk;
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      if (signal !== 'SIGKILL' && code !== 0) {
        reject(new Error(`The child ended with ${code ?? signal}: ${errors}`));
        return;
      }
      const ended = new Map<string, number>();
      for (const line of output.split('\n')) {
        if (!line.startsWith('{')) continue;
        const { key, writes }: { key: string; writes: number } = JSON.parse(line);
        ended.set(key, writes);
      }
      resolve(ended);
    });
  });
}

function isAtWrite(kill: Kill): kill is AtWrite {
  return kill !== undefined && 'write' in kill;
}

async function recordedBy(
  runner: Runner<unknown, unknown>,
  store: Store,
  sessionId: string,
): Promise<readonly RunEvent[]> {
  const { runs } = await store.runs.list({ sessionId, limit: 1 });
  const run = runs[0];
  return run === undefined ? [] : eventsOf(runner, run.runId);
}

async function eventsOf(
  runner: Runner<unknown, unknown>,
  runId: string,
): Promise<readonly RunEvent[]> {
  const events: RunEvent[] = [];
  for await (const event of runner.events(runId)) if (isDurable(event)) events.push(event);
  return events;
}

/** Runs cases side by side, at most `limit` at once. */
export async function sideBySide<T>(
  items: readonly T[],
  limit: number,
  each: (item: T) => Promise<void>,
): Promise<void> {
  let next = 0;
  const work = async (): Promise<void> => {
    for (;;) {
      const index = next;
      next += 1;
      const item = items[index];
      if (item === undefined) return;
      await each(item);
    }
  };
  await Promise.all(Array.from({ length: limit }, work));
}

/** Every write boundary of a scenario, before and after, as its unkilled run shows them. */
export async function boundariesOf(bench: Bench, scenario: Scenario): Promise<Kill[]> {
  const { writes } = await killCase(bench, scenario, undefined);
  if (writes === undefined || writes < 3) throw new Error(`${scenario.name} made ${writes} writes`);
  return boundaries(1, writes);
}

function boundaries(from: number, count: number): Kill[] {
  return Array.from({ length: count }, (_, index): Kill[] => [
    { when: 'before', write: from + index },
    { when: 'after', write: from + index },
  ]).flat();
}

/**
 * Every write boundary, several of them with one process, until a run comes to its end before it gets there: side by
 * side, frames do not always make as many writes.
 */
export async function walkBoundaries(
  bench: Bench,
  scenario: Scenario,
): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = [];
  const window = 12;
  for (let from = 1; outcomes.every(({ killed }) => killed); from += window) {
    outcomes.push(...(await killCases(bench, scenario, boundaries(from, window))));
  }
  return outcomes;
}

/** `count` moments of a seeded generator, spread over what a scenario takes. */
export function momentsOf(seed: number, count: number): { scenario: Scenario; kill: Kill }[] {
  let state = seed;
  const random = (): number => {
    // mulberry32
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  return Array.from({ length: count }, () => {
    const scenario = scenarios[Math.floor(random() * scenarios.length)];
    if (scenario === undefined) throw new Error('no scenario');
    return { scenario, kill: { afterMs: Math.floor(random() * 120) } };
  });
}
