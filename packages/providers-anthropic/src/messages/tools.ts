import {
  isJsonObject,
  type Json,
  type JsonObject,
  type ModelRequest,
  type OutputSpec,
  type ToolSpec,
} from '@agent-functions/core';
import type { Warning } from '@agent-functions/core/provider';
import type { ModelTraits } from '../known-models.ts';
import type { Turn } from './conversation.ts';
import { strictLimits, strictSchema, toolSchema, type StrictSchema } from './schema.ts';

/** Tools, the choice among them, and the form of the answer. */
export interface WireTools extends WireSchemas {
  readonly choice: JsonObject | undefined;
}

/** What a request says of tools and output. The conversation is needed for the tools that it called. */
export function toTools(
  request: ModelRequest,
  turns: readonly Turn[],
  traits: ModelTraits,
  warnings: Warning[],
): WireTools {
  const schemas = schemasOf(request, traits, warnings);
  if (request.tools.length > 0) {
    return { ...schemas, choice: toolChoice(request, traits, warnings) };
  }
  const tools = calledTools(turns);
  return { ...schemas, tools, choice: tools.length === 0 ? undefined : { type: 'none' } };
}

interface WireSchemas {
  readonly tools: readonly JsonObject[];
  /** `output_config.format`. */
  readonly format: JsonObject | undefined;
  /** What the instructions must say of the output, where no format can. */
  readonly instructions: string | undefined;
}

/** Converted once: tools and outputs are built once per agent and frozen. */
const strictSchemas = new WeakMap<JsonObject, StrictSchema | false>();
const plainTools = new WeakMap<ToolSpec, JsonObject>();

function strictOf(schema: JsonObject): StrictSchema | false {
  const known = strictSchemas.get(schema);
  if (known !== undefined) return known;
  const made = strictSchema(schema) ?? false;
  strictSchemas.set(schema, made);
  return made;
}

/** Tools and output, as strict as the limits of one request allow; the output comes first. */
function schemasOf(
  { tools, output }: ModelRequest,
  traits: ModelTraits,
  warnings: Warning[],
): WireSchemas {
  const left = { ...strictLimits } as { tools: number; optional: number; unions: number };
  const strict = (schema: JsonObject): JsonObject | undefined => {
    const made = traits.structured && strictOf(schema);
    if (made === false || made.optional > left.optional || made.unions > left.unions) {
      return undefined;
    }
    left.optional -= made.optional;
    left.unions -= made.unions;
    return made.schema;
  };
  const formatSchema = output === undefined ? undefined : strict(output.schema);
  const wireTools = tools.map((tool): JsonObject => {
    const isObject = tool.inputSchema['type'] === 'object';
    const schema = tool.strict && isObject && left.tools > 0 ? strict(tool.inputSchema) : undefined;
    if (schema === undefined) return plainTool(tool);
    left.tools--;
    return { name: tool.name, description: tool.description, input_schema: schema, strict: true };
  });
  if (output === undefined || formatSchema !== undefined) {
    const format = formatSchema && { type: 'json_schema', schema: formatSchema };
    return { tools: wireTools, format, instructions: undefined };
  }
  warnings.push(unsupportedOutput(output));
  return { tools: wireTools, format: undefined, instructions: outputInstructions(output) };
}

function plainTool(tool: ToolSpec): JsonObject {
  const known = plainTools.get(tool);
  if (known !== undefined) return known;
  const { name, description } = tool;
  const wire: JsonObject = {
    name,
    ...(description === '' ? {} : { description }),
    input_schema: toolSchema(tool.inputSchema),
  };
  plainTools.set(tool, wire);
  return wire;
}

function outputInstructions({ schema }: OutputSpec): string {
  return `Answer with JSON only, without Markdown around it, that is valid by this JSON Schema:\n${JSON.stringify(schema)}`;
}

function unsupportedOutput({ name }: OutputSpec): Warning {
  return {
    type: 'warning',
    code: 'unsupported-schema',
    message: `The schema of the output ${name} cannot be guaranteed by this model (a map, recursion, a value of any type, or too many optional properties): it was put into the instructions instead.`,
  };
}

/** Left out where it says what holds anyway. */
function toolChoice(
  request: ModelRequest,
  traits: ModelTraits,
  warnings: Warning[],
): JsonObject | undefined {
  const { toolChoice: choice, parallelToolCalls } = request.settings;
  const one = parallelToolCalls === false ? { disable_parallel_tool_use: true } : {};
  if (choice === 'none') return { type: 'none' };
  if (choice === undefined || choice === 'auto') {
    return choice === undefined && parallelToolCalls !== false
      ? undefined
      : { type: 'auto', ...one };
  }
  if (!traits.forcedTools) {
    warnings.push(unsupportedChoice);
    return parallelToolCalls === false ? { type: 'auto', ...one } : undefined;
  }
  return choice === 'required'
    ? { type: 'any', ...one }
    : { type: 'tool', name: choice.name, ...one };
}

export const unsupportedChoice: Warning = {
  type: 'warning',
  code: 'unsupported-setting',
  message:
    'The setting toolChoice was not sent: this model cannot be made to call a tool. Say in the instructions when to call it.',
};

export function isForced(choice: Json | undefined): boolean {
  return isJsonObject(choice) && (choice['type'] === 'any' || choice['type'] === 'tool');
}

/**
 * The tools that a conversation called, for a request that has none: the API wants calls declared. Their schemas do not
 * matter, because none may be called.
 */
function calledTools(turns: readonly Turn[]): readonly JsonObject[] {
  const names = turns
    .flatMap(({ content }) => content)
    .flatMap(({ type, name }) => (type === 'tool_use' && typeof name === 'string' ? [name] : []));
  return [...new Set(names)].map((name) => ({ name, input_schema: { type: 'object' } }));
}
