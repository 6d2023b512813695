import type { JsonObject } from '@agent-functions/core';

/** A text of the request's context; `otherwise` where there is none. */
export function told(context: JsonObject, key: string, otherwise = 'unknown'): string {
  const value = context[key];
  return typeof value === 'string' ? value : otherwise;
}
