import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { HostContext } from '@agent-functions/core';
import { NodeRequest, sendNodeResponse } from 'srvx/node';
import type { CloseOptions } from '../options.ts';
import { respond, type Answer, type ReadBody } from '../answer.ts';
import { readBody } from './read-body.ts';

/** What `serve()` needs of an `agentServer()`. */
export interface Served {
  readonly fetch: (request: Request, context?: Partial<HostContext>) => Promise<Response>;
  /** Of servers of this package: answers before a `Response` is made. */
  [respond]?(
    request: Request,
    context: Partial<HostContext>,
    readBody: ReadBody,
  ): Promise<Answer | Response>;
  start?(): void;
  close?(options?: CloseOptions): Promise<void>;
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
  /**
   * Accepts nothing new and lets running answers end until `graceMs` (default 10,000). Then an event stream ends with an
   * `error` event, a chat is answered 503, both with code `server_stopping`; what else there is is aborted.
   */
  close(options?: CloseOptions): Promise<void>;
}

const defaultGraceMs = 10_000;

/** Serves a handler over HTTP/1.1. Resolves when it listens; rejects when it cannot (the port is taken …). */
export async function serve(server: Served, options: ServeOptions): Promise<Serving> {
  const { host = '127.0.0.1', graceMs = defaultGraceMs } = options;
  let closing: Promise<void> | undefined;
  const http = createServer((request, response) => {
    // Connections that are kept alive would keep a server that closes.
    response.once('close', () => {
      if (closing !== undefined) setImmediate(() => http.closeIdleConnections());
    });
    answer(server, request, response).catch(() => {
      // `fetch` never throws and what it answers can be sent; a socket that broke needs no answer.
      response.destroy();
    });
  });
  await listen(http, options.port, host);
  server.start?.();
  const { port } = addressOf(http);
  const close = (how: CloseOptions): Promise<void> => (closing ??= closeAll(http, server, how));
  const stopListening =
    options.signals === true ? onSignals(() => close({ graceMs })) : () => undefined;
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${port}`,
    port,
    close: async (how = {}) => {
      stopListening();
      await close(how);
    },
  };
}

async function answer(
  server: Served,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (request.url?.startsWith('/') !== true) {
    response.writeHead(400).end();
    return;
  }
  const asked = new NodeRequest({ req: request, res: response });
  const reply =
    server[respond] === undefined
      ? await server.fetch(asked)
      : await server[respond](asked, {}, (limitBytes) => readBody(request, limitBytes));
  if (reply instanceof Response) {
    await sendNodeResponse(response, reply);
    return;
  }
  const { status, headers, body } = reply;
  // In one piece, with its length: one write, and no chunked encoding.
  if (body === null) response.writeHead(status, headers).end();
  else {
    response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) }).end(body);
  }
}

function listen(http: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    http.once('error', reject);
    http.listen(port, host, () => {
      http.off('error', reject);
      resolve();
    });
  });
}

function addressOf(http: Server): AddressInfo {
  const address = http.address();
  if (address === null || typeof address === 'string')
    throw new Error('The server does not listen.');
  return address;
}

/** How long the last words of answers that were ended may take to be sent. */
const lastWordsMs = 500;

async function closeAll(
  http: Server,
  server: Served,
  { graceMs = defaultGraceMs, settleMs }: CloseOptions,
): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    http.close(() => resolve());
  });
  http.closeIdleConnections();
  const ended = server.close?.({ graceMs, settleMs });
  // What still runs then is nobody's answer: the requests' signals fire.
  const timer = setTimeout(
    () => http.closeAllConnections(),
    ended === undefined ? graceMs : graceMs + lastWordsMs,
  );
  await closed;
  clearTimeout(timer);
  await ended;
}

function onSignals(close: () => Promise<void>): () => void {
  const signals = ['SIGTERM', 'SIGINT'] as const;
  const handler = (): void => {
    off();
    // The process ends when nothing keeps it; a second signal ends it at once.
    void close();
  };
  const off = (): void => {
    for (const signal of signals) process.off(signal, handler);
  };
  for (const signal of signals) process.on(signal, handler);
  return off;
}
