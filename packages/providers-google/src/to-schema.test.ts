import { toJsonSchema, type Json, type JsonObject } from '@agent-functions/core';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { checkSchema } from '../test/validate-request.ts';
import { toSchema } from './to-schema.ts';

interface Case {
  readonly what: string;
  readonly given: JsonObject;
  readonly wire: JsonObject;
  readonly unsaid?: readonly string[];
}

const cases: readonly Case[] = [
  {
    what: 'an object as Gemini documents it',
    given: {
      type: 'object',
      title: 'T',
      description: 'D',
      properties: { n: { type: 'integer', minimum: 1, maximum: 9 } },
      required: ['n'],
      additionalProperties: false,
    },
    wire: {
      type: 'object',
      title: 'T',
      description: 'D',
      properties: { n: { type: 'integer', minimum: 1, maximum: 9 } },
      required: ['n'],
      additionalProperties: false,
    },
  },
  {
    what: 'annotations without weight',
    given: {
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      $comment: 'c',
      type: 'string',
    },
    wire: { type: 'string' },
  },
  {
    what: 'limits, in words',
    given: { type: 'string', description: 'A code', pattern: '^[a-z]+$', minLength: 2 },
    wire: { type: 'string', description: 'A code (pattern: "^[a-z]+$", minLength: 2)' },
  },
  {
    what: 'limits of a number, in words',
    given: { type: 'number', exclusiveMinimum: 0, multipleOf: 0.5, default: 1 },
    wire: { type: 'number', description: 'exclusiveMinimum: 0, multipleOf: 0.5, default: 1' },
  },
  {
    what: 'formats that it has, and others in words',
    given: {
      anyOf: [
        { type: 'string', format: 'date-time' },
        { type: 'string', format: 'uri' },
      ],
    },
    wire: {
      anyOf: [
        { type: 'string', format: 'date-time' },
        { type: 'string', description: 'format: "uri"' },
      ],
    },
  },
  { what: 'a constant text', given: { const: 'a' }, wire: { type: 'string', enum: ['a'] } },
  {
    what: 'a constant number with its type',
    given: { type: 'integer', const: 7 },
    wire: { type: 'integer', enum: [7] },
  },
  {
    what: 'a constant boolean',
    given: { type: 'boolean', const: true },
    wire: { type: 'boolean', description: 'Always true.' },
  },
  { what: 'a constant null', given: { const: null }, wire: { type: 'null' } },
  {
    what: 'an enumeration with null',
    given: { type: ['string', 'null'], enum: ['a', 'b', null] },
    wire: { anyOf: [{ type: 'string', enum: ['a', 'b'] }, { type: 'null' }] },
  },
  {
    what: 'a type that may be null',
    given: { type: ['string', 'null'] },
    wire: { type: ['string', 'null'] },
  },
  {
    what: 'unions',
    given: { oneOf: [{ type: 'string' }, { type: 'object', properties: {}, required: [] }] },
    wire: { oneOf: [{ type: 'string' }, { type: 'object', properties: {}, required: [] }] },
  },
  {
    what: 'a union beside an enumeration of one type only',
    given: { type: 'object', properties: { kind: { const: 'x' } }, required: ['kind'] },
    wire: {
      type: 'object',
      properties: { kind: { type: 'string', enum: ['x'] } },
      required: ['kind'],
    },
  },
  {
    what: 'a map',
    given: { type: 'object', additionalProperties: { type: 'number', exclusiveMinimum: 0 } },
    wire: {
      type: 'object',
      additionalProperties: { type: 'number', description: 'exclusiveMinimum: 0' },
    },
  },
  {
    what: 'a tuple of either draft',
    given: {
      anyOf: [
        { type: 'array', prefixItems: [{ const: 1 }], items: { type: 'string' } },
        { type: 'array', items: [{ const: 1 }], additionalItems: { type: 'string' } },
      ],
    },
    wire: {
      anyOf: [
        { type: 'array', prefixItems: [{ type: 'number', enum: [1] }], items: { type: 'string' } },
        { type: 'array', prefixItems: [{ type: 'number', enum: [1] }], items: { type: 'string' } },
      ],
    },
  },
  {
    what: 'a tuple without more',
    given: { type: 'array', prefixItems: [{ type: 'string' }, { type: 'number' }], items: false },
    wire: { type: 'array', prefixItems: [{ type: 'string' }, { type: 'number' }], maxItems: 2 },
  },
  {
    what: 'anything',
    given: { type: 'object', properties: { any: true, list: { type: 'array', items: true } } },
    wire: { type: 'object', properties: { any: {}, list: { type: 'array', items: {} } } },
  },
  {
    what: 'nothing, which it has not',
    given: { type: 'object', properties: { never: false } },
    wire: { type: 'object', properties: { never: {} } },
    unsaid: ['false'],
  },
  {
    what: 'references, of older drafts too, alone at their place',
    given: {
      type: 'object',
      properties: {
        a: { $ref: '#/definitions/city' },
        b: { $ref: '#/definitions/city', description: 'The second' },
      },
      definitions: { city: { type: 'string', minLength: 1 } },
    },
    wire: {
      type: 'object',
      properties: {
        a: { $ref: '#/$defs/city' },
        b: { description: 'The second', anyOf: [{ $ref: '#/$defs/city' }] },
      },
      $defs: { city: { type: 'string', description: 'minLength: 1' } },
    },
  },
  {
    what: 'a recursion, which may only run through what is not required',
    given: {
      type: 'object',
      properties: { tree: { $ref: '#/$defs/node' } },
      required: ['tree'],
      $defs: {
        node: {
          type: 'object',
          properties: {
            name: { type: 'string' },
            children: { type: 'array', items: { $ref: '#/$defs/node' } },
          },
          required: ['name', 'children'],
        },
      },
    },
    wire: {
      type: 'object',
      properties: { tree: { $ref: '#/$defs/node' } },
      required: ['tree'],
      $defs: {
        node: {
          type: 'object',
          properties: {
            name: { type: 'string' },
            children: { type: 'array', items: { $ref: '#/$defs/node' } },
          },
          required: ['name'],
        },
      },
    },
  },
  {
    what: 'a recursion of the whole',
    given: {
      type: 'object',
      properties: { next: { anyOf: [{ $ref: '#' }, { type: 'null' }] } },
      required: ['next'],
    },
    wire: {
      type: 'object',
      properties: { next: { anyOf: [{ $ref: '#' }, { type: 'null' }] } },
      required: [],
    },
  },
  {
    what: 'schemas that must all hold, as one',
    given: {
      allOf: [
        { type: 'object', properties: { a: { type: 'string' } }, required: ['a'] },
        { type: 'object', properties: { b: { type: 'number' } }, required: ['b'] },
      ],
    },
    wire: {
      type: 'object',
      properties: { a: { type: 'string' }, b: { type: 'number' } },
      required: ['a', 'b'],
    },
  },
  {
    what: 'schemas that contradict each other, of which the first stays',
    given: { allOf: [{ type: 'string' }, { type: 'number' }] },
    wire: { type: 'string' },
    unsaid: ['allOf'],
  },
  {
    what: 'a union and a reference at one place, of which the union stays',
    given: { anyOf: [{ type: 'string' }], $ref: '#/$defs/a', $defs: { a: { type: 'string' } } },
    wire: { anyOf: [{ type: 'string' }], $defs: { a: { type: 'string' } } },
    unsaid: ['$ref'],
  },
  {
    what: 'a property that is named like a keyword',
    given: { type: 'object', properties: { pattern: { type: 'string' }, not: { type: 'string' } } },
    wire: { type: 'object', properties: { pattern: { type: 'string' }, not: { type: 'string' } } },
  },
  {
    what: 'what has no words',
    given: {
      type: 'object',
      patternProperties: { '^x': { type: 'string' } },
      propertyNames: { minLength: 1 },
      if: {},
      not: { type: 'null' },
      'x-vendor': 1,
    },
    wire: { type: 'object' },
    unsaid: ['patternProperties', 'propertyNames', 'if', 'not', 'x-vendor'],
  },
];

