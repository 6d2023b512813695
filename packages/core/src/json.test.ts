import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UserError } from './errors.ts';
import {
  canonicalJson,
  isJsonArray,
  isJsonObject,
  jsonSizeOver,
  sha256Hex,
  toJson,
  type Json,
} from './json.ts';

describe('toJson', () => {
  it('gives what JSON.stringify and JSON.parse give', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), (value) => {
        expect(toJson(value)).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  it('gives the same for dates, sparse arrays, undefined and numbers that JSON has not', () => {
    const anything = fc.anything({
      withDate: true,
      withSparseArray: true,
      withTypedArray: true,
      withNullPrototype: true,
      withBigInt: false,
      values: [fc.string(), fc.double(), fc.boolean(), fc.constant(undefined), fc.constant(null)],
    });
    fc.assert(
      fc.property(anything, (value) => {
        const text: string | undefined = JSON.stringify(value);
        expect(toJson(value)).toEqual(text === undefined ? null : JSON.parse(text));
      }),
    );
  });

  it('throws nothing but a UserError, whatever it is given', () => {
    const anything = fc.anything({
      withBigInt: true,
      withBoxedValues: true,
      withDate: true,
      withMap: true,
      withSet: true,
      withObjectString: true,
      withNullPrototype: true,
      values: [
        fc.string(),
        fc.double(),
        fc.constant(Symbol('s')),
        fc.func(fc.string()),
        fc.bigInt(),
      ],
    });
    fc.assert(
      fc.property(anything, (value) => {
        try {
          const json = toJson(value);
          expect(JSON.parse(JSON.stringify(json))).toEqual(json);
        } catch (error) {
          if (!(error instanceof UserError)) throw error;
        }
      }),
    );
  });

  it.each<[string, unknown, unknown]>([
    ['undefined', undefined, null],
    ['NaN', Number.NaN, null],
    ['-Infinity', -Infinity, null],
    ['-0', -0, 0],
    ['an array with holes', [1, , 3, undefined, () => 1], [1, null, 3, null, null]], // oxlint-disable-line no-sparse-arrays
    ['fields that are undefined', { a: undefined, b: 1, c: () => 1 }, { b: 1 }],
    ['a date', new Date(0), '1970-01-01T00:00:00.000Z'],
    ['a date that is none', new Date(Number.NaN), null],
    ['a URL', { at: new URL('https://example.com/') }, { at: 'https://example.com/' }],
    ['toJSON that gives undefined', { a: { toJSON: () => undefined } }, { a: null }],
  ])('makes of %s what JSON has for it', (_, value, json) => {
    expect(toJson(value)).toEqual(json);
  });

  it('keeps a key named __proto__ as a key', () => {
    const value: unknown = JSON.parse('{"__proto__":{"admin":true},"a":1}');
    const json = toJson(value);
    expect(JSON.stringify(json)).toBe('{"__proto__":{"admin":true},"a":1}');
    expect(Reflect.get({ ...(json as object) }, 'admin')).toBeUndefined();
  });

  it('takes the same object twice, side by side', () => {
    const shared = { a: 1 };
    expect(toJson([shared, { shared }])).toEqual([{ a: 1 }, { shared: { a: 1 } }]);
  });

  it.each<[string, () => unknown, RegExp]>([
    ['a bigint', () => ({ id: 12n }), /bigint \(12n\).*string or a number/],
    ['a bigint alone', () => 12n, /bigint/],
    ['a function', () => () => 1, /function/],
    ['a map', () => ({ at: new Map([[1, 2]]) }), /A Map .* array or an object/],
    ['a set', () => new Set([1]), /A Set /],
    ['a symbol', () => [Symbol('s')], /symbol/],
    ['a symbol alone', () => Symbol('s'), /symbol/],
    [
      'a cycle',
      () => {
        const value: { self?: unknown } = {};
        value.self = [value];
        return value;
      },
      /cycle/,
    ],
    [
      'too many levels',
      () => {
        let value: unknown = 1;
        for (let level = 0; level < 500; level += 1) value = [value];
        return value;
      },
      /deeper than 200/,
    ],
    [
      'a toJSON that gives itself anew',
      () => {
        const endless = (): unknown => ({ toJSON: endless });
        return endless();
      },
      /deeper than 200/,
    ],
  ])('refuses %s', (_, make, message) => {
    expect(() => toJson(make())).toThrow(UserError);
    expect(() => toJson(make())).toThrow(message);
  });
});

describe('canonicalJson', () => {
  it('is equal for equal values, whatever the order of their keys', () => {
    const turned = (value: Json): Json => {
      if (isJsonArray(value)) return value.map(turned);
      if (!isJsonObject(value)) return value;
      const entries = Object.entries(value).toReversed();
      return Object.fromEntries(entries.map(([key, field]) => [key, turned(field)]));
    };
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
        const json = toJson(value);
        expect(canonicalJson(turned(json))).toBe(canonicalJson(json));
        expect(JSON.parse(canonicalJson(json))).toEqual(json);
      }),
    );
  });

  it('tells apart what differs', () => {
    expect(canonicalJson({ b: [1, 2], a: 'x' })).toBe('{"a":"x","b":[1,2]}');
    expect(canonicalJson([1, 2])).not.toBe(canonicalJson([2, 1]));
    expect(canonicalJson({ a: '1' })).not.toBe(canonicalJson({ a: 1 }));
  });
});

describe('sha256Hex', () => {
  it('is the hash that everybody computes, cut to 128 bits where asked', async () => {
    const abc = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
    expect(await sha256Hex('abc')).toBe(abc);
    expect(await sha256Hex('abc', 128)).toBe(abc.slice(0, 32));
    expect(await sha256Hex('ü')).not.toBe(await sha256Hex('u'));
  });
});

it('half of a surrogate pair becomes U+FFFD: servers of models refuse it', () => {
  const cut = '😀'.slice(0, 1);
  expect(toJson(`a${cut}`)).toBe('a\uFFFD');
  expect(toJson({ text: [cut, '😀'] })).toEqual({ text: ['\uFFFD', '😀'] });
});

it('the size of a value is in bytes of UTF-8, whatever its letters', () => {
  for (const text of ['a', 'é', '漢', '😀']) {
    const value = [text.repeat(1_000)];
    const bytes = new TextEncoder().encode(text).length * 1_000;
    expect(jsonSizeOver(value, bytes - 1), text).toBeGreaterThanOrEqual(bytes);
    expect(jsonSizeOver(value, bytes + 100), text).toBeUndefined();
  }
});
