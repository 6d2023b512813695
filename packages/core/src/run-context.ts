import type { JsonObject } from './json.ts';
import type { Usage } from './usage.ts';

/** What instructions, tools and callbacks know of the run they serve. */
export interface RunContext<C = unknown> {
  /** The app's own context: typed, in memory only, built again by the `ContextFactory` when a run is taken up elsewhere. */
  readonly context: C;
  readonly runId: string;
  readonly sessionId?: string | undefined;
  readonly userId?: string | undefined;
  /**
   * The JSON object that came with the request (`context` of a chat request), or what of it was handed on to this agent
   * (`contextKeys`). Recorded with the run.
   */
  readonly requestContext: JsonObject;
  /**
   * What the app keeps with the session: set by `updateSessionState()` of a tool's context. Without a session it lasts as
   * long as the run; in `beforeRun` it is empty.
   */
  readonly sessionState: JsonObject;
  readonly usage: Usage;
  /** The agents from the root frame to the present one. */
  readonly agentPath: readonly string[];
  /** Aborted when the run is cancelled, times out or is handed over. */
  readonly signal: AbortSignal;
}

/** Text or a function of the run; asked once for each turn. */
export type Instructions<C> =
  | string
  | ((context: RunContext<C>, agent: AgentName) => string | Promise<string>);

/** Which agent: its name, and what it is for. */
export interface AgentName {
  readonly name: string;
  readonly description: string;
}
