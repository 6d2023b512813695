import { describe, expect, it } from 'vitest';
import { UserError } from './errors.ts';
import type { LLMConfig, Model, ModelRequest, ModelSettings } from './model.ts';
import { models } from './model-registry.ts';
import { mergeSettings, settingsOf } from './model-settings.ts';
import { collect, scriptedModel, type ScriptedModel } from './testing/index.ts';

const { signal } = new AbortController();

/** A factory that keeps what it was asked for and what it made. */
function provider(name: string) {
  const asked: (string | LLMConfig)[] = [];
  const made: ScriptedModel[] = [];
  const factory = (model: string | LLMConfig): Model => {
    asked.push(model);
    const modelId = typeof model === 'string' ? model : (model.modelName ?? 'default');
    const one = scriptedModel(() => 'Hello', { provider: name, modelId });
    made.push(one);
    return one;
  };
  return { asked, made, factory };
}

async function settingsSeen(model: Model, inner: ScriptedModel, settings: ModelSettings) {
  const request: ModelRequest = { messages: [], tools: [], settings };
  await collect(model.stream(request, { signal }));
  return inner.requests.at(-1)?.settings;
}

describe('models', () => {
  it.each([
    ['openai/gpt-5-mini', 'openai', 'gpt-5-mini'],
    ['openai:gpt-5-mini', 'openai', 'gpt-5-mini'],
    ['OpenAI/gpt-5-mini', 'openai', 'gpt-5-mini'],
    ['azureOpenai/my/deployment:1', 'azure', 'my/deployment:1'],
    ['azure_openai:my/deployment', 'azure', 'my/deployment'],
    ['azure-openai/x', 'azure', 'x'],
    ['AZURE_OPENAI/x', 'azure', 'x'],
    ['ollama:qwen3:8b', 'ollama', 'qwen3:8b'],
    ['ollama/hf.co/org/model:q4', 'ollama', 'hf.co/org/model:q4'],
  ])('finds %s', (spec, by, modelId) => {
    const registry = models({
      openai: provider('openai').factory,
      azure_openai: provider('azure').factory,
      ollama: provider('ollama').factory,
    });
    expect(registry.model(spec)).toMatchObject({ provider: by, modelId });
  });

  it('makes a model once for each name', () => {
    const { asked, factory } = provider('p');
    const registry = models({ p: factory });
    expect(registry.model('p/m')).toBe(registry.model('p/m'));
    expect(asked).toEqual(['m']);
  });

  it('hands an LLMConfig to the factory as it is', () => {
    const { asked, factory } = provider('p');
    const config = { provider: 'P', modelName: 'm', apiKey: 'k', region: 'x' };
    expect(models({ p: factory }).model(config)).toMatchObject({ provider: 'p', modelId: 'm' });
    expect(asked).toEqual([config]);
  });

  it('makes settings of an LLMConfig the defaults of its model', async () => {
    const { made, factory } = provider('p');
    const model = models({ p: factory }).model({
      provider: 'p',
      modelName: 'm',
      temperature: 0,
      maxTokens: 100,
      maxRetries: 1,
    });
    const [inner] = made;
    if (inner === undefined) throw new Error('nothing was made');
    expect(await settingsSeen(model, inner, { maxTokens: 7, temperature: undefined })).toEqual({
      temperature: 0,
      maxTokens: 7,
      retry: { maxRetries: 1 },
    });
  });

  it('obeys timeoutMs and maxRetries of an LLMConfig', async () => {
    let calls = 0;
    const factory = (): Model =>
      scriptedModel(() => {
        calls += 1;
        return { hang: true };
      });
    const config = { provider: 'p', timeoutMs: 16, maxRetries: 1 };
    const model = models({ p: factory }).model(config);
    const settings = { retry: { initialDelayMs: 0 } };
    const reading = collect(model.stream({ messages: [], tools: [], settings }, { signal }));
    await expect(reading).rejects.toMatchObject({ code: 'model_timeout' });
    expect(calls).toBe(2);
  });

  it.each<[string | LLMConfig, RegExp]>([
    [
      'gpt-5-mini',
      /"gpt-5-mini" does not say its provider. Write provider\/name, such as openai\/gpt-5-mini/,
    ],
    ['openai/', /does not say its name/],
    ['/x', /does not say its provider/],
    ['', /does not say its name/],
    [
      'mistral/large',
      /No provider "mistral".*Providers here: openai, azureOpenai.*npm install @agent-functions\/providers-mistral.*models\({ mistral: … }\)/,
    ],
    ['azure/large', /No provider "azure".* Did you mean azureOpenai\?$/],
    [
      { provider: 'my-own', modelName: 'x' },
      /npm install @agent-functions\/providers-my \(npm search.*models\({ "my-own": … }\)/,
    ],
    [
      { provider: 'my.own', modelName: 'x' },
      /Providers are packages: npm search @agent-functions\/providers lists them\. Then add it: models\({ "my.own": … }\)/,
    ],
    [{ provider: 'openai', timeout: 30 }, /timeout: 30. Write timeoutMs/],
    [{ provider: 'openai', temperature: -1 }, /temperature: -1/],
  ])('refuses %j and says what to write', (spec, message) => {
    const { factory } = provider('p');
    const registry = models({ openai: factory, azureOpenai: factory });
    expect(() => registry.model(spec)).toThrow(UserError);
    expect(() => registry.model(spec)).toThrow(message);
  });

  it.each([
    ['acme', 'providers-acme (npm search'],
    ['ACME', 'providers-acme (npm search'],
    ['acme9', 'providers-acme9 (npm search'],
    ['acme-cloud', 'providers-acme (npm search'],
    ['ACME_CLOUD', 'providers-acme (npm search'],
    ['Acme_CloudAI', 'providers-acme (npm search'],
    ['acmeCloud', 'providers-acme (or providers-acmecloud; npm search'],
    ['acmeCloud_ai', 'providers-acme (or providers-acmecloud; npm search'],
    ['AcmeAI', 'providers-acmeai (or providers-acme; npm search'],
    ['ACMECloud', 'providers-acmecloud (npm search'],
  ])('names for %s the package of its first word', (name, named) => {
    expect(() => models({}).model(`${name}/x`)).toThrow(
      `If it is one of this project's: npm install @agent-functions/${named} @agent-functions/providers lists them)`,
    );
  });

  it('refuses names that cannot be told apart, or asked for', () => {
    const { factory } = provider('p');
    expect(() => models({ azure_openai: factory, azureOpenAI: factory })).toThrow(/is there twice/);
    expect(() => models({ 'a/b': factory })).toThrow(UserError);
    expect(() => models({ '': factory })).toThrow(UserError);
  });
});

describe('settings', () => {
  it('merge: undefined leaves the default, retry and provider options are merged', () => {
    expect(
      mergeSettings(
        {
          temperature: 1,
          retry: { maxRetries: 5, maxDelayMs: 10 },
          providerOptions: { a: { x: 1, y: 1 }, b: { z: 1 } },
        },
        {
          temperature: undefined,
          topP: 0.5,
          retry: { maxRetries: 0 },
          providerOptions: { a: { y: 2 } },
        },
      ),
    ).toEqual({
      temperature: 1,
      topP: 0.5,
      retry: { maxRetries: 0, maxDelayMs: 10 },
      providerOptions: { a: { x: 1, y: 2 }, b: { z: 1 } },
    });
  });

  it('of an LLMConfig without any are none', () => {
    expect(settingsOf({ provider: 'p', modelName: 'm', apiKey: 'secret' })).toEqual({});
  });
});
