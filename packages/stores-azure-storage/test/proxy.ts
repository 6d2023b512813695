import {
  Agent,
  createServer,
  request as requestTo,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { connectionStringOf, type Azurite } from './azurite.ts';

// A proxy before the services of a storage account: counts what is asked, and lets it go wrong as told.

const services = ['table', 'blob', 'queue'] as const;

/** One request, as it was sent. A transaction is one request with several operations. */
export interface ProxiedRequest {
  readonly service: (typeof services)[number];
  readonly kind: 'read' | 'write';
  readonly method: string;
  /** With the account's name and the query. */
  readonly path: string;
  /** The table, container or queue. */
  readonly place: string;
  /** Of a transaction each of its writes; else the request itself. */
  readonly operations: readonly { readonly method: string; readonly path: string }[];
  /** The body. */
  readonly body: Buffer;
  /** What the service answered; `undefined` as long as it has not, and when it was not asked. */
  status: number | undefined;
}

/** What goes wrong with a request. */
export type Fault = {
  /** With which requests. Default: with any. */
  readonly when?: ((request: ProxiedRequest) => boolean) | undefined;
  /** How often. Default 1; `Infinity` until it is undone. */
  readonly times?: number | undefined;
  /** Waits this long before it is sent on. */
  readonly delayMs?: number | undefined;
} & (
  | { readonly type: 'wait' }
  /** Answered by the proxy; the service never sees it. */
  | {
      readonly type: 'refuse';
      readonly status: 429 | 500 | 503;
      readonly code?: string | undefined;
    }
  /** The connection ends before it is sent on. */
  | { readonly type: 'cut-request' }
  /** The service does what is asked, and the connection ends before its answer. */
  | { readonly type: 'lose-answer' }
);

export interface Proxy extends AsyncDisposable {
  /** To give to a store. */
  readonly connectionString: string;
  readonly origins: Azurite['origins'];
  /** Everything that was asked since the start, or the last `clear()`. */
  readonly requests: readonly ProxiedRequest[];
  clear(): void;
  count(kind: ProxiedRequest['kind'], place?: string): number;
  /** Lets requests go wrong from now on; answers how to undo it. Of several faults the first that fits counts. */
  fail(fault: Fault): () => void;
  stop(): Promise<void>;
}

/** Starts a proxy before `target`, an Azurite's `origins`. */
export async function startProxy(target: Azurite['origins']): Promise<Proxy> {
  const requests: ProxiedRequest[] = [];
  const faults: { readonly fault: Fault; left: number }[] = [];
  const agent = new Agent({ keepAlive: true });

  const faultOf = (request: ProxiedRequest): Fault | undefined => {
    const found = faults.find(
      ({ fault, left }) => left > 0 && (fault.when === undefined || fault.when(request)),
    );
    if (found !== undefined) found.left -= 1;
    return found?.fault;
  };

  const handle = async (
    service: (typeof services)[number],
    incoming: IncomingMessage,
    outgoing: ServerResponse,
  ): Promise<void> => {
    const body = await bodyOf(incoming);
    const request = toRequest(service, incoming, body);
    requests.push(request);
    const fault = faultOf(request);
    if (fault?.delayMs !== undefined) await sleep(fault.delayMs);
    if (fault?.type === 'cut-request') {
      incoming.socket.destroy();
      return;
    }
    if (fault?.type === 'refuse') {
      const code = fault.code ?? (fault.status === 500 ? 'OperationTimedOut' : 'ServerBusy');
      outgoing.writeHead(fault.status, { 'x-ms-error-code': code });
      outgoing.end();
      return;
    }
    const answer = await send(target[service], agent, incoming, body);
    request.status = answer.statusCode;
    const answered = await bodyOf(answer);
    if (fault?.type === 'lose-answer') {
      incoming.socket.destroy();
      return;
    }
    outgoing.writeHead(answer.statusCode ?? 502, withoutHopByHop(answer));
    outgoing.end(answered);
  };

  const servers = await Promise.all(
    services.map(async (service) => {
      const server = createServer((incoming, outgoing) => {
        handle(service, incoming, outgoing).catch(() => incoming.socket.destroy());
      });
      await new Promise<void>((resolve) => {
        server.listen(0, '127.0.0.1', resolve);
      });
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      return { service, server, origin: `http://127.0.0.1:${port}` };
    }),
  );
  const originOf = (service: (typeof services)[number]): string =>
    servers.find((each) => each.service === service)?.origin ?? '';
  const origins = { table: originOf('table'), blob: originOf('blob'), queue: originOf('queue') };
  const stop = async (): Promise<void> => {
    agent.destroy();
    await Promise.all(
      servers.map(
        ({ server }) =>
          new Promise<void>((resolve) => {
            server.close(() => resolve());
            server.closeAllConnections();
          }),
      ),
    );
  };
  return {
    connectionString: connectionStringOf(origins),
    origins,
    requests,
    clear() {
      requests.length = 0;
    },
    count: (kind, place) =>
      requests.filter((each) => each.kind === kind && (place ?? each.place) === each.place).length,
    fail(fault) {
      const entry = { fault, left: fault.times ?? 1 };
      faults.push(entry);
      return () => {
        entry.left = 0;
      };
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

function toRequest(
  service: (typeof services)[number],
  { method = '', url: path = '' }: IncomingMessage,
  body: Buffer,
): ProxiedRequest {
  const name = placeIn(path);
  const isBatch = name === '$batch';
  const operations = isBatch ? operationsIn(body) : [{ method, path }];
  return {
    service,
    kind: method === 'GET' || method === 'HEAD' ? 'read' : 'write',
    method,
    path,
    place: isBatch ? placeIn(new URL(operations[0]?.path ?? '/', 'http://host').pathname) : name,
    operations,
    body,
    status: undefined,
  };
}

/** `/account/table(PartitionKey=…)`, `/account/container/blob`, `/account/queue/messages` */
function placeIn(path: string): string {
  return /^\/[^/?]+\/([^/?(]*)/.exec(decodeURIComponent(path))?.[1] ?? '';
}

function operationsIn(body: Buffer): ProxiedRequest['operations'] {
  const lines = body.toString().matchAll(/^(POST|PUT|MERGE|PATCH|DELETE) (\S+) HTTP\/1\.1/gm);
  return [...lines].map(([, method = '', path = '']) => ({ method, path }));
}

function send(
  origin: string,
  agent: Agent,
  { method, url, headers }: IncomingMessage,
  body: Buffer,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const { host: _, 'transfer-encoding': chunked, ...rest } = headers;
    const length = chunked === undefined ? {} : { 'content-length': body.length };
    const options = { method, agent, headers: { ...rest, ...length } };
    const request = requestTo(new URL(url ?? '/', origin), options, resolve);
    request.on('error', reject);
    request.end(body);
  });
}

async function bodyOf(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

function withoutHopByHop({ headers }: IncomingMessage): IncomingMessage['headers'] {
  const { connection: _c, 'keep-alive': _k, 'transfer-encoding': _t, ...rest } = headers;
  return rest;
}
