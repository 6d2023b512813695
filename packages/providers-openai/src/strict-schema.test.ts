import { toJsonSchema, type JsonObject } from '@agent-functions/core';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { strictSchema } from './strict-schema.ts';

const print = (schema: z.ZodType): JsonObject => toJsonSchema(schema, 'a test');

it('closes objects and requires all of their properties, at every depth', () => {
  const schema = print(
    z.object({
      city: z.string().describe('Where'),
      days: z.array(z.object({ date: z.string(), unit: z.enum(['C', 'F']) })).max(7),
      note: z.string().nullable(),
      range: z.union([z.object({ from: z.int() }), z.null()]),
    }),
  );
  expect(strictSchema(schema)).toMatchObject({
    type: 'object',
    additionalProperties: false,
    required: ['city', 'days', 'note', 'range'],
    properties: {
      city: { type: 'string', description: 'Where' },
      days: { items: { additionalProperties: false, required: ['date', 'unit'] } },
      range: { anyOf: [{ additionalProperties: false, required: ['from'] }, { type: 'null' }] },
    },
  });
});

it('takes a tool without parameters', () => {
  expect(strictSchema(print(z.object({})))).toEqual({
    type: 'object',
    properties: {},
    required: [],
    additionalProperties: false,
  });
});

it('follows definitions', () => {
  const schema: JsonObject = {
    type: 'object',
    properties: { tree: { $ref: '#/$defs/node' } },
    required: ['tree'],
    $defs: {
      node: {
        type: 'object',
        properties: { children: { type: 'array', items: { $ref: '#/$defs/node' } } },
        required: ['children'],
      },
    },
  };
  expect(strictSchema(schema)).toMatchObject({
    additionalProperties: false,
    $defs: { node: { additionalProperties: false } },
  });
});

it('does not change what it is given', () => {
  const schema = print(z.object({ a: z.object({ b: z.string() }) }));
  const before = JSON.stringify(schema);
  strictSchema(schema);
  expect(JSON.stringify(schema)).toBe(before);
});

it.each<[string, JsonObject]>([
  ['an optional property', print(z.object({ a: z.string().optional() }))],
  ['an optional property inside', print(z.object({ a: z.object({ b: z.string().optional() }) }))],
  ['a default', print(z.object({ a: z.string().default('x') }))],
  ['a map', print(z.object({ a: z.record(z.string(), z.number()) }))],
  ['an open object', print(z.looseObject({ a: z.string() }))],
  ['an object of anything', { type: 'object' }],
  ['a keyword outside the subset', print(z.object({ a: z.string().min(3) }))],
  ['a format outside the subset', print(z.object({ a: z.url() }))],
  ['a tuple', print(z.object({ a: z.tuple([z.string(), z.number()]) }))],
  ['allOf', { type: 'object', properties: {}, allOf: [{ type: 'object' }] }],
  ['an array as the root', { type: 'array', items: { type: 'string' } }],
  [
    'a union as the root',
    { type: 'object', anyOf: [{ type: 'object', properties: {}, additionalProperties: false }] },
  ],
])('cannot say %s', (_, schema) => {
  expect(strictSchema(schema)).toBeUndefined();
});
