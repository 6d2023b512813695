import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { scriptedModel, type Script } from '@agent-functions/core/testing';
import { ModelError } from '@agent-functions/core';
import { expect, test } from 'vitest';
import { liveModels } from './lib/live-models.ts';
import { checks } from './smoke-live.ts';

const program = fileURLToPath(new URL('smoke-live.ts', import.meta.url));

const seen = async (check: string, script: Script): Promise<string> => {
  const live = {
    name: 'scripted',
    model: scriptedModel(script),
    withWrongKey: scriptedModel(script),
  };
  return (await checks[check]?.(live)) ?? 'no such check';
};

test('the environment says which models are tried', () => {
  const env = {
    OPENAI_API_KEY: 'k',
    AZURE_OPENAI_API_KEY: 'k',
    AZURE_OPENAI_ENDPOINT: 'https://sample.openai.azure.com',
    AZURE_OPENAI_DEPLOYMENT_NAME: 'mini',
    AZURE_AI_API_KEY: 'k',
    AZURE_AI_ENDPOINT: 'https://sample.services.ai.azure.com',
    AZURE_AI_MODEL: 'DeepSeek-V3',
    ANTHROPIC_API_KEY: 'k',
    GEMINI_API_KEY: 'k',
    GOOGLE_CLOUD_PROJECT: 'sample',
    OLLAMA_HOST: '127.0.0.1:11434',
    SMOKE_MODEL_OLLAMA: 'gpt-oss:20b',
  };
  const { found, skipped } = liveModels(env);
  expect(found.map((each) => each.name)).toEqual([
    'OpenAI gpt-5-mini (responses)',
    'OpenAI gpt-5-mini (chat)',
    'Azure OpenAI mini',
    'Azure AI DeepSeek-V3',
    'Anthropic claude-haiku-5-5',
    'Gemini API gemini-3.8-flash',
    'Vertex AI gemini-3.8-flash',
    'Ollama gpt-oss:20b',
  ]);
  expect(skipped).toEqual([]);
});

test('a provider that lacks one of its variables is skipped, by its name', () => {
  const { found, skipped } = liveModels({ AZURE_AI_ENDPOINT: 'https://x', ANTHROPIC_API_KEY: ' ' });
  expect(found).toEqual([]);
  expect(skipped.find(({ name }) => name === 'Azure AI')?.needs).toBe(
    'AZURE_AI_ENDPOINT, AZURE_AI_API_KEY, AZURE_AI_MODEL',
  );
  expect(skipped.find(({ name }) => name === 'Anthropic')?.needs).toBe(
    'ANTHROPIC_API_KEY or ANTHROPIC_AUTH_TOKEN',
  );
});

test('without any key it says what it skipped, and that nothing was asked', async () => {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--conditions=@agent-functions/source', program],
    { env: { PATH: process.env['PATH'] } },
  );
  expect(stdout.split('\n').filter((line) => line.includes('| skipped |'))).toEqual([
    '| OpenAI | | skipped | set OPENAI_API_KEY | |',
    '| Azure OpenAI | | skipped | set AZURE_OPENAI_ENDPOINT, AZURE_OPENAI_API_KEY, AZURE_OPENAI_DEPLOYMENT_NAME | |',
    '| Azure AI | | skipped | set AZURE_AI_ENDPOINT, AZURE_AI_API_KEY, AZURE_AI_MODEL | |',
    '| Anthropic | | skipped | set ANTHROPIC_API_KEY or ANTHROPIC_AUTH_TOKEN | |',
    '| Gemini API | | skipped | set GOOGLE_API_KEY or GEMINI_API_KEY | |',
    '| Vertex AI | | skipped | set GOOGLE_CLOUD_PROJECT | |',
    '| Ollama | | skipped | set OLLAMA_HOST | |',
  ]);
  expect(stdout).toContain('No model was asked.');
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
