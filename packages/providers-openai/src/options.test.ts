import { UserError, type LLMConfig } from '@agent-functions/core';
import { expect, it } from 'vitest';
import { azureOpenAI, openai } from './index.ts';
import { toSettings } from './options.ts';

it('makes one form of all spellings', () => {
  const credential = { getToken: async () => null };
  expect(
    toSettings('azure_openai', {
      provider: 'azure_openai',
      azureEndpoint: 'https://res.openai.azure.com',
      azureDeployment: 'mini',
      apiVersion: '2024-10-21',
      credential,
      temperature: 0.2,
      maxTokens: 100,
      timeoutMs: 5_000,
      maxRetries: 3,
      extraHeaders: { 'x-a': '1' },
      extraBody: { user: 'u' },
    }),
  ).toMatchObject({
    model: 'mini',
    endpoint: 'https://res.openai.azure.com',
    apiVersion: '2024-10-21',
    credential,
    defaults: { temperature: 0.2, maxTokens: 100, timeoutMs: 5_000, retry: { maxRetries: 3 } },
    headers: { 'x-a': '1' },
    extraBody: { user: 'u' },
  });
});

it('lets options win over an LLMConfig', () => {
  const config: LLMConfig = { provider: 'openai', modelName: 'gpt-5-mini', apiKey: 'a' };
  expect(toSettings('openai', config, { apiKey: 'b' })).toMatchObject({
    model: 'gpt-5-mini',
    apiKey: 'b',
  });
});

it.each<[string, () => unknown, string]>([
  [
    'timeout',
    () => openai({ provider: 'openai', modelName: 'x', timeout: 30 }),
    'timeoutMs, in milliseconds',
  ],
  ['a typo', () => openai({ provider: 'openai', modelName: 'x', apikey: 'k' }), '"apikey"'],
  ['no model', () => openai({ provider: 'openai' }), "openai('gpt-5-mini')"],
  [
    'an option of Azure',
    () => openai({ provider: 'openai', modelName: 'x', azureEndpoint: 'https://a' }),
    'azureOpenAI()',
  ],
  [
    'two credentials',
    () => azureOpenAI('x', { apiKey: 'k', credential: { getToken: async () => null } }),
    'Give one of them',
  ],
  [
    'an api that does not exist',
    () => openai({ provider: 'openai', modelName: 'x', api: 'completions' }),
    '"completions"',
  ],
])('refuses %s', (_, make, hint) => {
  expect(make).toThrow(UserError);
  expect(make).toThrow(hint);
});

it('puts the cache key and the service tier into the body, below extraBody', () => {
  const options = { promptCacheKey: 'tenant-1', serviceTier: 'flex' };
  expect(toSettings('openai', 'gpt-5-mini', options).extraBody).toEqual({
    prompt_cache_key: 'tenant-1',
    service_tier: 'flex',
  });
  const extraBody = { service_tier: 'priority' };
  expect(toSettings('openai', 'gpt-5-mini', { ...options, extraBody }).extraBody).toEqual({
    prompt_cache_key: 'tenant-1',
    service_tier: 'priority',
  });
});

it.each(['', ' '])('refuses %j as the name of a model', (name) => {
  expect(() => openai(name)).toThrow(/openai\(\) needs the name of a model/);
});
