import { isJsonArray, isJsonObject, type Json, type JsonObject } from '../json.ts';
import type { ModelRequest } from '../model.ts';
import type { Warning } from './warning.ts';

/** What a reference leads to inside of its schema: `#`, or a JSON pointer (RFC 6901) such as `#/$defs/Place`. */
export function resolveRef(root: JsonObject, ref: string): Json | undefined {
  if (!ref.startsWith('#')) return undefined;
  let at: Json | undefined = root;
  for (const step of unescaped(ref).split('/').slice(1)) {
    const name = step.replaceAll('~1', '/').replaceAll('~0', '~');
    if (isJsonArray(at)) at = at[Number(name)];
    else at = isJsonObject(at) && Object.hasOwn(at, name) ? at[name] : undefined;
  }
  return at;
}

function unescaped(ref: string): string {
  try {
    return decodeURIComponent(ref);
  } catch {
    return ref; // A percent sign that stands for itself.
  }
}

/** Looked for once: tools and outputs are built once per agent and frozen. */
const looked = new WeakMap<JsonObject, readonly string[]>();

/** The references of a schema that lead to nothing in it, each once: to a definition that it has not, or out of it. */
export function danglingRefs(schema: JsonObject): readonly string[] {
  let found = looked.get(schema);
  if (found === undefined) {
    // An anchor (`#place`) may stand anywhere, and leads to the whole here.
    found = [...new Set(refsIn(schema))].filter((ref) => resolveRef(schema, ref) === undefined);
    looked.set(schema, found);
  }
  return found;
}

/** Values, not schemas: what looks like a reference there is none. */
const values = ['const', 'enum', 'default', 'examples'];

function refsIn(value: Json): string[] {
  if (isJsonArray(value)) return value.flatMap(refsIn);
  if (!isJsonObject(value)) return [];
  return Object.entries(value).flatMap(([key, one]) => {
    if (key === '$ref' && typeof one === 'string') return [one];
    return values.includes(key) ? [] : refsIn(one);
  });
}

/** A warning for each schema of a request with references that lead to nothing: there the model may write what it likes. */
export function danglingWarnings({ tools, output }: ModelRequest): readonly Warning[] {
  return [
    ...tools.flatMap(({ name, inputSchema }) => warningOf(`the tool ${name}`, inputSchema)),
    ...(output === undefined ? [] : warningOf(`the output ${output.name}`, output.schema)),
  ];
}

function warningOf(what: string, schema: JsonObject): readonly Warning[] {
  const refs = danglingRefs(schema);
  if (refs.length === 0) return [];
  const names = refs.slice(0, 5).map((ref) => JSON.stringify(ref.slice(0, 100)));
  return [
    {
      type: 'warning',
      code: 'unsupported-schema',
      message: `The schema of ${what} refers to ${names.join(', ')}, which it does not hold: the model was not told what may stand there. Put the definition into the schema.`,
    },
  ];
}
