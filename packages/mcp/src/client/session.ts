import { AgentError } from '@agent-functions/core';
import type { McpClient } from './mcp-client.ts';
import type { ToolSieve } from './tool-sieve.ts';

type Warn = (code: string, message: string) => void;

/** One connection to a server, until it is lost or closed. */
export class Session {
  readonly client: McpClient;
  readonly name: string;
  /** Made here: its questions to us come back as results, and what it needs to close is ours. */
  readonly own: boolean;
  /** Fires when the connection is of no more use; its reason says why. */
  readonly lost: AbortSignal;
  /** Grows when the server says that its tools changed. */
  toolsVersion = 0;
  /** Why it was lost. */
  why = 'it was closed';
  /** Closed by us, not lost. */
  closed = false;
  /** For a server that lists tools which do not fit the protocol; with a client that was handed in there is none. */
  readonly sieve: ToolSieve | undefined;
  readonly #lost = new AbortController();
  readonly #close: (() => Promise<void>) | undefined;
  readonly #warners = new Set<Warn>();
  #closing: Promise<void> | undefined;

  constructor(
    client: McpClient,
    options: {
      readonly name: string;
      readonly close?: (() => Promise<void>) | undefined;
      readonly own?: boolean | undefined;
      readonly sieve?: ToolSieve | undefined;
    },
  ) {
    this.client = client;
    this.name = options.name;
    this.own = options.own ?? false;
    this.sieve = options.sieve;
    this.#close = options.close;
    this.lost = this.#lost.signal;
  }

  toolsChanged(): void {
    this.toolsVersion += 1;
  }

  /** Whoever has a call under way is told of what goes on beside it. Answers what to call when the call has ended. */
  during(warn: Warn): () => void {
    this.#warners.add(warn);
    return () => {
      this.#warners.delete(warn);
    };
  }

  warn(code: string, message: string): void {
    for (const warn of this.#warners) warn(code, message);
  }

  /** The connection is of no more use: whoever waits is told, and what is left of it is closed. */
  lose(why: string): void {
    if (this.lost.aborted) return;
    this.why = why;
    this.#lost.abort(new AgentError('outcome_unknown', `MCP server ${this.name}: ${why}.`));
    void this.close();
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#end());
  }

  async #end(): Promise<void> {
    if (!this.lost.aborted) {
      this.closed = true;
      this.#lost.abort(new AgentError('aborted', `MCP server ${this.name} was closed.`));
    }
    await (this.#close?.() ?? this.client.close()).catch(() => undefined);
  }
}
