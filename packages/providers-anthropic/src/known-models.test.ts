import { expect, test } from 'vitest';
import { defaultMaxTokens, traitsOf } from './known-models.ts';

// The names are those of the SDK's type `Model`, of Bedrock and of Vertex.
test.each([
  ['claude-fable-5-2', 128_000, 'always', false],
  ['claude-fable-5', 128_000, 'always', true],
  ['claude-mythos-5-1', 128_000, 'always', false],
  ['claude-mythos-preview', 128_000, 'adaptive', true],
  ['claude-opus-5-5', 128_000, 'always', false],
  ['claude-opus-5', 128_000, 'adaptive', true],
  ['claude-opus-4-8', 128_000, 'adaptive', true],
  ['claude-opus-4-6', 128_000, 'adaptive', true],
  ['claude-opus-4-5-20251101', 64_000, 'budget', true],
  ['claude-opus-6', 128_000, 'always', false],
  ['claude-sonnet-5-5', 128_000, 'between-tools', false],
  ['claude-sonnet-5', 128_000, 'adaptive', true],
  ['claude-sonnet-4-5-20250929', 64_000, 'budget', true],
  ['claude-haiku-5-5', 128_000, 'adaptive', true],
  ['claude-haiku-4-5', 64_000, 'budget', true],
  ['us.anthropic.claude-haiku-4-5-20251001-v1:0', 64_000, 'budget', true],
  ['claude-sonnet-4-6@20260301', 128_000, 'adaptive', true],
  ['claude-opus-4-20250514', 32_000, 'budget', true],
  ['claude-3-7-sonnet-20250219', 64_000, 'budget', true],
  ['claude-3-5-haiku-20241022', 8_192, 'none', true],
  ['my-deployment', 32_000, 'adaptive', true],
] as const)('%s writes %i tokens, thinks %s, forced tools %s', (name, max, thinking, forced) => {
  const traits = traitsOf(name);
  expect([traits.maxTokens, traits.thinking, traits.forcedTools]).toEqual([max, thinking, forced]);
});

test('only models of before 4.5 have no schemas that are guaranteed', () => {
  expect(traitsOf('claude-sonnet-4-5').structured).toBe(true);
  expect(traitsOf('claude-opus-4-1').structured).toBe(true);
  expect(traitsOf('claude-sonnet-4-20250514').structured).toBe(false);
});

test('the room for an answer is what the model can write, less where nothing streams', () => {
  expect(defaultMaxTokens(traitsOf('claude-opus-5-5'), true)).toBe(64_000);
  expect(defaultMaxTokens(traitsOf('claude-opus-5-5'), false)).toBe(16_000);
  expect(defaultMaxTokens(traitsOf('claude-3-5-haiku-20241022'), true)).toBe(8_192);
});
