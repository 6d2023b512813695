import { memoryStore, Agent, Runner } from '@agent-functions/core';
import { scriptedModel } from '@agent-functions/core/testing';
import {
  Client as SecondClient,
  StreamableHTTPClientTransport,
} from '@modelcontextprotocol/client';
import { Client as FirstClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as FirstTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { Transport as FirstTransportType } from '@modelcontextprotocol/sdk/shared/transport.js';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { eventually, fixture, HttpServerProcess } from '../../test/client/processes.ts';
import { called, callOne, listed } from '../../test/client/runs.ts';
import { mcpTools } from './mcp-server.ts';
import type { McpOptions } from './options.ts';
import type { McpSource } from './source.ts';

const servers: { [line: string]: HttpServerProcess } = {};
const open: McpSource[] = [];

beforeAll(async () => {
  const [first, second] = await Promise.all(
    ['first', 'second'].map((line) =>
      HttpServerProcess.start([...fixture(`${line}-line-server.ts`), 'http']),
    ),
  );
  if (first !== undefined && second !== undefined) Object.assign(servers, { first, second });
}, 30_000);
afterAll(async () => {
  await Promise.all(Object.values(servers).map((one) => one.kill()));
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((source) => source.close()));
});

function url(line: string): string {
  return `http://127.0.0.1:${servers[line]?.port}/mcp`;
}

function source(line: string, over: string, options: McpOptions = {}): McpSource {
  const more = { name: line, timeoutMs: 5_000, reconnect: { minMs: 10 }, ...options };
  const made =
    over === 'http'
      ? mcpTools({ ...more, url: url(line) })
      : mcpTools({
          ...more,
          command: process.execPath,
          args: [...fixture(`${line}-line-server.ts`), 'stdio'],
        });
  open.push(made);
  return made;
}

/** What every pairing can do. */
async function worksWith(made: McpSource, { cancels = true } = {}): Promise<void> {
  const { results, warnings } = await called(
    [made],
    [
      ['add', { a: 2, b: 40 }],
      ['add', { a: 'two' }],
      ['fail', {}],
    ],
  );
  expect(results).toMatchObject([
    { result: 'The sum is 42.', isError: false },
    { result: expect.stringMatching(/do not fit/), isError: true },
    { result: 'fail failed: The disk is full.', isError: true },
  ]);
  expect(warnings).toEqual([]);
  expect(await made.readResource('note://one')).toEqual([
    { type: 'text', text: 'Resource note://one:\nRemember.' },
  ]);
  expect(await made.getPrompt('greet', { name: 'Ada' })).toEqual([
    { role: 'user', parts: [{ type: 'text', text: 'Greet Ada.' }] },
  ]);
  expect(await made.listResources()).toMatchObject([
    { uri: 'note://one', mediaType: 'text/plain' },
  ]);
  expect(await made.listPrompts()).toMatchObject([{ name: 'greet' }]);
  await expect(made.readResource('note://other')).rejects.toThrow(/^MCP server .*not found/i);
  if (!cancels) return;
  const before = Number(await callOne(made, 'stopped', {}));
  const abort = new AbortController();
  const slow = callOne(made, 'slow', {}, { signal: abort.signal }).then(
    () => 'an answer',
    (error: unknown) => error,
  );
  const timer = setTimeout(() => abort.abort(new Error('stopped by the test')), 100);
  expect(await slow).toMatchObject({ message: 'stopped by the test' });
  clearTimeout(timer);
  await eventually(async () => Number(await callOne(made, 'stopped', {})) === before + 1);
}

describe.each(['stdio', 'http'])('over %s', (over) => {
  test.each([
    ['first', 'auto'],
    ['first', '2025-11-25'],
    ['first', '2025-06-18'],
    ['second', 'auto'],
    ['second', '2026-07-28'],
    ['second', '2025-11-25'],
  ])('a server of the %s line, asked for %s', async (line, protocolVersion) => {
    await worksWith(source(line, over, { protocolVersion }));
  });

  test('a revision that the server does not have is said', async () => {
    const pinned = source('first', over, { protocolVersion: '2026-07-28' });
    await expect(listed(pinned)).rejects.toThrow(/^MCP server first: /);
  });
});

test.each(['first', 'second'])(
  'a connected client of the 1.x line is taken, with a server of the %s',
  async (line) => {
    const client = new FirstClient({ name: 'app', version: '1.0.0' });
    // The 1.x types do not fit each other with exact optional properties.
    const transport: unknown = new FirstTransport(new URL(url(line)));
    await client.connect(transport as FirstTransportType);
    const made = mcpTools({ client, name: 'handed-in' });
    // The other server keeps no sessions for that era, so that it cannot tell which call is meant.
    await worksWith(made, { cancels: line === 'first' });
    await made.close();
    await expect(client.ping()).rejects.toThrow(/not connected/i);
  },
);

