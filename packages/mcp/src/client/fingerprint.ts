import { createHash } from 'node:crypto';
import { canonicalJson, toJson } from '@agent-functions/core';
import type { ToolDefinition } from './definition.ts';

/** What a tool's definition is recognised by: everything that a model, a person or the engine decides on. */
export function fingerprint(definition: ToolDefinition): string {
  const { name, title, description, inputSchema, outputSchema, annotations } = definition;
  const decided = { name, title, description, inputSchema, outputSchema, annotations };
  return createHash('sha256')
    .update(canonicalJson(toJson(decided)))
    .digest('hex')
    .slice(0, 32);
}