describe('a schema as Gemini takes it', () => {
  it.each(cases)('$what', ({ given, wire, unsaid = [] }) => {
    const before = JSON.stringify(given);
    expect(toSchema(given)).toEqual({ schema: wire, unsaid });
    expect(JSON.stringify(given)).toBe(before);
    const problems: string[] = [];
    checkSchema(wire, (problem) => void problems.push(problem));
    expect(problems).toEqual([]);
  });

  it('takes what a schema library prints, and warns of nothing', () => {
    const printed = toJsonSchema(
      z.object({
        city: z.string().min(1).describe('Where'),
        days: z.number().int().positive().optional(),
        unit: z.enum(['C', 'F']).default('C'),
        when: z.iso.datetime().nullable(),
        tags: z.record(z.string(), z.array(z.literal(['a', 1]))),
        shape: z.discriminatedUnion('kind', [
          z.object({ kind: z.literal('circle'), r: z.number() }),
          z.object({ kind: z.literal('square'), a: z.number() }),
        ]),
        pair: z.tuple([z.string(), z.number()]),
      }),
      'a test',
    );
    const { schema, unsaid } = toSchema(printed);
    const problems: string[] = [];
    checkSchema(schema, (problem) => void problems.push(problem));
    expect(problems).toEqual([]);
    expect(unsaid).toEqual([]);
  });

  it('is made once for a schema', () => {
    const given = { type: 'object', properties: { a: { const: 'x' as Json } } };
    expect(toSchema(given)).toBe(toSchema(given));
  });
});
