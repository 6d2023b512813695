import { expect, it } from 'vitest';
import { Agent } from './agent.ts';
import { ModelError } from './errors.ts';
import { fallback } from './fallback.ts';
import type { Model, ModelStreamEvent } from './model.ts';
import { models } from './model-registry.ts';
import { withSettings } from './model-settings.ts';
import { retry } from './retry.ts';
import { Runner } from './runner.ts';
import { collect, scriptedModel } from './testing/index.ts';
import { tool } from './tool.ts';
import { jsonSchema } from './schema.ts';
import { withPrices } from './with-prices.ts';

const prices = {
  'acme/large': { input: 1_000, output: 2_000, cachedInput: 100 },
  'other/small': { input: 10, output: 20 },
};
const { signal } = new AbortController();
const usage = { inputTokens: 100, outputTokens: 50, cachedInputTokens: 40 };
const large = () =>
  scriptedModel(() => ({ text: 'Hello', usage }), { provider: 'acme', modelId: 'large' });
const cost = (60 * 1_000 + 40 * 100 + 50 * 2_000) / 1e6;

async function events(model: Model): Promise<ModelStreamEvent[]> {
  return collect(model.stream({ messages: [], tools: [], settings: {} }, { signal }));
}

function costIn(all: readonly ModelStreamEvent[]): number | undefined {
  const last = all.at(-1);
  return last?.type === 'response' ? last.response.usage.costUsd : undefined;
}

it('says what a response cost, cached input apart', async () => {
  expect(costIn(await events(withPrices(large(), prices)))).toBeCloseTo(cost, 12);
});

it('changes nothing else of a model and its stream', async () => {
  const model = large();
  const priced = withPrices(model, prices);
  expect(priced).toMatchObject({ provider: 'acme', modelId: 'large' });
  const [plain, paid] = [await events(model), await events(priced)];
  expect(paid.slice(0, -1)).toEqual(plain.slice(0, -1));
});

it('prices the model that answered, of several', async () => {
  const failing = scriptedModel(
    () => {
      throw new ModelError('no', { reason: 'quota', provider: 'other' });
    },
    { provider: 'other', modelId: 'small' },
  );
  const all = await events(withPrices(fallback(failing, large()), prices));
  expect(all.map(({ type }) => type)).toContain('restart');
  expect(costIn(all)).toBeCloseTo(cost, 12);
  // Each with its own: the outer table leaves the cost as it is.
  const own = fallback(failing, withPrices(large(), { large: { input: 0, output: 1 } }));
  expect(costIn(await events(withPrices(own, prices)))).toBe(50 / 1e6);
});

it('goes around and into other wrappers', async () => {
  for (const model of [
    retry(withPrices(large(), prices)),
    withPrices(retry(large()), prices),
    withSettings(withPrices(large(), prices), { temperature: 0 }),
  ]) {
    expect(costIn(await events(model))).toBeCloseTo(cost, 12);
  }
});

it('warns of a model that has no price', async () => {
  const all = await events(withPrices(large(), {}));
  expect(all.slice(-2)).toMatchObject([
    { type: 'warning', code: 'no-price', message: expect.stringContaining('acme/large') },
    { type: 'response' },
  ]);
  expect(costIn(all)).toBeUndefined();
});

it('prices every model of a registry', async () => {
  const registry = models({ acme: large }, { prices });
  expect(costIn(await events(registry.model('acme/large')))).toBeCloseTo(cost, 12);
  const config = { provider: 'acme', modelName: 'large', temperature: 0 };
  expect(costIn(await events(registry.model(config)))).toBeCloseTo(cost, 12);
});

it('makes limits.costUsd a budget, and results and events show the cost', async () => {
  const tick = tool({
    name: 'tick',
    description: 'Ticks',
    parameters: jsonSchema({ type: 'object', properties: {} }, { validate: (value) => value }),
    effect: 'read',
    execute: () => 'tock',
  });
  const model = scriptedModel(() => ({ text: 'More.', calls: [['tick', {}]], usage }), {
    provider: 'acme',
    modelId: 'large',
  });
  const agent = new Agent({ name: 'bot', model: 'acme/large', tools: [tick] });
  const runner = new Runner(agent, { models: models({ acme: () => model }, { prices }) });
  const result = await runner.run('Go', { limits: { costUsd: 2.5 * cost } });
  expect(result).toMatchObject({ status: 'stopped', stopReason: 'cost' });
  expect(model.requests).toHaveLength(3);
  expect(result.usage.costUsd).toBeCloseTo(3 * cost, 12);
  expect(result.usage.perRequest[0]?.costUsd).toBeCloseTo(cost, 12);
});
