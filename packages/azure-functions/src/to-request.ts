import type { HttpRequest } from '@azure/functions';
import { endToEnd } from './headers.ts';
import type { Wire } from './wire.ts';

/** Added on the way from the host to the worker. */
const addedByHost: ReadonlySet<string> = new Set([
  'x-ms-invocation-id',
  'x-forwarded-host',
  'x-forwarded-proto',
]);

/** A request, and the way to be done with it. */
export interface ConvertedRequest {
  readonly request: Request;
  /**
   * Reads what the handler left of the body and drops it; at most for a while. An answer must not end before: a body
   * that was not read to its end keeps its connection from carrying another request.
   */
  readonly settleBody: () => Promise<void>;
}

/** The web-standard request. Its headers are the wire's where the wire is known. */
export function toRequest(
  request: HttpRequest,
  options: {
    readonly wire: Wire | undefined;
    readonly signal: AbortSignal;
    /** Whether `request.headers` come from the host's own message, and not from metadata that a caller can write. */
    readonly trusted: boolean;
  },
): ConvertedRequest {
  const { wire, signal, trusted } = options;
  const url = new URL(request.url);
  const init = {
    method: request.method,
    headers: headersOf(request, url, wire, trusted),
    signal,
  };
  if (request.body === null || request.method === 'GET' || request.method === 'HEAD') {
    wire?.request.resume();
    return { request: new Request(url, init), settleBody: async () => undefined };
  }
  const { body, settle } = keptOpen(request.body, wire);
  return { request: new Request(url, { ...init, body, duplex: 'half' }), settleBody: settle };
}

function headersOf(
  request: HttpRequest,
  url: URL,
  wire: Wire | undefined,
  trusted: boolean,
): Headers {
  // cure: trap-5 | const raw = [...request.headers];
  const raw = wire === undefined ? [...request.headers] : pairs(wire.request.rawHeaders);
  // cure-end: trap-5
  const fromPlatform = (name: string): boolean =>
    addedByHost.has(name) || (wire === undefined && !trusted && name.startsWith('x-ms-'));
  const headers = new Headers(endToEnd(raw).filter(([name]) => !fromPlatform(name)));
  headers.set('host', url.host);
  return headers;
}

function pairs(raw: readonly string[]): [name: string, value: string][] {
  return raw.flatMap((name, index): [string, string][] =>
    index % 2 === 0 ? [[name, raw[index + 1] ?? '']] : [],
  );
}

/** How long a rest of a body may take that nobody wants. */
const restWithinMs = 2_000;

/** The body, in a form that may be given up. Cancelling the library's own stream closes the connection. */
function keptOpen(
  source: ReadableStream<unknown>,
  wire: Wire | undefined,
): {
  readonly body: ReadableStream<Uint8Array>;
  readonly settle: () => Promise<void>;
} {
  let reader: ReadableStreamDefaultReader<unknown> | undefined;
  let ended = false;
  const dropRest = async (): Promise<void> => {
    try {
      while (!ended && reader !== undefined) ended = (await reader.read()).done;
    } catch {
      // The client has gone, and the rest with it.
      ended = true;
    }
  };
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        reader ??= source.getReader();
        const { done, value } = await reader.read();
        if (done) {
          ended = true;
          controller.close();
        } else if (value instanceof Uint8Array) controller.enqueue(value);
        else throw new TypeError('The request body has a chunk that is not bytes.');
      },
      cancel() {
        void dropRest();
      },
    },
    { highWaterMark: 0 },
  );
  return {
    body,
    async settle() {
      // cure: body-rest
      if (ended) return;
      reader ??= source.getReader();
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, restWithinMs);
      });
      await Promise.race([dropRest(), late]);
      clearTimeout(timer);
      if (!ended) wire?.response.once('finish', () => wire.request.socket.destroySoon());
      // cure-end: body-rest
    },
  };
}
