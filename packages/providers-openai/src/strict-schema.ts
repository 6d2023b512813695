import { isJsonArray, isJsonObject, type Json, type JsonObject } from '@agent-functions/core';

/**
 * A schema as strict mode wants it, or `undefined` where strict mode cannot say the same: an optional property, a map, a
 * keyword outside the supported subset (https://platform.openai.com/docs/guides/structured-outputs#supported-schemas).
 * Objects are closed (`additionalProperties: false`), which only takes away what the model was not told of anyway.
 */
export function strictSchema(schema: JsonObject): JsonObject | undefined {
  if (schema['type'] !== 'object' || schema['anyOf'] !== undefined) return undefined;
  return strict(schema);
}

const keywords = new Set([
  'type',
  'title',
  'description',
  'properties',
  'required',
  'additionalProperties',
  'items',
  'enum',
  'const',
  'anyOf',
  '$ref',
  '$defs',
  'definitions',
  'pattern',
  'format',
  'multipleOf',
  'minimum',
  'maximum',
  'exclusiveMinimum',
  'exclusiveMaximum',
  'minItems',
  'maxItems',
]);

const formats: readonly Json[] = [
  'date-time',
  'time',
  'date',
  'duration',
  'email',
  'hostname',
  'ipv4',
  'ipv6',
  'uuid',
];

function strict(schema: JsonObject): JsonObject | undefined {
  const out: { [key: string]: Json } = {};
  for (const [key, value] of Object.entries(schema)) {
    if (!keywords.has(key)) return undefined;
    const converted = convert(key, value);
    if (converted === undefined) return undefined;
    out[key] = converted;
  }
  if (schema['$ref'] !== undefined && Object.keys(schema).length > 1) return undefined;
  const isObject =
    schema['type'] === 'object' ||
    (isJsonArray(schema['type']) && schema['type'].includes('object'));
  return isObject || schema['properties'] !== undefined ? closed(schema, out) : out;
}

/** All properties required, no others allowed. */
function closed(schema: JsonObject, out: { [key: string]: Json }): JsonObject | undefined {
  const { properties, required, additionalProperties } = schema;
  if (additionalProperties !== undefined && additionalProperties !== false) return undefined;
  if (!isJsonObject(properties))
    return additionalProperties === false ? { ...out, properties: {}, required: [] } : undefined;
  const names = Object.keys(properties);
  const listed = isJsonArray(required) ? required : [];
  if (!names.every((name) => listed.includes(name))) return undefined;
  out['required'] = names;
  out['additionalProperties'] = false;
  return out;
}

function convert(key: string, value: Json): Json | undefined {
  switch (key) {
    case 'properties':
    case '$defs':
    case 'definitions':
      return isJsonObject(value) ? each(value) : undefined;
    case 'items':
      return isJsonObject(value) ? strict(value) : undefined;
    case 'anyOf': {
      if (!isJsonArray(value)) return undefined;
      const options = value.map((one) => (isJsonObject(one) ? strict(one) : undefined));
      return options.every((one) => one !== undefined) ? options : undefined;
    }
    case 'format':
      return formats.includes(value) ? value : undefined;
    default:
      return value;
  }
}

function each(schemas: JsonObject): JsonObject | undefined {
  const out: { [key: string]: Json } = {};
  for (const [name, schema] of Object.entries(schemas)) {
    const converted = isJsonObject(schema) ? strict(schema) : undefined;
    if (converted === undefined) return undefined;
    out[name] = converted;
  }
  return out;
}
