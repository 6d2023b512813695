import type { Agent } from './agent.ts';
import type { Watched } from './events.ts';
import type { Decision } from './interruption.ts';
import type { JsonObject } from './json.ts';
import type { Logger } from './logger.ts';
import type { ModelRegistry } from './model.ts';
import type {
  ChatRequest,
  RunInput,
  RunOptions,
  RunResult,
  RunStream,
  StepResult,
} from './run-result.ts';
import type { PostResult, RunHeader, Signal, Store } from './store.ts';
import type { Tracer } from './tracer.ts';

/** Builds the app's context from what is kept of the caller: for every run, and again when one is taken up elsewhere. */
export type ContextFactory<C> = (from: {
  readonly userId?: string | undefined;
  readonly sessionId?: string | undefined;
  readonly principalId?: string | undefined;
  readonly claims?: JsonObject | undefined;
  readonly requestContext: JsonObject;
}) => C | Promise<C>;

export interface RunnerConfig<C = unknown> {
  readonly context?: ContextFactory<C> | undefined;
  readonly models?: ModelRegistry | undefined;
  /** Where runs and sessions are kept. Without one a run is kept only while it runs or waits in this Runner. */
  readonly store?: Store | undefined;
  /** How long a lease holds without renewal. Default 30,000. */
  readonly leaseMs?: number | undefined;
  /** Other agents that this process knows: a run is taken up by name. */
  readonly agents?: readonly Agent<C, unknown>[] | undefined;
  readonly maxTurns?: number | undefined;
  readonly logger?: Logger | undefined;
  readonly tracer?: Tracer | undefined;
}

declare const todo: never;
export class Runner<C = unknown, O = string> {
  readonly agent: Agent<C, O>;
  constructor(agent: Agent<C, O>, _config: RunnerConfig<C> = {}) {
    this.agent = agent;
  }
  run(_input: RunInput, _options?: RunOptions<C>): Promise<RunResult<O>> {
    return todo;
  }
  stream(_input: RunInput, _options?: RunOptions<C>): RunStream<O> {
    return todo;
  }
  /** Records the run and releases it: `step`, `resume` or any other process goes on with it. */
  start(_input: RunInput, _options?: RunOptions<C>): Promise<RunHeader> {
    return todo;
  }
  step(_runId: string, _options?: RunOptions<C>): Promise<StepResult> {
    return todo;
  }
  /** Sends a signal after checking it against the run. @throws NotFoundError, AgentError `approval_invalid`. */
  post(_runId: string, _signal: Signal): Promise<PostResult> {
    return todo;
  }
  get(
    _runId: string,
  ): Promise<RunResult<O> | { readonly status: 'running'; readonly runId: string } | undefined> {
    return todo;
  }
  resume(
    _runId: string,
    _decisions?: readonly Decision[],
    _options?: RunOptions<C>,
  ): Promise<RunResult<O>> {
    return todo;
  }
  cancel(_runId: string, _reason?: string): Promise<void> {
    return todo;
  }
  events(
    _runId: string,
    _options?: {
      readonly cursor?: string | undefined;
      readonly follow?: boolean | undefined;
      readonly signal?: AbortSignal | undefined;
    },
  ): AsyncIterable<Watched> {
    return todo;
  }
}
export function run<C, O>(
  _agent: Agent<C, O>,
  _input: RunInput,
  _options?: RunOptions<C>,
): Promise<RunResult<O>> {
  return todo;
}
export function processRequest<O>(
  _agent: Agent<unknown, O>,
  _request: ChatRequest,
): Promise<RunResult<O>> {
  return todo;
}
