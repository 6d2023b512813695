import { AgentDefinition, type AgentConfig } from './agent-definition.ts';
import { UserError } from './errors.ts';
import type { Guardrail } from './guardrail.ts';
import {
  handoff,
  type AgentLike,
  type Handoff,
  type HandoffMessage,
  type HandoffOptions,
  type HandoffTo,
  type Lazy,
  type OutputOf,
} from './handoff.ts';
import type { Middleware } from './middleware.ts';
import type { ChatRequest, ContextArgument, RunOptions, RunResult } from './run-result.ts';
import { processRequest } from './run.ts';
import { Runner } from './runner.ts';
import { tool, type Tool, type ToolOptions } from './tool.ts';

/**
 * An agent: data. Instructions, a model, tools. Runs share it; it holds nothing of any run, and changing it after its
 * first run throws. `O` is what a run that starts here can produce.
 *
 * @throws UserError at construction for everything that can be checked then.
 */
export class Agent<in C = unknown, out O = string> extends AgentDefinition<C, O> {
  /** Runs once and answers: `new Runner(agent).run(message, options)` for scripts. */
  chat<D>(
    this: Agent<D, O>,
    message: string,
    ...options: ContextArgument<D, RunOptions<D>>
  ): Promise<RunResult<O>> {
    return new Runner<D, O>(this).run(message, ...options);
  }

  /** A copy with some options changed; the copy has not run. @throws UserError for a subclass with a `processRequest` of its own. */
  clone(patch: Partial<AgentConfig<never, never>>): Agent<C, O> {
    this.mustBePlain();
    return new Agent<C, O>({ ...this.config, ...(patch as Partial<AgentConfig<C, O>>) });
  }

  /** @throws UserError for a subclass with a `processRequest` of its own, which a clone would not have. */
  protected mustBePlain(): void {
    if (this.overridesProcessRequest) {
      throw new UserError(
        `Agent ${this.name} overrides processRequest, which a clone would not have. Construct another of its class.`,
      );
    }
  }

  /**
   * What a run of this agent does. Override it in a subclass to work around the whole run in one process, and call
   * `super.processRequest({ ...request, … })`: the request carries its run, and one that is made anew runs by itself,
   * without store and stream. Refused together with a durable store, where `beforeRun` and `afterRun` are what
   * you want.
   */
  override processRequest(request: ChatRequest): Promise<RunResult<O>> {
    return processRequest<O>(this, request);
  }

  override get overridesProcessRequest(): boolean {
    return this.processRequest !== Agent.prototype.processRequest;
  }
}

/** Binds the context type once and keeps the inference of everything else. */
export function withContext<C>(): {
  readonly tool: <In, Out>(options: ToolOptions<C, In, Out>) => Tool<C>;
  /** The agent's output is its own and what its handoffs can yield. */
  readonly agent: <O = string, const H extends readonly HandoffTo<C, unknown>[] = []>(
    config: Omit<AgentConfig<C, O>, 'handoffs'> & { readonly handoffs?: Lazy<H> | undefined },
  ) => Agent<C, O | OutputOf<H[number]>>;
  readonly handoff: <O, In = HandoffMessage>(
    agent: AgentLike<C, O>,
    options?: HandoffOptions<C, In>,
  ) => Handoff<C, O>;
  readonly middleware: (middleware: Middleware<C>) => Middleware<C>;
  readonly guardrail: (guardrail: Guardrail<C>) => Guardrail<C>;
} {
  return {
    tool: (options) => tool(options),
    // The union is a matter of types: which agent answered is known when the run has ended.
    agent: (config) => new Agent(config as AgentConfig<C, never>),
    handoff: (agent, options) => handoff(agent, options),
    middleware: (middleware) => middleware,
    guardrail: (guardrail) => guardrail,
  };
}
