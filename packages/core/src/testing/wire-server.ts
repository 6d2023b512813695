// A real HTTP server for the tests of a provider. Core imports nothing, so that `createServer` of `node:http` is handed in.

/** The part of `node:http`'s `createServer` that is used. */
export type CreateServer = (
  listener: (request: HttpRequest, response: HttpResponse) => void,
) => HttpServer;

/** The part of `node:http`'s `IncomingMessage` that is used. */
export interface HttpRequest {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  readonly headers: HttpHeaders;
  readonly socket: object;
  setEncoding(encoding: 'utf8'): unknown;
  on(event: 'data', listener: (chunk: string) => void): unknown;
  on(event: 'end', listener: () => void): unknown;
}

export type HttpHeaders = { readonly [name: string]: string | readonly string[] | undefined };

/** The part of `node:http`'s `ServerResponse` that answers are played on. */
export interface HttpResponse {
  readonly socket: { destroy(): unknown } | null;
  writeHead(status: number, headers?: { readonly [name: string]: string }): this;
  setHeader(name: string, value: number | string): unknown;
  flushHeaders(): void;
  write(chunk: string | Uint8Array, written?: (error?: Error | null) => void): boolean;
  end(chunk?: string | Uint8Array, ended?: () => void): unknown;
  end(ended?: () => void): unknown;
}

/** The part of `node:http`'s `Server` that is used. */
export interface HttpServer {
  listen(port: number, host: string, listening: () => void): unknown;
  address(): { readonly port: number } | string | null;
  close(closed: () => void): unknown;
  on(event: 'connection', listener: (socket: HttpSocket) => void): unknown;
}

interface HttpSocket {
  destroy(): unknown;
  once(event: 'close', listener: () => void): unknown;
  on(event: 'error', listener: () => void): unknown;
}

/** A request as it came over the wire. */
export interface ReceivedRequest {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly headers: HttpHeaders;
  /** The body's text, byte for byte. */
  readonly body: string;
  /** Resolves when the client's socket is closed. */
  readonly closed: Promise<void>;
}

/** What a request is answered with. */
export type HttpAnswer = (response: HttpResponse, request: ReceivedRequest) => void | Promise<void>;

export interface WireServer {
  readonly url: string;
  /** Host and port. */
  readonly host: string;
  readonly received: ReceivedRequest[];
  /** How many connections were opened. */
  connections(): number;
  /** What the next requests are answered with. */
  play(answer: HttpAnswer): void;
  /** Destroys every connection, then the server. Rejects when any request had a fault. */
  readonly close: () => Promise<void>;
}

export interface WireServerOptions {
  /** What the real API would refuse a request for, by its documentation. Asked of every request. */
  readonly faults?: ((request: ReceivedRequest) => readonly string[]) | undefined;
}

/**
 * An HTTP server on this machine that answers what a test says, keeps what it was sent, and looks for faults in it:
 * `await wireServer(createServer, { faults })`, with `createServer` of `node:http`. A request with a fault is answered all
 * the same, and makes `close()` fail: a test that waits for a failure would take a refusal for one.
 */
export async function wireServer(
  createServer: CreateServer,
  { faults = () => [] }: WireServerOptions = {},
): Promise<WireServer> {
  const received: ReceivedRequest[] = [];
  const found = new Set<string>();
  const sockets = new Map<object, Promise<void>>();
  const open = new Set<HttpSocket>();
  let connections = 0;
  let answer: HttpAnswer = (response) => void response.writeHead(500).end('nothing to play');
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8');
    request.on('data', (chunk) => (body += chunk));
    request.on('end', () => {
      const one: ReceivedRequest = {
        method: request.method ?? '',
        url: request.url ?? '',
        headers: request.headers,
        body,
        closed: sockets.get(request.socket) ?? Promise.resolve(),
      };
      received.push(one);
      for (const fault of faults(one)) found.add(`${fault}\n  in ${body}`);
      void answer(response, one);
    });
  });
  server.on('connection', (socket) => {
    connections += 1;
    open.add(socket);
    const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
    sockets.set(socket, closed);
    void closed.then(() => open.delete(socket) && sockets.delete(socket));
    socket.on('error', () => undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The server has no port.');
  const host = `127.0.0.1:${address.port}`;

  async function close(): Promise<void> {
    for (const socket of open) socket.destroy();
    await new Promise<void>((resolve) => server.close(() => resolve()));
    if (found.size > 0) throw new Error(`The API refuses what was sent:\n${[...found].join('\n')}`);
  }

  return {
    url: `http://${host}`,
    host,
    received,
    connections: () => connections,
    play: (next) => void (answer = next),
    close,
  };
}

/** A JSON answer. */
export function jsonAnswer(
  value: unknown,
  status = 200,
  headers: { readonly [name: string]: string } = {},
): HttpAnswer {
  return (response) => {
    response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', ...headers });
    response.end(JSON.stringify(value));
  };
}

const eventStream = 'text/event-stream';

/** A stream of these bytes, ended properly: what a proxy does that closes a connection in the middle, too. */
export function streamAnswer(text: string | Uint8Array, contentType = eventStream): HttpAnswer {
  return (response) => {
    response.writeHead(200, { 'content-type': contentType });
    response.end(text);
  };
}

/** A stream of these bytes, then the connection breaks. */
export function cutAnswer(text: string | Uint8Array, contentType = eventStream): HttpAnswer {
  return (response) => {
    response.writeHead(200, { 'content-type': contentType });
    response.flushHeaders();
    response.write(text, () => response.socket?.destroy());
  };
}

/** A stream in writes of so many bytes: a letter, an event or a line comes in pieces. */
export function slicedAnswer(
  text: string,
  bytesPerWrite: number,
  contentType = eventStream,
): HttpAnswer {
  return async (response) => {
    const bytes = new TextEncoder().encode(text);
    response.writeHead(200, { 'content-type': contentType });
    for (let at = 0; at < bytes.length; at += bytesPerWrite) {
      await new Promise<void>((resolve) =>
        response.write(bytes.subarray(at, at + bytesPerWrite), () => resolve()),
      );
    }
    response.end();
  };
}
