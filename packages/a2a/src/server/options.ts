import type {
  AgentCard,
  AgentExtension,
  AgentProvider,
  AgentSkill,
  SecurityRequirement,
  SecurityScheme,
} from '@a2a-js/sdk';
import type { Principal } from '@agent-functions/core';

/** What one agent says of itself beside what is made of it. */
export interface A2AAgentOptions {
  /** What it can do, for those who choose among agents. Default: itself, and its tools where it exposes them. */
  readonly skills?: readonly Partial<AgentSkill>[] | undefined;
  /**
   * Media types of messages; `image/*` is every image. Default: text, JSON, and images and PDF. What is not listed is
   * refused before the agent is asked.
   */
  readonly inputModes?: readonly string[] | undefined;
  /** Media types of answers. Default: text, and JSON where the agent has an output type. */
  readonly outputModes?: readonly string[] | undefined;
  readonly iconUrl?: string | undefined;
  readonly documentationUrl?: string | undefined;
}

/** How tasks are announced to URLs that clients register. */
export interface PushNotificationOptions {
  /**
   * Origins (`http://127.0.0.1:4000`) that are called as they are: for development, and for receivers in the server's own
   * network. Every other URL must be https and name a public address.
   */
  readonly trustedOrigins?: readonly string[] | undefined;
  /** How long a receiver may take. Default 15,000. */
  readonly timeoutMs?: number | undefined;
  /** After so many failures in a row a receiver is given up. Default 8: about four minutes. */
  readonly maxFailures?: number | undefined;
  /** How long to wait after the first failure; doubled after each further one. Default 1,000. */
  readonly retryMs?: number | undefined;
  /** When another process goes on with what one that went away left to tell. Default 60,000. */
  readonly takeOverMs?: number | undefined;
}

export interface A2AOptions {
  /**
   * Which agents are served, by their names in URLs, and what their cards say beside. Default: all that take messages of
   * callers.
   */
  readonly agents?: readonly string[] | Readonly<Record<string, A2AAgentOptions>> | undefined;
  /** The agent whose card is at the root. Default: the first. */
  readonly rootAgent?: string | undefined;
  /** What the paths begin with. Default `/a2a`: an agent is at `/a2a/<name>`. */
  readonly path?: string | undefined;
  /** How callers authenticate, as cards say it. The server's `authenticate` does it. */
  readonly securitySchemes?: Readonly<Record<string, SecurityScheme>> | undefined;
  /** Which of them are needed together. Default: each alone is enough. */
  readonly securityRequirements?: readonly SecurityRequirement[] | undefined;
  readonly provider?: AgentProvider | undefined;
  /** Extensions of the protocol that the agents know. A request that does not name a required one is refused. */
  readonly extensions?: readonly AgentExtension[] | undefined;
  /**
   * The card for callers with a principal: more skills, say. `undefined`: this caller has none. Without it cards say that
   * there is none.
   */
  readonly extendedCard?:
    | ((
        card: AgentCard,
        principal: Principal,
      ) => AgentCard | undefined | Promise<AgentCard | undefined>)
    | undefined;
  /** `false`: none, and cards say so. */
  readonly pushNotifications?: PushNotificationOptions | false | undefined;
  /** How long caches may keep a card. Default 300. */
  readonly cardMaxAgeSeconds?: number | undefined;
}
