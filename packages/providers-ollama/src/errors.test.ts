import { afterAll, describe, expect, it } from 'vitest';
import { asking, failure, listen, weather } from '../test/asking.ts';
import { json, wireServer } from '../test/wire-server.ts';
import { errorContext, toModelError } from './errors.ts';
import { listModels, ollama } from './index.ts';

const server = await wireServer();
afterAll(() => server.close());
const model = ollama('qwen3', { host: server.url, apiKey: 'key-canary-123' });

// Sentences of the server as its users report them (https://github.com/ollama/ollama/issues 11439, 8095, 13028).
it.each<[number, string, object]>([
  [
    404,
    "model 'qwen3' not found",
    {
      reason: 'invalid-request',
      message: `Ollama at ${server.host} has no model qwen3 (404): model 'qwen3' not found. Fetch it: ollama pull qwen3`,
    },
  ],
  [
    404,
    '404 page not found',
    {
      reason: 'invalid-request',
      message: `Ollama at ${server.host} has no such path, or no model qwen3 (404): 404 page not found. Check the host; fetch the model: ollama pull qwen3`,
    },
  ],
  [
    400,
    'registry.ollama.ai/library/qwen3:latest does not support tools',
    {
      reason: 'invalid-request',
      message: expect.stringMatching(/^qwen3 cannot call tools .* Choose a model that can/),
    },
  ],
  [
    400,
    '"qwen3" does not support thinking',
    {
      reason: 'invalid-request',
      message: expect.stringMatching(/^qwen3 cannot think .* Leave out think/),
    },
  ],
  [400, 'invalid options', { reason: 'invalid-request', retryable: false }],
  [
    400,
    'the input length exceeds the context length',
    { reason: 'context-length', message: expect.stringContaining('Set numCtx') },
  ],
  [
    429,
    "you've reached your hourly usage limit, please wait or upgrade to continue",
    { reason: 'quota', retryable: false },
  ],
  [429, 'too many requests', { reason: 'rate-limit', retryable: true, retryAfterMs: 3_000 }],
  [
    500,
    'model requires more system memory (8.4 GiB) than is available (5.2 GiB)',
    { reason: 'overloaded', message: expect.stringContaining('choose a smaller model') },
  ],
  [502, 'bad gateway', { reason: 'overloaded' }],
  [503, 'server busy, please try again.', { reason: 'overloaded' }],
  [504, 'timeout', { reason: 'timeout' }],
])('says what %i means, and what to do: %s', async (status, error, expected) => {
  server.play(json({ error }, status, { 'retry-after': '3' }));
  expect(await failure(listen(model, asking({ tools: [weather] })))).toMatchObject({
    status,
    provider: 'ollama',
    ...expected,
  });
});

it('never shows the key, whatever the server says', async () => {
  for (const status of [400, 401, 403, 404, 429, 500]) {
    server.play(json({ error: 'bad key key-canary-123 (Bearer key-canary-123)' }, status));
    const error = await failure(listen(model));
    expect(JSON.stringify([error, String(error)])).not.toContain('canary');
  }
  expect(JSON.stringify(model)).not.toContain('canary');
});

describe('a server that is not there', () => {
  it.each([
    ['a model', (host: string) => listen(ollama('qwen3', { host }))],
    ['the list of models', (host: string) => listModels({ host })],
  ])('is named, with the command that starts it: %s', async (_, ask) => {
    const gone = await wireServer();
    await gone.close();
    expect(await failure(ask(gone.url))).toMatchObject({
      reason: 'network',
      retryable: true,
      message: `No Ollama server answers at ${gone.host} (ECONNREFUSED). Start it: ollama serve, or say in host or OLLAMA_HOST where it runs.`,
    });
  });
});

it('does not follow to another host', async () => {
  await using elsewhere = await wireServer();
  server.play((response) => {
    response.writeHead(307, { location: `${elsewhere.url}/stolen` }).end();
  });
  expect(await failure(listen(model))).toMatchObject({ reason: 'invalid-request', status: 307 });
  expect(elsewhere.received).toHaveLength(0);
});

it('shows no password of an address', () => {
  const context = errorContext({ model: 'qwen3', host: 'h', secrets: [] });
  expect(toModelError(new Error('sent with Basic abc='), context).message).toBe(
    'The call of Ollama at h failed: sent with Basic [secret]',
  );
});
