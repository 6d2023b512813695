import { isJsonArray, isJsonObject, type Json, type JsonObject } from '@agent-functions/core';
import { resolveRef } from '@agent-functions/core/provider';

/** A schema for constrained sampling, and what it takes of the limits of a request. */
export interface StrictSchema {
  readonly schema: JsonObject;
  /** Properties that may be left out. */
  readonly optional: number;
  /** Places with several types. */
  readonly unions: number;
}

/**
 * What strict tools and an output format may hold together in one request
 * (https://platform.claude.com/docs/en/build-with-claude/structured-outputs#schema-complexity-limits).
 */
export const strictLimits = { tools: 20, optional: 24, unions: 16 } as const;

/**
 * A schema as strict tools and `output_config.format` want it, or `undefined` where constrained sampling cannot say the
 * same: maps, recursion, references out of the schema, tuples, values of any type. Constraints that it does not know (`minimum`, `maxLength`, …) move
 * into the description, as the SDK's own `transformJSONSchema` does (lib/transform-json-schema); whoever validates the
 * result still has the original. Objects are closed, which only takes away what the model was not told of anyway.
 *
 * Source: https://platform.claude.com/docs/en/build-with-claude/structured-outputs#json-schema-limitations
 */
export function strictSchema(schema: JsonObject): StrictSchema | undefined {
  if (leadsNowhere(schema)) return undefined;
  const count = { optional: 0, unions: 0 };
  const converted = strict(schema, count);
  return converted === undefined ? undefined : { schema: converted, ...count };
}

interface Count {
  optional: number;
  unions: number;
}

const formats: ReadonlySet<Json> = new Set([
  'date-time',
  'time',
  'date',
  'duration',
  'email',
  'hostname',
  'uri',
  'ipv4',
  'ipv6',
  'uuid',
]);

/** They let in what a closed object or a uniform list does not: without them the schema would refuse right answers. */
const openers = ['patternProperties', 'unevaluatedProperties', 'prefixItems', 'unevaluatedItems'];

function strict(schema: JsonObject, count: Count): JsonObject | undefined {
  if (openers.some((name) => schema[name] !== undefined)) return undefined;
  const out: { [key: string]: Json } = {};
  const rest: { [key: string]: Json } = { ...schema };
  const take = (name: string): Json | undefined => {
    const value = rest[name];
    delete rest[name];
    return value;
  };

  for (const name of ['$defs', 'definitions']) {
    const defs = take(name);
    if (defs === undefined) continue;
    const converted = isJsonObject(defs) ? each(defs, count) : undefined;
    if (converted === undefined) return undefined;
    out[name] = converted;
  }
  const ref = take('$ref');
  if (ref !== undefined) return typeof ref === 'string' ? { ...out, $ref: ref } : undefined;
  take('$schema');
  for (const name of ['title', 'description']) {
    const value = take(name);
    if (value !== undefined) out[name] = value;
  }
  const shaped = shape(take, count);
  if (shaped === undefined) return undefined;
  Object.assign(out, shaped);
  return described(out, rest);
}

type Take = (name: string) => Json | undefined;

/** The part that sampling can hold a model to. */
function shape(take: Take, count: Count): JsonObject | undefined {
  const type = take('type');
  const literals = take('enum');
  if (isJsonArray(literals)) return literals.every(isScalar) ? { enum: literals } : undefined;
  const literal = take('const');
  if (literal !== undefined) return isScalar(literal) ? { const: literal } : undefined;
  const union = take('anyOf') ?? take('oneOf');
  if (isJsonArray(union)) {
    count.unions++;
    const anyOf = union.map((one) => (isJsonObject(one) ? strict(one, count) : undefined));
    return anyOf.every((one) => one !== undefined) ? { anyOf } : undefined;
  }
  const all = take('allOf');
  if (isJsonArray(all)) {
    const [only] = all;
    return all.length === 1 && isJsonObject(only) ? strict(only, count) : undefined;
  }
  if (isJsonArray(type)) {
    // Several types at once: each with what belongs to it would be a union of its own.
    if (type.includes('object') || type.includes('array')) return undefined;
    count.unions++;
    return { type };
  }
  switch (type) {
    case 'object':
      return closed(take, count);
    case 'array': {
      const items = take('items');
      const converted = isJsonObject(items) ? strict(items, count) : undefined;
      if (converted === undefined) return undefined;
      return { type, items: converted, ...kept(take, 'minItems', (n) => n === 0 || n === 1) };
    }
    case 'string':
      return { type, ...kept(take, 'format', (name) => formats.has(name)) };
    case undefined:
      return undefined;
    default:
      return { type };
  }
}

