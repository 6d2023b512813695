import { isDeepStrictEqual } from 'node:util';
import { models, UserError, type LLMConfig } from '@agent-functions/core';
import { describe, expect, test } from 'vitest';
import { locate } from './api.ts';
import { anthropic } from './index.ts';
import { toSettings } from './options.ts';

describe('the spellings of options', () => {
  test('a name with options and an LLMConfig with the Python names are the same', () => {
    const plain = toSettings('claude-sonnet-5-5', {
      apiKey: 'k',
      baseURL: 'https://gateway.example',
      headers: { 'x-team': 'blue' },
      extraBody: { service_tier: 'auto' },
      maxTokens: 5,
      settings: { timeoutMs: 9, retry: { maxRetries: 1 } },
    });
    const config: LLMConfig = {
      provider: 'anthropic',
      modelName: 'claude-sonnet-5-5',
      apiKey: 'k',
      apiBase: 'https://gateway.example',
      extraHeaders: { 'x-team': 'blue' },
      extraBody: { service_tier: 'auto' },
      maxTokens: 5,
      timeoutMs: 9,
      maxRetries: 1,
    };
    expect(isDeepStrictEqual(toSettings(config), plain)).toBe(true);
  });

  test.each([
    [{ apiVersion: '1' }, 'no option "apiVersion". Another version of the API goes into headers'],
    [{ credential: { getToken: () => Promise.resolve(null) } }, 'AnthropicFoundry'],
    [{ timeout: 5 }, 'timeoutMs, in milliseconds'],
    [{ topK: 5 }, 'no option "topK". Fields of the request body go into extraBody'],
    [{ promptCaching: 'always' }, "true, false, '5m' or '1h'"],
    [{ modelName: ' ' }, "needs the name of a model: anthropic('claude-sonnet-5-5')"],
  ])('%j is refused with what to write', (more, words) => {
    const config = { provider: 'anthropic', modelName: 'claude-opus-5', ...more };
    expect(() => anthropic(config)).toThrow(UserError);
    expect(() => anthropic(config)).toThrow(words);
  });

  test('is a factory for models()', () => {
    const registry = models({ anthropic });
    const byName = registry.model('anthropic/claude-haiku-5-5');
    expect([byName.provider, byName.modelId]).toEqual(['anthropic', 'claude-haiku-5-5']);
    const config: LLMConfig = { provider: 'anthropic', modelName: 'claude-opus-5', temperature: 1 };
    expect(registry.model(config).modelId).toBe('claude-opus-5');
  });
});

describe('where a model is asked', () => {
  const at = (options: Parameters<typeof toSettings>[1], env: { [name: string]: string } = {}) =>
    locate(toSettings('claude-opus-5', options), env);

  test.each([
    [{}, { ANTHROPIC_API_KEY: 'k' }, 'https://api.anthropic.com', 'k'],
    [{}, { ANTHROPIC_AUTH_TOKEN: 't' }, 'https://api.anthropic.com', 't'],
    [{ apiKey: 'mine' }, { ANTHROPIC_API_KEY: 'k' }, 'https://api.anthropic.com', 'mine'],
    [{}, { ANTHROPIC_BASE_URL: 'http://localhost:9/v1/' }, 'http://localhost:9', undefined],
    [
      { baseURL: 'http://localhost:8' },
      { ANTHROPIC_BASE_URL: 'http://x' },
      'http://localhost:8',
      undefined,
    ],
    [{ headers: { Authorization: 'Bearer x' } }, {}, 'https://api.anthropic.com', undefined],
  ])('%j with %j', (options, env, baseURL, key) => {
    expect(at(options, env)).toMatchObject({ endpoint: { baseURL, key } });
  });

  test.each([
    [{}, {}, 'The model claude-opus-5 of Anthropic has no key: set ANTHROPIC_API_KEY'],
    [{}, { ANTHROPIC_API_KEY: ' ' }, 'set ANTHROPIC_API_KEY'],
    [{ baseURL: 'gateway' }, {}, 'baseURL or ANTHROPIC_BASE_URL must be a whole URL'],
  ])('%j with %j says what is missing', (options, env, words) => {
    const located = at(options, env);
    expect('missing' in located ? located.missing : '').toContain(words);
  });
});
