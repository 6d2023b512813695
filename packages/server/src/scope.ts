import {
  AgentError,
  NotFoundError,
  type Agent,
  type AgentDefinition,
  type JsonObject,
  type Logger,
  type ModelRegistry,
  type Principal,
  type RunHeader,
  type RunInput,
  type RunOptions,
  type RunResult,
  type RunStream,
  type Store,
  type WakeCall,
  type Woken,
} from '@agent-functions/core';
import { Answer } from './answer.ts';
import type { RequestHost } from './host.ts';
import { reasonOf } from './reason.ts';
import type { ServerRunner, WakeOptions } from './options.ts';
import { Problem } from './problem.ts';
import type { Cleaning } from './cleaning.ts';
import type { Stopping } from './stopping.ts';

/** What routes say of a run. Its context is made by the runner's factory, whatever its type. */
export type RouteRunOptions = Omit<RunOptions, 'context' | 'middleware'>;

/** What routes need of a runner. */
export interface RunnerPort extends Pick<
  ServerRunner<never>,
  'get' | 'post' | 'events' | 'canHandoffTo' | 'resetConversation' | 'deleteSession'
> {
  start(input: RunInput, options: RouteRunOptions): Promise<RunHeader>;
  run(input: RunInput, options: RouteRunOptions): Promise<RunResult<unknown>>;
  stream(input: RunInput, options: RouteRunOptions): RunStream<unknown>;
  resume(runId: string): Promise<RunResult<unknown>>;
  wake(call: WakeCall, options: WakeOptions): Promise<Woken>;
}

/** An agent under its name in URLs. */
export interface Served {
  readonly name: string;
  readonly agent: Agent<never, unknown>;
  readonly runner: RunnerPort;
}

/** What the routes of one server share. */
export interface Scope {
  readonly store: Store;
  readonly logger: Logger;
  readonly models: ModelRegistry | undefined;
  /** By the name in URLs. */
  readonly agents: ReadonlyMap<string, Served>;
  /** Those of `agents`, and every agent that they can hand to or ask as a tool. */
  readonly known: readonly AgentDefinition<never, unknown>[];
  /** By the agent's own name and its aliases: runs are recorded under it. */
  readonly runners: ReadonlyMap<string, RunnerPort>;
  readonly prefix: string;
  /** What links begin with: `publicUrl` without its last slash, or nothing. */
  readonly base: string;
  readonly onDisconnect: 'cancel' | 'continue';
  readonly bodyLimitBytes: number;
  readonly requestTimeoutMs: number | undefined;
  readonly heartbeatMs: number;
  readonly leaseMs: number;
  readonly stopping: Stopping;
  readonly cleaning: Cleaning;
  readonly allowModelSettings: boolean;
  readonly allowClientSessionIds: boolean;
  /** Whether callers need a principal for what tells of the inside. */
  readonly authenticates: boolean;
}

/** One request on its way through a route. */
export interface Exchange {
  readonly request: Request;
  readonly params: Readonly<Record<string, string>>;
  readonly principal: Principal | undefined;
  readonly host: RequestHost;
}

/** 200 and the like. */
export function json(
  body: JsonObject,
  init: { readonly status?: number; readonly headers?: Readonly<Record<string, string>> } = {},
): Answer {
  return new Answer(JSON.stringify(body), {
    status: init.status ?? 200,
    headers: {
      'content-type': 'application/json',
      'cache-control': 'no-store',
      ...init.headers,
    },
  });
}

/** Where a run can be seen and answered. */
export function runLinks(scope: Scope, runId: string): JsonObject & { readonly self: string } {
  const self = `${scope.base}${scope.prefix}/runs/${encodeURIComponent(runId)}`;
  return {
    self,
    events: `${self}/events`,
    cancel: `${self}/cancel`,
    decisions: `${self}/decisions`,
  };
}

/** Where a conversation can be read and deleted. */
export function sessionLinks(scope: Scope, sessionId: string): JsonObject {
  return { self: `${scope.base}${scope.prefix}/sessions/${encodeURIComponent(sessionId)}` };
}

