import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import { fileURLToPath } from 'node:url';
import {
  AgentError,
  Runner,
  isDurable,
  textOf,
  cursorOf,
  type RunEvent,
  type Store,
  type Watched,
} from '@agent-functions/core';
import { verifyJournal } from '@agent-functions/core/testing';
import { decide, outsideAt, scenarios, type Scenario } from './scenarios.ts';

// The kill test: a child process runs a scenario and dies; this process takes the run over; then everything is checked.

export const leaseMs = 1_000;

/** Where a child dies: at a write, or some time after it is ready. */
export type Kill =
  | { readonly when: 'before' | 'after'; readonly write: number }
  | { readonly afterMs: number }
  | undefined;

export interface EffectsServer {
  readonly url: string;
  readonly counts: ReadonlyMap<string, number>;
  close(): Promise<void>;
}

/** Counts effects by key, outside of every process that may die. */
export async function effectsServer(): Promise<EffectsServer> {
  const counts = new Map<string, number>();
  const server: Server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://localhost');
    if (request.method === 'GET') {
      response.end(String(counts.get(url.searchParams.get('key') ?? '') ?? 0));
      return;
    }
    let body = '';
    request.setEncoding('utf8');
    request.on('data', (chunk: string) => {
      body += chunk;
    });
    request.on('end', () => {
      const { key }: { key: string } = JSON.parse(body);
      counts.set(key, (counts.get(key) ?? 0) + 1);
      response.end('ok');
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    counts,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

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

/** Runs one case: the child, its death, the takeover, the checks. */
export async function killCase(bench: Bench, scenario: Scenario, kill: Kill): Promise<Outcome> {
  const key = randomBytes(24).toString('hex');
  const sessionId = `s-${key.slice(0, 12)}`;
  const outside = outsideAt(bench.effects.url);
  const runner = new Runner(scenario.agent(outside), { store: bench.store, leaseMs });
  const watcher = watchAll(runner, bench.store, sessionId);
  const child = await runChild({
    path: bench.path,
    effects: bench.effects.url,
    scenario: scenario.name,
    key,
    sessionId,
    leaseMs,
    kill,
  });
  const recorded = await recordedBy(runner, bench.store, sessionId);

  // A client that got no answer asks again, with the same key.
  let result = await runner.run('Please do it.', { idempotencyKey: key, sessionId });
  while (result.status === 'interrupted') {
    const { runId } = result;
    const decisions = await Promise.all(
      result.interruptions.map((asked) => decide(runId, asked, outside)),
    );
    result = await runner.resume(runId, decisions);
  }
  const seen = await watcher;
  const events = await eventsOf(runner, result.runId);
  const where = `${scenario.name}, killed ${JSON.stringify(kill ?? 'never')}`;
  verifyJournal(events);
  expectEqual(result.status, 'completed', `${where}: status`);
  expectEqual(result.finalOutput, scenario.answer, `${where}: answer`);
  expectEqual(result.toolResults.length, scenario.calls, `${where}: tool results`);
  expectEqual(events.slice(0, recorded.length), recorded, `${where}: what was recorded stays`);
  const unknown = checkEffects(events, bench.effects.counts, where);
  checkWatcher(seen, events, where);
  await checkSession(bench.store, sessionId, result.runId, events, where);
  return { killed: child.killed, writes: child.writes, events, unknown };
}

function runChild(order: {
  readonly path: string;
  readonly effects: string;
  readonly scenario: string;
  readonly key: string;
  readonly sessionId: string;
  readonly leaseMs: number;
  readonly kill: Kill;
}): Promise<{ readonly killed: boolean; readonly writes: number | undefined }> {
  const { kill } = order;
  const timed = kill !== undefined && 'afterMs' in kill ? kill.afterMs : undefined;
  const child = spawn(
    process.execPath,
    [
      '--conditions=@agent-functions/source',
      '--disable-warning=ExperimentalWarning',
      fileURLToPath(new URL('child.ts', import.meta.url)),
      JSON.stringify({ ...order, kill: timed === undefined ? (kill ?? null) : null }),
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
      setTimeout(() => child.kill('SIGKILL'), timed);
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
      const last = output.trim().split('\n').at(-1) ?? '';
      const report: { writes?: number } = last.startsWith('{') ? JSON.parse(last) : {};
      resolve({ killed: signal === 'SIGKILL', writes: report.writes });
    });
  });
}

/** Follows the session's run from its start, leaving and coming back with the last cursor again and again. */
async function watchAll(
  runner: Runner<unknown, unknown>,
  store: Store,
  sessionId: string,
): Promise<readonly (Watched | 'cut')[]> {
  const runId = await activeRun(store, sessionId);
  const seen: (Watched | 'cut')[] = [];
  let cursor: string | undefined;
  for (let round = 1; ; round += 1) {
    const leave = new AbortController();
    let count = 0;
    try {
      for await (const event of runner.events(runId, {
        cursor,
        follow: true,
        signal: leave.signal,
      })) {
        seen.push(event);
        cursor = cursorOf(event);
        count += 1;
        if (isDurable(event) && event.type === 'run-end') return seen;
        if (count % (3 + (round % 5)) === 0) break;
      }
    } catch (error) {
      // Before the run is created there is nothing to follow.
      if (!AgentError.isInstance(error) || error.code !== 'not_found') throw error;
    }
    leave.abort();
    seen.push('cut');
    await new Promise<void>((resolve) => {
      setTimeout(resolve, 10);
    });
  }
}

async function activeRun(store: Store, sessionId: string): Promise<string> {
  for (;;) {
    const { runs } = await store.runs.list({ sessionId, limit: 1 });
    const run = runs[0];
    if (run !== undefined) return run.runId;
    await new Promise<void>((resolve) => {
      setTimeout(resolve, 20);
    });
  }
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

/** No `once` effect happened twice, and none that is recorded as done did not happen. */
function checkEffects(
  events: readonly RunEvent[],
  counts: ReadonlyMap<string, number>,
  where: string,
): number {
  const effects = new Map<string, string>();
  let unknown = 0;
  for (const event of events) {
    if (event.type === 'tool-start') effects.set(event.callId, event.effect);
    if (event.type !== 'tool-result') continue;
    const times = counts.get(`${event.runId}/${event.callId}`) ?? 0;
    const effect = effects.get(event.callId);
    if (effect === 'once' && times > 1)
      throw new Error(`${where}: ${event.callId} happened ${times} times`);
    if ((event.how === 'ran' || event.how === 'reconciled') && times === 0) {
      throw new Error(`${where}: ${event.callId} is recorded as done and never happened`);
    }
    if (event.how === 'unknown-outcome') unknown += 1;
  }
  return unknown;
}

/** The law of cursors: each durable event once and in order; the text that was folded agrees with what was recorded. */
function checkWatcher(
  seen: readonly (Watched | 'cut')[],
  events: readonly RunEvent[],
  where: string,
): void {
  const durable = seen.filter((event) => event !== 'cut').filter(isDurable);
  expectEqual(
    durable.map(({ seq }) => seq),
    events.map(({ seq }) => seq),
    `${where}: watched events`,
  );
  const shown = new Map<string, { epoch: string; text: string }>();
  for (const event of seen) {
    // What was shown before a cut may be void by now without a word; the response replaces it.
    if (event === 'cut') shown.clear();
    else if (isDurable(event)) {
      if (event.type === 'run-resume') shown.clear();
      if (event.type !== 'model-response') continue;
      const text = textOf(event.message);
      const folded = shown.get(event.frame)?.text ?? '';
      if (!text.startsWith(folded))
        throw new Error(`${where}: showed ${JSON.stringify(folded)} of ${JSON.stringify(text)}`);
      shown.delete(event.frame);
    } else if (event.type === 'void') shown.delete(event.frame);
    else if (event.type === 'text-delta') {
      const before = shown.get(event.frame);
      const text = before?.epoch === event.epoch ? before.text : '';
      shown.set(event.frame, { epoch: event.epoch, text: text + event.delta });
    }
  }
}

async function checkSession(
  store: Store,
  sessionId: string,
  runId: string,
  events: readonly RunEvent[],
  where: string,
): Promise<void> {
  const session = await store.sessions.load(sessionId);
  expectEqual(session.activeRunId ?? null, null, `${where}: session is free`);
  const answers = events.filter((event) => event.type === 'model-response').length;
  const mine = session.messages.filter((message) => message.runId === runId);
  expectEqual(
    mine.filter(({ role }) => role === 'assistant').length,
    answers,
    `${where}: answers in the session`,
  );
  expectEqual(new Set(mine.map(({ id }) => id)).size, mine.length, `${where}: messages once`);
  expectEqual(mine.length, session.messages.length, `${where}: only this run's messages`);
}

function expectEqual(actual: unknown, expected: unknown, what: string): void {
  const [a, b] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (a !== b) throw new Error(`${what}: expected ${b}, got ${a}`);
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
  return Array.from({ length: writes }, (_, index): Kill[] => [
    { when: 'before', write: index + 1 },
    { when: 'after', write: index + 1 },
  ]).flat();
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
