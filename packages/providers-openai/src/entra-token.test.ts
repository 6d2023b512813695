import { ModelError } from '@agent-functions/core';
import { streamAnswer, jsonAnswer } from '@agent-functions/core/testing';
import { afterAll, expect, it } from 'vitest';
import { asking, failure, listen, respond, targets } from '../test/targets.ts';
import { chatAnswer } from '../test/wire-events.ts';
import { wireServer } from '../test/wire-server.ts';
import { entraToken } from './entra-token.ts';
import { azureAi, azureOpenAI } from './index.ts';

const server = await wireServer();
afterAll(() => server.close());
const answer = targets.find(({ name }) => name === 'Azure v1')?.answer.join('') ?? '';

/** Gives a new token each time it is asked. */
function credential(validMs = 3_600_000) {
  const scopes: unknown[] = [];
  return {
    scopes,
    async getToken(scope: string | string[]) {
      scopes.push(scope);
      await Promise.resolve();
      return { token: `token-${scopes.length}`, expiresOnTimestamp: Date.now() + validMs };
    },
  };
}

it('asks the credential once, for the scope of the service, and sends its token', async () => {
  const identity = credential();
  const model = azureOpenAI('mini', { endpoint: server.url, credential: identity });
  server.play(streamAnswer(answer));
  await Promise.all([respond(model), respond(model), respond(model)]);
  await respond(model);
  expect(identity.scopes).toEqual(['https://cognitiveservices.azure.com/.default']);
  expect(server.received.map(({ headers }) => headers.authorization)).toEqual(
    Array.from({ length: 4 }, () => 'Bearer token-1'),
  );
  expect(server.received[0]?.headers['api-key']).toBeUndefined();
});

it('asks again shortly before the token expires', async () => {
  const identity = credential(60_000);
  const token = entraToken(identity, { scope: 'a', provider: 'azure_openai' });
  expect(await token.get()).toEqual({ token: 'token-1', fresh: true });
  expect(await token.get()).toEqual({ token: 'token-2', fresh: true });
});

it('sends a call once more, with a new token, when an older one is refused', async () => {
  const identity = credential();
  const model = azureOpenAI('mini', { endpoint: server.url, credential: identity });
  server.play(streamAnswer(answer));
  await respond(model);
  const revoked = server.received.length;
  server.play((response, request) => {
    const old = request.headers.authorization === 'Bearer token-1';
    return (old ? jsonAnswer({ error: { message: 'Token revoked' } }, 401) : streamAnswer(answer))(
      response,
      request,
    );
  });
  expect((await respond(model)).finishReason).toBe('tool-calls');
  expect(server.received.slice(revoked).map(({ headers }) => headers.authorization)).toEqual([
    'Bearer token-1',
    'Bearer token-2',
  ]);
});

it('asks for the scope of Azure AI, of its older API, or the one that is given', async () => {
  server.play(streamAnswer(chatAnswer.join('')));
  const identity = credential();
  const base = { credential: identity, endpoint: server.url };
  await respond(azureAi('DeepSeek-V3', base));
  await respond(azureAi('DeepSeek-V3', { ...base, endpoint: `${server.url}/models` }));
  await respond(azureAi('DeepSeek-V3', { ...base, scope: 'https://ai.azure.us/.default' }));
  expect(identity.scopes).toEqual([
    'https://ai.azure.com/.default',
    'https://cognitiveservices.azure.com/.default',
    'https://ai.azure.us/.default',
  ]);
});

it('asks again after the server refused the token, and never shows it', async () => {
  const identity = credential();
  const model = azureOpenAI('mini', { endpoint: server.url, credential: identity });
  server.play(jsonAnswer({ error: { code: '401', message: 'Bad token token-1' } }, 401));
  const error = await failure(listen(model));
  expect(error).toBeInstanceOf(ModelError);
  expect(error).toMatchObject({
    reason: 'authentication',
    message:
      'Azure OpenAI refused the key (401). Check that the credential has the role Cognitive Services OpenAI User on the resource.',
  });
  server.play(streamAnswer(answer));
  await respond(model);
  expect(server.received.at(-1)?.headers.authorization).toBe('Bearer token-2');
});

it.each([
  ['fails', () => Promise.reject(new Error('AADSTS70011 client_secret=hunter2'))],
  ['gives none', () => Promise.resolve(null)],
])('is an authentication error when the credential %s, without its words', async (_, getToken) => {
  const model = azureOpenAI('mini', { endpoint: server.url, credential: { getToken } });
  const error = await failure(listen(model));
  expect(error).toMatchObject({ reason: 'authentication', provider: 'azure_openai' });
  expect(String(error)).not.toContain('hunter2');
});

it('leaves a credential that does not answer when the run is aborted', async () => {
  const controller = new AbortController();
  const model = azureOpenAI('mini', {
    endpoint: server.url,
    credential: { getToken: () => new Promise(() => undefined) },
  });
  const reason = new Error('enough');
  const outcome = failure(listen(model, asking(), controller.signal));
  controller.abort(reason);
  expect(await outcome).toBe(reason);
});
