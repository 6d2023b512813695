import {
  isJsonArray,
  isJsonObject,
  type Json,
  type JsonObject,
  type ModelRequest,
  type ModelSettings,
  type OutputSpec,
  type ToolSpec,
} from '@agent-functions/core';
import { defaultMaxTokens, type ModelTraits } from './known-models.ts';
import { field } from './messages/content.ts';
import { toConversation, type LeavesOut } from './messages/conversation.ts';
import { withCacheMarks } from './messages/prompt-cache.ts';
import { strictLimits, strictSchema, toolSchema, type StrictSchema } from './messages/schema.ts';
import { thinkingOf } from './messages/thinking.ts';
import type { Warning } from './warning.ts';

/** A request body, its beta features, and what the wire could not say. */
export interface WireRequest {
  readonly body: JsonObject;
  readonly betas: readonly string[];
  readonly warnings: readonly Warning[];
}

/** What a converter must know beside the request. */
export interface RequestContext {
  readonly model: string;
  readonly traits: ModelTraits;
  readonly betas: readonly string[];
  readonly cache: '5m' | '1h' | undefined;
  readonly extraBody: JsonObject;
  readonly leavesOut: LeavesOut;
}

/** The body of `POST /v1/messages` (https://platform.claude.com/docs/en/api/messages/create). Pure. */
export function toRequest(request: ModelRequest, context: RequestContext): WireRequest {
  const { settings } = request;
  const { traits } = context;
  const warnings: Warning[] = [];
  const { betas, ...options } = settings.providerOptions?.['anthropic'] ?? {};
  const conversation = toConversation(request.messages, context.leavesOut, warnings);
  const { tools, format, instructions } = schemasOf(request, context, warnings);
  const choice = toolChoice(request, traits, warnings);
  const forced = isForced(choice);
  const streaming = settings.streaming !== false;
  const maxTokens = settings.maxTokens ?? defaultMaxTokens(traits, streaming);
  const effort = settings.reasoning?.effort;
  const reasoning = thinkingOf(effort, traits, maxTokens, forced, warnings);
  const output = { ...field('effort', reasoning.effort), ...field('format', format) };
  const system = [request.instructions ?? '', ...conversation.system, instructions ?? '']
    .filter((text) => text.trim() !== '')
    .map((text): JsonObject => ({ type: 'text', text }));
  warnings.push(...unsaidSettings(settings));

  const body: JsonObject = {
    model: context.model,
    max_tokens: maxTokens,
    ...(system.length === 0 ? {} : { system }),
    messages: conversation.turns.map(({ role, content }): JsonObject => ({ role, content })),
    ...(tools.length === 0 ? {} : { tools }),
    ...field('tool_choice', choice),
    ...field('thinking', reasoning.thinking),
    ...(Object.keys(output).length === 0 ? {} : { output_config: output }),
    ...stopSequences(settings, warnings),
    stream: streaming,
  };
  const cached = context.cache === undefined ? body : withCacheMarks(body, context.cache);
  const more = isJsonArray(betas) ? betas.filter((one) => typeof one === 'string') : [];
  return {
    body: withExtras(cached, options, context.extraBody),
    betas: [...new Set([...context.betas, ...more])],
    warnings,
  };
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
  { traits }: RequestContext,
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

/** Without tools the API refuses the field. */
function toolChoice(
  request: ModelRequest,
  traits: ModelTraits,
  warnings: Warning[],
): JsonObject | undefined {
  const { toolChoice: choice, parallelToolCalls } = request.settings;
  if (request.tools.length === 0) return undefined;
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

/** A sequence needs more than white space in it. */
function stopSequences({ stop = [] }: ModelSettings, warnings: Warning[]): JsonObject {
  const taken = stop.filter((one) => one.trim() !== '');
  if (taken.length < stop.length) {
    warnings.push(unsupportedSetting('stop of white space alone', 'Use one with other letters.'));
  }
  return taken.length === 0 ? {} : { stop_sequences: taken };
}

/** Settings that the API does not have (version 2026-10-21 took the first two away). */
function unsaidSettings(settings: ModelSettings): readonly Warning[] {
  const { temperature, topP, seed } = settings;
  const sampling =
    "Ask for what it was to achieve in the instructions; for a model of before 4.7 write it into providerOptions.anthropic, with headers: { 'anthropic-version': '2023-06-01' }.";
  return [
    ...(temperature === undefined ? [] : [unsupportedSetting('temperature', sampling)]),
    ...(topP === undefined ? [] : [unsupportedSetting('topP', sampling)]),
    ...(seed === undefined ? [] : [unsupportedSetting('seed', 'Leave it out.')]),
  ];
}

function unsupportedSetting(name: string, instead: string): Warning {
  return {
    type: 'warning',
    code: 'unsupported-setting',
    message: `The setting ${name} was not sent: the Messages API does not have it. ${instead}`,
  };
}

/** Puts what the caller wrote by hand over a body: objects merge one level deep, arrays are appended, the rest replaces. */
function withExtras(body: JsonObject, ...extras: readonly JsonObject[]): JsonObject {
  const out: { [key: string]: Json } = { ...body };
  for (const extra of extras) {
    for (const [key, value] of Object.entries(extra)) {
      const before = out[key];
      if (isJsonArray(before) && isJsonArray(value)) out[key] = [...before, ...value];
      // Another way to think has other fields.
      else if (isJsonObject(before) && isJsonObject(value) && key !== 'thinking') {
        out[key] = { ...before, ...value };
      } else out[key] = value;
    }
  }
  return out;
}
