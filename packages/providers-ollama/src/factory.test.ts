import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import {
  Agent,
  fallback,
  models,
  Runner,
  tool,
  UserError,
  type LLMConfig,
  type RunInput,
} from '@agent-functions/core';
import { Ollama } from 'ollama';
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { asking, listen, respond } from '../test/asking.ts';
import { call, last, line } from '../test/wire-lines.ts';
import { bytes, json, wireServer } from '../test/wire-server.ts';
import { locate } from './endpoint.ts';
import { listModels, ollama } from './index.ts';

const server = await wireServer();
afterAll(() => server.close());
const hello = line({ content: 'Hello' }) + last();

beforeEach(() => {
  server.received.length = 0;
  server.play(bytes(hello));
  vi.stubEnv('OLLAMA_HOST', undefined);
  vi.stubEnv('OLLAMA_API_KEY', undefined);
});
afterEach(() => vi.unstubAllEnvs());

it('loads and reads nothing at import', async () => {
  const script = `
    import { registerHooks } from 'node:module';
    const read = [];
    process.env = new Proxy(process.env, { get: (env, name) => (read.push(name), env[name]) });
    const loaded = [];
    registerHooks({ load: (url, context, next) => (loaded.push(url), next(url, context)) });
    const { ollama } = await import(${JSON.stringify(new URL('index.ts', import.meta.url).href)});
    ollama('qwen3');
    console.log(JSON.stringify({
      vendor: loaded.filter((url) => url.includes('/node_modules/ollama')).length,
      read: read.filter((name) => /OLLAMA/.test(String(name))),
    }));`;
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--conditions=@agent-functions/source', '--input-type=module', '-e', script],
    { cwd: fileURLToPath(new URL('..', import.meta.url)) },
  );
  expect(JSON.parse(stdout)).toEqual({ vendor: 0, read: [] });
}, 60_000);

it.each([
  [undefined, 'http://127.0.0.1:11434'],
  ['gpu-box', 'http://gpu-box:11434'],
  ['gpu-box:80', 'http://gpu-box'],
  [':8080', 'http://127.0.0.1:8080'],
  ['0.0.0.0:11434', 'http://127.0.0.1:11434'],
  ['https://models.example', 'https://models.example'],
  ['https://models.example/team/', 'https://models.example/team'],
  ['http://localhost:11434/v1', 'http://localhost:11434'],
  ['http://localhost:11434/api/', 'http://localhost:11434'],
])('reads OLLAMA_HOST as the server itself does: %s', (host, url) => {
  const place = { host: undefined, apiKey: undefined, headers: {} };
  expect(locate(place, { OLLAMA_HOST: host })).toMatchObject({ endpoint: { url } });
});

it('makes a header of the user in an address', () => {
  const place = { host: 'http://me:secret%21@box:1', apiKey: undefined, headers: {} };
  expect(locate(place, {})).toEqual({
    endpoint: {
      url: 'http://box:1',
      host: 'box:1',
      headers: { authorization: `Basic ${btoa('me:secret!')}` },
      secrets: [btoa('me:secret!'), 'secret!'],
    },
  });
});

it('says what is missing, before it is asked', () => {
  expect(ollama('qwen3').ready?.()).toBeUndefined();
  expect(ollama('qwen3', { host: 'ftp://x' }).ready?.()).toContain('http://127.0.0.1:11434');
  const cloud = ollama('gpt-oss:120b', { host: 'https://ollama.com' });
  expect(cloud.ready?.()).toContain('OLLAMA_API_KEY');
  vi.stubEnv('OLLAMA_API_KEY', 'k');
  expect(cloud.ready?.()).toBeUndefined();
});

it('asks the server of OLLAMA_HOST, read when it is first asked', async () => {
  const model = ollama('qwen3');
  vi.stubEnv('OLLAMA_HOST', server.host);
  expect(await respond(model)).toMatchObject({ finishReason: 'stop' });
});

