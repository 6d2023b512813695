import {
  httpStatusOfFailure,
  SessionBusyError,
  type ChatRequest,
  type RunHeader,
  type RunResult,
} from '@agent-functions/core';
import { agentOf } from './agent-routes.ts';
import { Answer } from './answer.ts';
import { toChatBody } from './chat-request.ts';
import { busy, closed, isClosed, sessionFor } from './chat-session.ts';
import { errorEvent } from './error-event.ts';
import { eventStream, eventStreamHeaders } from './event-stream.ts';
import type { RequestHost } from './host.ts';
import { Problem, problemOfFailure } from './problem.ts';
import { readJson } from './read-body.ts';
import type { Reply, Route } from './routes.ts';
import {
  accepted,
  json,
  reasonOf,
  runLinks,
  type Exchange,
  type RouteRunOptions,
  type Scope,
  type Served,
} from './scope.ts';
import { outlivesServer, stoppingEvent, stoppingProblem } from './server-stops.ts';
import { supersede } from './supersede.ts';
import { wantsStream } from './wants-stream.ts';

/** One turn of a conversation, under the agent's path and its short form. */
export function chatRoutes(scope: Scope): readonly Route[] {
  return [
    {
      method: 'POST',
      path: `${scope.prefix}/agents/{name}/chat`,
      name: 'chat',
      handle: (exchange) => chat(scope, agentOf(scope, exchange), exchange),
    },
    ...[...scope.agents.values()].map((served) => ({
      method: 'POST',
      path: `${scope.prefix}/${served.name}/chat`,
      name: 'chat',
      agent: served.name,
      handle: (exchange: Exchange) => chat(scope, served, exchange),
    })),
  ];
}

async function chat(scope: Scope, served: Served, exchange: Exchange): Promise<Reply> {
  const { request, host } = exchange;
  const startedAt = Date.now();
  if (!served.agent.enableConversationalAgent) {
    throw new Problem(
      404,
      'not_conversational',
      `The agent ${served.name} has no chat: other agents reach it. Talk to one of them.`,
    );
  }
  refuseLater(request.headers);
  const body = toChatBody(await readJson(request, host, scope.bodyLimitBytes), scope);
  const streams = wantsStream(request.headers, body.stream, served.agent.streaming);
  if (scope.stopping.begun) throw stoppingProblem(scope);
  const sessionId = await sessionFor(scope, body, exchange.principal);
  const endsAt = endOf(scope, host.deadline, startedAt);
  const turn: Turn = {
    input: { ...body.chat, sessionId },
    sessionId,
    options: {
      principal: exchange.principal,
      modelSettings: body.modelSettings,
      traceparent: host.traceparent,
    },
    endsAt,
  };
  const answer = async () => {
    if (body.resets) await served.runner.resetConversation(sessionId, turn.options);
    return streams
      ? answerAsStream(scope, served, exchange, turn)
      : answerAsJson(scope, served, exchange, turn);
  };
  try {
    return await answer();
  } catch (error) {
    if (isClosed(error)) throw closed();
    if (!(error instanceof SessionBusyError)) throw error;
    if (body.ifBusy === 'reject') throw await busy(scope, served, exchange, error);
    await supersede(scope, error.activeRunId, exchange);
    return answer();
  }
}

/** One message and how it is run. */
interface Turn {
  readonly input: ChatRequest;
  readonly sessionId: string;
  readonly options: RouteRunOptions;
  readonly endsAt: number | undefined;
}

async function answerAsJson(
  scope: Scope,
  { runner }: Served,
  { host }: Exchange,
  { input, sessionId, options, endsAt }: Turn,
): Promise<Answer> {
  const leaving = scope.onDisconnect === 'cancel' ? follow(host.signal) : undefined;
  const running = runner.run(input, { ...options, signal: leaving?.signal });
  const end = await before(scope, endsAt, running).finally(() => leaving?.letGo());
  switch (end.type) {
    case 'result':
      return shown(end.result);
    case 'late':
      return outlasted(scope, host, sessionId, running);
    case 'stop':
      if (!outlivesServer(scope)) leaving?.cancel('The server stops.');
      return interruptedByStop(scope, host, sessionId, running);
    default:
      return end satisfies never;
  }
}

function shown(result: RunResult<unknown>): Answer {
  if (result.status !== 'failed') return json(result.toJSON());
  throw failed(result);
}

/** A signal that fires with another until it is let go: a run that outlasts its request must not end with it. */
function follow(signal: AbortSignal): {
  readonly signal: AbortSignal;
  letGo(): void;
  cancel(reason: string): void;
} {
  const own = new AbortController();
  const abort = () => own.abort(signal.reason);
  if (signal.aborted) abort();
  else signal.addEventListener('abort', abort, { once: true });
  return {
    signal: own.signal,
    letGo: () => signal.removeEventListener('abort', abort),
    cancel: (reason) => own.abort(new DOMException(reason, 'AbortError')),
  };
}

