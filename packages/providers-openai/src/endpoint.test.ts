import type { Environment } from '@agent-functions/core/provider';
import { describe, expect, it } from 'vitest';
import { locateAzureAi } from './azure-ai-endpoint.ts';
import { locateAzure } from './azure-endpoint.ts';
import { locateOpenAI } from './endpoint.ts';
import {
  toSettings,
  type AzureAiOptions,
  type AzureOpenAIOptions,
  type OpenAIOptions,
} from './options.ts';

function openai(options: OpenAIOptions = {}, env: Environment = {}) {
  return locateOpenAI(toSettings('openai', 'gpt-5-mini', options), env);
}

function azure(options: AzureOpenAIOptions = {}, env: Environment = {}, deployment?: string) {
  return locateAzure(toSettings('azure_openai', deployment, options), env);
}

describe('openai()', () => {
  it('is OpenAI and its Responses API with nothing but a key', () => {
    expect(openai({}, { OPENAI_API_KEY: ' key ' })).toMatchObject({
      endpoint: {
        api: 'responses',
        baseURL: 'https://api.openai.com/v1',
        path: '/responses',
        auth: { type: 'bearer', key: 'key' },
        organization: null,
        project: null,
        compatible: false,
        who: 'OpenAI',
      },
    });
  });

  it('reads organization and project, and prefers options to the environment', () => {
    const env = {
      OPENAI_API_KEY: 'env',
      OPENAI_ORG_ID: 'org-env',
      OPENAI_PROJECT_ID: 'proj-env',
      OPENAI_BASE_URL: 'https://eu.api.openai.com/v1',
    };
    expect(openai({ apiKey: 'mine', project: 'p' }, env)).toMatchObject({
      endpoint: {
        auth: { key: 'mine' },
        organization: 'org-env',
        project: 'p',
        baseURL: 'https://eu.api.openai.com/v1',
        api: 'responses',
      },
    });
  });

  it.each([{ baseURL: 'http://localhost:11434/v1' }, { apiBase: 'http://localhost:11434/v1' }])(
    'speaks Chat Completions to any other server, without a key if there is none: %j',
    (options) => {
      expect(
        locateOpenAI(
          toSettings('openai', { provider: 'openai', modelName: 'llama', ...options }),
          {},
        ),
      ).toMatchObject({
        endpoint: {
          api: 'chat',
          path: '/chat/completions',
          auth: { type: 'none' },
          compatible: true,
          who: 'The model server at localhost:11434',
        },
      });
    },
  );

  it('speaks what api says', () => {
    const key = { OPENAI_API_KEY: 'k' };
    expect(openai({ api: 'chat' }, key)).toMatchObject({ endpoint: { path: '/chat/completions' } });
    expect(openai({ api: 'responses', baseURL: 'http://localhost:1/v1' }, key)).toMatchObject({
      endpoint: { path: '/responses', auth: { type: 'bearer' } },
    });
  });

  it('says which setting is missing', () => {
    expect(openai()).toEqual({
      missing:
        'The model gpt-5-mini of OpenAI has no key: set OPENAI_API_KEY, or pass apiKey to openai().',
    });
    expect(openai({}, { OPENAI_API_KEY: '  ' })).toHaveProperty('missing');
    expect(openai({ baseURL: 'localhost' })).toEqual({
      missing:
        'openai() cannot use its address: baseURL or OPENAI_BASE_URL must be a whole URL, such as https://example.com/v1.',
    });
  });

  it('shows no user name or password of an address', () => {
    const located = openai({ baseURL: 'https://user:pass@gateway.example/v1?key=1' });
    expect(located).toMatchObject({ endpoint: { who: 'The model server at gateway.example' } });
  });
});

