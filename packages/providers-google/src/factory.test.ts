import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Agent, models, Runner, tool, type ModelFactory } from '@agent-functions/core';
import { streamAnswer, jsonAnswer } from '@agent-functions/core/testing';
import { LLMock } from '@copilotkit/aimock';
import { GoogleGenAI } from '@google/genai';
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { checkedFetch } from '../test/checked-fetch.ts';
import { asking, credential, failure, key, listen, respond, targets } from '../test/targets.ts';
import { answer, body, failureBody } from '../test/wire-events.ts';
import { wireServer } from '../test/wire-server.ts';
import { google, vertex } from './index.ts';

const server = await wireServer();
afterAll(() => server.close());
const stream = streamAnswer(answer.join(''));

const variables = [
  'GOOGLE_API_KEY',
  'GEMINI_API_KEY',
  'GOOGLE_GEMINI_BASE_URL',
  'GOOGLE_VERTEX_BASE_URL',
  'GOOGLE_GENAI_USE_VERTEXAI',
  'GOOGLE_GENAI_USE_ENTERPRISE',
  'GOOGLE_GENAI_API_VERSION',
  'GOOGLE_CLOUD_PROJECT',
  'GOOGLE_CLOUD_LOCATION',
  'GOOGLE_APPLICATION_CREDENTIALS',
];
beforeEach(() => {
  server.received.length = 0;
  server.play(stream);
  for (const name of variables) vi.stubEnv(name, undefined);
});
afterEach(() => vi.unstubAllEnvs());

const noKey =
  'The model gemini-3.8-flash of the Gemini API has no key: set GOOGLE_API_KEY or GEMINI_API_KEY, or pass apiKey to google().';
const noProject =
  'The model gemini-3.8-flash of Vertex AI has no project: set GOOGLE_CLOUD_PROJECT, or pass project to vertex().';

it('loads and reads nothing at import', async () => {
  const script = `
    import { registerHooks } from 'node:module';
    const loaded = [];
    registerHooks({ load: (url, context, next) => (loaded.push(url), next(url, context)) });
    const read = [];
    process.env = new Proxy(process.env, { get: (env, name) => (read.push(name), env[name]) });
    const { google } = await import(${JSON.stringify(new URL('index.ts', import.meta.url).href)});
    const model = google('gemini-3.8-flash');
    console.log(JSON.stringify({
      vendor: loaded.filter((url) => /node_modules.(@google|google-auth)/.test(url)).length,
      read: read.filter((name) => /GOOGLE|GEMINI/.test(String(name))),
      ready: model.ready(),
    }));`;
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--conditions=@agent-functions/source', '--input-type=module', '-e', script],
    { cwd: fileURLToPath(new URL('..', import.meta.url)) },
  );
  expect(JSON.parse(stdout)).toEqual({ vendor: 0, read: [], ready: noKey });
}, 60_000);

