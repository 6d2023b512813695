import {
  Agent,
  isJsonObject,
  memoryStore,
  type Json,
  type JsonObject,
} from '@agent-functions/core';
import { scriptedModel } from '@agent-functions/core/testing';
import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { describe, expect, test } from 'vitest';
import { agentServer, type AgentServer, type AgentServerOptions } from '../src/index.ts';
import { heldAgainst, objectAt } from './held-against-openapi.ts';
import { malformed, malformedDecisions } from './malformed.ts';

const quiet = { log: () => undefined };

function make(options: Partial<AgentServerOptions> = {}): AgentServer {
  const model = scriptedModel(() => 'Hello.');
  return agentServer({
    agents: [new Agent({ name: 'echo', model }), new Agent({ name: 'other', model })],
    store: memoryStore(),
    logger: quiet,
    ...options,
  });
}

async function documentOf(server: AgentServer, path = '/api/openapi.json'): Promise<JsonObject> {
  const response = await server.fetch(new Request(`http://agents.test${path}`));
  expect(response.headers.get('content-type')).toBe('application/json');
  const document: Json = JSON.parse(await response.text());
  if (!isJsonObject(document)) throw new Error('The document is no object.');
  return document;
}

describe('the document', () => {
  test('is OpenAPI 3.1', async () => {
    const document = await documentOf(make());
    const validator = new Validator();
    const { valid, errors } = await validator.validate(structuredClone(document));
    expect(errors).toBeUndefined();
    expect(valid).toBe(true);
    expect(validator.version).toBe('3.1');
  });

  test('has every route of the API, and none of the app or of protocols', async () => {
    const server = make({
      routes: [{ method: 'GET', path: '/api/mine', handler: () => new Response() }],
      protocols: [
        { name: 'mcp', handlers: [{ path: '/mcp', handler: async () => new Response() }] },
      ],
      cors: { origins: ['*'] },
    });
    const documented = Object.entries(objectAt(await documentOf(server), 'paths')).flatMap(
      ([path, operations]) =>
        Object.keys(operations ?? {}).map((method) => `${method.toUpperCase()} ${path}`),
    );
    const served = server.routes
      .filter(({ name }) => !['app', 'mcp', 'preflight'].includes(name))
      .map(({ method, path }) => `${method} ${path}`);
    expect(documented.toSorted()).toEqual(served.toSorted());
  });

  test('gives every operation an id of its own, and names its parameters', async () => {
    const ids = new Set<string>();
    for (const [path, operations] of Object.entries(objectAt(await documentOf(make()), 'paths'))) {
      for (const operation of Object.values(operations ?? {}).filter(isJsonObject)) {
        const id = JSON.stringify(operation['operationId']);
        expect(ids).not.toContain(id);
        ids.add(id);
        for (const [, name] of path.matchAll(/\{(\w+)\}/g)) {
          expect(operation['parameters']).toContainEqual(expect.objectContaining({ name }));
        }
      }
    }
    expect(ids.size).toBeGreaterThan(15);
  });

  test('follows the prefix, the public URL, and what the app allows', async () => {
    const server = make({
      routePrefix: '/v1',
      publicUrl: 'https://agents.example.com/',
      allowModelSettings: true,
      authenticate: () => ({ id: 'alice' }),
    });
    const document = await documentOf(server, '/v1/openapi.json');
    expect(document['servers']).toEqual([{ url: 'https://agents.example.com' }]);
    const chat = objectAt(objectAt(objectAt(document, 'paths'), '/v1/echo/chat'), 'post');
    expect(Object.keys(objectAt(chat, 'responses'))).toContain('401');
    expect(JSON.stringify(chat)).toContain('model_settings');
    const [without] = [JSON.stringify(await documentOf(make()))];
    expect(without).not.toContain('model_settings');
    expect(without).not.toContain('"401"');
  });

  test('is what answers are held against: a property too many, and a status that it lacks, are found', async () => {
    const check = heldAgainst(await documentOf(make()));
    const health = { method: 'GET', path: '/api/health', contentType: 'application/json' };
    check({ ...health, status: 200, text: '{"status":"ok"}' });
    expect(() => check({ ...health, status: 200, text: '{"status":"ok","up":1}' })).toThrow(/up/);
    expect(() => check({ ...health, status: 200, text: '{}' })).toThrow(/status/);
    expect(() => check({ ...health, status: 418, text: '{}' })).toThrow(/no such status/);
  });

  test('is for callers, where the app asks who calls', async () => {
    const server = make({ authenticate: () => undefined });
    const response = await server.fetch(new Request('http://agents.test/api/openapi.json'));
    expect(response.status).toBe(401);
  });
});

describe('the schemas of requests', () => {
  const ajv = new Ajv2020({ strict: false });
  addFormats.default(ajv);
  const requestOf = async (path: string) => {
    const document = await documentOf(make());
    const operation = objectAt(objectAt(objectAt(document, 'paths'), path), 'post');
    const content = objectAt(objectAt(operation, 'requestBody'), 'content');
    return ajv.compile(objectAt(objectAt(content, 'application/json'), 'schema'));
  };

  test('take what the server takes', async () => {
    const validate = await requestOf('/api/agents/{name}/chat');
    const server = make({ allowClientSessionIds: true });
    for (const body of wellFormed) {
      const response = await server.fetch(
        new Request('http://agents.test/api/echo/chat', {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(body),
        }),
      );
      expect([body, response.status]).toEqual([body, 200]);
      expect(validate(body), JSON.stringify(validate.errors)).toBe(true);
    }
  });

  test('refuse what the server refuses for its form', async () => {
    const chat = await requestOf('/api/agents/{name}/chat');
    const decisions = await requestOf('/api/runs/{id}/decisions');
    const passed = [
      ...malformed.filter((one) => one.path === undefined).map((one) => [one, chat] as const),
      ...malformedDecisions.map((one) => [one, decisions] as const),
    ].flatMap(([{ name, body, headers, method }, validate]) => {
      if (headers !== undefined || method !== undefined || typeof body !== 'string') return [];
      const value = parsed(body);
      return value !== undefined && validate(value) ? [name] : [];
    });
    // What JSON Schema does not say: blank text, addresses of the inside, sizes, ids that contradict each other.
    for (const name of passed) expect(name).toMatch(beyondSchemas);
    expect(passed.length).toBeLessThan(35);
  });
});

const beyondSchemas =
  /levels|blank|half a character|base64|http|local file|no URL|URL|a name with a path|the inside|an assistant last|two session ids|user_id: "a|too much|done without output|done with output|refused with input|twice/;

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const wellFormed: readonly Json[] = [
  { message: 'Hi' },
  { message: [{ type: 'text', text: 'Hi' }] },
  {
    message: [
      { type: 'text', text: 'What is it?' },
      { type: 'file', media_type: 'image/png', url: 'https://example.com/a.png' },
      { type: 'file', media_type: 'image/png', data: 'YQ==', name: 'a.png' },
    ],
  },
  { messages: [{ role: 'user', content: 'Hi' }] },
  {
    messages: [
      { role: 'user', content: 'Hi' },
      { role: 'assistant', content: 'Hello.' },
      { role: 'user', content: [{ type: 'text', text: 'And?' }] },
    ],
  },
  { message: 'Hi', session_id: 'mine', user_id: 'me', context: { a: [1, null] }, stream: false },
  { message: 'Hi', conversation_id: 'mine', if_busy: 'supersede', reset_conversation: true },
];
