import { describe, expect, it } from 'vitest';
import { toAsciiJson } from './ascii-json.ts';
import { ascending, descending, hashOf, keyOf } from './keys.ts';

describe('keys', () => {
  it('are the id where it is plain, a hash where it is not, and of two ids never the same', () => {
    expect(keyOf('run_1-A')).toBe('i-run_1-A');
    const odd = ['a/b', 'a\\b', 'a#b', 'a?b', '', ' ', 'ü', '\ud83e', '\ud83f', 'x'.repeat(129)];
    const keys = [...odd, hashOf('a/b')].map(keyOf);
    expect(new Set(keys).size).toBe(keys.length);
    for (const key of keys) expect(key).toMatch(/^[ih]-[A-Za-z0-9_-]{1,128}$/);
  });

  it('sort as their numbers, either way', () => {
    const numbers = [0, 1, 9, 10, 99, 100, 12_345, 99_999];
    const texts = numbers.map((number) => ascending(number, 5));
    expect(texts.toSorted()).toEqual(texts);
    const turned = numbers.map((number) => descending(number, 5));
    expect(turned.toSorted().toReversed()).toEqual(turned);
    expect([ascending(-1, 3), ascending(1e9, 3), descending(1e9, 3)]).toEqual([
      '000',
      '999',
      '000',
    ]);
  });

  it('are told in ASCII, and read back', () => {
    const value = { text: 'é🦊\ud83e\u2028\n"', list: [1, null] };
    expect(toAsciiJson(value)).toMatch(/^[\x20-\x7e]*$/);
    expect(JSON.parse(toAsciiJson(value))).toEqual(value);
  });
});
