import { UserError, type LLMConfig } from '@agent-functions/core';
import { afterEach, expect, test, vi } from 'vitest';
import { failure, listen } from '../test/ask.ts';
import { anthropic } from './index.ts';

const config = { provider: 'anthropic', modelName: 'm' };
const make = (options: object) => anthropic({ ...config, ...options } satisfies LLMConfig);

afterEach(() => vi.unstubAllEnvs());

// The kinds themselves: core/src/provider/option-kinds.test.ts.
test.each<[string, unknown, string]>([
  ['baseURL', new URL('https://u:secret@gateway.example'), 'got baseURL: a URL. Write the address'],
  ['apiKey', 12_345, 'got apiKey: a number. Write the key as a text'],
  ['betas', 'files-api-2025-04-14', 'got betas: "files-api-2025-04-14". Write a list of texts'],
  ['betas', [1], 'got betas: an array. Write a list of texts'],
  ['promptCaching', 'always', "got promptCaching: \"always\". It is true, false, '5m' or '1h'."],
  [
    'headers',
    { 'x-a': 'a–b' },
    'got headers: an object whose "x-a" has a character that no header',
  ],
  ['settings', { stop: 'END' }, 'got settings: an object whose stop is "END". Write a list'],
  ['fetch', {}, 'got fetch: an object. Write a function'],
  ['client', {}, 'got client: an object. Write a client of the SDK: it has post().'],
])('refuses %s: %o at once', (name, value, words) => {
  expect(() => make({ [name]: value })).toThrow(UserError);
  expect(() => make({ [name]: value })).toThrow(`anthropic() ${words}`);
});

test.each(['secret\nkey', 'secret–key'])(
  'sends no key that no header can carry: %j',
  async (apiKey) => {
    const fetch = vi.fn<typeof globalThis.fetch>();
    vi.stubEnv('ANTHROPIC_API_KEY', apiKey);
    for (const [model, name] of [
      [make({ fetch, apiKey }), 'the apiKey given to anthropic()'],
      [make({ fetch }), 'ANTHROPIC_API_KEY'],
    ] as const) {
      const error = await failure(listen(model));
      expect(error).toMatchObject({ code: 'not_configured', message: model.ready?.() });
      expect(String(error)).toContain(`${name} has a character that no header can carry`);
      expect(String(error)).not.toContain('secret');
    }
    expect(fetch).not.toHaveBeenCalled();
  },
);
