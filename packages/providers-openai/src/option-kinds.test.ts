import { UserError, type LLMConfig } from '@agent-functions/core';
import { afterEach, expect, it, vi } from 'vitest';
import { failure, listen } from '../test/targets.ts';
import { azureAi, azureOpenAI, openai } from './index.ts';

const config = { provider: 'openai', modelName: 'm' };
const make = (options: object) => openai({ ...config, ...options } satisfies LLMConfig);

afterEach(() => vi.unstubAllEnvs());

// The kinds themselves: core/src/provider/option-kinds.test.ts.
it.each<[string, unknown, string]>([
  ['baseURL', new URL('https://u:secret@gateway.example'), 'got baseURL: a URL. Write the address'],
  ['apiBase', 8080, 'got apiBase: 8080. Write the address'],
  ['endpoint', '', 'got endpoint: "". Write the address'],
  ['apiKey', 12_345, 'got apiKey: a number. Write the key as a text'],
  ['api', 'completions', "got api: \"completions\". It is 'responses' or 'chat'."],
  ['organization', 7, 'got organization: 7. Write a text'],
  ['promptCacheKey', 7, 'got promptCacheKey: 7. Write a text'],
  ['headers', { 'x-a': 1 }, 'got headers: an object whose "x-a" is no text'],
  [
    'extraHeaders',
    { 'x-a': 'a\nb' },
    'got extraHeaders: an object whose "x-a" has a character that no header can',
  ],
  ['extraBody', 'user=u', 'got extraBody: "user=u". Write an object'],
  ['settings', { temprature: 1 }, 'got settings: an object with "temprature". It may have'],
  ['timeoutMs', '5s', 'got timeoutMs: "5s". Write a number'],
  ['fetch', 'node-fetch', 'got fetch: "node-fetch". Write a function'],
  ['client', {}, 'got client: an object. Write a client of the openai SDK: it has post().'],
  ['scope', 's', 'has no option "scope". It belongs to Azure OpenAI.'],
  ['temprature', 1, 'has no option "temprature". Fields of the request body go into extraBody'],
  ['timeout', 5, 'has no option timeout, because its unit would be a guess. Write timeoutMs'],
])('refuses %s: %o at once', (name, value, words) => {
  expect(() => make({ [name]: value })).toThrow(UserError);
  expect(() => make({ [name]: value })).toThrow(`openai() ${words}`);
});

it('refuses a credential that gives no token', () => {
  const wrong: object = { credential: 'DefaultAzureCredential' };
  expect(() => azureOpenAI('m', wrong)).toThrow(
    'azureOpenAI() got credential: "DefaultAzureCredential". Write a credential: it has getToken().',
  );
});

it.each(['secret\nkey', 'secret–key'])(
  'sends no key that no header can carry: %j',
  async (apiKey) => {
    const fetch = vi.fn<typeof globalThis.fetch>();
    vi.stubEnv('OPENAI_API_KEY', apiKey);
    for (const [model, name] of [
      [make({ fetch, apiKey }), 'the apiKey given to openai()'],
      [make({ fetch }), 'OPENAI_API_KEY'],
    ] as const) {
      const error = await failure(listen(model));
      expect(error).toMatchObject({ code: 'not_configured', message: model.ready?.() });
      expect(String(error)).toContain(`${name} has a character that no header can carry`);
      expect(String(error)).not.toContain('secret');
    }
    expect(fetch).not.toHaveBeenCalled();
  },
);

it('names the factory and the variable of Azure', () => {
  const wrong: object = { endpoint: 8080 };
  expect(() => azureOpenAI('m', wrong)).toThrow('azureOpenAI() got endpoint: 8080');
  expect(() => azureAi('m', wrong)).toThrow('azureAi() got endpoint: 8080');
  const endpoint = 'https://resource.example';
  vi.stubEnv('AZURE_OPENAI_API_KEY', 'secret–key');
  vi.stubEnv('AZURE_AI_API_KEY', undefined);
  vi.stubEnv('AZURE_AI_KEY', 'secret–key');
  expect(azureOpenAI('m', { endpoint }).ready?.()).toContain(
    'AZURE_OPENAI_API_KEY has a character',
  );
  expect(azureAi('m', { endpoint }).ready?.()).toContain('AZURE_AI_KEY has a character');
  expect(azureAi('m', { endpoint, apiKey: 'secret–key' }).ready?.()).toContain(
    'the apiKey given to azureAi() has a character',
  );
});
