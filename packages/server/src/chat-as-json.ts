import { httpStatusOfFailure, type RunHeader, type RunResult } from '@agent-functions/core';
import type { Answer } from './answer.ts';
import { Problem, problemOfFailure } from './problem.ts';
import { waitsFor } from './prefer.ts';
import {
  accepted,
  goesOnByWake,
  isHandedOver,
  json,
  takeUpIfFree,
  type Exchange,
  type Scope,
  type Served,
} from './scope.ts';
import { outlivesServer, stoppingProblem } from './server-stops.ts';
import { recordedBefore } from './replay.ts';
import { follow, handingOver, reported, type Turn } from './turn.ts';

/** The answer as one JSON document: the result, or a 202 when the caller or the host does not wait for it. */
export async function answerAsJson(
  scope: Scope,
  served: Served,
  exchange: Exchange,
  turn: Turn,
): Promise<Answer> {
  const waitMs = waitsFor(turn.prefers);
  if (waitMs === 0) return answerLater(scope, served, exchange, turn);
  const { host } = exchange;
  const endsAt = Math.min(
    turn.endsAt ?? Infinity,
    waitMs === undefined ? Infinity : turn.startedAt + waitMs,
  );
  const leaving = scope.onDisconnect === 'cancel' ? follow(host.signal) : undefined;
  const leave = handingOver(scope, host);
  const running = served.runner.run(turn.input, {
    ...turn.options,
    ...leave.options,
    signal: leaving?.signal,
  });
  try {
    const end = await before(scope, endsAt, running).finally(() => leaving?.letGo());
    switch (end.type) {
      case 'result':
        return shown(end.result);
      case 'late':
        return await outlasted(scope, exchange, turn, running, leave);
      case 'stop':
        if (!outlivesServer(scope)) leaving?.cancel('The server stops.');
        return await interruptedByStop(scope, exchange, turn, running);
      default:
        return end satisfies never;
    }
  } catch (error) {
    const header = isHandedOver(error) ? await runAtWork(scope, turn) : undefined;
    if (header === undefined) throw error;
    return accepted(scope, header);
  }
}

function shown(result: RunResult<unknown>): Answer {
  if (result.status !== 'failed') return json(result.toJSON());
  throw failed(result);
}

/** 202 at once: the run is recorded and its session names it; then it goes on here, or where a wake takes it. */
async function answerLater(
  scope: Scope,
  served: Served,
  exchange: Exchange,
  turn: Turn,
): Promise<Answer> {
  const { host } = exchange;
  const { runner } = served;
  if (turn.keyed?.replayed === true) {
    const header = await recordedBefore(served, turn);
    await takeUpIfFree(scope, header, host);
    // Who began it may not have confirmed it yet.
    while (!scope.stopping.begun && (await runAtWork(scope, turn)) === undefined) {
      await sleep(recordedPollMs);
    }
    return accepted(scope, header);
  }
  if (goesOnByWake(scope, host)) {
    const header = await runner.start(turn.input, turn.options);
    await takeUpIfFree(scope, header, host);
    return accepted(scope, header);
  }
  const stream = runner.stream(turn.input, turn.options);
  stream.detach();
  await stream[Symbol.asyncIterator]().return?.();
  const header = await stream.started;
  host.waitUntil(reported(scope, stream.result, host, header));
  return accepted(scope, header);
}

/** The time is over and the run is not: 202, and it goes on. */
async function outlasted(
  scope: Scope,
  { host }: Exchange,
  turn: Turn,
  running: Promise<RunResult<unknown>>,
  leave: { begin(): void },
): Promise<Answer> {
  for (;;) {
    const header = await runAtWork(scope, turn);
    if (header !== undefined) {
      host.waitUntil(reported(scope, running, host, header));
      leave.begin();
      return accepted(scope, header);
    }
    // It ended while we looked, or it is not recorded yet.
    const end = await before(scope, Date.now() + recordedPollMs, running);
    if (end.type === 'result') return shown(end.result);
    if (end.type === 'stop') return interruptedByStop(scope, { host }, turn, running);
  }
}

const recordedPollMs = 25;

/** The server stops before the run has ended: 503, and whoever comes next goes on with it. */
async function interruptedByStop(
  scope: Scope,
  { host }: Pick<Exchange, 'host'>,
  turn: Turn,
  running: Promise<RunResult<unknown>>,
): Promise<Answer> {
  const header = await runAtWork(scope, turn);
  if (header === undefined) {
    // It ended while we looked, or never began.
    void running.catch(() => undefined);
    throw stoppingProblem(scope);
  }
  void reported(scope, running, host, header);
  throw stoppingProblem(scope, header.runId, turn.sessionId);
}

/** The run of the request, if it is recorded and its session has confirmed it: before that nobody is told of it. */
async function runAtWork(scope: Scope, { sessionId, keyed }: Turn): Promise<RunHeader | undefined> {
  const session = await scope.store.sessions.load(sessionId);
  const runId = keyed?.runId ?? session.activeRunId;
  if (runId === undefined) return undefined;
  if (session.activeRunId === runId && session.activeConfirmed !== true) return undefined;
  return scope.store.runs.header(runId);
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

/** A failed run as a problem; what it hides, the runner has logged under the run's id. */
function failed({ error, runId, sessionId }: RunResult<unknown>): Problem {
  const failure = error ?? { code: 'internal', message: 'The run failed without a reason.' };
  const status = httpStatusOfFailure(failure);
  // A run is never the fault of its request's form, and 499 is no answer.
  return problemOfFailure(failure, status < 422 || status === 499 ? 502 : status, {
    run_id: runId,
    ...(sessionId === undefined ? {} : { session_id: sessionId }),
  });
}

type Ended<T> =
  | { readonly type: 'result'; readonly result: T }
  /** The time is over. */
  | { readonly type: 'late' }
  /** The server stops. */
  | { readonly type: 'stop' };

/** The result, or why there is none yet. */
async function before<T>(scope: Scope, endsAt: number, result: Promise<T>): Promise<Ended<T>> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let forget: (() => void) | undefined;
  const early = new Promise<Ended<T>>((resolve) => {
    forget = scope.stopping.once(() => resolve({ type: 'stop' }));
    if (endsAt === Infinity) return;
    const ms = Math.min(Math.max(0, endsAt - Date.now()), 2 ** 31 - 1);
    timer = setTimeout(() => resolve({ type: 'late' }), ms);
  });
  try {
    return await Promise.race([
      result.then((value): Ended<T> => ({ type: 'result', result: value })),
      early,
    ]);
  } finally {
    clearTimeout(timer);
    forget?.();
  }
}