function closed(take: Take, count: Count): JsonObject | undefined {
  const additional = take('additionalProperties');
  if (additional !== undefined && additional !== false) return undefined;
  const properties = take('properties') ?? {};
  if (!isJsonObject(properties)) return undefined;
  // An object without any is closed only where the schema says so; else it is one of any kind.
  if (Object.keys(properties).length === 0 && additional === undefined) return undefined;
  const converted = each(properties, count);
  if (converted === undefined) return undefined;
  const listed = take('required');
  const required = isJsonArray(listed) ? listed : [];
  count.optional += Object.keys(properties).filter((name) => !required.includes(name)).length;
  return { type: 'object', properties: converted, required, additionalProperties: false };
}

function each(schemas: JsonObject, count: Count): JsonObject | undefined {
  const out: { [key: string]: Json } = {};
  for (const [name, schema] of Object.entries(schemas)) {
    const converted = isJsonObject(schema) ? strict(schema, count) : undefined;
    if (converted === undefined) return undefined;
    out[name] = converted;
  }
  return out;
}

/** A constraint with a value that is supported stays; else it goes back, to be described. */
function kept(take: Take, name: string, supported: (value: Json) => boolean): JsonObject {
  const value = take(name);
  if (value === undefined) return {};
  return supported(value) ? { [name]: value } : { description: `{${name}: ${text(value)}}` };
}

function described(out: JsonObject, rest: JsonObject): JsonObject {
  const entries = Object.entries(rest).map(([name, value]) => `${name}: ${text(value)}`);
  if (entries.length === 0) return out;
  const before = typeof out['description'] === 'string' ? `${out['description']}\n\n` : '';
  return { ...out, description: `${before}{${entries.join(', ')}}` };
}

function text(value: Json): string {
  return JSON.stringify(value);
}

function isScalar(value: Json): boolean {
  return value === null || typeof value !== 'object';
}

/** Whether a reference comes back to itself, which no grammar of finite size can hold, or has nothing at its end. */
function leadsNowhere(root: JsonObject): boolean {
  // Each is followed once: definitions may refer to the next one twice, and that many levels deep.
  const ended = new Set<string>();
  const visit = (value: Json | undefined, above: readonly string[]): boolean => {
    if (isJsonArray(value)) return value.some((one) => visit(one, above));
    if (!isJsonObject(value)) return false;
    const ref = value['$ref'];
    if (typeof ref === 'string') {
      if (ended.has(ref)) return false;
      if (ref === '#' || above.includes(ref)) return true;
      const target = resolveRef(root, ref);
      if (target === undefined || visit(target, [...above, ref])) return true;
      ended.add(ref);
      return false;
    }
    return Object.entries(value).some(
      ([name, one]) => name !== '$defs' && name !== 'definitions' && visit(one, above),
    );
  };
  return visit(root, []);
}

/**
 * A schema as `input_schema` of any tool: its root must be an object and no union
 * (https://platform.claude.com/docs/en/agents-and-tools/tool-use/define-tools). The properties of the alternatives are
 * put together, and the alternatives themselves into the description.
 */
export function toolSchema(schema: JsonObject): JsonObject {
  const { $ref: ref, ...beside } = schema;
  const target = typeof ref === 'string' ? resolveRef(schema, ref) : undefined;
  const root = isJsonObject(target) ? { ...target, ...beside } : schema;
  const { anyOf, oneOf, allOf, ...rest } = root;
  if (anyOf === undefined && oneOf === undefined && allOf === undefined) {
    return root['type'] === 'object' ? root : { ...root, type: 'object' };
  }
  const all = isJsonArray(allOf) ? allOf.filter(isJsonObject) : [];
  const some = [anyOf, oneOf]
    .flatMap((list) => (isJsonArray(list) ? list : []))
    .filter(isJsonObject);
  const parts = [rest, ...all, ...some];
  const properties: { [name: string]: Json } = {};
  for (const part of parts) {
    if (isJsonObject(part['properties'])) Object.assign(properties, part['properties']);
  }
  const required = [rest, ...all].flatMap(({ required: names }) =>
    isJsonArray(names) ? names : [],
  );
  const said = described(rest, {
    ...(anyOf === undefined ? {} : { anyOf }),
    ...(oneOf === undefined ? {} : { oneOf }),
    ...(allOf === undefined ? {} : { allOf }),
  });
  return { ...said, type: 'object', properties, ...(required.length === 0 ? {} : { required }) };
}
