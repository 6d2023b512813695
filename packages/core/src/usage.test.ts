import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { noUsage, sumUsage, type PerRequestUsage } from './usage.ts';

const one = (more: Partial<PerRequestUsage>): PerRequestUsage => ({
  provider: 'p',
  modelId: 'm',
  agent: 'a',
  inputTokens: 1,
  outputTokens: 2,
  totalTokens: 3,
  ...more,
});

describe('sumUsage', () => {
  it('of no requests is noUsage', () => {
    expect(sumUsage([])).toEqual(noUsage);
  });

  it('adds what any request has, and invents nothing', () => {
    expect(sumUsage([one({}), one({})])).not.toHaveProperty('cachedInputTokens');
    const sum = sumUsage([
      one({ cachedInputTokens: 5 }),
      one({ reasoningTokens: 7, costUsd: 0.5 }),
    ]);
    expect(sum).toMatchObject({
      requests: 2,
      inputTokens: 2,
      outputTokens: 4,
      totalTokens: 6,
      cachedInputTokens: 5,
      reasoningTokens: 7,
      costUsd: 0.5,
    });
    expect(sum.perRequest.length).toBe(2);
  });

  it('does not depend on the order', () => {
    const tokens = fc.nat({ max: 100_000 });
    const requests = fc.array(
      fc.record(
        { inputTokens: tokens, outputTokens: tokens, totalTokens: tokens, reasoningTokens: tokens },
        { requiredKeys: ['inputTokens', 'outputTokens', 'totalTokens'] },
      ),
    );
    fc.assert(
      fc.property(requests, (counts) => {
        const all = counts.map(one);
        const { perRequest: _, ...sum } = sumUsage(all);
        const { perRequest: __, ...turned } = sumUsage(all.toReversed());
        expect(turned).toEqual(sum);
      }),
    );
  });
});
