import type { AgentCard } from '@a2a-js/sdk';
import type {
  AgentDefinition,
  HostContext,
  Principal,
  ProtocolHost,
  ProtocolRunner,
} from '@agent-functions/core';
import type { Sdk } from './sdk.ts';
import type { TaskView } from './task-wire.ts';

/** One agent and how it is served. */
export interface Scope {
  /** Its name in URLs. */
  readonly name: string;
  readonly agent: AgentDefinition<never, unknown>;
  readonly runner: ProtocolRunner;
  readonly host: ProtocolHost;
  /** Whether a message part may have this media type. */
  accepts(mediaType: string): boolean;
  /** What the agent's card says to who reached the server by this origin. */
  card(origin: string): AgentCard;
  extendedCard(
    card: AgentCard,
    principal: Principal,
  ): AgentCard | undefined | Promise<AgentCard | undefined>;
  readonly hasExtendedCard: boolean;
  /** Fires when the server closes. */
  readonly closing: () => AbortSignal | undefined;
  /** `undefined`: there are no push notifications. */
  readonly push: Push | undefined;
}

/** What tells receivers of tasks. */
export interface Push {
  /** @throws Refused for a URL that must not be called. */
  check(url: string): Promise<void>;
  /** From what `view` knows on, the receiver of this configuration is told. */
  watch(key: string, view: TaskView): Promise<void>;
  /** Something will come of a task, even if it waits as yet: who wants to know is told. */
  kick(taskId: string): void;
  /** The receiver of this configuration is told no more. */
  forget(key: string): Promise<void>;
}

/** One request: whose it is, and what the host knows of it. */
export interface Call {
  readonly scope: Scope;
  readonly sdk: Sdk;
  readonly context: HostContext;
  readonly origin: string;
  /** Of the protocol: `1.0`, `0.3`. */
  readonly version: string;
}

/** When a request must be answered, in milliseconds since 1970: a little before the host ends it. */
export function endsAt({ deadline }: HostContext): number | undefined {
  return deadline === undefined ? undefined : deadline - 1_000;
}

/** Whether what outlasts its request goes on by a wake of the store: this process may not live on behind its answer. */
export function goesOnByWake({ scope, context }: Call): boolean {
  return scope.host.store.wake !== undefined && context.isInvocation === true;
}
