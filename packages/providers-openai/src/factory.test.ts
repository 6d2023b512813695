import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Agent, models, Runner, tool, type ModelFactory } from '@agent-functions/core';
import { streamAnswer, jsonAnswer } from '@agent-functions/core/testing';
import { LLMock } from '@copilotkit/aimock';
import { AzureOpenAI, OpenAI } from 'openai';
import { afterAll, afterEach, beforeEach, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { requestFaults } from '../test/request-faults.ts';
import { asking, failure, key, listen, respond, targets } from '../test/targets.ts';
import { wireServer } from '../test/wire-server.ts';
import { azureOpenAI, azureOpenai, openai } from './index.ts';

const server = await wireServer();
afterAll(() => server.close());
const responses = targets[0]?.answer.join('') ?? '';
const chat = targets[1]?.answer.join('') ?? '';

const names = [
  'OPENAI_API_KEY',
  'OPENAI_BASE_URL',
  'AZURE_OPENAI_API_KEY',
  'AZURE_OPENAI_ENDPOINT',
  'AZURE_OPENAI_API_VERSION',
  'AZURE_OPENAI_DEPLOYMENT_NAME',
];
beforeEach(() => {
  server.received.length = 0;
  for (const name of names) vi.stubEnv(name, undefined);
});
afterEach(() => vi.unstubAllEnvs());

it('loads and reads nothing at import', async () => {
  const script = `
    import { registerHooks } from 'node:module';
    const loaded = [];
    registerHooks({ load: (url, context, next) => (loaded.push(url), next(url, context)) });
    const read = [];
    process.env = new Proxy(process.env, { get: (env, name) => (read.push(name), env[name]) });
    const { openai } = await import(${JSON.stringify(new URL('index.ts', import.meta.url).href)});
    const before = read.length;
    const model = openai('gpt-5-mini');
    console.log(JSON.stringify({
      vendor: loaded.filter((url) => url.includes('/node_modules/openai')).length,
      read: read.filter((name) => /OPENAI|AZURE/.test(String(name))),
      ready: model.ready(),
    }));`;
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--conditions=@agent-functions/source', '--input-type=module', '-e', script],
    { cwd: fileURLToPath(new URL('..', import.meta.url)) },
  );
  expect(JSON.parse(stdout)).toEqual({
    vendor: 0,
    read: [],
    ready:
      'The model gpt-5-mini of OpenAI has no key: set OPENAI_API_KEY, or pass apiKey to openai().',
  });
}, 60_000);

it('reads the environment when it is first asked', async () => {
  const model = openai('gpt-5-mini', { api: 'responses' });
  expect(await failure(listen(model))).toMatchObject({
    code: 'not_configured',
    httpStatus: 503,
    message:
      'The model gpt-5-mini of OpenAI has no key: set OPENAI_API_KEY, or pass apiKey to openai().',
  });
  vi.stubEnv('OPENAI_API_KEY', key);
  vi.stubEnv('OPENAI_BASE_URL', `${server.url}/v1`);
  expect(model.ready?.()).toBeUndefined();
  server.play(streamAnswer(responses));
  expect(await respond(model)).toMatchObject({ finishReason: 'tool-calls' });
});

it('finds a deployment in the environment', async () => {
  const model = azureOpenAI();
  expect(model.ready?.()).toContain('AZURE_OPENAI_DEPLOYMENT_NAME');
  vi.stubEnv('AZURE_OPENAI_DEPLOYMENT_NAME', 'mini');
  expect(model.modelId).toBe('mini');
  expect(model.ready?.()).toContain('AZURE_OPENAI_ENDPOINT');
  vi.stubEnv('AZURE_OPENAI_ENDPOINT', server.url);
  expect(model.ready?.()).toContain('AZURE_OPENAI_API_KEY');
  vi.stubEnv('AZURE_OPENAI_API_KEY', key);
  vi.stubEnv('AZURE_OPENAI_API_VERSION', '2024-10-21');
  expect(model.ready?.()).toBeUndefined();
  server.play(streamAnswer(chat));
  await respond(model);
  expect(server.received[0]?.url).toBe(
    '/openai/deployments/mini/chat/completions?api-version=2024-10-21',
  );
});

it('is a factory for models()', async () => {
  const factories: Record<string, ModelFactory> = { openai, azureOpenai };
  const registry = models(factories);
  expect(registry.model('openai/gpt-5-mini')).toMatchObject({
    provider: 'openai',
    modelId: 'gpt-5-mini',
  });
  const model = registry.model({
    provider: 'azure_openai',
    azureEndpoint: server.url,
    azureDeployment: 'mini',
    apiKey: key,
    temperature: 0.5,
    maxTokens: 50,
    extraHeaders: { 'x-team': 'blue' },
    extraBody: { user: 'u' },
  });
  expect(model).toMatchObject({ provider: 'azure_openai', modelId: 'mini' });
  server.play(streamAnswer(responses));
  await respond(model);
  const [request] = server.received;
  expect(request?.headers['x-team']).toBe('blue');
  expect(JSON.parse(request?.body ?? '')).toMatchObject({
    model: 'mini',
    temperature: 0.5,
    max_output_tokens: 50,
    user: 'u',
  });
});

