import { scriptedModel, type Script } from '@agent-functions/core/testing';
import { ModelError } from '@agent-functions/core';
import { expect, test } from 'vitest';
import { checks, liveModels } from './smoke-live.ts';

const seen = async (check: string, script: Script): Promise<string> => {
  const live = {
    name: 'scripted',
    model: scriptedModel(script),
    withWrongKey: scriptedModel(script),
  };
  return (await checks[check]?.(live)) ?? 'no such check';
};

test('the environment says which models are tried', () => {
  expect(liveModels({})).toEqual([]);
  const env = {
    OPENAI_API_KEY: 'k',
    AZURE_OPENAI_API_KEY: 'k',
    AZURE_OPENAI_ENDPOINT: 'https://sample.openai.azure.com',
    AZURE_OPENAI_DEPLOYMENT_NAME: 'mini',
    OLLAMA_HOST: '127.0.0.1:11434',
  };
  expect(liveModels(env).map((each) => each.name)).toEqual([
    'OpenAI gpt-5-mini (responses)',
    'OpenAI gpt-5-mini (chat)',
    'Azure OpenAI mini',
    'Ollama qwen3:4b (OpenAI-compatible)',
  ]);
});

test('a model that behaves passes', async () => {
  expect(await seen('streams', ['The sea carries every song home.'])).toContain('deltas');
  const calls = ['desk lamp', 'chair'].map((article) => ['get_stock', { article }] as const);
  expect(await seen('tool loop', [{ calls }, 'We have 4,711 lamps and 815 chairs.'])).toContain(
    '2 tool calls',
  );
  expect(await seen('structured output', ['{"city":"Paris","year":1889}'])).toBe('Paris, 1889');
});

test('a model that does not stream, calls no tool or invents is found', async () => {
  await expect(seen('streams', ['Sea.'])).rejects.toThrow('the text came in 1 piece');
  await expect(seen('tool loop', ['We have many.'])).rejects.toThrow('0 tools ran');
  await expect(seen('structured output', ['{"city":"Rome","year":1}'])).rejects.toThrow('Rome, 1');
  await expect(seen('wrong key', ['Hello!'])).rejects.toThrow('the run ended completed');
});

test('a wrong key is refused', async () => {
  const refuse = (): never => {
    throw new ModelError('The key is wrong.', { reason: 'authentication' });
  };
  expect(await seen('wrong key', refuse)).toBe('refused: model_error');
});
