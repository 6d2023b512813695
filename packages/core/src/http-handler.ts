import type { Principal } from './events.ts';
import type { JsonObject } from './json.ts';
import type { HandOver } from './leaving.ts';
import type { LogLevel } from './logger.ts';

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
  /** Keeps the host alive for work that outlasts the response. */
  waitUntil(work: Promise<unknown>): void;
  log(level: LogLevel, message: string, fields?: JsonObject): void;
}

/** What a protocol produces and a host mounts. Never throws, never hangs: every failure is a response. */
export type HttpHandler = (request: Request, context: HostContext) => Promise<Response>;

/** Routes of a protocol (A2A, MCP), handed to a host as a value. */
export interface Protocol {
  readonly name: string;
  readonly handlers: readonly {
    readonly method?: string | undefined;
    readonly path: string;
    readonly handler: HttpHandler;
  }[];
}
