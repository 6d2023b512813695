import { silentLogger } from '@agent-functions/core';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { expect, test } from 'vitest';
import { fetchOf } from '../../test/server/clients.ts';
import { mcpHandler } from './mcp-handler.ts';

// Sessions of clients that speak the 2025 protocol.

const handler = () =>
  mcpHandler({
    sessions: true,
    logger: silentLogger,
    verifyToken: (token) => ({ id: token }),
    configure: (server) => {
      server.registerTool('ask', { description: 'Asks.' }, async ({ mcpReq }) => {
        const { action, content } = await mcpReq.elicitInput({
          message: 'Your name?',
          requestedSchema: { type: 'object', properties: { name: { type: 'string' } } },
        });
        return { content: [{ type: 'text', text: `${action}: ${JSON.stringify(content)}` }] };
      });
    },
  });

test('a client can be asked in the middle of its call, and ends its session', async () => {
  const client = new Client(
    { name: 'test', version: '1.0.0' },
    { capabilities: { elicitation: { form: {} } }, versionNegotiation: { mode: 'legacy' } },
  );
  client.setRequestHandler('elicitation/create', () => ({
    action: 'accept' as const,
    content: { name: 'Ada' },
  }));
  const own = handler();
  const headers = { authorization: 'Bearer ada' };
  const transport = new StreamableHTTPClientTransport(new URL('http://127.0.0.1/mcp'), {
    fetch: fetchOf(own),
    requestInit: { headers },
  });
  await client.connect(transport);
  expect(await client.callTool({ name: 'ask', arguments: {} })).toMatchObject({
    content: [{ text: 'accept: {"name":"Ada"}' }],
  });
  const id = transport.sessionId ?? '';
  const list = (token: string) =>
    own.fetch(
      new Request('http://127.0.0.1/mcp', {
        method: 'POST',
        headers: {
          authorization: `Bearer ${token}`,
          'mcp-session-id': id,
          'content-type': 'application/json',
          accept: 'application/json, text/event-stream',
        },
        body: JSON.stringify({ jsonrpc: '2.0', id: 9, method: 'tools/list' }),
      }),
    );
  expect((await list('ada')).status).toBe(200);
  expect((await list('bob')).status).toBe(404);
  await transport.terminateSession();
  expect((await list('ada')).status).toBe(404);
  await client.close();
  await own.close();
});

test('beyond the last one that there is room for, the one that was idle longest ends', async () => {
  const own = handler();
  const headers = {
    authorization: 'Bearer ada',
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
  };
  const send = (body: object, more: Record<string, string> = {}) =>
    own.fetch(
      new Request('http://127.0.0.1/mcp', {
        method: 'POST',
        headers: { ...headers, ...more },
        body: JSON.stringify({ jsonrpc: '2.0', ...body }),
      }),
    );
  const params = {
    protocolVersion: '2025-11-25',
    capabilities: {},
    clientInfo: { name: 'test', version: '1.0.0' },
  };
  const begin = async (): Promise<string> => {
    const response = await send({ id: 1, method: 'initialize', params });
    await response.text();
    return response.headers.get('mcp-session-id') ?? '';
  };
  const first = await begin();
  for (let more = 0; more < 1_000; more += 1) await begin();
  const last = await begin();
  const ping = async (session: string) => {
    const response = await send({ id: 2, method: 'ping' }, { 'mcp-session-id': session });
    await response.body?.cancel();
    return response.status;
  };
  expect(await ping(first)).toBe(404);
  expect(await ping(last)).toBe(200);
  await own.close();
});