describe('the environment', () => {
  it.each(['GOOGLE_API_KEY', 'GEMINI_API_KEY'])('names the key: %s', async (name) => {
    const model = google('gemini-3.8-flash');
    expect(await failure(listen(model))).toMatchObject({
      code: 'not_configured',
      httpStatus: 503,
      message: noKey,
    });
    vi.stubEnv(name, key);
    vi.stubEnv('GOOGLE_GEMINI_BASE_URL', server.url);
    expect(model.ready?.()).toBeUndefined();
    await respond(model);
    expect(server.received[0]?.headers['x-goog-api-key']).toBe(key);
    server.play(jsonAnswer(failureBody(401, 'UNAUTHENTICATED', 'no'), 401));
    expect(await failure(listen(model))).toHaveProperty(
      'message',
      `The model server at ${server.host} refused the key (401). Check ${name}.`,
    );
  });

  it('names project and location', async () => {
    const model = vertex('gemini-3.8-flash', { credential: credential() });
    expect(model.ready?.()).toBe(noProject);
    vi.stubEnv('GOOGLE_CLOUD_PROJECT', 'p1');
    vi.stubEnv('GOOGLE_VERTEX_BASE_URL', server.url);
    // A key of the other API must not get in the way.
    vi.stubEnv('GEMINI_API_KEY', 'of-the-gemini-api');
    expect(model.ready?.()).toBeUndefined();
    await respond(model);
    expect(server.received[0]?.url).toContain('/projects/p1/locations/global/publishers/google/');
    vi.stubEnv('GOOGLE_CLOUD_LOCATION', 'us-central1');
    await respond(vertex('gemini-3.8-flash', { credential: credential() }));
    expect(server.received[1]?.url).toContain('/projects/p1/locations/us-central1/');
    for (const { headers } of server.received) {
      expect([headers['authorization'], headers['x-goog-api-key']]).toEqual([
        `Bearer ${key}`,
        undefined,
      ]);
    }
  });

  it.each(['GOOGLE_GENAI_USE_VERTEXAI', 'GOOGLE_GENAI_USE_ENTERPRISE'])(
    'chooses Vertex AI: %s',
    (name) => {
      const model = google('gemini-3.8-flash');
      vi.stubEnv(name, 'true');
      expect(model.ready?.()).toBe(noProject);
      expect(google('gemini-3.8-flash', { vertexai: false }).ready?.()).toBe(noKey);
    },
  );

  it('chooses the version of the API', async () => {
    vi.stubEnv('GOOGLE_GENAI_API_VERSION', 'beta');
    await respond(google('gemini-3.8-flash', { baseURL: server.url, apiKey: key }));
    await respond(
      google('gemini-3.8-flash', { baseURL: server.url, apiKey: key, apiVersion: 'v1alpha' }),
    );
    expect(server.received.map(({ url }) => url.split('/')[1])).toEqual(['v1beta', 'v1alpha']);
  });
});

describe('options', () => {
  it.each<[string, () => unknown]>([
    ['no option timeout', () => google({ provider: 'google', modelName: 'm', timeout: 5 })],
    ['no option "proxy"', () => google({ provider: 'google', modelName: 'm', proxy: 'x' })],
    ['needs the name of a model', () => google({ provider: 'google' })],
    ['the model "a b"', () => google('a b')],
    ['both apiKey and credential', () => google('m', { apiKey: key, credential: credential() })],
    ['which only Vertex AI has', () => google('m', { vertexai: false, project: 'p' })],
  ])('that cannot be are refused: %s', (message, make) => {
    expect(make).toThrow(message);
  });

  it('that are no address are a sentence', () => {
    const model = google('gemini-3.8-flash', { apiKey: key, baseURL: 'localhost:80' });
    expect(model.ready?.()).toContain('baseURL must be a whole URL');
  });

  it.each([
    ['project', { project: 'p', location: 'l', credential: credential() }],
    ['vertexai', { vertexai: true, project: 'p', location: 'l', credential: credential() }],
  ])('make google() a model of Vertex AI: %s', async (_, options) => {
    await respond(google('gemini-3.8-flash', { baseURL: server.url, ...options }));
    expect(server.received[0]?.url).toContain('/projects/p/locations/l/publishers/google/models/');
  });

  it('take a key of the express mode, which belongs to no project', async () => {
    vi.stubEnv('GOOGLE_CLOUD_PROJECT', 'p1');
    await respond(vertex('gemini-3.8-flash', { baseURL: server.url, apiKey: key }));
    const [request] = server.received;
    expect(request?.url).toBe(
      '/v1beta1/publishers/google/models/gemini-3.8-flash:streamGenerateContent?alt=sse',
    );
    expect(request?.headers['x-goog-api-key']).toBe(key);
  });

  it('are a factory for models(), by the names of the Python package too', async () => {
    const factories: Record<string, ModelFactory> = { google, vertex };
    const registry = models(factories);
    expect(registry.model('google/gemini-3.8-flash')).toMatchObject({
      provider: 'google',
      modelId: 'gemini-3.8-flash',
    });
    const model = registry.model({
      provider: 'google',
      modelName: 'gemini-3.8-flash',
      apiBase: server.url,
      apiKey: key,
      temperature: 0.5,
      maxTokens: 50,
      extraHeaders: { 'x-team': 'blue' },
      extraBody: { labels: { team: 'blue' } },
    });
    await respond(model);
    const [request] = server.received;
    expect(request?.headers['x-team']).toBe('blue');
    expect(JSON.parse(request?.body ?? '')).toMatchObject({
      generationConfig: { temperature: 0.5, maxOutputTokens: 50 },
      labels: { team: 'blue' },
    });
  });
});

