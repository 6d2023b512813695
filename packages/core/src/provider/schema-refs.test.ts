import { expect, it } from 'vitest';
import type { JsonObject } from '../json.ts';
import { danglingRefs, danglingWarnings, resolveRef } from './schema-refs.ts';

const city = { type: 'string' };

it.each<[string, JsonObject]>([
  ['a definition', { $ref: '#/$defs/City', $defs: { City: city } }],
  ['a definition of an older draft', { $ref: '#/definitions/City', definitions: { City: city } }],
  ['itself', { type: 'object', properties: { next: { $ref: '#' } } }],
  ['a place within', { properties: { a: city, b: { $ref: '#/properties/a' } } }],
  ['a place in a list', { anyOf: [city, { $ref: '#/anyOf/0' }] }],
  ['a name with signs', { $ref: '#/$defs/a~1b%20c~0', $defs: { 'a/b c~': city } }],
  ['an anchor', { $ref: '#city', $defs: { City: { $anchor: 'city', ...city } } }],
  ['nothing, as the value of a constant', { const: { $ref: '#/nowhere' } }],
])('a reference to %s does not dangle', (_, schema) => {
  expect(danglingRefs(schema)).toEqual([]);
});

it('finds references that lead to nothing, each once', () => {
  const nowhere = { $ref: '#/$defs/Nowhere' };
  const schema: JsonObject = {
    properties: { a: nowhere, b: nowhere, c: { $ref: 'https://example.com/city.json' } },
    $defs: { d: { $ref: '#/$defs/constructor' } },
  };
  expect(danglingRefs(schema)).toEqual([
    '#/$defs/Nowhere',
    'https://example.com/city.json',
    '#/$defs/constructor',
  ]);
  expect(resolveRef(schema, '#/$defs/d/$ref')).toBe('#/$defs/constructor');
});

it('warns by the name of the tool or the output', () => {
  const schema: JsonObject = { $ref: '#/$defs/Nowhere' };
  const said = danglingWarnings({
    messages: [],
    settings: {},
    tools: [
      { name: 'fine', description: '', inputSchema: { type: 'object' }, strict: true },
      { name: 'lost', description: '', inputSchema: schema, strict: true },
    ],
    output: { name: 'report', schema, strict: true },
  });
  expect(said.map(({ code, message }) => `${code}: ${message.split(' refers')[0]}`)).toEqual([
    'unsupported-schema: The schema of the tool lost',
    'unsupported-schema: The schema of the output report',
  ]);
});
