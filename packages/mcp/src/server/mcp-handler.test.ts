import {
  Agent,
  askForInput,
  jsonSchema,
  memoryStore,
  silentLogger,
  tool,
} from '@agent-functions/core';
import { gate, scriptedModel } from '@agent-functions/core/testing';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { clients, fetchOf, revisions, type TestClient } from '../../test/server/clients.ts';
import { mcpHandler } from './mcp-handler.ts';
import type { McpHandlerOptions } from './options.ts';

const logger = silentLogger;

// The official clients of both lines against the handler, pinned and negotiating.

const getWeather = tool({
  name: 'get_weather',
  description: 'The weather in a city.',
  parameters: z.object({ city: z.string() }),
  effect: 'read',
  execute: ({ city }) => `Rain in ${city}.`,
});

function weather(): Agent {
  return new Agent({
    name: 'weather',
    description: 'Knows the weather.',
    tools: [getWeather],
    model: scriptedModel(({ messages }) => {
      const last = messages.at(-1);
      return last?.role === 'tool'
        ? 'It rains in Bern.'
        : { calls: [['get_weather', { city: 'Bern' }]] };
    }),
  });
}

async function connected(
  options: McpHandlerOptions,
  how: keyof typeof clients = 'v2 client, negotiating',
): Promise<TestClient> {
  return clients[how]({ fetch: fetchOf(mcpHandler(options)) });
}

describe.each(Object.keys(clients) as (keyof typeof clients)[])('%s', (how) => {
  test('agrees on its revision, lists agents and the tools of their runs, and gets an answer', async () => {
    await using client = await connected({ agents: [weather()] }, how);
    expect(client.revision).toBe(revisions[how]);
    const tools = await client.tools();
    expect(tools.map(({ name }) => name)).toEqual([
      'weather',
      'get_run',
      'decide_run',
      'cancel_run',
    ]);
    expect(tools[0]).toMatchObject({
      description: 'Knows the weather.',
      inputSchema: {
        type: 'object',
        required: ['message'],
        properties: { message: { type: 'string' }, session_id: { type: 'string' } },
      },
      outputSchema: { type: 'object', required: ['status', 'run_id'] },
    });
    const said: (string | undefined)[] = [];
    const result = await client.call(
      'weather',
      { message: 'In Bern?' },
      { onProgress: ({ message }) => void said.push(message) },
    );
    expect(result).toMatchObject({
      content: [{ type: 'text', text: 'It rains in Bern.' }],
      structuredContent: {
        status: 'completed',
        agent: 'weather',
        response: 'It rains in Bern.',
        run_id: expect.any(String),
        session_id: expect.any(String),
      },
    });
    expect(said).toEqual(['weather thinks', 'weather calls get_weather', 'weather thinks']);
  });

  test('goes on with a conversation, and a paused run, by other requests', async () => {
    const store = memoryStore();
    await using client = await connected({ agents: [clerk()], store }, how);
    const paused = await client.call('clerk', { message: 'Refund 12.' });
    expect(paused).toMatchObject({
      structuredContent: {
        status: 'interrupted',
        interruptions: [{ kind: 'approval', tool_name: 'refund', input: { amount: 12 } }],
      },
    });
    const { run_id, session_id, interruptions } = structured(paused);
    expect(JSON.stringify(paused['content'])).toContain('May refund');
    const again = await client.call('clerk', { message: 'And?', session_id });
    expect(again).toMatchObject({ isError: true });
    expect(JSON.stringify(again)).toContain(`The conversation has a run`);
    const decided = await client.call('decide_run', {
      run_id,
      decisions: [{ interruption_id: interruptions?.[0]?.id, approved: true }],
    });
    expect(decided).toMatchObject({
      structuredContent: { status: 'completed', response: 'Refunded.', run_id, session_id },
    });
    expect(await client.call('get_run', { run_id })).toMatchObject({
      structuredContent: { status: 'completed', response: 'Refunded.' },
    });
  });
});

