import { AgentError } from './errors.ts';
import type { JsonObject } from './json.ts';
import type { RunState } from './state.ts';

/** Builds the app's context from what is kept of the caller: for every run, and again when one is taken up elsewhere. */
export type ContextFactory<C> = (from: {
  readonly userId?: string | undefined;
  readonly sessionId?: string | undefined;
  readonly principalId?: string | undefined;
  readonly claims?: JsonObject | undefined;
  readonly requestContext: JsonObject;
}) => C | Promise<C>;

/** The app's context for a run, or why there is none. */
export interface MadeContext<C> {
  readonly context: C;
  readonly failure?: unknown;
}

/** `contextFor()` that answers with the failure instead of throwing it. */
export async function tryContext<C>(
  factory: ContextFactory<C> | undefined,
  state: RunState,
  given: C | undefined,
): Promise<MadeContext<C>> {
  try {
    return { context: await contextFor(factory, state, given) };
  } catch (failure) {
    return { context: undefined as C, failure };
  }
}

/**
 * The context of a run: the caller's, else the factory's.
 *
 * @throws AgentError `context_error` when the factory fails; `not_configured` when the run was given a context by its
 *   caller and nobody gives one now.
 */
export async function contextFor<C>(
  factory: ContextFactory<C> | undefined,
  state: RunState,
  given: C | undefined,
): Promise<C> {
  if (given !== undefined) return given;
  if (factory !== undefined) {
    try {
      return await factory({
        userId: state.userId,
        sessionId: state.sessionId,
        principalId: state.principal?.id,
        claims: state.principal?.claims,
        requestContext: state.requestContext,
      });
    } catch (error) {
      if (AgentError.isInstance(error)) throw error;
      const why = error instanceof Error ? error.message : String(error);
      throw new AgentError('context_error', `The context factory failed: ${why}`, {
        runId: state.runId,
        cause: error,
      });
    }
  }
  if (state.options.context === 'given') {
    throw new AgentError(
      'not_configured',
      `Run ${state.runId} was started with a context. Pass one, or give the Runner a context factory.`,
      { runId: state.runId },
    );
  }
  // An agent that needs a context cannot be run without one: the types demand it.
  return undefined as C;
}
