import { UserError, type LLMConfig } from '@agent-functions/core';
import { afterEach, expect, it, vi } from 'vitest';
import { failure, listen } from '../test/asking.ts';
import { listModels, ollama } from './index.ts';
import { toSettings } from './options.ts';

const config = { provider: 'ollama', modelName: 'm' };
const make = (options: object) => ollama({ ...config, ...options } satisfies LLMConfig);

afterEach(() => vi.unstubAllEnvs());

// The kinds themselves: core/src/provider/option-kinds.test.ts.
it.each<[string, unknown, string]>([
  ['host', new URL('https://u:secret@gateway.example'), 'got host: a URL. Write the address'],
  ['host', '', 'got host: "". Write the address'],
  ['baseURL', 8080, 'got baseURL: 8080. Write the address'],
  ['apiKey', 12_345, 'got apiKey: a number. Write the key as a text'],
  ['keepAlive', true, "got keepAlive: true. It is a duration such as '10m'"],
  ['numCtx', 1.5, 'got numCtx: 1.5. It is the context window in tokens'],
  ['think', 'a lot', 'got think: "a lot". It is true, false, \'low\''],
  [
    'headers',
    { 'x-a': 'a–b' },
    'got headers: an object whose "x-a" has a character that no header',
  ],
  ['settings', { seed: '7' }, 'got settings: an object whose seed is "7". Write a number.'],
  ['fetch', {}, 'got fetch: an object. Write a function'],
  ['client', { chat() {} }, 'Write a client of the ollama SDK: it has chat() and list().'],
])('refuses %s: %o at once', (name, value, words) => {
  expect(() => make({ [name]: value })).toThrow(UserError);
  expect(() => make({ [name]: value })).toThrow(words);
});

it.each(['secret\nkey', 'secret–key'])(
  'sends no key that no header can carry: %j',
  async (apiKey) => {
    const fetch = vi.fn<typeof globalThis.fetch>();
    vi.stubEnv('OLLAMA_API_KEY', apiKey);
    const host = 'https://ollama.com';
    for (const [model, name] of [
      [make({ fetch, host, apiKey }), 'the apiKey given to ollama()'],
      [make({ fetch, host }), 'OLLAMA_API_KEY'],
    ] as const) {
      const error = await failure(listen(model));
      expect(error).toMatchObject({ code: 'not_configured', message: model.ready?.() });
      expect(String(error)).toContain(`${name} has a character that no header can carry`);
      expect(String(error)).not.toContain('secret');
    }
    expect(fetch).not.toHaveBeenCalled();
  },
);

it('takes baseURL for host', () => {
  expect(toSettings({ ...config, baseURL: 'http://gpu-box:11434/v1' })).toMatchObject({
    host: 'http://gpu-box:11434/v1',
  });
});

it('refuses them for a list of models too', async () => {
  const options: object = { host: 8080 };
  await expect(listModels(options)).rejects.toThrow('listModels() got host: 8080');
});
