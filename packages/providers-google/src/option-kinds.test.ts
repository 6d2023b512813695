import { UserError, type LLMConfig } from '@agent-functions/core';
import { afterEach, expect, it, vi } from 'vitest';
import { failure, listen } from '../test/targets.ts';
import { google, vertex } from './index.ts';

const config = { provider: 'google', modelName: 'm' };
const make = (options: object) => google({ ...config, ...options } satisfies LLMConfig);

afterEach(() => vi.unstubAllEnvs());

// The kinds themselves: core/src/provider/option-kinds.test.ts.
it.each<[string, unknown, string]>([
  ['baseURL', new URL('https://u:secret@gateway.example'), 'got baseURL: a URL. Write the address'],
  ['apiKey', 12_345, 'got apiKey: a number. Write the key as a text'],
  ['vertexai', 'true', 'got vertexai: "true". It is true or false.'],
  ['project', 12_345, 'got project: 12345. Write a text'],
  ['credential', 'key.json', 'got credential: "key.json". Write a credential: it has getToken()'],
  [
    'headers',
    { 'x-a': 'a–b' },
    'got headers: an object whose "x-a" has a character that no header',
  ],
  [
    'settings',
    { retry: 3 },
    'got settings: an object whose retry is 3. Write an object with maxRet',
  ],
  ['fetch', {}, 'got fetch: an object. Write a function'],
  ['client', { models: {} }, 'Write a client of @google/genai: it has models.generateContentStr'],
])('refuses %s: %o at once', (name, value, words) => {
  expect(() => make({ [name]: value })).toThrow(UserError);
  expect(() => make({ [name]: value })).toThrow(words);
});

it('names the factory', () => {
  const wrong: object = { location: 7 };
  expect(() => vertex('m', wrong)).toThrow('vertex() got location: 7. Write a text.');
});

it.each(['secret\nkey', 'secret–key'])(
  'sends no key that no header can carry: %j',
  async (apiKey) => {
    const fetch = vi.fn<typeof globalThis.fetch>();
    vi.stubEnv('GOOGLE_API_KEY', apiKey);
    for (const [model, name] of [
      [make({ fetch, apiKey }), 'the apiKey given to google()'],
      [make({ fetch }), 'GOOGLE_API_KEY'],
    ] as const) {
      const error = await failure(listen(model));
      expect(error).toMatchObject({ code: 'not_configured', message: model.ready?.() });
      expect(String(error)).toContain(`${name} has a character that no header can carry`);
      expect(String(error)).not.toContain('secret');
    }
    expect(fetch).not.toHaveBeenCalled();
  },
);
