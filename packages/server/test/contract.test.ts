import { isJsonObject, type Json, type JsonObject } from '@agent-functions/core';
import { serverContract, type ServerOptionsUnderTest } from '@agent-functions/core/testing';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { agentServer } from '../src/index.ts';
import { serve } from '../src/node/index.ts';
import { heldAgainst } from './held-against-openapi.ts';

const test = { describe, it, beforeAll, afterAll };

serverContract(test, 'as a fetch handler', async (options: ServerOptionsUnderTest) => {
  const server = agentServer(options);
  return {
    request: (path, init) => server.fetch(new Request(`http://agents.test${path}`, init)),
    dispose: () => server.close(),
  };
});

serverContract(test, 'over TCP on Node', async (options: ServerOptionsUnderTest) => {
  const serving = await serve(agentServer(options), { port: 0 });
  return {
    request: (path, init) => fetch(`${serving.url}${path}`, init),
    dispose: () => serving.close({ graceMs: 1_000 }),
  };
});

serverContract(
  test,
  'every answer held against the OpenAPI document',
  async (options: ServerOptionsUnderTest) => {
    const server = agentServer(options);
    const check = heldAgainst(await documentOf(options));
    return {
      request: async (path, init) => {
        const request = new Request(`http://agents.test${path}`, init);
        const response = await server.fetch(request);
        const contentType = response.headers.get('content-type') ?? '';
        // A stream is to be read as it comes.
        const text = contentType === 'text/event-stream' ? '' : await response.clone().text();
        const { pathname } = new URL(request.url);
        const { status } = response;
        check({ method: request.method, path: pathname, status, contentType, text });
        return response;
      },
      dispose: () => server.close(),
    };
  },
);

/** The document as somebody reads it whom the server knows. */
async function documentOf(options: ServerOptionsUnderTest): Promise<JsonObject> {
  const known =
    options.authenticate === undefined ? {} : { authenticate: () => ({ id: 'reader' }) };
  const reading = agentServer({ ...options, ...known });
  const response = await reading.fetch(new Request('http://agents.test/api/openapi.json'));
  const document: Json = JSON.parse(await response.text());
  if (!isJsonObject(document)) throw new Error('The document is no object.');
  return document;
}