/** An agent whose tool needs a person. */
function clerk(onRefund: () => void = () => undefined): Agent {
  return new Agent({
    name: 'clerk',
    tools: [
      tool({
        name: 'refund',
        description: 'Refunds an amount.',
        parameters: z.object({ amount: z.number() }),
        needsApproval: true,
        execute: () => {
          onRefund();
          return 'ok';
        },
      }),
    ],
    model: scriptedModel(({ messages }) =>
      messages.at(-1)?.role === 'tool' ? 'Refunded.' : { calls: [['refund', { amount: 12 }]] },
    ),
  });
}

interface Structured {
  readonly run_id: string;
  readonly session_id: string;
  readonly status: string;
  readonly interruptions?: readonly { readonly id: string }[];
}

function structured(result: Record<string, unknown>): Structured {
  return JSON.parse(JSON.stringify(result['structuredContent']));
}

test('a run that takes longer than waitMs answers with its id, and is followed to its end', async () => {
  const open = gate();
  const slow = new Agent({
    name: 'slow',
    tools: [
      tool({
        name: 'wait',
        description: 'Waits.',
        parameters: z.object({}),
        effect: 'read',
        execute: async () => {
          await open.wait();
          return 'done';
        },
      }),
    ],
    model: scriptedModel([{ calls: [['wait', {}]] }, 'There it is.']),
  });
  await using client = await connected({ agents: [slow], waitMs: 50 });
  const left = await client.call('slow', { message: 'Go.' });
  expect(left).toMatchObject({ structuredContent: { status: 'running', agent: 'slow' } });
  const { run_id } = structured(left);
  expect(await client.call('get_run', { run_id, wait_seconds: 0 })).toMatchObject({
    structuredContent: { status: 'running' },
  });
  open.open();
  await expect
    .poll(() => client.call('get_run', { run_id }))
    .toMatchObject({ structuredContent: { status: 'completed', response: 'There it is.' } });
});

test('a run is cancelled by cancel_run, and with its call where nothing keeps it', async () => {
  const stuck = () =>
    new Agent({
      name: 'stuck',
      tools: [
        tool({
          name: 'wait',
          description: 'Waits.',
          parameters: z.object({}),
          effect: 'read',
          execute: (_, { signal }) =>
            new Promise<string>((_resolve, reject) => {
              signal.addEventListener('abort', () => reject(signal.reason), { once: true });
            }),
        }),
      ],
      model: scriptedModel([{ calls: [['wait', {}]] }, 'Never.']),
    });
  await using client = await connected({ agents: [stuck()], waitMs: 50 });
  const { run_id } = structured(await client.call('stuck', { message: 'Go.' }));
  expect(await client.call('cancel_run', { run_id, reason: 'enough' })).toMatchObject({
    structuredContent: { status: 'cancelled' },
  });

  const store = memoryStore();
  await using other = await connected({ agents: [stuck()], store });
  const leaving = new AbortController();
  const called = other.call(
    'stuck',
    { message: 'Go.' },
    {
      signal: leaving.signal,
      onProgress: ({ message }) => message === 'stuck calls wait' && leaving.abort(),
    },
  );
  await expect(called).rejects.toThrow();
  await expect
    .poll(async () => {
      const { runs } = await store.runs.list({ limit: 10 });
      return (await store.runs.peek(runs[0]?.runId ?? ''))?.ended;
    })
    .toBe(true);
});

test('an inputType is the schema of the tool, and what does not fit is said', async () => {
  const booking = new Agent({
    name: 'booking',
    inputType: z.object({ city: z.string(), nights: z.number().int() }),
    outputType: z.object({ price: z.number() }),
    model: scriptedModel(({ messages }) => JSON.stringify({ price: messages.length * 100 })),
  });
  await using client = await connected({ agents: [booking] });
  const [listed] = await client.tools();
  expect(listed).toMatchObject({
    inputSchema: {
      required: ['city', 'nights'],
      properties: { city: {}, nights: {}, message: {}, session_id: {} },
    },
    outputSchema: { properties: { output: { properties: { price: { type: 'number' } } } } },
  });
  expect(await client.call('booking', { city: 'Bern', nights: 2 })).toMatchObject({
    structuredContent: { status: 'completed', output: { price: 100 } },
  });
  const bad = await client.call('booking', { city: 'Bern', nights: 'two' });
  expect(bad).toMatchObject({ isError: true });
  expect(JSON.stringify(bad)).toMatch(/The input does not fit. nights: /);
});

