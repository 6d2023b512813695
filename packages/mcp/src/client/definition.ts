import { isJsonObject, toJson, type JsonObject } from '@agent-functions/core';
import { isRecord, listOf, recordOf, stringOf } from '@agent-functions/core/provider';

/** A tool as its server defines it, looked at. */
export interface ToolDefinition {
  readonly name: string;
  readonly title?: string | undefined;
  readonly description: string;
  readonly inputSchema: JsonObject;
  readonly outputSchema?: JsonObject | undefined;
  readonly annotations: JsonObject;
}

/** One page of `tools/list`. What is no tool is left out. */
export function toPage(answer: unknown): {
  readonly tools: readonly ToolDefinition[];
  readonly nextCursor?: string | undefined;
} {
  const { tools, nextCursor } = recordOf(answer);
  return {
    tools: listOf(tools).flatMap((one) => toDefinition(one) ?? []),
    nextCursor: stringOf(nextCursor),
  };
}

function toDefinition(value: unknown): ToolDefinition | undefined {
  if (!isRecord(value)) return undefined;
  const { name, title, description, inputSchema, outputSchema, annotations } = value;
  const input = objectOf(inputSchema);
  if (typeof name !== 'string' || name === '' || input === undefined) return undefined;
  return {
    name,
    title: stringOf(title) ?? stringOf(recordOf(annotations)['title']),
    description: stringOf(description) ?? '',
    inputSchema: input['type'] === 'object' ? input : { ...input, type: 'object' },
    outputSchema: objectOf(outputSchema),
    annotations: objectOf(annotations) ?? {},
  };
}

function objectOf(value: unknown): JsonObject | undefined {
  if (!isRecord(value)) return undefined;
  const json = toJson(value);
  return isJsonObject(json) ? json : undefined;
}
