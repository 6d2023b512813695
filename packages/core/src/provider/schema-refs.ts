import { isJsonArray, isJsonObject, type Json, type JsonObject } from '../json.ts';
import type { ModelRequest } from '../model.ts';
import type { Warning } from './warning.ts';

/** What a reference leads to inside of its schema: `#`, or a JSON pointer (RFC 6901) such as `#/$defs/Place`. */
export function resolveRef(root: JsonObject, ref: string): Json | undefined {
  if (!ref.startsWith('#')) return undefined;
  let at: Json | undefined = root;
  for (const step of ref.slice(1).split('/').filter(Boolean)) {
    const name = unescaped(step);
    if (isJsonArray(at)) at = at[Number(name)];
    else at = isJsonObject(at) && Object.hasOwn(at, name) ? at[name] : undefined;
  }
  return at;
}

function unescaped(step: string): string {
  let name = step;
  try {
    name = decodeURIComponent(step);
  } catch {
    // A percent sign that stands for itself.
  }
  return name.replaceAll('~1', '/').replaceAll('~0', '~');
}

/** Looked for once: tools and outputs are built once per agent and frozen. */
const looked = new WeakMap<JsonObject, readonly string[]>();

/** The references of a schema that lead to nothing in it, each once: to a definition that it has not, or out of it. */
export function danglingRefs(schema: JsonObject): readonly string[] {
  const known = looked.get(schema);
  if (known !== undefined) return known;
  const dangling = new Set<string>();
  const anchors = new Set<string>();
  const refs = new Set<string>();
  visit(schema, anchors, refs);
  for (const ref of refs) {
    if (resolveRef(schema, ref) === undefined && !anchors.has(ref)) dangling.add(ref);
  }
  const found = [...dangling];
  looked.set(schema, found);
  return found;
}

/** Values, not schemas: what looks like a reference there is none. */
const values: ReadonlySet<string> = new Set(['const', 'enum', 'default', 'examples']);

function visit(value: Json, anchors: Set<string>, refs: Set<string>): void {
  if (isJsonArray(value)) {
    for (const one of value) visit(one, anchors, refs);
  } else if (isJsonObject(value)) {
    for (const [key, one] of Object.entries(value)) {
      if (key === '$ref' && typeof one === 'string') refs.add(one);
      else if (key === '$anchor' && typeof one === 'string') anchors.add(`#${one}`);
      else if (key === '$id' && typeof one === 'string') anchors.add(one);
      else if (!values.has(key)) visit(one, anchors, refs);
    }
  }
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
