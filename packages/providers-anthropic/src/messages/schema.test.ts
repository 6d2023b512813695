import type { JsonObject } from '@agent-functions/core';
import { describe, expect, test } from 'vitest';
import { strictSchema, toolSchema } from './schema.ts';

const open = (properties: JsonObject, more: JsonObject = {}): JsonObject => ({
  type: 'object',
  properties,
  ...more,
});
const closed = (properties: JsonObject, required: readonly string[] = []): JsonObject => ({
  type: 'object',
  properties,
  required,
  additionalProperties: false,
});
const text = { type: 'string' };

describe('a schema for constrained sampling', () => {
  test('follows each reference once, where each level doubles', () => {
    const levels = 40;
    const twice = (level: number): JsonObject => {
      const next = { $ref: `#/$defs/level${level + 1}` };
      return closed({ left: next, right: next }, ['left', 'right']);
    };
    const defs = Array.from({ length: levels }, (_, level) => [`level${level}`, twice(level)]);
    const $defs = { ...Object.fromEntries(defs), [`level${levels}`]: text };
    expect(strictSchema({ ...twice(-1), $defs })?.schema).toMatchObject({ $defs });
  });

  test.each(['#/$defs/Nowhere', 'https://example.com/schema.json'])('is none with %s', ($ref) => {
    expect(strictSchema(closed({ a: { $ref } }))).toBeUndefined();
  });

  const cases: readonly (readonly [string, JsonObject, JsonObject | undefined])[] = [
    ['closes objects', open({ a: text }), closed({ a: text })],
    ['keeps what is required', open({ a: text }, { required: ['a'] }), closed({ a: text }, ['a'])],
    [
      'moves constraints into the description',
      { type: 'integer', description: 'Age.', minimum: 0, maximum: 150 },
      { type: 'integer', description: 'Age.\n\n{minimum: 0, maximum: 150}' },
    ],
    [
      'moves lengths and patterns',
      { type: 'string', maxLength: 5, pattern: '^a' },
      { type: 'string', description: '{maxLength: 5, pattern: "^a"}' },
    ],
    [
      'keeps a known format',
      { type: 'string', format: 'uuid' },
      { type: 'string', format: 'uuid' },
    ],
    [
      'describes another format',
      { type: 'string', format: 'regex' },
      { type: 'string', description: '{format: "regex"}' },
    ],
    [
      'keeps minItems of 1, describes more',
      open({
        a: { type: 'array', items: text, minItems: 1 },
        b: { type: 'array', items: text, minItems: 2, maxItems: 3 },
      }),
      closed({
        a: { type: 'array', items: text, minItems: 1 },
        b: { type: 'array', items: text, description: '{minItems: 2}\n\n{maxItems: 3}' },
      }),
    ],
    [
      'makes anyOf of oneOf',
      { oneOf: [text, { type: 'null' }] },
      { anyOf: [text, { type: 'null' }] },
    ],
    ['keeps enums and constants', { type: 'string', enum: ['a', 'b'] }, { enum: ['a', 'b'] }],
    ['keeps a constant', { type: 'string', const: 'a' }, { const: 'a' }],
    ['keeps nullable scalars', { type: ['string', 'null'] }, { type: ['string', 'null'] }],
    [
      'unwraps an allOf of one',
      { allOf: [{ $ref: '#/$defs/a' }], $defs: { a: text } },
      { $defs: { a: text }, $ref: '#/$defs/a' },
    ],
    [
      'keeps definitions and references',
      open({ a: { $ref: '#/$defs/name' } }, { $defs: { name: text } }),
      { $defs: { name: text }, ...closed({ a: { $ref: '#/$defs/name' } }) },
    ],
    ['leaves $schema out', { $schema: 'x', ...open({ a: text }) }, closed({ a: text })],
    ['has no words for a map', open({}, { additionalProperties: text }), undefined],
    ['has none for an open object', { type: 'object' }, undefined],
    ['takes an empty object that is closed', open({}, { additionalProperties: false }), closed({})],
    [
      'has none for an object that stays open',
      open({ a: text }, { additionalProperties: true }),
      undefined,
    ],
    [
      'has none for patterns of names',
      open({ a: text }, { patternProperties: { x: text } }),
      undefined,
    ],
    ['has none for tuples', { type: 'array', prefixItems: [text] }, undefined],
    ['has none for a list of anything', { type: 'array' }, undefined],
    ['has none for a value of any type', open({ a: {} }), undefined],
    ['has none for an intersection', { allOf: [open({ a: text }), open({ b: text })] }, undefined],
    [
      'has none for recursion',
      { $ref: '#/$defs/node', $defs: { node: open({ next: { $ref: '#/$defs/node' } }) } },
      undefined,
    ],
    ['has none for recursion of the root', open({ next: { $ref: '#' } }), undefined],
  ];
  test.each(cases)('%s', (_, schema, expected) => {
    expect(strictSchema(schema)?.schema).toEqual(expected);
  });

  test('counts optional properties and unions', () => {
    const strict = strictSchema(
      open(
        { a: text, b: { anyOf: [text, open({ c: text })] }, d: { type: ['string', 'null'] } },
        { required: ['a'] },
      ),
    );
    expect([strict?.optional, strict?.unions]).toEqual([3, 2]);
  });
});

describe('a schema of a tool', () => {
  test('is as it was, where its root is an object', () => {
    const schema = open({ a: text }, { minProperties: 1 });
    expect(toolSchema(schema)).toBe(schema);
  });

  test('gets a type, where it has none', () => {
    expect(toolSchema({})).toEqual({ type: 'object' });
  });

  test('has no union at its root: the alternatives are described', () => {
    const a = open({ kind: { const: 'a' }, x: text }, { required: ['kind', 'x'] });
    const b = open({ kind: { const: 'b' } }, { required: ['kind'] });
    const made = toolSchema({ description: 'One of two.', anyOf: [a, b] });
    expect(made).toMatchObject({ type: 'object', properties: { kind: {}, x: text } });
    expect(made['anyOf']).toBeUndefined();
    expect(made['description']).toBe(`One of two.\n\n{anyOf: ${JSON.stringify([a, b])}}`);
  });

  test('puts an intersection together', () => {
    const made = toolSchema({ allOf: [open({ a: text }, { required: ['a'] }), open({ b: text })] });
    expect(made).toMatchObject({
      type: 'object',
      properties: { a: text, b: text },
      required: ['a'],
    });
  });

  test('follows a reference at its root', () => {
    const node = open({ next: { $ref: '#/$defs/node' } });
    expect(toolSchema({ $ref: '#/$defs/node', $defs: { node } })).toEqual({
      ...node,
      $defs: { node },
    });
  });
});