describe('azureOpenAI()', () => {
  const env = {
    AZURE_OPENAI_API_KEY: 'key',
    AZURE_OPENAI_ENDPOINT: 'https://res.openai.azure.com/',
    AZURE_OPENAI_DEPLOYMENT_NAME: 'mini',
  };

  it('is the v1 endpoint, all from the environment', () => {
    expect(azure({}, env)).toMatchObject({
      endpoint: {
        api: 'responses',
        baseURL: 'https://res.openai.azure.com/openai/v1',
        path: '/responses',
        query: undefined,
        auth: { type: 'api-key', key: 'key' },
        model: 'mini',
      },
    });
  });

  it.each([
    'https://res.openai.azure.com',
    'https://res.openai.azure.com/openai',
    'https://res.openai.azure.com/openai/v1/',
    'https://res.openai.azure.com/openai/v1/?api-version=preview',
  ])('takes the endpoint as people paste it: %s', (endpoint) => {
    expect(azure({ endpoint }, env)).toMatchObject({
      endpoint: { baseURL: 'https://res.openai.azure.com/openai/v1' },
    });
  });

  it('is the classic deployments URL with a dated version', () => {
    const dated = { ...env, AZURE_OPENAI_API_VERSION: '2024-10-21' };
    expect(azure({}, dated, 'gpt 5/mini')).toMatchObject({
      endpoint: {
        api: 'chat',
        baseURL: 'https://res.openai.azure.com/openai',
        path: '/deployments/gpt%205%2Fmini/chat/completions',
        query: { 'api-version': '2024-10-21' },
      },
    });
    expect(azure({ apiVersion: '2025-04-01-preview', api: 'responses' }, env)).toMatchObject({
      endpoint: { path: '/responses', query: { 'api-version': '2025-04-01-preview' } },
    });
  });

  it('stays with the v1 endpoint for its own versions', () => {
    expect(azure({ apiVersion: 'v1' }, env)).toMatchObject({ endpoint: { query: undefined } });
    expect(azure({ apiVersion: 'preview' }, env)).toMatchObject({
      endpoint: {
        baseURL: 'https://res.openai.azure.com/openai/v1',
        query: { 'api-version': 'preview' },
      },
    });
  });

  it('takes a gateway as it is', () => {
    expect(azure({ baseURL: 'https://apim.example/llm/openai/v1/' }, env)).toMatchObject({
      endpoint: { baseURL: 'https://apim.example/llm/openai/v1', path: '/responses' },
    });
  });

  it('prefers a credential to a key of the environment', () => {
    const credential = { getToken: async () => null };
    expect(azure({ credential }, env)).toMatchObject({ endpoint: { auth: { type: 'entra' } } });
  });

  it.each([
    [{}, 'AZURE_OPENAI_DEPLOYMENT_NAME'],
    [{ AZURE_OPENAI_DEPLOYMENT_NAME: 'mini' }, 'AZURE_OPENAI_ENDPOINT'],
    [
      {
        AZURE_OPENAI_DEPLOYMENT_NAME: 'mini',
        AZURE_OPENAI_ENDPOINT: 'https://res.openai.azure.com',
      },
      'AZURE_OPENAI_API_KEY',
    ],
  ])('of %j misses %s', (incomplete, setting) => {
    const located = azure({}, incomplete);
    expect('missing' in located && located.missing).toContain(setting);
  });
});

describe('azureAi()', () => {
  const azureAi = (options: AzureAiOptions = {}, env: Environment = {}, model?: string) =>
    locateAzureAi(toSettings('azure_ai', model, options), env);
  const key = { AZURE_AI_API_KEY: 'k' };

  it.each<[string, string, object]>([
    ['https://r.services.ai.azure.com', 'https://r.services.ai.azure.com/openai/v1', {}],
    ['https://r.services.ai.azure.com/openai/v1/', 'https://r.services.ai.azure.com/openai/v1', {}],
    [
      'https://r.services.ai.azure.com/api/projects/p',
      'https://r.services.ai.azure.com/api/projects/p/openai/v1',
      {},
    ],
    [
      'https://r.services.ai.azure.com/models',
      'https://r.services.ai.azure.com/models',
      { query: { 'api-version': '2024-05-01-preview' } },
    ],
    [
      'https://m.eastus2.models.ai.azure.com',
      'https://m.eastus2.models.ai.azure.com/v1',
      { auth: { type: 'bearer', key: 'k' } },
    ],
  ])('asks %s at %s', (endpoint, baseURL, more) => {
    expect(azureAi({}, { ...key, AZURE_AI_ENDPOINT: endpoint }, 'DeepSeek-V3')).toMatchObject({
      endpoint: {
        api: 'chat',
        baseURL,
        path: '/chat/completions',
        model: 'DeepSeek-V3',
        compatible: true,
        who: 'Azure AI',
        auth: { type: 'api-key', key: 'k' },
        ...more,
      },
    });
  });

  it('uses the names of fields that OpenAI’s models know for theirs', () => {
    const endpoint = 'https://r.services.ai.azure.com';
    expect(azureAi({ endpoint, api: 'responses' }, key, 'gpt-5-mini')).toMatchObject({
      endpoint: { compatible: false, path: '/responses' },
    });
  });

  it.each<[string, AzureAiOptions, Environment, string | undefined]>([
    ['AZURE_AI_MODEL', {}, key, undefined],
    ['AZURE_AI_ENDPOINT', {}, key, 'm'],
    ['AZURE_AI_API_KEY', { endpoint: 'https://r.services.ai.azure.com' }, {}, 'm'],
    ['must be a whole URL', { endpoint: 'r.services.ai.azure.com' }, key, 'm'],
  ])('names what is missing: %s', (name, options, env, model) => {
    expect(azureAi(options, env, model)).toMatchObject({ missing: expect.stringContaining(name) });
  });

  it('reads the names of Azure’s own documentation too', () => {
    const env = {
      AZURE_INFERENCE_ENDPOINT: 'https://r.services.ai.azure.com/models',
      AZURE_INFERENCE_CREDENTIAL: 'other',
      AZURE_AI_MODEL: 'Phi-4',
    };
    expect(azureAi({}, env)).toMatchObject({
      endpoint: { model: 'Phi-4', auth: { type: 'api-key', key: 'other' } },
    });
  });
});