it('is a factory for models(), with the Python package’s names', async () => {
  const registry = models({ ollama });
  expect(registry.model('ollama/qwen3:8b')).toMatchObject({
    provider: 'ollama',
    modelId: 'qwen3:8b',
  });
  const config: LLMConfig = {
    provider: 'ollama',
    modelName: 'qwen3',
    apiBase: `${server.url}/v1`,
    apiKey: 'k-123',
    temperature: 0.5,
    maxTokens: 50,
    keepAlive: '10m',
    numCtx: 8_192,
    think: false,
    extraHeaders: { 'x-team': 'blue' },
    extraBody: { options: { top_k: 20 } },
  };
  await respond(registry.model(config));
  const [request] = server.received;
  expect(request?.headers).toMatchObject({ 'x-team': 'blue', authorization: 'Bearer k-123' });
  expect(JSON.parse(request?.body ?? '')).toMatchObject({
    model: 'qwen3',
    think: false,
    keep_alive: '10m',
    options: { temperature: 0.5, num_predict: 50, num_ctx: 8_192, top_k: 20 },
  });
});

it('uses the settings of its options where a call has none', async () => {
  const model = ollama('qwen3', { host: server.url, settings: { maxTokens: 7, temperature: 1 } });
  await listen(model, asking({ settings: { temperature: 0 } }));
  expect(JSON.parse(server.received[0]?.body ?? '')).toMatchObject({
    options: { num_predict: 7, temperature: 0 },
  });
});

it('takes a client of the SDK as it is', async () => {
  const client = new Ollama({ host: `${server.url}/proxy`, headers: { 'x-client': 'mine' } });
  await respond(ollama('qwen3', { client }));
  expect(server.received[0]?.url).toBe('/proxy/api/chat');
  expect(server.received[0]?.headers['x-client']).toBe('mine');
});

it('uses its own fetch', async () => {
  const asked: string[] = [];
  const fetch: typeof globalThis.fetch = async (input) => {
    asked.push(input instanceof Request ? input.url : input.toString());
    return new Response(hello);
  };
  await respond(ollama('qwen3', { fetch }));
  expect(asked).toEqual(['http://127.0.0.1:11434/api/chat']);
});

it('sends an image whose text is the path of a file as it is: no file is read', async () => {
  // Base64 by its letters, and a file on every Linux machine; the SDK alone would read it.
  const data = '/etc/hostname'.padEnd(13, '/');
  const mine = { type: 'file', mediaType: 'image/png', data: '/etc/hosts' } as const;
  for (const client of [undefined, new Ollama({ host: server.url })]) {
    const model = ollama('llava', { host: server.url, client });
    await listen(
      model,
      asking({ messages: [{ id: 'm', role: 'user', parts: [mine, { ...mine, data }] }] }),
    );
    const sent = JSON.parse(server.received.at(-1)?.body ?? '');
    expect(sent.messages[0].images).toEqual(['/etc/hosts', data]);
  }
});

it('knows which models see, and which call no tools', () => {
  expect(ollama('qwen3-vl:8b').capabilities).toMatchObject({ images: true });
  expect(ollama('llama3.2-vision').capabilities).toMatchObject({ images: true });
  expect(ollama('qwen3:8b').capabilities?.images).toBe(false);
  expect(ollama('gemma3').capabilities).toMatchObject({ tools: false });
  expect(ollama('llama3:70b').capabilities).toMatchObject({ tools: false, images: false });
  const unknown = { parallelToolCalls: true, strictSchemas: false };
  expect(ollama('orieg/gemma3-tools:12b').capabilities).toEqual(unknown);
  expect(ollama('llama3-groq-tool-use').capabilities).toEqual(unknown);
});