it.each([
  [
    'gemini-3.8-flash',
    { tools: true, parallelToolCalls: true, toolsWithStructuredOutput: true, images: true },
  ],
  [
    'gemini-2.5-pro',
    { tools: true, parallelToolCalls: true, toolsWithStructuredOutput: false, images: true },
  ],
  [
    'gemini-flash-latest',
    { tools: true, parallelToolCalls: true, toolsWithStructuredOutput: true, images: true },
  ],
  [
    'gemini-2.5-flash-image',
    { tools: false, parallelToolCalls: true, toolsWithStructuredOutput: false, images: true },
  ],
  ['projects/p/locations/l/endpoints/123', undefined],
])('knows what %s can', (name, capabilities) => {
  expect(google(name).capabilities).toEqual(capabilities);
});

describe('a credential', () => {
  const options = { baseURL: '', project: 'p', location: 'l' };
  const ask = (given: NonNullable<Parameters<typeof vertex>[1]>['credential']) =>
    vertex('gemini-3.8-flash', { ...options, baseURL: server.url, credential: given });

  it('is asked once for many, and once more when a token that was kept is refused', async () => {
    let asked = 0;
    const model = ask({
      getToken: async () => ({ token: `token-${++asked}`, expiresOnTimestamp: Date.now() + 1e7 }),
    });
    await Promise.all([respond(model), respond(model)]);
    await respond(model);
    expect(asked).toBe(1);
    const refuse = jsonAnswer(failureBody(401, 'UNAUTHENTICATED', 'revoked'), 401);
    server.play((response, request) =>
      (request.headers['authorization'] === 'Bearer token-1' ? refuse : stream)(response, request),
    );
    await respond(model);
    expect(server.received.slice(-2).map(({ headers }) => headers['authorization'])).toEqual([
      'Bearer token-1',
      'Bearer token-2',
    ]);
    server.play(refuse);
    expect(await failure(listen(model))).toMatchObject({ reason: 'authentication', status: 401 });
    expect([asked, server.received.length]).toEqual([3, 7]);
  });

  it('may be one of google-auth-library, which keeps its tokens itself', async () => {
    let asked = 0;
    for (const answer of ['token-a', { token: 'token-a' }]) {
      const model = ask({ getAccessToken: async () => ((asked += 1), answer) });
      await respond(model);
      await respond(model);
      expect(server.received.at(-1)?.headers['authorization']).toBe('Bearer token-a');
    }
    expect(asked).toBe(4);
  });

  it.each<[string, NonNullable<Parameters<typeof vertex>[1]>['credential']]>([
    ['null', { getToken: async () => null }],
    ['nothing', { getAccessToken: async () => ({ token: null }) }],
    ['an error', { getToken: async () => Promise.reject(new Error('secret account')) }],
  ])('that gives %s is an error of authentication', async (_, given) => {
    const error = await failure(listen(ask(given)));
    expect(error).toMatchObject({ reason: 'authentication', retryable: false });
    expect(String(error)).not.toContain('secret account');
    expect(server.received).toHaveLength(0);
  });

  it('that is not there is said so', async () => {
    vi.stubEnv('GOOGLE_APPLICATION_CREDENTIALS', '/nowhere/credentials.json');
    const error = await failure(listen(ask(undefined)));
    expect(error).toMatchObject({ reason: 'authentication' });
    expect(String(error)).toContain('GOOGLE_APPLICATION_CREDENTIALS');
    expect(String(error)).not.toContain('/nowhere');
  });
});

it('uses a client that was given, as it is', async () => {
  const httpOptions = { baseUrl: `${server.url}/proxy`, apiVersion: 'v1beta' };
  const client = new GoogleGenAI({ apiKey: 'of-the-client', httpOptions });
  const model = google('gemini-3.8-flash', { client });
  expect(model.ready?.()).toBeUndefined();
  await respond(model);
  server.play(jsonAnswer(body));
  await respond(model, asking({ settings: { streaming: false } }));
  expect(server.received.map(({ url }) => url)).toEqual([
    '/proxy/v1beta/models/gemini-3.8-flash:streamGenerateContent?alt=sse',
    '/proxy/v1beta/models/gemini-3.8-flash:generateContent',
  ]);
  expect(server.received[0]?.headers['x-goog-api-key']).toBe('of-the-client');
});

