import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { requestFaults } from './request-faults.ts';

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
  /** Destroys every connection, then the server. */
  close(): Promise<void>;
  readonly url: string;
  readonly host: string;
  readonly received: Received[];
  /** How many connections were opened. */
  readonly connections: () => number;
  /** What the next requests are answered with. */
  play(answer: Answer): void;
}

export type Answer = (response: ServerResponse, request: Received) => void | Promise<void>;

/**
 * An HTTP server on this machine that answers what a test says, and keeps what it was sent. A request that Ollama's
 * documentation does not allow is refused, whatever the test plays, and fails the test when the server closes.
 */
export async function wireServer(): Promise<WireServer> {
  const received: Received[] = [];
  const illegal: string[] = [];
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
      const faults = one.method === 'POST' ? requestFaults(JSON.parse(body)) : [];
      illegal.push(...faults.map((fault) => `${fault} ${body}`));
      if (faults.length > 0)
        void json({ error: `illegal: ${faults.join(' ')}` }, 422)(response, one);
      else void answer(response, one);
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
  if (address === null || typeof address === 'string') throw new Error('no port');
  const host = `127.0.0.1:${address.port}`;
  const close = async (): Promise<void> => {
    for (const socket of sockets.keys()) socket.destroy();
    await new Promise<void>((resolve) => server.close(() => resolve()));
    // A test that waits for a failure would take a refusal for one.
    if (illegal.length > 0) throw new Error(`Ollama refuses what was sent:\n${illegal.join('\n')}`);
  };
  return {
    url: `http://${host}`,
    host,
    received,
    connections: () => connections,
    play: (next) => (answer = next),
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** A JSON answer. */
export function json(value: unknown, status = 200, headers: Record<string, string> = {}): Answer {
  return (response) => {
    response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', ...headers });
    response.end(JSON.stringify(value));
  };
}

const ndjson = { 'content-type': 'application/x-ndjson' };

/** A stream of these bytes, ended properly: what a proxy does that closes a connection in the middle, too. */
export function bytes(text: string | Uint8Array): Answer {
  return (response) => {
    response.writeHead(200, ndjson);
    response.end(text);
  };
}

/** A stream of these bytes, then the connection breaks. */
export function cut(text: string | Uint8Array): Answer {
  return (response) => {
    response.writeHead(200, ndjson);
    response.flushHeaders();
    response.write(text, () => response.socket?.destroy());
  };
}

/** A stream in writes of so many bytes. */
export function slices(text: string, size: number): Answer {
  return async (response) => {
    const raw = Buffer.from(text);
    response.writeHead(200, ndjson);
    for (let at = 0; at < raw.length; at += size) {
      await new Promise((resolve) => response.write(raw.subarray(at, at + size), resolve));
    }
    response.end();
  };
}

/** The beginning of a stream that stays open. */
export function begins(text: string): Answer {
  return (response) => {
    response.writeHead(200, ndjson);
    response.write(text);
  };
}
