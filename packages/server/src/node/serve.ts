import type { HostContext } from '@agent-functions/core';

/** What `serve()` needs of an `agentServer()`. */
export interface Served {
  readonly fetch: (request: Request, context?: Partial<HostContext>) => Promise<Response>;
  start?(): void;
  close?(): Promise<void>;
}

export interface ServeOptions {
  /** 0: any free port. */
  readonly port: number;
  /** Default `127.0.0.1`: this machine only. */
  readonly host?: string | undefined;
  /** Close on SIGTERM and SIGINT, then let the process end. Default `false`. */
  readonly signals?: boolean | undefined;
  /** How long answers in progress may go on when a signal closes the server. Default 10,000. */
  readonly graceMs?: number | undefined;
}

export interface Serving {
  readonly url: string;
  readonly port: number;
  /** Accepts nothing new, lets running answers end until `graceMs` (default 10,000), then aborts them. */
  close(options?: { readonly graceMs?: number | undefined }): Promise<void>;
}

declare const todo: never;

/** Serves a handler over HTTP/1.1. Resolves when it listens; rejects when it cannot (the port is taken …). */
export function serve(_server: Served, _options: ServeOptions): Promise<Serving> {
  return todo;
}
