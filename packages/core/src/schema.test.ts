import { toStandardJsonSchema } from '@valibot/to-json-schema';
import { type } from 'arktype';
import * as v from 'valibot';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { z } from 'zod';
import { UserError } from './errors.ts';
import { isSchema, jsonSchema, toJsonSchema, validate, type Schema } from './schema.ts';

interface Order {
  city: string;
  days?: number | undefined;
}

const ofZod = z.object({ city: z.string(), days: z.number().optional() });
const ofValibot = toStandardJsonSchema(
  v.object({ city: v.string(), days: v.optional(v.number()) }),
);
const ofArktype = type({ city: 'string', 'days?': 'number' });
const byHand = jsonSchema<Order>(
  {
    type: 'object',
    properties: { city: { type: 'string' }, days: { type: 'number' } },
    required: ['city'],
  },
  {
    validate: (value) => {
      if (typeof value !== 'object' || value === null) throw new Error('not an object');
      if (!('city' in value) || typeof value.city !== 'string') throw new Error('city: not a text');
      return { ...value, city: value.city };
    },
  },
);

const schemas: readonly [string, Schema<unknown, Order>][] = [
  ['zod', ofZod],
  ['valibot', ofValibot],
  ['arktype', ofArktype],
  ['jsonSchema()', byHand],
];

describe.each(schemas)('a schema of %s', (_, schema) => {
  it('is one', () => {
    expect(isSchema(schema)).toBe(true);
  });

  it('prints JSON Schema of draft 2020-12, frozen and without $schema', () => {
    const printed = toJsonSchema(schema, 'The test schema');
    expect(printed).toMatchObject({
      type: 'object',
      properties: { city: { type: 'string' }, days: { type: 'number' } },
      required: ['city'],
    });
    expect(printed).not.toHaveProperty('$schema');
    expect(Object.isFrozen(printed)).toBe(true);
    expect(Object.isFrozen(printed['properties'])).toBe(true);
  });

  it('takes what fits', async () => {
    expect(await validate(schema, { city: 'Oslo' })).toEqual({ ok: true, value: { city: 'Oslo' } });
  });

  it('says where it does not fit', async () => {
    const result = await validate(schema, { city: 7 });
    expect(result).toMatchObject({ ok: false, issues: expect.stringContaining('city') });
  });
});

describe('validate', () => {
  it('joins issues, each with its path', async () => {
    const nested = z.object({ stops: z.array(z.object({ at: z.string() })), n: z.number() });
    const result = await validate(nested, { stops: [{ at: 'x' }, { at: 1 }], n: 'y' });
    expect(result.ok ? '' : result.issues).toMatch(/^stops\.1\.at: .+; n: .+$/);
  });

  it('awaits schemas that are asynchronous', async () => {
    const known = z.string().refine((name) => Promise.resolve(name === 'Oslo'), 'no such city');
    expect(await validate(known, 'Oslo')).toEqual({ ok: true, value: 'Oslo' });
    expect(await validate(known, 'Atlantis')).toEqual({ ok: false, issues: 'no such city' });
  });

  it('gives what the schema makes of the value', async () => {
    const trimmed = z.object({ days: z.number().default(3), name: z.string().trim() });
    expect(await validate(trimmed, { name: ' Ann ' })).toEqual({
      ok: true,
      value: { days: 3, name: 'Ann' },
    });
  });
});

describe('toJsonSchema', () => {
  it('prints what goes in, not what comes out', () => {
    const printed = toJsonSchema(z.object({ days: z.number().default(3) }), 'x');
    expect(printed['required'] ?? []).toEqual([]);
    const length = z.object({ text: z.string().transform((text) => text.length) });
    expect(toJsonSchema(length, 'x')['properties']).toEqual({ text: { type: 'string' } });
  });

  it('says which schema has no JSON form, and what to use', () => {
    const printing = () => toJsonSchema(z.object({ at: z.date() }), 'The parameters of tool t');
    expect(printing).toThrow(UserError);
    expect(printing).toThrow(
      /^The parameters of tool t cannot be printed.*Use types that JSON has/s,
    );
  });

  it('refuses a schema that prints something else than an object', () => {
    const odd: Schema = {
      '~standard': {
        version: 1,
        vendor: 'odd',
        validate: (value) => ({ value }),
        jsonSchema: { input: () => [] as never, output: () => ({}) },
      },
    };
    expect(() => toJsonSchema(odd, 'It')).toThrow('It printed [], not a JSON Schema object.');
  });
});

describe('isSchema', () => {
  it.each([
    ['undefined', undefined],
    ['plain JSON Schema', { type: 'object' }],
    ['a schema that only validates', { '~standard': { validate: () => ({ value: 1 }) } }],
    ['valibot without its converter', v.object({ city: v.string() })],
    ['a text', 'string'],
  ])('is false for %s', (_, value) => {
    expect(isSchema(value)).toBe(false);
  });
});

it('carries the type of what comes out', () => {
  expectTypeOf<Schema<unknown, Order>>().toExtend<Schema>();
  expectTypeOf(validate(byHand, {})).resolves.toExtend<
    { readonly ok: true; readonly value: Order } | { readonly ok: false; readonly issues: string }
  >();
});

it('takes a validator that throws for one that finds nothing good', async () => {
  const broken = z.unknown().refine(() => {
    throw new Error('the database is away');
  });
  expect(await validate(broken, {})).toEqual({ ok: false, issues: 'the database is away' });
});