/** 202: what was asked for goes on, and the run says how it went. */
export function accepted(scope: Scope, run: RunHeader): Answer {
  const links = runLinks(scope, run.runId);
  return json(
    {
      status: 'accepted',
      run_id: run.runId,
      ...(run.sessionId === undefined
        ? {}
        : { session_id: run.sessionId, conversation_id: run.sessionId }),
      links,
    },
    { status: 202, headers: { location: links.self, 'retry-after': '1' } },
  );
}

const runIdPattern = /^[A-Za-z0-9_-]{1,128}$/;

/**
 * The run, if the caller may see it: its owner's id is the caller's, or it has no owner and the id is the capability.
 *
 * @throws Problem 404, the same for a stranger's run and for none.
 */
export async function visibleRun(
  scope: Scope,
  exchange: Exchange,
): Promise<{ readonly header: RunHeader; readonly runner: RunnerPort }> {
  const id = exchange.params['id'] ?? '';
  const header = runIdPattern.test(id) ? await scope.store.runs.header(id) : undefined;
  if (header === undefined || !maySee(header.owner, exchange.principal)) throw noSuchRun(scope);
  return { header, runner: runnerOf(scope, header) };
}

export function maySee(owner: string | undefined, principal: Principal | undefined): boolean {
  return owner === undefined || owner === principal?.id;
}

function noSuchRun({ store }: Scope): Problem {
  const kept = store.durable
    ? ''
    : ' Runs of the memory store are gone an hour after their end, and with the process.';
  return new Problem(404, 'not_found', `There is no such run, or it is not yours.${kept}`);
}

/** The runner of the run's agent, or any: it knows the others, and says when an agent is gone. */
export function runnerOf(scope: Scope, header: Pick<RunHeader, 'agent'>): RunnerPort {
  const [any] = scope.runners.values();
  const runner = scope.runners.get(header.agent) ?? any;
  if (runner === undefined) {
    throw new NotFoundError(`No agent is served that could run ${header.agent}.`);
  }
  return runner;
}

/** The run goes on in another process. */
export function isHandedOver(error: unknown): boolean {
  return AgentError.isInstance(error) && error.code === 'handed_over';
}

/** Whether what outlasts its request goes on by a wake of the store: this process may not live on behind its answer. */
export function goesOnByWake({ store }: Scope, host: RequestHost): boolean {
  return store.wake !== undefined && host.isInvocation;
}

/**
 * Goes on with a run that nobody holds, in the background, or by a wake: after a decision, a cancel, or when its holder is
 * gone. A run that somebody holds is left alone.
 */
export async function takeUpIfFree(
  scope: Scope,
  header: RunHeader,
  host: RequestHost,
): Promise<void> {
  const { store } = scope;
  const peek = await store.runs.peek(header.runId);
  if (peek === undefined || peek.ended || peek.lease !== undefined) return;
  if (!goesOnByWake(scope, host)) host.waitUntil(resumeQuietly(scope, header));
  else await store.wake?.schedule({ runId: header.runId }, await store.now());
}

/** A run of a durable store that nobody holds is taken up; one that waits for an answer stays as it is. */
export async function wakeIfAbandoned(
  scope: Scope,
  header: RunHeader,
  { host }: Exchange,
): Promise<void> {
  if (scope.store.durable) await takeUpIfFree(scope, header, host);
}

/** Runs on until the run ends, pauses or is somebody else's; logs what goes wrong. */
export async function resumeQuietly(
  scope: Scope,
  header: RunHeader,
): Promise<RunResult<unknown> | undefined> {
  const { runId, agent } = header;
  try {
    return await runnerOf(scope, header).resume(runId);
  } catch (error) {
    if (isHandedOver(error)) return undefined;
    scope.logger.log('error', 'A run could not be taken up', { runId, agent, ...reasonOf(error) });
    return undefined;
  }
}