describe('a model that is known to lack what the agent needs', () => {
  const clock = tool({
    name: 'clock',
    description: 'The time',
    parameters: z.object({}),
    effect: 'read',
    execute: () => '',
  });
  const run = async (name: string, input: RunInput): Promise<unknown> => {
    const model = ollama(name, { host: server.url });
    return (await new Runner(new Agent({ name: 'bot', model, tools: [clock] })).run(input)).error;
  };
  const seen: RunInput = [
    { role: 'user', parts: [{ type: 'file', mediaType: 'image/png', data: 'AAAA' }] },
  ];

  it.each<[string, RunInput, string]>([
    [
      'gemma3:4b',
      'Hi',
      'ollama/gemma3:4b was not asked. It calls no tools, and this agent has clock.',
    ],
    ['qwen3', seen, 'ollama/qwen3 was not asked. It sees no images'],
  ])('sends nothing and says what to do: %s', async (name, input, message) => {
    expect(await run(name, input)).toMatchObject({
      reason: 'invalid-request',
      message: expect.stringContaining(message),
    });
    expect(server.received).toEqual([]);
  });

  it('passes it over in a fallback', async () => {
    const [blind, seeing] = ['qwen3', 'qwen3-vl'].map((name) => ollama(name, { host: server.url }));
    if (blind === undefined || seeing === undefined) throw new Error('no models');
    await new Runner(new Agent({ name: 'bot', model: fallback(blind, seeing) })).run(seen);
    expect(server.received.map(({ body }) => JSON.parse(body).model)).toEqual(['qwen3-vl']);
  });
});

it.each<[string, () => unknown, string]>([
  ['timeout', () => ollama({ provider: 'ollama', modelName: 'x', timeout: 30 }), 'timeoutMs'],
  [
    'a typo',
    () => ollama({ provider: 'ollama', modelName: 'x', keep_alive: '1m' }),
    '"keep_alive"',
  ],
  ['no model', () => ollama({ provider: 'ollama' }), "ollama('qwen3')"],
  ['a window of no tokens', () => ollama('x', { numCtx: 0 }), 'numCtx: 0'],
  [
    'a level that does not exist',
    () => ollama({ provider: 'ollama', modelName: 'x', think: 'very' }),
    '"very"',
  ],
  [
    'a duration that is none',
    () => ollama({ provider: 'ollama', modelName: 'x', keepAlive: true }),
    'keepAlive: true',
  ],
])('refuses %s', (_, make, hint) => {
  expect(make).toThrow(UserError);
  expect(make).toThrow(hint);
});

it('lists the models of a server', async () => {
  server.play(
    json({
      models: [
        {
          name: 'qwen3:latest',
          model: 'qwen3:latest',
          modified_at: '2026-10-02T10:00:00Z',
          size: 5_225_388_164,
          digest: 'abc',
          details: { family: 'qwen3', parameter_size: '8.2B', quantization_level: 'Q4_K_M' },
        },
        { name: 'tiny', details: null },
        'nonsense',
      ],
    }),
  );
  expect(await listModels({ host: server.url })).toEqual([
    {
      name: 'qwen3:latest',
      sizeBytes: 5_225_388_164,
      family: 'qwen3',
      parameterSize: '8.2B',
      quantization: 'Q4_K_M',
      modifiedAt: '2026-10-02T10:00:00Z',
    },
    { name: 'tiny', sizeBytes: 0 },
  ]);
  expect([server.received[0]?.method, server.received[0]?.url]).toEqual(['GET', '/api/tags']);
});

it('runs an agent with tools and a form of its answer', async () => {
  const first = {
    tool_calls: [call('get_weather', { city: 'Köln' }), call('get_weather', { city: 'Bonn' }, 1)],
  };
  const answers = [line(first) + last(), line({ content: '{"warmest":"Köln"}' }) + last()];
  server.play((response, request) => bytes(answers.shift() ?? '')(response, request));
  const cities: string[] = [];
  const agent = new Agent({
    name: 'Weather',
    instructions: 'Answer with the tool.',
    model: ollama('qwen3', { host: server.url }),
    outputType: z.object({ warmest: z.string() }),
    tools: [
      tool({
        name: 'get_weather',
        description: 'The weather in a city',
        parameters: z.object({ city: z.string() }),
        effect: 'read',
        execute: ({ city }) => {
          cities.push(city);
          return { celsius: 21 };
        },
      }),
    ],
  });
  const result = await new Runner(agent).run('Where is it warmest, Köln or Bonn?');
  expect(result.finalOutput).toEqual({ warmest: 'Köln' });
  expect(cities.toSorted()).toEqual(['Bonn', 'Köln']);
  expect(result.usage).toMatchObject({ requests: 2, totalTokens: 74 });
});
