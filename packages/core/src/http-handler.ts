import type { AgentDefinition } from './agent-definition.ts';
import type { Principal, Watched } from './events.ts';
import type { JsonObject } from './json.ts';
import type { HandOver } from './leaving.ts';
import type { Logger, LogLevel } from './logger.ts';
import type { RunInput, RunOptions, RunResult, RunStream } from './run-result.ts';
import type { PostResult, RunHeader, Signal, Store } from './store.ts';

/** What a host knows of a request that the `Request` does not say. */
export interface HostContext {
  readonly invocationId: string;
  /** Fires when the client has gone or the host stops. */
  readonly signal: AbortSignal;
  readonly principal?: Principal | undefined;
  /** When the host will end the request, in milliseconds since 1970: streams end by themselves before. */
  readonly deadline?: number | undefined;
  readonly traceparent?: string | undefined;
  /** When the host will end this process's work on a run, whoever still listens: another one goes on with it. */
  readonly handOver?: HandOver | undefined;
  /** The host may end or freeze its process when the request is answered: what is left of a run goes on by a wake. */
  readonly isInvocation?: boolean | undefined;
  /** Keeps the host alive for work that outlasts the response. */
  waitUntil(work: Promise<unknown>): void;
  log(level: LogLevel, message: string, fields?: JsonObject): void;
}

/** What a protocol produces and a host mounts. Never throws, never hangs: every failure is a response. */
export type HttpHandler = (request: Request, context: HostContext) => Promise<Response>;

/** One route of a protocol. */
export interface ProtocolRoute {
  /** Default: every method. */
  readonly method?: string | undefined;
  readonly path: string;
  /** Served without asking who calls. Default `false`. */
  readonly open?: boolean | undefined;
  readonly handler: HttpHandler;
}

/** Routes of a protocol (A2A, MCP), handed to a host as a value. */
export interface Protocol {
  readonly name: string;
  /** The routes, or what makes them of the host that mounts them. @throws UserError for what the host lacks. */
  readonly handlers: readonly ProtocolRoute[] | ((host: ProtocolHost) => readonly ProtocolRoute[]);
}

/** What a protocol gets of the server that mounts it. */
export interface ProtocolHost {
  /** By the agents' names in URLs. */
  readonly runners: Readonly<Record<string, ProtocolRunner>>;
  readonly store: Store;
  readonly logger: Logger;
  /** What callers reach the server by, without a slash at its end; empty: nobody said. */
  readonly publicUrl: string;
  /** Origins of web pages that may call; `'*'` is all. */
  readonly corsOrigins: readonly string[];
  readonly bodyLimitBytes: number;
  /** What becomes of a run whose client leaves. */
  readonly onDisconnect: 'cancel' | 'continue';
  /** Whether callers without a principal may choose session ids. */
  readonly allowClientSessionIds: boolean;
  /**
   * Calls back when the server begins to serve: for work that no request asks for. The signal fires when the server
   * closes.
   */
  whenServing(callback: (closing: AbortSignal) => void): void;
}

/** Options of a run that a protocol starts. Its context is made by the host's factory, whatever its type. */
export type ProtocolRunOptions = Omit<RunOptions, 'context' | 'middleware'>;

/** A runner as protocols use it: any `Runner` whose context comes from a factory. */
export interface ProtocolRunner {
  readonly agent: AgentDefinition<never, unknown>;
  start(input: RunInput, options: ProtocolRunOptions): Promise<RunHeader>;
  stream(input: RunInput, options: ProtocolRunOptions): RunStream<unknown>;
  get(
    runId: string,
  ): Promise<
    RunResult<unknown> | { readonly status: 'running'; readonly runId: string } | undefined
  >;
  post(runId: string, signal: Signal): Promise<PostResult>;
  resume(runId: string): Promise<RunResult<unknown>>;
  events(
    runId: string,
    options?: {
      readonly cursor?: string | undefined;
      readonly follow?: boolean | undefined;
      readonly signal?: AbortSignal | undefined;
    },
  ): AsyncGenerator<Watched, void>;
}
