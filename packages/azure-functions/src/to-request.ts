import type { HttpRequest } from '@azure/functions';
import { endToEnd } from './headers.ts';
import type { Wire } from './wire.ts';

/** Added on the way from the host to the worker. */
const addedByHost: ReadonlySet<string> = new Set([
  'x-ms-invocation-id',
  'x-forwarded-host',
  'x-forwarded-proto',
]);

/** The web-standard request. Its headers are the wire's where the wire is known. */
export function toRequest(
  request: HttpRequest,
  options: {
    readonly wire: Wire | undefined;
    readonly signal: AbortSignal;
    /** Whether `request.headers` come from the host's own message, and not from metadata that a caller can write. */
    readonly trusted: boolean;
  },
): Request {
  const { wire, signal, trusted } = options;
  const url = new URL(request.url);
  const body = request.method === 'GET' || request.method === 'HEAD' ? null : request.body;
  return new Request(url, {
    method: request.method,
    headers: headersOf(request, url, wire, trusted),
    signal,
    ...(body === null ? {} : { body: keptOpen(body, wire), duplex: 'half' }),
  });
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

/**
 * The body, in a form that may be given up. Cancelling the library's own stream destroys the socket that the answer
 * must go out on, and a body that was read in part blocks the connection for the next request: the rest is read and
 * dropped instead.
 */
function keptOpen(
  body: NonNullable<HttpRequest['body']>,
  wire: Wire | undefined,
): ReadableStream<Uint8Array> {
  const source: ReadableStream<unknown> = body;
  let reader: ReadableStreamDefaultReader<unknown> | undefined;
  let ended = false;
  const dropRest = async (): Promise<void> => {
    try {
      while (!ended && reader !== undefined) ended = (await reader.read()).done;
    } catch {
      // The client has gone, and the rest with it.
    }
  };
  wire?.response.once('finish', () => void dropRest());
  return new ReadableStream<Uint8Array>(
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
      // cure: body-cancel | async cancel() { await reader?.cancel(); },
      async cancel() {
        void dropRest();
      },
      // cure-end: body-cancel
    },
    { highWaterMark: 0 },
  );
}