test('plain tools: typed input, structured output, parts, progress, words for what went wrong', async () => {
  const add = tool({
    name: 'add',
    description: 'Adds.',
    parameters: z.object({ a: z.number(), b: z.number() }),
    outputSchema: z.object({ sum: z.number() }),
    effect: 'read',
    async *execute({ a, b }) {
      yield 'adding';
      return { sum: a + b };
    },
  });
  const fail = tool({
    name: 'fail',
    description: 'Fails.',
    parameters: jsonSchema({ type: 'object' }, { validate: () => ({}) }),
    execute: () => {
      throw new Error('No paper.');
    },
  });
  const slow = tool({
    name: 'slow',
    description: 'Is slow.',
    parameters: jsonSchema({ type: 'object' }, { validate: () => ({}) }),
    timeoutMs: 20,
    execute: () => new Promise<string>(() => undefined),
  });
  const asks = tool({
    name: 'asks',
    description: 'Asks.',
    parameters: jsonSchema({ type: 'object' }, { validate: () => ({}) }),
    execute: () => askForInput({ message: 'Which?' }),
  });
  await using client = await connected({ tools: [add, fail, slow, asks] });
  expect((await client.tools()).map(({ name }) => name)).toEqual(['add', 'fail', 'slow', 'asks']);
  const said: unknown[] = [];
  const sum = await client.call(
    'add',
    { a: 1, b: 2 },
    { onProgress: (one) => void said.push(one) },
  );
  expect(sum).toMatchObject({
    content: [{ type: 'text', text: '{"sum":3}' }],
    structuredContent: { sum: 3 },
  });
  expect(said).toEqual([{ progress: 1, message: 'adding' }]);
  const texts = async (name: string, args = {}) => JSON.stringify(await client.call(name, args));
  expect(await texts('add', { a: 1 })).toContain('The input of add does not fit. b: ');
  expect(await texts('fail')).toContain('No paper.');
  expect(await texts('slow')).toContain('slow took longer than 20 ms.');
  expect(await texts('asks')).toContain('without a run there is nobody who waits');
});

test('configure adds what the SDK has', async () => {
  await using client = await connected({
    configure: (server) =>
      void server.registerTool('own', { description: 'Own.' }, () => ({ content: [] })),
  });
  expect(await client.tools()).toMatchObject([{ name: 'own' }]);
});

test('what cannot be published is refused at load', () => {
  const load = (options: McpHandlerOptions) => () => mcpHandler(options);
  const misspelled = { name: 'misspelled', waitms: 5 };
  expect(load(misspelled)).toThrow('mcpHandler() has no option "waitms". Options: name, title,');
  expect(load({ waitMs: 0 })).toThrow('mcpHandler() has waitMs: 0. Write a number above 0.');
  expect(load({ allowedHosts: ['https://a.example'] })).toThrow('Write a list of host names');
  expect(load({ agents: [new Agent({ name: 'get_run' })] })).toThrow('two tools named get_run');
  expect(load({ agents: [weather()], tools: [weather().asTool()] })).toThrow('two tools named');
  expect(load({ tools: [weather().asTool()] })).toThrow('stands for an agent');
  const [refund] = clerk().tools;
  expect(load({ tools: refund === undefined ? [] : [refund] })).toThrow('needs approval');
});

