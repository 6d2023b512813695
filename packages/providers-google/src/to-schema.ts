import { isJsonArray, isJsonObject, type Json, type JsonObject } from '@agent-functions/core';
import { danglingRefs } from '@agent-functions/core/provider';
import { cyclicRefs, refPath, refsIn } from './schema-refs.ts';

/** A schema as Gemini takes it, and what of the given one it cannot say. */
export interface WireSchema {
  readonly schema: JsonObject;
  /** The keywords that were left out, each once. */
  readonly unsaid: readonly string[];
}

/** Converted once: tools and outputs are built once per agent and frozen. */
const converted = new WeakMap<JsonObject, WireSchema>();

/**
 * A JSON Schema within what `parametersJsonSchema` and `responseJsonSchema` take (the list is in the docstring of
 * `responseJsonSchema` in `@google/genai`, dist/genai.d.ts). What only limits a value (`pattern`, `minLength`, `default`)
 * is said in the description, where the model reads it; what cannot be said so is left out and listed. Pure.
 */
export function toSchema(schema: JsonObject): WireSchema {
  const known = converted.get(schema);
  if (known !== undefined) return known;
  const writer: Writer = {
    unsaid: new Set(),
    cyclic: cyclicRefs(schema),
    dangling: danglingRefs(schema),
    inCycle: false,
  };
  const wire = { schema: toWire(schema, writer, '#'), unsaid: [...writer.unsaid] };
  converted.set(schema, wire);
  return wire;
}

interface Writer {
  readonly unsaid: Set<string>;
  /** The definitions that come back to themselves. */
  readonly cyclic: ReadonlySet<string>;
  /** References that lead to nothing: the API refuses them. What they stand for may be any value. */
  readonly dangling: readonly string[];
  /** What is written belongs to one of the definitions that come back. */
  readonly inCycle: boolean;
}

/** Taken as they are. */
const taken = new Set([
  '$id',
  '$anchor',
  'type',
  'title',
  'minItems',
  'maxItems',
  'minimum',
  'maximum',
  'required',
  'propertyOrdering',
]);
/** Of no weight for the model. */
const weightless = new Set([
  '$schema',
  '$comment',
  'deprecated',
  'readOnly',
  'writeOnly',
  'nullable',
]);
/** Limits on a value, said in words. */
const described = new Set([
  'pattern',
  'minLength',
  'maxLength',
  'exclusiveMinimum',
  'exclusiveMaximum',
  'multipleOf',
  'uniqueItems',
  'minProperties',
  'maxProperties',
  'contentEncoding',
  'contentMediaType',
  'default',
  'examples',
]);
const formats: readonly Json[] = ['date-time', 'date', 'time', 'int32', 'int64', 'float', 'double'];

type Out = { [key: string]: Json };

function toWire(given: JsonObject, writer: Writer, path: string): JsonObject {
  const inside = path === '#' || path.startsWith('#/$defs/');
  const within = inside ? { ...writer, inCycle: writer.cyclic.has(path) } : writer;
  const schema = withoutAllOf(given, within);
  const out: Out = {};
  const notes: Out = {};
  for (const [key, value] of Object.entries(schema)) write(key, value, schema, out, notes, within);
  if (within.inCycle) loosen(out, within);
  describe(out, notes);
  return alone(out, within);
}

function write(
  key: string,
  value: Json,
  schema: JsonObject,
  out: Out,
  notes: Out,
  writer: Writer,
): void {
  if (taken.has(key)) out[key] = value;
  else if (described.has(key)) notes[key] = value;
  else if (!weightless.has(key)) convert(key, value, schema, out, notes, writer);
}

function convert(
  key: string,
  value: Json,
  schema: JsonObject,
  out: Out,
  notes: Out,
  writer: Writer,
): void {
  switch (key) {
    case 'description':
      if (typeof value === 'string') out[key] = value;
      return;
    case '$ref':
      if (typeof value !== 'string') out[key] = value;
      else if (!writer.dangling.includes(value)) out[key] = refPath(value);
      return;
    case 'const':
      enumerated([value], out);
      return;
    case 'enum':
      enumerated(isJsonArray(value) ? value : [value], out);
      return;
    case 'format':
      if (formats.includes(value)) out[key] = value;
      else notes[key] = value;
      return;
    case 'properties':
      out[key] = each(value, writer, '');
      return;
    case '$defs':
    case 'definitions':
      out['$defs'] = each(value, writer, '#/$defs/');
      return;
    case 'items':
      // An array of schemas is how older drafts say `prefixItems`; then `additionalItems` is the rest.
      if (isJsonArray(value)) out['prefixItems'] = value.map((one) => sub(one, writer));
      else rest(value, schema['prefixItems'], out, writer);
      return;
    case 'additionalItems':
      if (isJsonArray(schema['items'])) rest(value, schema['items'], out, writer);
      return;
    case 'propertyNames':
      // That names are texts is what schema libraries print of every map.
      if (JSON.stringify(value) !== '{"type":"string"}') writer.unsaid.add(key);
      return;
    case 'prefixItems':
    case 'anyOf':
    case 'oneOf':
      out[key] = isJsonArray(value) ? value.map((one) => sub(one, writer)) : [];
      return;
    case 'additionalProperties':
      out[key] = typeof value === 'boolean' ? value : sub(value, writer);
      return;
    default:
      writer.unsaid.add(key);
  }
}

