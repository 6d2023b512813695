import { describe, expect, it } from 'vitest';
import { UserError } from './errors.ts';
import { costOf, priceOf, priceTable } from './prices.ts';

const usage = { inputTokens: 1_000_000, outputTokens: 500_000, totalTokens: 1_500_000 };

describe('costOf', () => {
  it('prices input and output for a million tokens', () => {
    expect(costOf(usage, { input: 2, output: 8 })).toBe(6);
    expect(costOf({ ...usage, inputTokens: 0, outputTokens: 0 }, { input: 2, output: 8 })).toBe(0);
  });

  it('prices cached input apart, and as input where the table does not say', () => {
    const cached = { ...usage, cachedInputTokens: 600_000 };
    expect(costOf(cached, { input: 2, output: 8, cachedInput: 0.5 })).toBeCloseTo(5.1, 12);
    expect(costOf(cached, { input: 2, output: 8 })).toBe(6);
    expect(costOf(cached, { input: 2, output: 8, cachedInput: 0 })).toBeCloseTo(4.8, 12);
  });

  it('prices what was written to a cache apart, too', () => {
    const written = { ...usage, cachedInputTokens: 400_000, cacheWriteInputTokens: 200_000 };
    const price = { input: 2, output: 8, cachedInput: 0.5, cacheWrite: 2.5 };
    expect(costOf(written, price)).toBeCloseTo(0.8 + 0.2 + 0.5 + 4, 12);
    expect(costOf(written, { input: 2, output: 8 })).toBe(6);
  });

  it('never prices more cached tokens than there was input', () => {
    const odd = { ...usage, inputTokens: 10, outputTokens: 0, cachedInputTokens: 99 };
    expect(costOf(odd, { input: 2, output: 8, cachedInput: 1 })).toBe(10 / 1e6);
  });
});

describe('priceOf', () => {
  const price = (input: number) => ({ input, output: 0 });
  const asked = { provider: 'acme', modelId: 'large' };

  it.each([
    [{ 'acme/large': 1, large: 2 }, undefined, 1],
    [{ large: 2, 'other/large': 3 }, undefined, 2],
    [{ 'acme/large': 1, 'acme/large-2026-01-01': 4 }, 'large-2026-01-01', 4],
    [{ 'acme/large': 1, 'large-2026-01-01': 5 }, 'large-2026-01-01', 5],
    [{ 'acme/large': 1 }, 'large-2026-01-01', 1],
    [{ 'other/large': 3 }, undefined, undefined],
  ])('of %j for %s is %s', (table, answered, expected) => {
    const prices = Object.fromEntries(
      Object.entries(table).map(([name, input]) => [name, price(input)]),
    );
    expect(priceOf(prices, asked, answered)?.input).toBe(expected);
  });

  it('does not find what objects have by themselves', () => {
    expect(priceOf({}, { provider: 'p', modelId: 'constructor' })).toBeUndefined();
  });
});

describe('priceTable', () => {
  it('takes dollars for a million tokens', () => {
    const table = {
      'acme/large': { input: 1.25, output: 10, cachedInput: 0.125, cacheWrite: 1.5 },
    };
    expect(priceTable(table)).toEqual(table);
  });

  it('takes public lists that count by the token, and leaves out what has no tokens', () => {
    expect(
      priceTable({
        large: {
          mode: 'chat',
          max_tokens: 8_192,
          input_cost_per_token: 0.00000125,
          output_cost_per_token: 0.00001,
          cache_read_input_token_cost: 1.25e-7,
        },
        painter: { mode: 'image_generation', output_cost_per_image: 0.04 },
      }),
    ).toEqual({
      large: {
        input: expect.closeTo(1.25, 9),
        output: expect.closeTo(10, 9),
        cachedInput: expect.closeTo(0.125, 9),
      },
    });
  });

  it.each([
    [[1]],
    [{ large: 3 }],
    [{ large: { input: 1 } }],
    [{ large: { input: 1, output: -1 } }],
    [{ large: { input: '1', output: 1 } }],
    [{ large: { input: 1, output: 1, cached: 1 } }],
    [{ large: { input_cost_per_token: 'x', output_cost_per_token: 1 } }],
  ])('refuses %j', (json) => {
    expect(() => priceTable(json)).toThrow(UserError);
  });
});
