import { isJsonArray, isJsonObject, type Json, type JsonObject } from '@agent-functions/core';

/** A reference as newer drafts write it. */
export function refPath(ref: string): string {
  return ref.replace('#/definitions/', '#/$defs/');
}

/** What a schema refers to, its definitions aside. */
export function refsIn(value: Json): string[] {
  if (isJsonArray(value)) return value.flatMap((one) => refsIn(one));
  if (!isJsonObject(value)) return [];
  return Object.entries(value).flatMap(([key, one]) =>
    key === '$ref' && typeof one === 'string'
      ? [refPath(one)]
      : key === '$defs' || key === 'definitions'
        ? []
        : refsIn(one),
  );
}

/** The definitions that come back to themselves, `#` for the whole. */
export function cyclicRefs(schema: JsonObject): ReadonlySet<string> {
  const edges = new Map<string, readonly string[]>([['#', refsIn(schema)]]);
  for (const key of ['$defs', 'definitions']) {
    const definitions = schema[key];
    if (!isJsonObject(definitions)) continue;
    for (const [name, one] of Object.entries(definitions))
      edges.set(`#/$defs/${name}`, refsIn(one));
  }
  const cyclic = new Set<string>();
  for (const start of edges.keys()) {
    const open = [...(edges.get(start) ?? [])];
    const seen = new Set<string>();
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      if (at === start) {
        cyclic.add(start);
        break;
      }
      if (seen.has(at)) continue;
      seen.add(at);
      open.push(...(edges.get(at) ?? []));
    }
  }
  return cyclic;
}
