import { describe, expect, expectTypeOf, it } from 'vitest';
import { z } from 'zod';
import { UserError } from './errors.ts';
import { jsonSchema } from './schema.ts';
import { content, tool, ToolContent, type Tool, type ToolOptions } from './tool.ts';

const base = {
  name: 'get_weather',
  description: 'The weather of a city.',
  parameters: z.object({ city: z.string() }),
  execute: ({ city }: { city: string }) => `It rains in ${city}.`,
} as const;

describe('tool', () => {
  it('is frozen data with the defaults said', () => {
    const made = tool(base);
    expect(made).toMatchObject({
      kind: 'tool',
      name: 'get_weather',
      description: 'The weather of a city.',
      effect: 'once',
      effectDeclared: false,
      strict: true,
      onAmbiguous: 'report',
      onError: 'return',
      maxRetries: 0,
      needsApproval: false,
    });
    expect(Object.isFrozen(made)).toBe(true);
    expect(made).not.toHaveProperty('isEnabled');
  });

  it('prints its schema once', () => {
    let printed = 0;
    const schema = jsonSchema<{ city: string }>(
      { type: 'object', properties: { city: { type: 'string' } } },
      { validate: (value) => value as { city: string } },
    );
    const counting = {
      '~standard': {
        ...schema['~standard'],
        jsonSchema: {
          input: () => {
            printed += 1;
            return { type: 'object' };
          },
          output: () => ({}),
        },
      },
    };
    const made = tool({ ...base, parameters: counting });
    expect([made.inputJsonSchema, made.inputJsonSchema]).toEqual([
      { type: 'object' },
      { type: 'object' },
    ]);
    expect(printed).toBe(1);
  });

  it('gives execute the type that its schema makes', () => {
    tool({
      ...base,
      parameters: z.object({ city: z.string(), days: z.number().default(1) }),
      execute: (input) => {
        expectTypeOf(input).toEqualTypeOf<{ city: string; days: number }>();
        return input.days;
      },
      needsApproval: (input) => input.days > 3,
    });
  });

  it('that needs no context fits any agent', () => {
    expectTypeOf(tool(base)).toExtend<Tool<{ user: string }>>();
  });

  it.each<[string, Partial<ToolOptions<unknown, { city: string }, unknown>>, RegExp]>([
    ['a name that models refuse', { name: 'get weather' }, /"get weather" is not usable/],
    ['a name that starts with a digit', { name: '1st' }, /start with a letter/],
    ['a name that is too long', { name: 'a'.repeat(65) }, /at most 64/],
    ['retry on a once tool', { retry: { maxRetries: 1 } }, /its effect is 'once' \(the default\)/],
    ['retry on a declared once tool', { retry: { maxRetries: 1 }, effect: 'once' }, /'once': a/],
    ['a timeout of 0', { timeoutMs: 0 }, /timeoutMs of tool get_weather is 0/],
    ['a timeout that is no number', { timeoutMs: Number.NaN }, /is NaN/],
  ])('refuses %s', (_, options, message) => {
    const making = () => tool<{ city: string }, unknown>({ ...base, ...options });
    expect(making).toThrow(UserError);
    expect(making).toThrow(message);
  });

  it('refuses what is no schema, and a schema that is no object', () => {
    const plain: unknown = { type: 'object' };
    const wrong = { ...base, parameters: plain } as typeof base;
    expect(() => tool(wrong)).toThrow(/not a Standard Schema.*jsonSchema\(/);
    const text = { ...base, parameters: z.string(), execute: () => '' };
    expect(() => tool(text)).toThrow(/must be an object schema; they print type "string"/);
    const dated = { ...base, parameters: z.object({ at: z.date() }), execute: () => '' };
    expect(() => tool(dated)).toThrow(/The parameters of tool get_weather cannot be printed/);
  });

  it('takes retry where a repeat is harmless', () => {
    const made = tool({ ...base, effect: 'read', retry: { maxRetries: 2 } });
    expect(made).toMatchObject({ effect: 'read', effectDeclared: true, maxRetries: 2 });
  });
});

describe('content', () => {
  it('marks parts, so that a list of JSON stays JSON', () => {
    const parts = [{ type: 'text', text: 'a map:' }] as const;
    expect(content(parts)).toBeInstanceOf(ToolContent);
    expect(content(parts).parts).toBe(parts);
  });
});
