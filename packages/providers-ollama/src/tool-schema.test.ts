import type { JsonObject } from '@agent-functions/core';
import { expect, it } from 'vitest';
import { toolSchema } from './tool-schema.ts';

it('puts references in place up to a limit, where each level doubles', () => {
  const levels = 40;
  const names = Array.from({ length: levels }, (_, level) => `level${level}`);
  const twice = (level: number): JsonObject => {
    const next = { $ref: `#/$defs/level${level + 1}` };
    return { type: 'object', properties: { left: next, right: next } };
  };
  const $defs = Object.fromEntries(names.map((name, level) => [name, twice(level)]));
  const schema = { ...twice(-1), $defs: { ...$defs, [`level${levels}`]: { type: 'string' } } };
  const { schema: shown, lost } = toolSchema(schema);
  expect(lost).toEqual(['refer to more than can be put in place; a part was shown']);
  expect(JSON.stringify(shown).length).toBeLessThan(1_000_000);
});

const place = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] };

it.each<[string, JsonObject, JsonObject]>([
  ['nothing', {}, { type: 'object', properties: {} }],
  [
    'what the server reads',
    {
      type: 'object',
      properties: {
        city: { type: 'string', description: 'A city' },
        tags: { type: 'array', items: { type: 'string' } },
      },
      required: ['city'],
      additionalProperties: false,
    },
    {
      type: 'object',
      properties: {
        city: { type: 'string', description: 'A city' },
        tags: { type: 'array', items: { type: 'string' } },
      },
      required: ['city'],
      additionalProperties: false,
    },
  ],
  [
    'references, put in their place',
    {
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      type: 'object',
      properties: {
        from: { $ref: '#/$defs/Place' },
        to: { $ref: '#/$defs/Place', description: 'The end' },
      },
      $defs: { Place: place },
    },
    { type: 'object', properties: { from: place, to: { ...place, description: 'The end' } } },
  ],
  [
    'const, oneOf, allOf and true',
    {
      type: 'object',
      properties: {
        unit: { const: 'C' },
        when: { oneOf: [{ type: 'string' }, { type: 'null' }] },
        where: { allOf: [place, { properties: { zip: { type: 'string' } }, required: ['zip'] }] },
        any: true,
      },
    },
    {
      type: 'object',
      properties: {
        unit: { enum: ['C'] },
        when: { anyOf: [{ type: 'string' }, { type: 'null' }] },
        where: {
          type: 'object',
          properties: { city: { type: 'string' }, zip: { type: 'string' } },
          required: ['city', 'zip'],
        },
        any: {},
      },
    },
  ],
  [
    'limits, in words as well',
    {
      type: 'object',
      properties: {
        days: { type: 'integer', description: 'How many.', minimum: 1, maximum: 7 },
        id: { type: 'integer', minimum: -9_007_199_254_740_991, maximum: 9_007_199_254_740_991 },
        day: { type: 'string', format: 'date' },
      },
    },
    {
      type: 'object',
      properties: {
        days: {
          type: 'integer',
          description: 'How many. (minimum 1, maximum 7)',
          minimum: 1,
          maximum: 7,
        },
        id: { type: 'integer', minimum: -9_007_199_254_740_991, maximum: 9_007_199_254_740_991 },
        day: { type: 'string', format: 'date', description: '(format date)' },
      },
    },
  ],
  [
    'rules that it has no word for, as they are',
    {
      type: 'object',
      properties: {
        pair: { type: 'array', prefixItems: [{ type: 'string' }, { type: 'number' }] },
        places: { type: 'object', additionalProperties: { $ref: '#/$defs/Id' } },
      },
      $defs: { Id: { type: 'integer' } },
    },
    {
      type: 'object',
      properties: {
        pair: {
          type: 'array',
          prefixItems: [{ type: 'string' }, { type: 'number' }],
          description: '(prefixItems [{"type":"string"},{"type":"number"}])',
        },
        places: {
          type: 'object',
          additionalProperties: { type: 'integer' },
          description: '(additionalProperties {"type":"integer"})',
        },
      },
    },
  ],
])('says %s', (_, schema, expected) => {
  expect(toolSchema(schema)).toEqual({ schema: expected, lost: [] });
});

it('shows one level of a schema that refers to itself, and says that it was cut', () => {
  const tree: JsonObject = {
    type: 'object',
    properties: { root: { $ref: '#/$defs/Node' } },
    $defs: {
      Node: {
        type: 'object',
        properties: { children: { type: 'array', items: { $ref: '#/$defs/Node' } } },
      },
    },
  };
  expect(toolSchema(tree)).toEqual({
    lost: ['refer to themselves or to another document; one level was shown'],
    schema: {
      type: 'object',
      properties: {
        root: {
          type: 'object',
          properties: { children: { type: 'array', items: { type: 'object' } } },
        },
      },
    },
  });
  const elsewhere = { type: 'object', properties: { a: { $ref: 'https://e.org/a.json' } } };
  expect(toolSchema(elsewhere)).toMatchObject({
    lost: [expect.stringContaining('another document')],
    schema: { properties: { a: { type: 'object' } } },
  });
});

it('shows the properties of all where parameters are one of several objects, and says so', () => {
  const variant = (kind: string, name: string, type: string): JsonObject => ({
    type: 'object',
    properties: { kind: { const: kind }, [name]: { type } },
    required: ['kind', name],
  });
  const union = { anyOf: [variant('city', 'name', 'string'), variant('point', 'lat', 'number')] };
  expect(toolSchema(union)).toEqual({
    lost: ['are one of several objects; the properties of all were shown'],
    schema: {
      type: 'object',
      properties: {
        kind: { anyOf: [{ enum: ['city'] }, { enum: ['point'] }] },
        name: { type: 'string' },
        lat: { type: 'number' },
      },
      required: ['kind'],
    },
  });
});
