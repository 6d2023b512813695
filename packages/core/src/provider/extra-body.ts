import { isJsonArray, isJsonObject, type Json, type JsonObject } from '../json.ts';

/** Puts what a caller wrote by hand over a body: objects merge one level deep, arrays are appended, the rest replaces. */
export function withExtras(
  body: JsonObject,
  ...extras: readonly (JsonObject | undefined)[]
): JsonObject {
  const out: { [key: string]: Json } = { ...body };
  for (const extra of extras) {
    for (const [key, value] of Object.entries(extra ?? {})) {
      const before = out[key];
      if (isJsonArray(before) && isJsonArray(value)) out[key] = [...before, ...value];
      else if (isJsonObject(before) && isJsonObject(value)) out[key] = { ...before, ...value };
      else out[key] = value;
    }
  }
  return out;
}