it('asks once by a client that would ask again', async () => {
  const client = new GoogleGenAI({
    apiKey: key,
    httpOptions: { baseUrl: server.url, retryOptions: { attempts: 5, initialDelay: 0.01 } },
  });
  for (const streaming of [true, false]) {
    server.received.length = 0;
    server.play(jsonAnswer(failureBody(503, 'UNAVAILABLE', 'busy'), 503));
    const request = asking({ settings: { streaming } });
    expect(await failure(listen(google('gemini-3.8-flash', { client }), request))).toMatchObject({
      reason: 'overloaded',
      status: 503,
    });
    expect(server.received).toHaveLength(1);
  }
});

it('uses its own fetch, at Google’s own addresses', async () => {
  const asked: string[] = [];
  const fetch: typeof globalThis.fetch = async (input) => {
    asked.push(input instanceof Request ? input.url : input.toString());
    return new Response(answer.join(''), { headers: { 'content-type': 'text/event-stream' } });
  };
  await respond(google('gemini-3.8-flash', { apiKey: key, fetch }));
  const where = { project: 'p', credential: credential(), fetch };
  await respond(vertex('gemini-3.8-flash', where));
  await respond(vertex('gemini-3.8-flash', { ...where, location: 'europe-west4' }));
  const method = 'gemini-3.8-flash:streamGenerateContent?alt=sse';
  expect(asked).toEqual([
    `https://generativelanguage.googleapis.com/v1/models/${method}`,
    `https://aiplatform.googleapis.com/v1beta1/projects/p/locations/global/publishers/google/models/${method}`,
    `https://europe-west4-aiplatform.googleapis.com/v1beta1/projects/p/locations/europe-west4/publishers/google/models/${method}`,
  ]);
});

it.each([
  ['https://u:p@gateway.example/gemini?tenant=1', 'The model server at gateway.example'],
  ['https://generativelanguage.googleapis.com', 'The Gemini API'],
  [undefined, 'The Gemini API'],
])('names who failed, with baseURL %s', async (baseURL, who) => {
  const body = JSON.stringify(failureBody(503, 'UNAVAILABLE', 'busy'));
  const fetch = async () => new Response(body, { status: 503 });
  const error = await failure(listen(google('gemini-3.8-flash', { apiKey: key, baseURL, fetch })));
  expect(error).toHaveProperty('message', `${who} failed to answer (503): busy. Retry later.`);
});

it('sends a key to no other host by a redirect', async () => {
  await using elsewhere = await wireServer();
  server.play((response) => {
    response.writeHead(307, { location: `${elsewhere.url}/stolen` }).end();
  });
  const error = await failure(
    listen(google('gemini-3.8-flash', { baseURL: server.url, apiKey: key })),
  );
  expect(error).toMatchObject({ reason: 'invalid-request', status: 307 });
  expect(elsewhere.received).toHaveLength(0);
});

it.each(targets.filter(({ backend }) => backend === 'gemini'))(
  'runs an agent with tools against aimock: $name',
  async (target) => {
    const mock = new LLMock({ port: 0, host: '127.0.0.1' });
    await using _ = { [Symbol.asyncDispose]: () => mock.stop() };
    mock.on(
      { userMessage: /Köln/, hasToolResult: false },
      {
        toolCalls: [
          { id: 'call_1', name: 'get_weather', arguments: '{"city":"Köln"}' },
          { id: 'call_2', name: 'get_weather', arguments: '{"city":"Bonn"}' },
        ],
      },
    );
    mock.on({ userMessage: /Köln/, hasToolResult: true }, { content: 'Köln 21 °C, Bonn 20 °C.' });
    await mock.start();
    vi.stubEnv('GOOGLE_GENAI_API_VERSION', 'v1beta');
    const cities: string[] = [];
    const { fetch, bodies, problems } = checkedFetch();
    const agent = new Agent({
      name: 'Weather',
      instructions: 'Answer with the tool.',
      model: target.model(mock.url, { fetch }),
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
    expect(bodies).toHaveLength(2);
    expect(problems).toEqual([]);
  },
);
