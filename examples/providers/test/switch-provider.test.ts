import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { models, priceTable } from '@agent-functions/core';
import { anthropic } from '@agent-functions/providers-anthropic';
import { azureAi, azureOpenai } from '@agent-functions/providers-azure';
import { google } from '@agent-functions/providers-google';
import { ollama } from '@agent-functions/providers-ollama';
import { openai } from '@agent-functions/providers-openai';
import { startDemoServer } from 'demo-model/server';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { vendors } from '../src/offline/vendors.ts';
import { weatherScript } from '../src/offline/weather-script.ts';
import { switchProvider } from '../src/switch-provider.ts';
import { checkedFetch, expectLegal, type CheckedRequest } from './checked-fetch.ts';
import { nobodyThere, printedBy, ran, readme, shownInReadme, withoutTimes } from './printed.ts';

const six = [
  'openai/gpt-5-mini',
  'azure-openai/my-deployment',
  'azure-ai/DeepSeek-V3',
  'anthropic/claude-haiku-5-5',
  'google/gemini-3.8-flash',
  'ollama/qwen3',
] as const;
/** Whose APIs the six are, each asked twice: before the tool and behind it. */
const twiceEach = ['openai', 'azure', 'azure', 'anthropic', 'google', 'ollama'].flatMap((api) => [
  api,
  api,
]);
const question = 'What is the weather in Seattle?';

const checked: CheckedRequest[] = [];
beforeEach(() => {
  checked.length = 0;
  vi.stubGlobal('fetch', checkedFetch(checked));
  const all = Object.values(vendors).flatMap(({ variables }) => variables);
  const others = ['AZURE_OPENAI_API_KEY', 'AZURE_AI_API_KEY', 'AZURE_OPENAI_API_VERSION'];
  for (const name of [...all, ...others]) vi.stubEnv(name, '');
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.unstubAllGlobals();
  expectLegal(checked);
});

async function playOffline(): Promise<void> {
  const url = (await startDemoServer(weatherScript)).replace(/\/v1$/, '');
  for (const [name, vendor] of Object.entries(vendors)) {
    if (name === 'vertex') continue;
    for (const [variable, value] of Object.entries(await vendor.offline(url))) {
      vi.stubEnv(variable, value);
    }
  }
}

describe('one agent file', () => {
  test('runs on all six by changing one string', async () => {
    await playOffline();
    const rows = await switchProvider(six, question);
    expect(rows.map(({ model }) => model)).toEqual(six);
    for (const row of rows) {
      expect(row).toMatchObject({ answer: 'Seattle: 16 °C, light rain.', toolCalls: 1 });
      expect(row.inputTokens).toBeGreaterThan(100);
      expect(row.outputTokens).toBeGreaterThan(10);
    }
    expect(checked.map(({ api }) => api)).toEqual(twiceEach);
  });

  test('costs what the price table says; what it does not know has no cost', async () => {
    await playOffline();
    const prices = priceTable({ 'openai/gpt-5-mini': { input: 1, output: 10 } });
    const [priced, unknown] = await switchProvider(['openai/gpt-5-mini', six[3]], question, prices);
    expect(priced?.costUsd).toBeCloseTo(
      ((priced?.inputTokens ?? 0) + 10 * (priced?.outputTokens ?? 0)) / 1e6,
      12,
    );
    expect(unknown?.costUsd).toBeUndefined();
  });

  test('says for each model which variable to set', async () => {
    vi.stubEnv('OLLAMA_HOST', await nobodyThere());
    const answers = (await switchProvider(six, question)).map(({ answer }) => answer);
    const variables = [
      'set OPENAI_API_KEY',
      'set AZURE_OPENAI_ENDPOINT',
      'set AZURE_AI_ENDPOINT',
      'set ANTHROPIC_API_KEY',
      'set GOOGLE_API_KEY or GEMINI_API_KEY',
      'OLLAMA_HOST',
    ];
    for (const [at, variable] of variables.entries()) expect(answers[at]).toContain(variable);
  });
});

const packages = fileURLToPath(new URL('../../../packages', import.meta.url));

function messageOf(fails: () => unknown): string {
  try {
    fails();
  } catch (error) {
    return error instanceof Error ? error.message : '';
  }
  return '';
}

describe('models({ … })', () => {
  const registry = models({ openai, azureOpenai, azureAi, anthropic, google, ollama });

  test.each(six)('knows %s', (name) => {
    expect(registry.model(name).modelId).toBe(name.slice(name.indexOf('/') + 1));
  });

  test.each([
    ['openai', 'OpenAI', 'openAI', 'OPENAI'],
    ['azure_openai', 'azure-openai', 'azureOpenai', 'azureOpenAI', 'AzureOpenAI', 'AZURE_OPENAI'],
    ['azure_ai', 'azure-ai', 'azureAi', 'AzureAI', 'AZURE_AI'],
    ['anthropic', 'Anthropic', 'ANTHROPIC'],
    ['google', 'Google', 'google-vertex', 'GOOGLE'],
    ['ollama', 'Ollama', 'OLLAMA'],
  ])('without %s its error names a package that exists', (...spellings) => {
    for (const name of spellings) {
      const message = messageOf(() => models({}).model(`${name}/some-model`));
      const named = [...message.matchAll(/\bproviders-\w+/g)].map(([folder]) => folder);
      expect(message).toContain('npm install @agent-functions/providers-');
      expect(named.filter((folder) => existsSync(`${packages}/${folder}/package.json`))).toEqual([
        `providers-${spellings[0]?.split('_')[0]}`,
      ]);
      if (!/[a-z][A-Z]/.test(name)) expect(named).toHaveLength(1);
    }
  });

  test('says it as the README shows', () => {
    const message = messageOf(() => models({ openai }).model('azure-ai/DeepSeek-V3'));
    expect(readFileSync(readme, 'utf8')).toContain(message);
  });
});

describe('npm start', () => {
  test('prints the table that the README shows', async () => {
    const { printed, asked } = await ran(['src/start.ts']);
    expect(withoutTimes(printed)).toBe(withoutTimes(shownInReadme()));
    expect(asked).toEqual(twiceEach);
  });

  test('plays nothing where one vendor is configured: the others say what is missing', async () => {
    const host = await nobodyThere();
    const printed = await printedBy(['src/start.ts'], { OLLAMA_HOST: host });
    expect(printed).not.toContain('offline demo model');
    expect(printed).toContain('set ANTHROPIC_API_KEY');
    expect(printed).toContain(`No Ollama server answers at ${host}`);
  });

  test('asks the models that are named, and adds the cost from a file', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'prices-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const file = join(folder, 'prices.json');
    writeFileSync(file, '{"openai/gpt-5-mini":{"input":0.25,"output":2}}');
    const printed = await printedBy([
      'src/start.ts',
      'openai/gpt-5-mini',
      'ollama/qwen3',
      '--prices',
      file,
    ]);
    const [head, , first, second] = printed.split('\n').filter((line) => line.startsWith('|'));
    expect(head).toMatch(/\| cost +\|$/);
    expect(first).toMatch(/^\| openai\/gpt-5-mini .* \| \$0\.0000\d\d +\|$/);
    expect(second).toMatch(/^\| ollama\/qwen3 .* \| no price \|?/);
  });
});