it('uses the settings of its options where a call has none, retries included', async () => {
  const model = openai('gpt-5-mini', {
    baseURL: `${server.url}/v1`,
    apiKey: key,
    settings: { maxTokens: 7, temperature: 1, retry: { maxRetries: 0 } },
  });
  server.play(streamAnswer(chat));
  await listen(model, asking({ settings: { temperature: 0 } }));
  expect(JSON.parse(server.received[0]?.body ?? '')).toMatchObject({
    max_tokens: 7,
    temperature: 0,
  });
  server.play(jsonAnswer({ error: { message: 'busy' } }, 503));
  expect(await failure(listen(model))).toMatchObject({ reason: 'overloaded' });
  expect(server.received).toHaveLength(2);
});

it('takes a client of the SDK as it is, but not its retries', async () => {
  server.play(streamAnswer(responses));
  const baseURL = `${server.url}/proxy/v1`;
  const client = new OpenAI({ apiKey: 'of-the-client', baseURL, maxRetries: 5 });
  await respond(openai('gpt-5-mini', { client, api: 'responses' }));
  expect(server.received[0]?.url).toBe('/proxy/v1/responses');
  expect(server.received[0]?.headers.authorization).toBe('Bearer of-the-client');

  const azure = new AzureOpenAI({ endpoint: server.url, apiKey: 'k', apiVersion: '2024-10-21' });
  server.play(jsonAnswer({ error: { message: 'busy' } }, 500));
  expect(await failure(listen(azureOpenAI('mini', { client: azure, api: 'chat' })))).toMatchObject({
    reason: 'overloaded',
  });
  expect(server.received.slice(1).map(({ url }) => url)).toEqual([
    '/openai/deployments/mini/chat/completions?api-version=2024-10-21',
  ]);
});

it('uses its own fetch', async () => {
  const asked: string[] = [];
  const model = openai('gpt-5-mini', {
    apiKey: key,
    fetch: async (input) => {
      asked.push(input instanceof Request ? input.url : input.toString());
      return new Response(responses, { headers: { 'content-type': 'text/event-stream' } });
    },
  });
  expect(await respond(model)).toMatchObject({ responseId: 'resp_1' });
  expect(asked).toEqual(['https://api.openai.com/v1/responses']);
});

it.each(targets)('follows no redirect, and calls it a refused request: $name', async (target) => {
  await using elsewhere = await wireServer();
  server.play((response) => {
    response.writeHead(307, { location: `${elsewhere.url}/stolen` }).end();
  });
  expect(await failure(listen(target.model(server.url)))).toMatchObject({
    reason: 'invalid-request',
    status: 307,
  });
  expect(elsewhere.received).toHaveLength(0);
});

it('learns once that a model does not reason, and asks it without encrypted reasoning', async () => {
  const message = 'Encrypted content is not supported with this model.';
  const refusal = { message, type: 'invalid_request_error', param: 'include', code: null };
  server.play((response, request) =>
    request.body.includes('encrypted_content')
      ? jsonAnswer({ error: refusal }, 400)(response, request)
      : streamAnswer(responses)(response, request),
  );
  const model = azureOpenAI('anything', { endpoint: server.url, apiKey: key });
  await respond(model);
  await respond(model);
  expect(server.received.map(({ body }) => JSON.parse(body).include)).toEqual([
    ['reasoning.encrypted_content'],
    undefined,
    undefined,
  ]);
  await respond(openai('gpt-4.1-mini', { baseURL: server.url, apiKey: key, api: 'responses' }));
  expect(server.received).toHaveLength(4);
});

it.each(targets)('runs an agent with tools against aimock: $name', async (target) => {
  const mock = new LLMock({ port: 0, host: '127.0.0.1' });
  await using _ = { [Symbol.asyncDispose]: () => mock.stop() };
  const usage = {
    input_tokens: 12,
    output_tokens: 8,
    prompt_tokens: 12,
    completion_tokens: 8,
    total_tokens: 20,
  };
  mock.on(
    { userMessage: /Köln/, hasToolResult: false },
    {
      toolCalls: [
        { id: 'call_1', name: 'get_weather', arguments: '{"city":"Köln"}' },
        { id: 'call_2', name: 'get_weather', arguments: '{"city":"Bonn"}' },
      ],
      finishReason: 'tool_calls',
      usage,
    },
  );
  mock.on(
    { userMessage: /Köln/, hasToolResult: true },
    { content: 'Köln 21 °C, Bonn 20 °C.', usage },
  );
  await mock.start();
  // aimock takes nearly anything: what it was sent is held against OpenAI's documents as well.
  const sent: string[] = [];
  const watched: typeof fetch = async (input, init) => {
    sent.push(await new Request(input, init).text());
    return fetch(input, init);
  };
  const cities: string[] = [];
  const agent = new Agent({
    name: 'Weather',
    instructions: 'Answer with the tool.',
    model: target.model(mock.url, { fetch: watched }),
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
  const result = await new Runner(agent).run('How is it in Köln and Bonn?');
  expect(result.status).toBe('completed');
  expect(result.finalOutput).toBe('Köln 21 °C, Bonn 20 °C.');
  expect(cities.toSorted()).toEqual(['Bonn', 'Köln']);
  expect(result.usage).toMatchObject({ requests: 2, totalTokens: 40 });
  expect(sent.map((body) => requestFaults(JSON.parse(body)))).toEqual([[], []]);
});
