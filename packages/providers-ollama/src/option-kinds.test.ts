import { AgentError, UserError, type LLMConfig } from '@agent-functions/core';
import { afterEach, expect, it, vi } from 'vitest';
import { listModels, ollama } from './index.ts';
import { toSettings } from './options.ts';

const config = { provider: 'ollama', modelName: 'm' };
const make = (options: object) => ollama({ ...config, ...options } satisfies LLMConfig);

afterEach(() => vi.unstubAllEnvs());

it.each<[string, unknown, string]>([
  [
    'host',
    new URL('https://u:secret@gateway.example'),
    'got host: a URL. Write the address as a text',
  ],
  ['host', 8080, 'got host: 8080. Write the address'],
  ['host', '', 'got host: "". Write the address'],
  ['baseURL', 8080, 'got baseURL: 8080. Write the address'],
  ['baseURL', '', 'got baseURL: "". Write the address'],
  ['apiBase', 8080, 'got apiBase: 8080. Write the address'],
  ['apiBase', '', 'got apiBase: "". Write the address'],
  ['endpoint', 8080, 'got endpoint: 8080. Write the address'],
  ['endpoint', '', 'got endpoint: "". Write the address'],
  ['apiKey', 12_345, 'got apiKey: a number. Write the key as a text'],
  ['apiKey', { secret: 's' }, 'got apiKey: an object'],
  ['headers', 'x-secret: s', 'got headers: a text. Write an object of texts'],
  ['headers', new Headers({ 'x-a': '1' }), 'got headers: a Headers. Write'],
  ['headers', { 'x-a': 1 }, 'got headers: an object whose "x-a" is no text'],
  ['extraHeaders', [['x-a', '1']], 'got extraHeaders: an array'],
  ['extraBody', 'user=u', 'got extraBody: "user=u". Write an object'],
  ['extraBody', [], 'got extraBody: an array'],
  ['timeoutMs', '5s', 'got timeoutMs: "5s". Write a number'],
  ['maxRetries', null, 'got maxRetries: null. Write a number'],
  ['maxRetries', Number.NaN, 'got maxRetries: NaN'],
  ['client', null, 'got client: null. Write a client'],
  ['client', {}, 'got client: an object. Write a client'],
])('refuses %s: %o at once', (name, value, words) => {
  expect(() => make({ [name]: value })).toThrow(UserError);
  expect(() => make({ [name]: value })).toThrow(words);
});

it('takes an option that is undefined for one that is not given', () => {
  expect(() => make({ host: undefined, headers: undefined, client: undefined })).not.toThrow();
});

it.each(['secret\nkey', 'secret–key'])(
  'sends no key that no header can carry: %j',
  async (apiKey) => {
    const fetch = vi.fn<typeof globalThis.fetch>();
    const asked = async (options: object): Promise<unknown> => {
      const model = make({ fetch, ...options });
      try {
        for await (const _ of model.stream(
          {
            messages: [
              { id: 'm', runId: 'r', role: 'user', parts: [{ type: 'text', text: 'Hi' }] },
            ],
            tools: [],
            settings: {},
          },
          { signal: new AbortController().signal },
        ));
      } catch (error) {
        expect(model.ready?.()).toBe(String(Reflect.get(Object(error), 'message')));
        return error;
      }
      return undefined;
    };
    const given = await asked({ host: 'https://ollama.com', apiKey });
    vi.stubEnv('OLLAMA_API_KEY', apiKey);
    const found = await asked({ host: 'https://ollama.com' });
    for (const [error, name] of [
      [given, 'the apiKey given to ollama()'],
      [found, 'OLLAMA_API_KEY'],
    ] as const) {
      expect(error).toBeInstanceOf(AgentError);
      expect(error).toMatchObject({ code: 'not_configured' });
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