describe('who may call', () => {
  const verifyToken = (token: string) =>
    token === 'ada' || token === 'bob' ? { id: token } : undefined;
  const as = (token: string, handler: ReturnType<typeof mcpHandler>) =>
    clients['v2 client, negotiating']({
      fetch: fetchOf(handler),
      headers: { authorization: `Bearer ${token}` },
    });

  test("runs and conversations are their caller's: to others they are none", async () => {
    const handler = mcpHandler({ agents: [clerk()], verifyToken });
    await using ada = await as('ada', handler);
    await using bob = await as('bob', handler);
    const paused = structured(await ada.call('clerk', { message: 'Refund 12.' }));
    const { run_id, session_id, interruptions } = paused;
    const none = {
      isError: true,
      content: [{ text: expect.stringMatching(/no such run|not yours/) }],
    };
    expect(await bob.call('get_run', { run_id })).toMatchObject(none);
    expect(await bob.call('cancel_run', { run_id })).toMatchObject(none);
    const decisions = [{ interruption_id: interruptions?.[0]?.id, approved: true }];
    expect(await bob.call('decide_run', { run_id, decisions })).toMatchObject(none);
    const message = 'Hello';
    expect(await bob.call('clerk', { message, session_id })).toMatchObject({ isError: true });
    expect(await ada.call('decide_run', { run_id, decisions })).toMatchObject({
      structuredContent: { status: 'completed' },
    });
    expect(await ada.call('decide_run', { run_id, decisions })).toMatchObject({
      structuredContent: { status: 'completed' },
    });
    const late = [{ interruption_id: interruptions?.[0]?.id, approved: false }];
    expect(await ada.call('decide_run', { run_id, decisions: late })).toMatchObject({
      isError: true,
      content: [{ text: expect.stringContaining('decided before') }],
    });
  });

  test('without a token: 401, and where one is to be had', async () => {
    const handler = mcpHandler({
      agents: [clerk()],
      verifyToken,
      resourceMetadataUrl: 'https://a.example/.well-known/oauth-protected-resource',
    });
    const response = await handler.fetch(post({ jsonrpc: '2.0', id: 1, method: 'tools/list' }));
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toBe(
      'Bearer resource_metadata="https://a.example/.well-known/oauth-protected-resource"',
    );
  });

  test('a session_id that was not given out is refused', async () => {
    await using client = await connected({ agents: [weather()] });
    const result = await client.call('weather', { message: 'Hi', session_id: 'mine' });
    expect(result).toMatchObject({
      isError: true,
      content: [{ text: expect.stringContaining('The session_id is unknown') }],
    });
  });
});

function post(body: unknown, headers: Record<string, string> = {}, url = 'http://127.0.0.1/mcp') {
  return new Request(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...headers,
    },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
}

const list = { jsonrpc: '2.0', id: 1, method: 'tools/list' };

test.each([
  ['another host', post(list, { host: 'evil.example' }), 403],
  ['another host in the URL', post(list, {}, 'http://evil.example/mcp'), 403],
  ['a page elsewhere', post(list, { origin: 'https://evil.example' }), 403],
  ['an opaque page', post(list, { origin: 'null' }), 403],
  ['a page of this machine', post(list, { origin: 'http://localhost:5173' }), 200],
  ['a body that is too large', post(`{"a":"${'x'.repeat(2_000)}"}`), 413],
  ['a body that is no JSON', post('{'), 400],
  ['a body that is nested too deeply', post('['.repeat(500) + ']'.repeat(500)), 400],
  ['another type', post(list, { 'content-type': 'text/plain' }), 415],
])('at the gate: %s', async (_, request, status) => {
  const handler = mcpHandler({ agents: [weather()], bodyLimitBytes: 1_000, logger });
  const response = await handler.fetch(request);
  expect(response.status).toBe(status);
  await response.body?.cancel();
});

test('other hosts and pages are let in by name', async () => {
  const handler = mcpHandler({
    agents: [weather()],
    publicUrl: 'https://agents.example.com',
    allowedOrigins: ['app.example.com'],
    logger,
  });
  const from = (headers: Record<string, string>) => handler.fetch(post(list, headers));
  const { status } = await from({ host: 'agents.example.com', origin: 'https://app.example.com' });
  expect(status).toBe(200);
  expect((await from({ host: 'agents.example.com:8080' })).status).toBe(200);
  expect((await from({ host: 'other.example.com' })).status).toBe(403);
});