/** The run of a session that is at work, if it is recorded. */
async function runAtWork(scope: Scope, sessionId: string): Promise<RunHeader | undefined> {
  const { activeRunId } = await scope.store.sessions.load(sessionId);
  return activeRunId === undefined ? undefined : scope.store.runs.header(activeRunId);
}

/** The server stops before the run has ended: 503, and whoever comes next goes on with it. */
async function interruptedByStop(
  scope: Scope,
  host: RequestHost,
  sessionId: string,
  running: Promise<RunResult<unknown>>,
): Promise<Answer> {
  const header = await runAtWork(scope, sessionId);
  if (header === undefined) {
    // It ended while we looked, or never began.
    void running.catch(() => undefined);
    throw stoppingProblem(scope);
  }
  void reported(scope, running, host, header);
  throw stoppingProblem(scope, header.runId, sessionId);
}

/** The time is over and the run is not: 202, and it goes on. */
async function outlasted(
  scope: Scope,
  host: RequestHost,
  sessionId: string,
  running: Promise<RunResult<unknown>>,
): Promise<Answer> {
  const header = await runAtWork(scope, sessionId);
  // It ended while we looked, or it is not recorded yet.
  if (header === undefined) return shown(await running);
  host.waitUntil(reported(scope, running, host, header));
  return accepted(scope, header);
}

async function answerAsStream(
  scope: Scope,
  { runner }: Served,
  { host }: Exchange,
  { input, options, endsAt }: Turn,
): Promise<Response> {
  const leaving = scope.onDisconnect === 'cancel' ? follow(host.signal) : undefined;
  const stream = runner.stream(input, { ...options, signal: leaving?.signal });
  // From here on the stream itself says what becomes of the run when the client leaves.
  const header = await stream.started.finally(() => leaving?.letGo());
  host.waitUntil(reported(scope, stream.result, host, header));
  const body = eventStream({
    events: stream,
    signal: host.signal,
    heartbeatMs: scope.heartbeatMs,
    endsAt,
    onceStopping: (callback) => scope.stopping.once(callback),
    onStop: () => stoppingEvent(scope, header.runId, host.invocationId),
    onLeft: (why) => {
      if (why === 'time' || scope.onDisconnect === 'continue') stream.detach();
      else if (why === 'gone') stream.cancel('The client left.');
      else if (outlivesServer(scope)) stream.detach();
      else stream.cancel('The server stops.');
    },
    onError: (error) => errorEvent(scope, host, header, error),
  });
  return new Response(body, { headers: eventStreamHeaders(runLinks(scope, header.runId).self) });
}

/** Nobody reads this result any more, or its failure has been shown. That it failed, the runner has logged. */
async function reported(
  scope: Scope,
  running: Promise<RunResult<unknown>>,
  host: RequestHost,
  header: RunHeader,
): Promise<void> {
  try {
    await running;
  } catch (error) {
    // A process that stops hands its runs over, and then they break here.
    if (scope.stopping.begun) return;
    host.log('error', 'A run broke', { runId: header.runId, ...reasonOf(error) });
  }
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

/** What is not there yet is refused, so that nobody relies on it. */
function refuseLater(headers: Headers): void {
  for (const name of ['Idempotency-Key', 'Prefer']) {
    if (!headers.has(name)) continue;
    throw new Problem(
      501,
      'not_implemented',
      `The header ${name} is not supported by this version. Leave it out.`,
    );
  }
}

/** When the response must be complete: a little before the host ends it. */
export function endOf(
  scope: Scope,
  deadline: number | undefined,
  startedAt: number,
): number | undefined {
  const own = scope.requestTimeoutMs === undefined ? Infinity : startedAt + scope.requestTimeoutMs;
  const hosts =
    deadline === undefined ? Infinity : deadline - Math.min(2_000, (deadline - startedAt) / 10);
  const end = Math.min(own, hosts);
  return end === Infinity ? undefined : end;
}

type Ended<T> =
  | { readonly type: 'result'; readonly result: T }
  /** The time is over. */
  | { readonly type: 'late' }
  /** The server stops. */
  | { readonly type: 'stop' };

/** The result, or why there is none yet. */
async function before<T>(
  scope: Scope,
  endsAt: number | undefined,
  result: Promise<T>,
): Promise<Ended<T>> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let forget: (() => void) | undefined;
  const early = new Promise<Ended<T>>((resolve) => {
    forget = scope.stopping.once(() => resolve({ type: 'stop' }));
    if (endsAt === undefined) return;
    timer = setTimeout(() => resolve({ type: 'late' }), Math.max(0, endsAt - Date.now()));
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