/** What comes after the first items of a tuple: `false`, nothing, is an end to their count. */
function rest(value: Json, first: Json | undefined, out: Out, writer: Writer): void {
  if (value === false && isJsonArray(first)) out['maxItems'] ??= first.length;
  else out['items'] = sub(value, writer);
}

/** `true` is anything; `false`, nothing, has no form. */
function sub(value: Json, writer: Writer): JsonObject {
  if (isJsonObject(value)) return toWire(value, writer, '');
  if (value === false) writer.unsaid.add('false');
  return {};
}

function each(schemas: Json, writer: Writer, path: string): JsonObject {
  const out: Out = {};
  if (!isJsonObject(schemas)) return out;
  for (const [name, schema] of Object.entries(schemas)) {
    out[name] =
      isJsonObject(schema) && path !== ''
        ? toWire(schema, writer, path + name)
        : sub(schema, writer);
  }
  return out;
}

/** Gemini's `enum` holds strings and numbers; booleans and null are types. */
function enumerated(values: readonly Json[], out: Out): void {
  const listed = values.filter((one) => typeof one === 'string' || typeof one === 'number');
  const booleans = values.filter((one) => typeof one === 'boolean');
  const nulls = values.includes(null);
  const options: JsonObject[] = [];
  if (listed.length > 0) {
    const type = listed.every((one) => typeof one === 'string') ? 'string' : 'number';
    const mixed = type === 'number' && !listed.every((one) => typeof one === 'number');
    options.push(mixed ? { enum: listed } : { type, enum: listed });
  }
  if (booleans.length > 0) {
    const only = new Set(booleans).size === 1;
    options.push({
      type: 'boolean',
      ...(only ? { description: `Always ${String(booleans[0])}.` } : {}),
    });
  }
  if (nulls) options.push({ type: 'null' });
  const [first] = options;
  if (options.length > 1) {
    delete out['type'];
    out['anyOf'] = options;
  } else if (first !== undefined) {
    const type = out['type'] ?? first['type'];
    Object.assign(out, first, type === undefined ? {} : { type });
  }
}

/** Schemas that must all hold, as one, where no two say different things of the same. */
function withoutAllOf(schema: JsonObject, writer: Writer): JsonObject {
  const { allOf, ...rest } = schema;
  if (!isJsonArray(allOf)) return schema;
  let merged: JsonObject = rest;
  for (const one of allOf) {
    if (!isJsonObject(one)) continue;
    const next = both(merged, withoutAllOf(one, writer));
    if (next === undefined) writer.unsaid.add('allOf');
    else merged = next;
  }
  return merged;
}

function both(a: JsonObject, b: JsonObject): JsonObject | undefined {
  const out: Out = { ...a };
  for (const [key, value] of Object.entries(b)) {
    const before = out[key];
    if (before === undefined || JSON.stringify(before) === JSON.stringify(value)) out[key] = value;
    else if (key === 'required' && isJsonArray(before) && isJsonArray(value)) {
      out[key] = [...new Set([...before, ...value])];
    } else if (key === 'properties' && isJsonObject(before) && isJsonObject(value)) {
      const joined = both(before, value);
      if (joined === undefined) return undefined;
      out[key] = joined;
    } else if (key !== 'description' && key !== 'title') return undefined;
  }
  return out;
}

/** A cycle may only run through properties that are not required. */
function loosen(out: Out, { cyclic }: Writer): void {
  const { required, properties } = out;
  if (!isJsonArray(required) || !isJsonObject(properties)) return;
  out['required'] = required.filter(
    (name) =>
      typeof name !== 'string' ||
      !refsIn(properties[name] ?? null).some((target) => cyclic.has(target)),
  );
}

function describe(out: Out, notes: Out): void {
  const entries = Object.entries(notes);
  if (entries.length === 0) return;
  const words = entries.map(([key, value]) => `${key}: ${JSON.stringify(value)}`).join(', ');
  const { description } = out;
  out['description'] =
    typeof description === 'string' && description !== '' ? `${description} (${words})` : words;
}

/** Beside `$ref` only keywords that begin with `$` may stand. */
function alone(out: Out, { unsaid }: Writer): JsonObject {
  const { $ref, ...rest } = out;
  if ($ref === undefined || Object.keys(rest).every((key) => key.startsWith('$'))) return out;
  if (rest['anyOf'] === undefined) return { ...rest, anyOf: [{ $ref }] };
  unsaid.add('$ref');
  return rest;
}
