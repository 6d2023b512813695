import { Client as SecondLine, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { Client as FirstLine } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as FirstLineTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';

// The official clients, in every way in which they may come.

/** What the tests need of a client, of either line. */
export interface TestClient extends AsyncDisposable {
  /** The revision that was agreed on. */
  readonly revision: string | undefined;
  tools(): Promise<readonly { readonly name: string; readonly [key: string]: unknown }[]>;
  call(
    name: string,
    args: Record<string, unknown>,
    options?: CallOptions,
  ): Promise<Record<string, unknown>>;
}

export interface CallOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: {
    readonly progress: number;
    readonly message?: string;
  }) => void;
}

export type Fetch = (url: string | URL, init?: RequestInit) => Promise<Response>;

const info = { name: 'test', version: '1.0.0' };

export interface Connection {
  readonly url?: string;
  readonly fetch?: Fetch;
  readonly headers?: Record<string, string>;
}

/** By name: how a client comes, and what it agrees on. */
export const clients = {
  'v1 client': firstLine,
  'v2 client, handshake of 2025': (to: Connection) => secondLine(to, 'legacy'),
  'v2 client, negotiating': (to: Connection) => secondLine(to, 'auto'),
  'v2 client, pinned to 2026-07-28': (to: Connection) => secondLine(to, { pin: '2026-07-28' }),
} as const;

export const revisions: Readonly<Record<keyof typeof clients, string>> = {
  'v1 client': '2025-11-25',
  'v2 client, handshake of 2025': '2025-11-25',
  'v2 client, negotiating': '2026-07-28',
  'v2 client, pinned to 2026-07-28': '2026-07-28',
};

async function firstLine({ url, fetch, headers }: Connection): Promise<TestClient> {
  const client = new FirstLine(info);
  const transport = new FirstLineTransport(new URL(url ?? usual), {
    ...(fetch === undefined ? {} : { fetch }),
    ...(headers === undefined ? {} : { requestInit: { headers } }),
  });
  // Its optional properties are typed in a way that exactOptionalPropertyTypes refuses.
  const connect: (...args: never[]) => Promise<void> = client.connect.bind(client);
  await Reflect.apply(connect, client, [transport]);
  return {
    revision: transport.protocolVersion,
    tools: async () => (await client.listTools()).tools,
    call: (name, args, { signal, onProgress } = {}) =>
      client.callTool({ name, arguments: args }, undefined, {
        ...(signal === undefined ? {} : { signal }),
        ...(onProgress === undefined ? {} : { onprogress: progressTo(onProgress) }),
      }),
    [Symbol.asyncDispose]: () => client.close(),
  };
}

export async function secondLine(
  { url, fetch, headers }: Connection,
  mode: 'auto' | 'legacy' | { readonly pin: string },
): Promise<TestClient> {
  const client = new SecondLine(info, { versionNegotiation: { mode } });
  await client.connect(
    new StreamableHTTPClientTransport(new URL(url ?? usual), {
      ...(fetch === undefined ? {} : { fetch }),
      ...(headers === undefined ? {} : { requestInit: { headers } }),
    }),
  );
  return {
    revision: client.getNegotiatedProtocolVersion(),
    tools: async () => (await client.listTools()).tools,
    call: (name, args, { signal, onProgress } = {}) =>
      client.callTool(
        { name, arguments: args },
        {
          ...(signal === undefined ? {} : { signal }),
          ...(onProgress === undefined ? {} : { onprogress: progressTo(onProgress) }),
        },
      ),
    [Symbol.asyncDispose]: () => client.close(),
  };
}

function progressTo(
  onProgress: NonNullable<CallOptions['onProgress']>,
): (given: { progress: number; message?: string | undefined }) => void {
  return ({ progress, message }) =>
    onProgress({ progress, ...(message === undefined ? {} : { message }) });
}

const usual = 'http://127.0.0.1/mcp';

/** A fetch that reaches a handler without a network. */
export function fetchOf(handler: { fetch(request: Request): Promise<Response> }): Fetch {
  return (url, init) => handler.fetch(new Request(url, init));
}
