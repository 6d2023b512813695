import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Agent, silentLogger, type JsonObject } from '@agent-functions/core';
import { scriptedModel } from '@agent-functions/core/testing';
import { agentServer } from '@agent-functions/server';
import { serve, type Serving } from '@agent-functions/server/node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { a2a } from '../src/index.ts';
import { conformanceAgent } from './agent.ts';
import { required, textOf } from './rule.ts';
import { data } from './rules-data.ts';
import { operations } from './rules-operations.ts';
import { semantics } from './rules-semantics.ts';
import { jsonRpcWire, objectOf, restWire } from './wire.ts';

// What the specification of A2A 1.0 says with MUST, by its sections, over both bindings. Rules for clients, gRPC, and
// of what the agent does not have are not here; those of capabilities that can be switched off are asked of `bare`.

let serving: Serving;
let receiver: Server;
let hook = '';
const told: JsonObject[] = [];
const toldHeaders: (string | undefined)[] = [];

beforeAll(async () => {
  receiver = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => (body += chunk));
    request.on('end', () => {
      told.push(objectOf(JSON.parse(body)));
      toldHeaders.push(request.headers.authorization);
      response.writeHead(204).end();
    });
  });
  await new Promise<void>((resolve) => {
    receiver.listen(0, '127.0.0.1', resolve);
  });
  const origin = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`;
  hook = `${origin}/hook`;
  const server = agentServer({
    agents: [conformanceAgent()],
    protocols: [
      a2a({ pushNotifications: { trustedOrigins: [origin] } }),
      { ...a2a({ path: '/bare', pushNotifications: false, extensions: [required] }), name: 'bare' },
    ].map((protocol, index) => (index === 0 ? protocol : withoutRoot(protocol))),
    allowClientSessionIds: true,
    logger: silentLogger,
  });
  serving = await serve(server, { port: 0 });
});
afterAll(async () => {
  await serving.close({ graceMs: 200 });
  receiver.close();
});

/** Two mounts on one server: the root card is the first one's. */
function withoutRoot(protocol: ReturnType<typeof a2a>): ReturnType<typeof a2a> {
  const { handlers } = protocol;
  return {
    ...protocol,
    handlers: (host) =>
      (typeof handlers === 'function' ? handlers(host) : handlers).filter(
        ({ path }) => !path.startsWith('/.well-known'),
      ),
  };
}

const rules = [...operations, ...semantics, ...data];

describe.each(['JSONRPC', 'HTTP+JSON'] as const)('over %s', (binding) => {
  const wireOf = binding === 'JSONRPC' ? jsonRpcWire : restWire;
  it.each(rules)(
    '$section: $rule',
    async ({ holds }) => {
      const bare = wireOf(`${serving.url}/bare/conformance`);
      await holds(wireOf(`${serving.url}/a2a/conformance`), { bare, hook, told, toldHeaders });
    },
    20_000,
  );
});

describe('JSON-RPC 2.0 and section 9.5', () => {
  const post = async (body: string) => {
    const response = await fetch(`${serving.url}/a2a/conformance`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'a2a-version': '1.0' },
      body,
    });
    return objectOf(await response.json());
  };
  it.each([
    ['{"jsonrpc": "2.0", "method": ', -32_700],
    ['', -32_700],
    ['[]', -32_600],
    ['[{"jsonrpc":"2.0","id":1,"method":"GetTask","params":{}}]', -32_600],
    ['5', -32_600],
    ['{"id":1,"method":"GetTask","params":{}}', -32_600],
    ['{"jsonrpc":"1.0","id":1,"method":"GetTask","params":{}}', -32_600],
    ['{"jsonrpc":"2.0","id":{},"method":"GetTask","params":{}}', -32_600],
    ['{"jsonrpc":"2.0","id":1,"params":{}}', -32_600],
    ['{"jsonrpc":"2.0","id":1,"method":"NoSuchMethod"}', -32_601],
    ['{"jsonrpc":"2.0","id":1,"method":"message/send","params":{}}', -32_601],
    ['{"jsonrpc":"2.0","id":1,"method":"GetTask","params":[]}', -32_602],
    ['{"jsonrpc":"2.0","id":1,"method":"GetTask"}', -32_602],
  ])('%s is %d', async (body, code) => {
    const answer = await post(body);
    expect(objectOf(answer['error'])['code']).toBe(code);
    expect(answer['jsonrpc']).toBe('2.0');
  });

  it('the id comes back as it was: text, number, null', async () => {
    for (const id of ['abc', 0, 17, null]) {
      const answer = await post(
        JSON.stringify({ jsonrpc: '2.0', id, method: 'GetTask', params: { id: 'x' } }),
      );
      expect(answer['id']).toBe(id);
    }
  });
});

describe('8: the card', () => {
  it('8.2, 8.3: is at its well-known address and declares every interface', async () => {
    const card = objectOf(await (await fetch(`${serving.url}/.well-known/agent-card.json`)).json());
    const url = `${serving.url}/a2a/conformance`;
    expect(card['supportedInterfaces']).toEqual([
      { url, protocolBinding: 'JSONRPC', protocolVersion: '1.0' },
      { url, protocolBinding: 'HTTP+JSON', protocolVersion: '1.0' },
      { url, protocolBinding: 'JSONRPC', protocolVersion: '0.3' },
    ]);
    for (const field of [
      'name',
      'description',
      'version',
      'capabilities',
      'defaultInputModes',
      'defaultOutputModes',
      'skills',
    ]) {
      expect(card[field], field).toBeTruthy();
    }
    expect([card['skills']].flat().map((skill) => objectOf(skill)['name'])).toEqual([
      'conformance',
      'ask',
    ]);
  });

  it('8.6: has Cache-Control, ETag and Last-Modified, and is not sent twice', async () => {
    const first = await fetch(`${serving.url}/.well-known/agent-card.json`);
    expect(first.headers.get('cache-control')).toMatch(/max-age=\d+/);
    const etag = first.headers.get('etag') ?? '';
    const since = first.headers.get('last-modified') ?? '';
    expect(new Date(since).toUTCString()).toBe(since);
    for (const headers of [
      { 'if-none-match': etag },
      { 'if-none-match': `W/${etag}, "x"` },
      { 'if-modified-since': since },
    ]) {
      const again = await fetch(`${serving.url}/.well-known/agent-card.json`, { headers });
      expect([again.status, await again.text()]).toEqual([304, '']);
    }
    const other = await fetch(`${serving.url}/.well-known/agent-card.json`, {
      headers: { 'if-none-match': '"x"', 'if-modified-since': since },
    });
    expect(other.status).toBe(200);
  });

  it('agent.json and the header say the card in the words of 0.3', async () => {
    const old = objectOf(await (await fetch(`${serving.url}/.well-known/agent.json`)).json());
    expect(old).toMatchObject({
      url: `${serving.url}/a2a/conformance`,
      preferredTransport: 'JSONRPC',
    });
    expect(textOf(old['protocolVersion'])).toMatch(/^0\.3/);
    const asked = await fetch(`${serving.url}/.well-known/agent-card.json`, {
      headers: { 'a2a-version': '0.3' },
    });
    expect(await asked.json()).toEqual(old);
    const current = await fetch(`${serving.url}/.well-known/agent.json`, {
      headers: { 'a2a-version': '1.0' },
    });
    expect(objectOf(await current.json())['url']).toBeUndefined();
  });

  it('13: says no more of the agent than it chose to show', async () => {
    const shy = new Agent({
      name: 'shy',
      description: 'Secret purpose.',
      instructions: 'Secret rules.',
      model: scriptedModel([]),
      exposeAgentInfo: false,
    });
    const server = agentServer({
      agents: [shy],
      protocols: [a2a()],
      publicUrl: 'https://agents.example.com/',
      logger: silentLogger,
    });
    const text = await (
      await server.fetch(new Request('http://inside/.well-known/agent-card.json'))
    ).text();
    expect(text).not.toMatch(/secret/i);
    expect(text).toContain('https://agents.example.com/a2a/shy');
  });
});
