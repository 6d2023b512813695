import { subscribe } from 'node:diagnostics_channel';
import type { IncomingMessage, ServerResponse } from 'node:http';

/** What really goes over the worker's own HTTP server while one invocation runs. */
export interface Wire {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

/** Finds the wire of an invocation. Nothing is found for buffered requests, or where Node has no such channel. */
export interface WireTap {
  /** The wire of this invocation; it is handed out once. */
  take(invocationId: string): Wire | undefined;
}

const channelName = 'http.server.request.start';
const correlationHeader = 'x-ms-invocation-id';

/** Requests that no invocation has asked for yet. A request whose invocation never starts leaves with its connection. */
const unclaimed = new Map<string, Wire>();
let listening = false;

/** The wires of this process. In stream mode the host forwards every request to an HTTP server inside the worker. */
export function wireTap(): WireTap {
  if (!listening) {
    listening = true;
    subscribe(channelName, (message) => keep(message));
  }
  return {
    take(invocationId) {
      const wire = unclaimed.get(invocationId);
      unclaimed.delete(invocationId);
      return wire;
    },
  };
}

/** How many requests wait for their invocation. */
export function unclaimedWires(): number {
  return unclaimed.size;
}

function keep(message: unknown): void {
  if (typeof message !== 'object' || message === null) return;
  if (!('request' in message) || !('response' in message)) return;
  const { request, response } = message;
  // Not imported above: loading Node's HTTP server takes longer than the whole app. Here it runs already.
  const { IncomingMessage, ServerResponse } = process.getBuiltinModule('node:http');
  if (!(request instanceof IncomingMessage) || !(response instanceof ServerResponse)) return;
  const invocationId = request.headers[correlationHeader];
  if (typeof invocationId !== 'string' || unclaimed.has(invocationId)) return;
  unclaimed.set(invocationId, { request, response });
  response.once('close', () => unclaimed.delete(invocationId));
}

/** Calls `gone` when the client leaves before the response has been sent. */
export function onClientGone(wire: Wire, gone: () => void): void {
  const { response } = wire;
  const closed = (): void => {
    if (!response.writableFinished) gone();
  };
  if (response.closed || response.destroyed) closed();
  else response.once('close', closed);
}

/** Resolves when the response takes more bytes, or has been closed. */
export async function drained(wire: Wire): Promise<void> {
  const { response } = wire;
  if (!response.writableNeedDrain || response.destroyed) return;
  await new Promise<void>((resolve) => {
    const done = (): void => {
      response.off('drain', done).off('close', done);
      resolve();
    };
    response.once('drain', done).once('close', done);
  });
}
