import type {
  Agent,
  ContextFactory,
  Logger,
  ModelRegistry,
  Principal,
  Store,
  Tool,
} from '@agent-functions/core';
import type { McpServer } from '@modelcontextprotocol/server';

/** What a server says of itself. */
export interface ServerInfo {
  /** Default `'agent-functions'`. */
  readonly name?: string | undefined;
  /** What people read instead of the name. */
  readonly title?: string | undefined;
  /** Default: this package's version. */
  readonly version?: string | undefined;
  /** How to use the server: clients show it to their model. */
  readonly instructions?: string | undefined;
}

/** Who may call over HTTP. */
export interface GateOptions {
  /**
   * Names in the `Host` header that the server answers to, without ports; `'*'`: all. Default: this machine's own names,
   * the host of `publicUrl` and, on Azure, of `WEBSITE_HOSTNAME`. It is what keeps a web page from reaching a server on
   * this machine under another name (DNS rebinding).
   */
  readonly allowedHosts?: readonly string[] | '*' | undefined;
  /** Hosts of web pages that may call, without ports; `'*'`: all. Default: those of `allowedHosts`, and the server's CORS origins. */
  readonly allowedOrigins?: readonly string[] | '*' | undefined;
  /** Checks the bearer token of each request; `undefined` and a throw are a 401. Default: the host's principal counts. */
  readonly verifyToken?:
    | ((token: string, request: Request) => Principal | undefined | Promise<Principal | undefined>)
    | undefined;
  /** Where clients learn who gives out tokens (RFC 9728): told with a 401. */
  readonly resourceMetadataUrl?: string | undefined;
  /** The largest request body. Default: the server's, else 1,048,576. */
  readonly bodyLimitBytes?: number | undefined;
}

/** What `configure` gets beside the server. */
export interface ConfigureContext {
  /** Which revision the client speaks: `legacy` is 2025-11-25 and before, `modern` 2026-07-28. */
  readonly era: 'legacy' | 'modern';
}

/** What an MCP server offers and how it answers. */
export interface McpServerOptions extends ServerInfo {
  /** Tools of their own, beside the agents'. They run without an agent: no approvals, no guardrails. */
  readonly tools?: readonly Tool[] | undefined;
  /** Adds whatever the SDK's server can: resources, prompts, further tools. Called for every request, so keep it cheap. */
  readonly configure?:
    | ((server: McpServer, context: ConfigureContext) => void | Promise<void>)
    | undefined;
  /**
   * How long a call of an agent waits for its answer, in milliseconds; then it answers with the id of the run, which goes on.
   * Default 45,000: clients give up after 60,000.
   */
  readonly waitMs?: number | undefined;
  /**
   * Sessions for clients of the 2025 protocol, kept in this process: only then can a tool of `configure` ask them (sampling,
   * elicitation) or write to them later, and only then do their requests have to come back to this process. Default
   * `false`: any instance answers any request.
   */
  readonly sessions?: boolean | undefined;
}

/** `mcp()`: agents are those of the server that mounts it. */
export interface McpProtocolOptions extends McpServerOptions, GateOptions {
  /** Where the server is mounted. Default `'/mcp'`. */
  readonly path?: string | undefined;
  /** Which of the server's agents, by name or as they are. Default: all that have a chat. */
  readonly agents?: readonly (string | { readonly name: string })[] | undefined;
}

/** `mcpHandler()`: a server of its own. */
export interface McpHandlerOptions<C = unknown> extends McpServerOptions, GateOptions {
  /** A list, or a record whose keys are the names of the tools. */
  readonly agents?:
    | Readonly<Record<string, Agent<C, unknown>>>
    | readonly Agent<C, unknown>[]
    | undefined;
  /** Where runs and sessions are kept. Default `memoryStore()`. */
  readonly store?: Store | undefined;
  readonly models?: ModelRegistry | undefined;
  readonly context?: ContextFactory<C> | undefined;
  /** What callers reach the server by. Default: the environment's `AGENT_BASE_URL`. */
  readonly publicUrl?: string | undefined;
  /** What becomes of a run whose client leaves. Default: `'continue'` with a durable store, else `'cancel'`. */
  readonly onDisconnect?: 'cancel' | 'continue' | undefined;
  /** Whether callers without a principal may choose session ids. Default `false`. */
  readonly allowClientSessionIds?: boolean | undefined;
  readonly logger?: Logger | undefined;
}

/** Clients give up after 60 seconds unless they are told otherwise. */
export const defaultWaitMs = 45_000;
