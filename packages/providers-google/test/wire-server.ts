import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { problemsOf } from './validate-request.ts';

/** A request as it came over the wire. */
export interface Received {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  /** The body's text, byte for byte. */
  readonly body: string;
  /** Resolves when the client's socket is closed. */
  readonly closed: Promise<void>;
}

export interface WireServer extends AsyncDisposable {
  /** Destroys every connection, then the server. Fails where a request was not what the vendor documents. */
  close(): Promise<void>;
  readonly url: string;
  readonly received: Received[];
  /** How many connections were opened. */
  readonly connections: () => number;
  /** What the next requests are answered with. */
  play(answer: Answer): void;
}

export type Answer = (response: ServerResponse, request: Received) => void | Promise<void>;

/** An HTTP server on this machine that answers what a test says, keeps what it was sent, and checks every request. */
export async function wireServer(): Promise<WireServer> {
  const received: Received[] = [];
  const problems: string[] = [];
  const sockets = new Map<Socket, Promise<void>>();
  let connections = 0;
  let answer: Answer = (response) => void response.writeHead(500).end('nothing to play');
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8');
    request.on('data', (chunk: string) => (body += chunk));
    request.on('end', () => {
      const one: Received = {
        method: request.method ?? '',
        url: request.url ?? '',
        headers: request.headers,
        body,
        closed: sockets.get(request.socket) ?? Promise.resolve(),
      };
      received.push(one);
      problems.push(...problemsOf(one).map((problem) => `${problem}\n  in ${body}`));
      void answer(response, one);
    });
  });
  server.on('connection', (socket) => {
    connections += 1;
    const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
    sockets.set(socket, closed);
    void closed.then(() => sockets.delete(socket));
    socket.on('error', () => undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const close = async (): Promise<void> => {
    for (const socket of sockets.keys()) socket.destroy();
    await new Promise<void>((resolve) => server.close(() => resolve()));
    if (problems.length > 0)
      throw new Error(`Requests that Gemini refuses:\n${problems.join('\n')}`);
  };
  return {
    url: `http://127.0.0.1:${portOf(address)}`,
    received,
    connections: () => connections,
    play: (next) => (answer = next),
    close,
    [Symbol.asyncDispose]: close,
  };
}

function portOf(address: AddressInfo | string | null): number {
  if (address === null || typeof address === 'string') throw new Error('The server has no port.');
  return address.port;
}

/** A JSON answer. */
export function json(value: unknown, status = 200, headers: Record<string, string> = {}): Answer {
  return (response) => {
    response.writeHead(status, { 'content-type': 'application/json; charset=UTF-8', ...headers });
    response.end(JSON.stringify(value));
  };
}

/** A stream of these bytes, ended properly: what a proxy does that closes a connection in the middle, too. */
export function bytes(text: string | Uint8Array): Answer {
  return (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.end(text);
  };
}

/** A stream of these bytes, then the connection breaks. */
export function cut(text: string | Uint8Array): Answer {
  return (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.flushHeaders();
    response.write(text, () => response.socket?.destroy());
  };
}
