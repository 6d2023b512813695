import type { AgentDefinition } from './agent-definition.ts';
import { bindRun, boundRunOf } from './process-request.ts';
import type {
  ChatRequest,
  ContextArgument,
  RunInput,
  RunOptions,
  RunResult,
  RunStream,
} from './run-result.ts';
import { Runner } from './runner.ts';

/** A run of an agent that needs no host: `new Runner(agent).run(input, options)`, or `.stream` with `stream: true`. */
export function run<C, O>(
  agent: AgentDefinition<C, O>,
  input: RunInput,
  options: RunOptions<C> & { readonly stream: true } & (unknown extends C
      ? unknown
      : { readonly context: C }),
): RunStream<O>;
export function run<C, O>(
  agent: AgentDefinition<C, O>,
  input: RunInput,
  ...options: ContextArgument<C, RunOptions<C> & { readonly stream?: false | undefined }>
): Promise<RunResult<O>>;
export function run<C, O>(
  agent: AgentDefinition<C, O>,
  input: RunInput,
  options: RunOptions<C> & { readonly stream?: boolean | undefined } = {},
): RunStream<O> | Promise<RunResult<O>> {
  const runner = new Runner<unknown, O>(agent as AgentDefinition<unknown, O>);
  const { stream, ...given } = options;
  const rest = given as RunOptions;
  return stream === true ? runner.stream(input, rest) : runner.run(input, rest);
}

/** What `Agent.processRequest` does when nobody overrides it: the run it belongs to, or one of its own. */
export function processRequest<O>(
  agent: AgentDefinition<never, O>,
  request: ChatRequest,
): Promise<RunResult<O>> {
  const bound = boundRunOf(request);
  if (bound !== undefined) return bound(request);
  const runner = new Runner<unknown, O>(agent as AgentDefinition<unknown, O>);
  return runner.run(bindRun(request, (inner) => runner.run(inner) as Promise<RunResult<never>>));
}