test.each(['first', 'second'])(
  'a connected client of the 2.x line is taken, with a server of the %s',
  async (line) => {
    const client = new SecondClient(
      { name: 'app', version: '1.0.0' },
      { versionNegotiation: { mode: 'auto' } },
    );
    await client.connect(new StreamableHTTPClientTransport(new URL(url(line))));
    const made = mcpTools({ client, name: 'handed-in' });
    open.push(made);
    await worksWith(made);
  },
);

test('what is no client is refused', () => {
  expect(() => mcpTools({ client: JSON.parse('{}') })).toThrow(/listTools\(\).*close\(\)/);
});

test.each(['stdio', 'http'])(
  'a question of a 2026 server waits in the journal, and is answered in another run of the process, over %s',
  async (over) => {
    const store = memoryStore();
    const agent = (): Agent =>
      new Agent({
        name: 'booker',
        model: scriptedModel([{ calls: [['book', { nights: 2 }]] }, 'Booked.'], {
          by: 'conversation',
        }),
        mcpServers: [source('second', over)],
      });
    const asked = await new Runner(agent(), { store }).run('Book.');
    expect(asked.interruptions).toMatchObject([
      {
        kind: 'input',
        toolName: 'book',
        message: 'second asks: Which city?'.replace('second', 'MCP server second'),
        schema: { properties: { answer: { properties: { city: { type: 'string' } } } } },
      },
    ]);
    // Nothing is held for it: the connection that asked is gone.
    await Promise.all(open.splice(0).map((one) => one.close()));
    const [interruption] = asked.interruptions;
    const misfit = await new Runner(agent(), { store }).resume(asked.runId, [
      { interruptionId: interruption?.id ?? '', answer: { city: 5 } },
    ]);
    expect(misfit.interruptions[0]?.message).toMatch(/does not fit/);
    const done = await new Runner(agent(), { store }).resume(asked.runId, [
      { interruptionId: misfit.interruptions[0]?.id ?? '', answer: { city: 'Lyon' } },
    ]);
    expect(done).toMatchObject({ status: 'completed', response: 'Booked.' });
    expect(done.toolResults).toMatchObject([{ result: 'Booked 2 nights in Lyon.' }]);
  },
);

test('a question that is answered with null is declined', async () => {
  const store = memoryStore();
  const model = scriptedModel([{ calls: [['book', { nights: 2 }]] }, 'Well.']);
  const agent = new Agent({ name: 'booker', model, mcpServers: [source('second', 'http')] });
  const runner = new Runner(agent, { store });
  const asked = await runner.run('Book.');
  const done = await runner.resume(asked.runId, [
    { interruptionId: asked.interruptions[0]?.id ?? '', answer: null },
  ]);
  expect(done.toolResults).toMatchObject([{ result: 'Nothing booked.', isError: false }]);
});

test('a 2026 server that asks for sampling is refused', async () => {
  const { results, warnings } = await called([source('second', 'http')], [['think', {}]]);
  expect(results).toMatchObject([
    { isError: true, result: expect.stringContaining('sampling/createMessage') },
  ]);
  // The server knows by itself that this client does not.
  expect(warnings).toEqual([]);
});

test('a question in the middle of a call of a 2025 server is declined, or answered by elicit in its time', async () => {
  const alone = await called([source('first', 'stdio')], [['book', { nights: 1 }]]);
  expect(alone.results).toMatchObject([{ result: 'Nothing booked.' }]);
  expect(alone.warnings).toEqual([
    expect.stringMatching(/^mcp-elicitation-declined: .*nobody to ask/),
  ]);

  const elicit: McpOptions['elicit'] = ({ message }) => ({ city: `the city of "${message}"` });
  const asked = await called([source('first', 'http', { elicit })], [['book', { nights: 1 }]]);
  expect(asked.results).toMatchObject([
    { result: 'Booked 1 nights in the city of "Which city?".' },
  ]);

  const slow = source('first', 'stdio', {
    elicit: () => new Promise(() => undefined),
    elicitTimeoutMs: 100,
  });
  const late = await called([slow], [['book', { nights: 1 }]]);
  expect(late.results).toMatchObject([{ result: 'Nothing booked.' }]);
  expect(late.warnings).toEqual([expect.stringContaining('within 100 ms (elicitTimeoutMs)')]);
});

test.each([
  ['first', 'stdio'],
  ['second', 'stdio'],
  ['first', 'http'],
])(
  'a list that is kept is asked for again when the %s server over %s says that it changed',
  async (line, over) => {
    const kept = source(line, over, { cacheToolsList: true });
    const names = async () => (await listed(kept)).map(({ name }) => name);
    expect(await names()).not.toContain('grown');
    await callOne(kept, 'grow', {});
    await eventually(async () => (await names()).includes('grown'));
  },
);

test('a session that the server no longer knows is begun anew, and the call is made in it', async () => {
  const made = source('first', 'http');
  expect(await callOne(made, 'add', { a: 1, b: 1 })).toBe('The sum is 2.');
  await servers['first']?.kill();
  await servers['first']?.start();
  const { results, warnings } = await called([made], [['add', { a: 2, b: 2 }]]);
  expect(results).toMatchObject([{ result: 'The sum is 4.', isError: false }]);
  expect(warnings).toEqual([]);
});
