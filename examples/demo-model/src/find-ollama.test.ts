import { once } from 'node:events';
import { createServer } from 'node:http';
import { expect, test } from 'vitest';
import { findOllama } from './find-ollama.ts';

async function withOllama<T>(
  models: readonly string[],
  use: (host: string) => Promise<T>,
): Promise<T> {
  const server = createServer((_, response) => {
    response.end(JSON.stringify({ object: 'list', data: models.map((id) => ({ id })) }));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  try {
    return await use(`127.0.0.1:${typeof address === 'object' ? address?.port : ''}`);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

test('an Ollama that answers is used with a model that calls tools', async () => {
  await withOllama(['nomic-embed-text:latest', 'gemma:2b', 'qwen3:8b'], async (host) => {
    expect(await findOllama({ OLLAMA_HOST: host })).toEqual({
      baseURL: `http://${host}/v1`,
      model: 'qwen3:8b',
    });
    expect(
      await findOllama({ OLLAMA_HOST: `http://${host}`, OLLAMA_MODEL: 'gemma:2b' }),
    ).toMatchObject({
      model: 'gemma:2b',
    });
  });
});

test('one that has no model that can chat, or does not answer, is none', async () => {
  await withOllama(['nomic-embed-text:latest'], async (host) => {
    expect(await findOllama({ OLLAMA_HOST: host })).toBeUndefined();
  });
  expect(await findOllama({ OLLAMA_HOST: '127.0.0.1:1' })).toBeUndefined();
});
