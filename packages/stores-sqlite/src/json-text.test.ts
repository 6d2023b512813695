import { describe, expect, it } from 'vitest';
import { toJsonText } from './json-text.ts';
import { workerClient } from './worker-client.ts';

/** The text of a value, whether it was handed over in slices or not. */
async function textOf(value: unknown): Promise<{ readonly text: string; readonly slices: number }> {
  const slices: string[] = [];
  const client = workerClient({ path: ':memory:', synchronous: 'full' }, undefined);
  const text = await toJsonText(value, {
    ...client,
    stage: () => ({ id: 1, push: (slice) => slices.push(slice) }),
  });
  return typeof text === 'string'
    ? { text, slices: 0 }
    : { text: slices.join(''), slices: slices.length };
}

describe('toJsonText', () => {
  it('writes what JSON.stringify writes, small or large', async () => {
    const large = 'naïve 日本 🦊🦊 "q" \\ \n \u0000 \ud83e '.repeat(40_000);
    const values: readonly unknown[] = [
      null,
      'small',
      { a: [1, true, null, { b: undefined, c: 'x' }] },
      large,
      [large, undefined, { [large]: large }],
      { a: undefined, large, 'k"ey': [[], {}, [[large]]], after: 1 },
      Array.from({ length: 50_000 }, (_, index) => ({ index, text: `text ${index}` })),
      `${'🦊'.repeat(131_072)}x`,
      `x${'🦊'.repeat(131_072)}`,
    ];
    for (const value of values) {
      const { text } = await textOf(value);
      expect(text === JSON.stringify(value)).toBe(true);
    }
  });

  it('hands over only large values in slices', async () => {
    expect((await textOf('x'.repeat(200_000))).slices).toBe(0);
    expect((await textOf('x'.repeat(20_000_000))).slices).toBeGreaterThan(1);
  });
});
