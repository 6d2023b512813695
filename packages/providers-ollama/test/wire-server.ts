import { createServer } from 'node:http';
import {
  cutAnswer,
  slicedAnswer,
  streamAnswer,
  wireServer as listen,
  type HttpAnswer,
  type WireServer,
} from '@agent-functions/core/testing';
import { requestFaults } from './request-faults.ts';

export { jsonAnswer as json } from '@agent-functions/core/testing';

/** A server on this machine that fails a test whose requests Ollama's documentation does not allow. */
export async function wireServer(): Promise<WireServer & AsyncDisposable> {
  const server = await listen(createServer, {
    faults: ({ method, body }) => (method === 'POST' ? requestFaults(JSON.parse(body)) : []),
  });
  return { ...server, [Symbol.asyncDispose]: server.close };
}

const ndjson = 'application/x-ndjson';

/** A stream of these bytes, ended properly. */
export function bytes(text: string | Uint8Array): HttpAnswer {
  return streamAnswer(text, ndjson);
}

/** A stream of these bytes, then the connection breaks. */
export function cut(text: string | Uint8Array): HttpAnswer {
  return cutAnswer(text, ndjson);
}

/** A stream in writes of so many bytes. */
export function slices(text: string, bytesPerWrite: number): HttpAnswer {
  return slicedAnswer(text, bytesPerWrite, ndjson);
}

/** The beginning of a stream that stays open. */
export function begins(text: string): HttpAnswer {
  return (response) => {
    response.writeHead(200, { 'content-type': ndjson });
    response.write(text);
  };
}
