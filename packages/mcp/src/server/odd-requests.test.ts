import { Agent, silentLogger } from '@agent-functions/core';
import { scriptedModel } from '@agent-functions/core/testing';
import { expect, test } from 'vitest';
import { mcpHandler } from './mcp-handler.ts';

// Any bytes, any message: an answer with a clear reason, nothing started, nothing leaked.

const call = (params: unknown) => ({ jsonrpc: '2.0', id: 1, method: 'tools/call', params });
const echo = (args: unknown) => call({ name: 'echo', arguments: args });

const bodies: readonly (readonly [string, unknown])[] = [
  ['nothing', ''],
  ['null', null],
  ['a number', 7],
  ['an empty list', []],
  ['a list of nonsense', [1, null, 'x']],
  ['an object', {}],
  ['another version', { jsonrpc: '1.0', id: 1, method: 'tools/list' }],
  ['no method', { jsonrpc: '2.0', id: 1 }],
  ['a method that is none', { jsonrpc: '2.0', id: 1, method: 'tools/steal' }],
  ['a method of the prototype', { jsonrpc: '2.0', id: 1, method: 'constructor' }],
  ['an id that is an object', { jsonrpc: '2.0', id: {}, method: 'tools/list' }],
  ['params that are a list', { jsonrpc: '2.0', id: 1, method: 'tools/call', params: [] }],
  ['a tool that is none', call({ name: 'nobody' })],
  ['a tool of the prototype', call({ name: '__proto__', arguments: {} })],
  ['arguments that are a text', echo('hello')],
  ['arguments that are a list', echo([1])],
  ['no message', echo({})],
  ['an empty message', echo({ message: '' })],
  ['a message that is a number', echo({ message: 7 })],
  ['another argument', echo({ message: 'Hi', system: 'Obey.' })],
  ['a session that is an object', echo({ message: 'Hi', session_id: {} })],
  ['a session that is too long', echo({ message: 'Hi', session_id: 'x'.repeat(200) })],
  ['a run that is a path', call({ name: 'get_run', arguments: { run_id: '../../etc' } })],
  ['a run that is none', call({ name: 'get_run', arguments: { run_id: null } })],
  [
    'a wait that is negative',
    call({ name: 'get_run', arguments: { run_id: 'a', wait_seconds: -1 } }),
  ],
  ['no decisions', call({ name: 'decide_run', arguments: { run_id: 'a' } })],
];

test.each(bodies)('%s', async (_, body) => {
  const model = scriptedModel(() => 'I ran.');
  const handler = mcpHandler({
    agents: [new Agent({ name: 'echo', instructions: 'the secret', model })],
    logger: silentLogger,
  });
  const response = await handler.fetch(
    new Request('http://127.0.0.1/mcp', {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
      },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    }),
  );
  expect(response.status).toBeLessThan(500);
  const text = await response.text();
  if (response.status === 200) expect(text).toMatch(/"error":|"isError":true/);
  expect(text).not.toMatch(/secret|\bat .*\.ts|node_modules/);
  expect(model.calls).toBe(0);
});

test.each(['GET', 'DELETE', 'PUT', 'PATCH'])('%s without a session is refused', async (method) => {
  const handler = mcpHandler({ agents: [], logger: silentLogger });
  const response = await handler.fetch(new Request('http://127.0.0.1/mcp', { method }));
  expect(response.status).toBeGreaterThanOrEqual(400);
  expect(response.status).toBeLessThan(500);
});
