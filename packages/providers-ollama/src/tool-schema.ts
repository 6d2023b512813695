import {
  canonicalJson,
  isJsonArray,
  isJsonObject,
  type Json,
  type JsonObject,
} from '@agent-functions/core';
import { resolveRef } from '@agent-functions/core/provider';

/** A schema as Ollama reads it, and what of it could not be said: the end of a sentence about the parameters. */
export interface ToolSchema {
  readonly schema: JsonObject;
  readonly lost: readonly string[];
}

/** References are put in place until a schema has this many places: one that doubles at each level would never end. */
const mostPlaces = 10_000;

/**
 * The parameters of a tool. Ollama's server reads `type`, `properties`, `required`, `items`, `enum`, `anyOf` and
 * `description` of a property into types of its own (`Tool` of the SDK, `ToolProperty` of the server) and shows the model
 * nothing else. So the same is said in these words: references are put in their place, `const` is an `enum` of one,
 * `oneOf` an `anyOf`, `allOf` one object, and what else there is stands in the description. Core checks the arguments against the
 * tool's own schema, whatever the model was shown.
 *
 * Pure. Of a schema that refers to itself one level is shown, and of parameters that are one of several objects all their
 * properties at once: what is lost by that is said.
 */
export function toolSchema(schema: JsonObject): ToolSchema {
  const lost = new Set<string>();
  let places = 0;

  function convert(value: Json, above: readonly string[]): JsonObject {
    places++;
    // `true` allows everything, and the server refuses to read it.
    if (!isJsonObject(value)) return {};
    const { $ref: ref, ...rest } = value;
    if (typeof ref === 'string') {
      const target = resolveRef(schema, ref);
      if (!isJsonObject(target) || above.includes(ref)) {
        lost.add('refer to themselves or to another document; one level was shown');
        return { type: 'object', ...described(rest) };
      }
      if (places > mostPlaces) {
        lost.add('refer to more than can be put in place; a part was shown');
        return { type: 'object', ...described(rest) };
      }
      return convert({ ...target, ...rest }, [...above, ref]);
    }
    return convertFields(merged(rest, above), above);
  }

  function merged({ allOf, ...rest }: JsonObject, above: readonly string[]): JsonObject {
    if (!isJsonArray(allOf)) return rest;
    return allOf.map((one) => convert(one, above)).reduce(both, rest);
  }

  function convertFields(fields: JsonObject, above: readonly string[]): JsonObject {
    const { $defs: _defs, definitions: _definitions, $schema: _schema, ...own } = fields;
    const { const: only, oneOf, anyOf, properties, items, description, ...rest } = own;
    const out: { [key: string]: Json } = { ...rest };
    if (only !== undefined) out['enum'] = [only];
    const choices = isJsonArray(oneOf) ? oneOf : anyOf;
    if (isJsonArray(choices)) out['anyOf'] = choices.map((one) => convert(one, above));
    if (isJsonObject(properties)) {
      out['properties'] = Object.fromEntries(
        Object.entries(properties).map(([name, one]) => [name, convert(one, above)]),
      );
    }
    if (items !== undefined) out['items'] = convert(items, above);
    const more = rest['additionalProperties'];
    if (isJsonObject(more)) out['additionalProperties'] = convert(more, above);
    const said = [typeof description === 'string' ? description : '', limits(out)];
    const text = said.filter((one) => one !== '').join(' ');
    if (text !== '') out['description'] = text;
    return out;
  }

  const { description: _, anyOf, ...top } = convert(schema, []);
  const variants = isJsonArray(anyOf) ? anyOf.filter(isJsonObject) : [];
  if (variants.length > 0) lost.add('are one of several objects; the properties of all were shown');
  const whole = variants.length === 0 ? top : both(top, together(variants));
  return { schema: { type: 'object', properties: {}, ...whole }, lost: [...lost] };
}

const limitNames: { readonly [keyword: string]: string } = {
  format: 'format',
  pattern: 'pattern',
  default: 'default',
  minimum: 'minimum',
  maximum: 'maximum',
  exclusiveMinimum: 'greater than',
  exclusiveMaximum: 'less than',
  multipleOf: 'a multiple of',
  minLength: 'at least this many characters:',
  maxLength: 'at most this many characters:',
  minItems: 'at least this many items:',
  maxItems: 'at most this many items:',
};

/** What a value must keep to, in words. */
function limits(schema: JsonObject): string {
  const said = Object.entries(limitNames).flatMap(([keyword, words]) => {
    const value = schema[keyword];
    return value === undefined || value === null || typeof value === 'object'
      ? []
      : [`${words} ${String(value)}`];
  });
  // The largest safe integer is what "an integer" becomes, not a limit that somebody set.
  const set = said.filter((one) => !one.endsWith(String(Number.MAX_SAFE_INTEGER)));
  const rules = ruleNames.flatMap((keyword) => {
    const value = schema[keyword];
    return typeof value === 'object' ? [`${keyword} ${JSON.stringify(value)}`] : [];
  });
  const all = [...set, ...rules];
  return all.length === 0 ? '' : `(${all.join(', ')})`;
}

/** Keywords whose values are schemas, with no other word for them. */
const ruleNames = [
  'additionalProperties',
  'patternProperties',
  'propertyNames',
  'prefixItems',
  'contains',
  'not',
  'if',
  'then',
  'else',
  'dependentRequired',
];

/** One object with the properties of all, of which those are needed that all need. */
function together(variants: readonly JsonObject[]): JsonObject {
  const found = new Map<string, Json[]>();
  for (const { properties } of variants) {
    for (const [name, one] of Object.entries(isJsonObject(properties) ? properties : {})) {
      const known = found.get(name) ?? [];
      if (known.every((other) => canonicalJson(other) !== canonicalJson(one))) known.push(one);
      found.set(name, known);
    }
  }
  const [first, ...rest] = variants.map(({ required }) => (isJsonArray(required) ? required : []));
  return {
    properties: Object.fromEntries(
      [...found].map(([name, [one = {}, ...others]]) => [
        name,
        others.length === 0 ? one : { anyOf: [one, ...others] },
      ]),
    ),
    required: (first ?? []).filter((name) => rest.every((one) => one.includes(name))),
  };
}

function described({ description }: JsonObject): JsonObject {
  return description === undefined ? {} : { description };
}

/** Two schemas that both hold. */
function both(one: JsonObject, other: JsonObject): JsonObject {
  const { properties, required } = other;
  const mine = one['properties'];
  const needed = one['required'];
  return {
    ...one,
    ...other,
    ...(isJsonObject(mine) && isJsonObject(properties)
      ? { properties: { ...mine, ...properties } }
      : {}),
    ...(isJsonArray(needed) && isJsonArray(required)
      ? { required: [...new Set([...needed, ...required])] }
      : {}),
  };
}
