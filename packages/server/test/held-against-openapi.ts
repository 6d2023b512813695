import { isJsonArray, isJsonObject, type Json, type JsonObject } from '@agent-functions/core';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { schemas } from '../src/response-schemas.ts';

/** What was answered to what. */
interface Exchanged {
  readonly method: string;
  /** Without its query. */
  readonly path: string;
  readonly status: number;
  readonly contentType: string;
  readonly text: string;
}

/** A check of answers against an OpenAPI document; it throws with what is wrong. */
export function heldAgainst(document: JsonObject): (answer: Exchanged) => void {
  const paths = Object.entries(objectAt(document, 'paths')).map(([path, operations]) => ({
    pattern: new RegExp(`^${path.replaceAll('.', '\\.').replaceAll(/\{\w+\}/g, '[^/]+')}$`),
    literal: !path.includes('{'),
    operations,
  }));
  paths.sort((a, b) => Number(b.literal) - Number(a.literal));
  return ({ method, path, status, contentType, text }) => {
    const operations = paths.find(({ pattern }) => pattern.test(path))?.operations;
    const operation = isJsonObject(operations) ? operations[method.toLowerCase()] : undefined;
    // A path or a method that is not served.
    if (!isJsonObject(operation)) return;
    const what = `${method} ${path} ${status}`;
    const response = objectAt(operation, 'responses')[String(status)];
    if (!isJsonObject(response))
      throw new Error(`${what}: the document has no such status: ${text}`);
    if (text === '' && !('content' in response)) return;
    const media = contentType.split(';')[0] ?? '';
    const content = objectAt(response, 'content')[media];
    if (!isJsonObject(content)) throw new Error(`${what}: the document has no ${contentType}`);
    if (media === 'text/event-stream') return;
    const schema = objectAt(content, 'schema');
    const name = typeof schema['$ref'] === 'string' ? (schema['$ref'].split('/').at(-1) ?? '') : '';
    if (name === '') return;
    const validate = validatorOf(name);
    if (!validate(JSON.parse(text))) {
      throw new Error(`${what} is no ${name}: ${JSON.stringify(validate.errors)}\n${text}`);
    }
  };
}

const validators = new Map<string, ValidateFunction>();
let ajv: Ajv2020 | undefined;

/** A validator of a component, for which every property that it does not name is one too many. */
function validatorOf(name: string): ValidateFunction {
  let validate = validators.get(name);
  if (validate === undefined) {
    ajv ??= newAjv();
    validate = ajv.compile({ $ref: `https://agents.test/openapi#/components/schemas/${name}` });
    validators.set(name, validate);
  }
  return validate;
}

function newAjv(): Ajv2020 {
  const made = new Ajv2020({ strict: false, allErrors: true });
  addFormats.default(made);
  made.addSchema({ $id: 'https://agents.test/openapi', components: { schemas: closed(schemas) } });
  return made;
}

function closed(schema: Json): Json {
  if (isJsonArray(schema)) return schema.map(closed);
  if (!isJsonObject(schema)) return schema;
  const inner: JsonObject = Object.fromEntries(
    Object.entries(schema).map(([key, value]) => [key, closed(value)]),
  );
  return isJsonObject(schema['properties']) && !('additionalProperties' in schema)
    ? { additionalProperties: false, ...inner }
    : inner;
}

export function objectAt(object: JsonObject, key: string): JsonObject {
  const value = object[key];
  if (!isJsonObject(value)) throw new Error(`${key} is no object: ${JSON.stringify(value)}`);
  return value;
}
