import {
  isJsonObject,
  textOf,
  type Json,
  type JsonObject,
  type ModelRequest,
  type ModelSettings,
  type ToolSpec,
} from '@agent-functions/core';
import { danglingWarnings, withExtras, type Warning } from '@agent-functions/core/provider';
import type { Backend } from './endpoint.ts';
import { capabilitiesOf, isModern, thinkingOf, traitsOf } from './model-traits.ts';
import { provider } from './options.ts';
import { toContents } from './to-contents.ts';
import { toSchema } from './to-schema.ts';
import { unsupportedSetting } from './warning.ts';

/** A request body, how it is sent, and what the wire could not say. */
export interface WireRequest {
  readonly body: JsonObject;
  readonly streaming: boolean;
  readonly warnings: readonly Warning[];
}

/** What the converter must know beside the request. */
export interface RequestContext {
  readonly model: string;
  readonly backend: Backend;
  readonly extraBody: JsonObject;
}

/**
 * The body of `models.generateContent` (https://ai.google.dev/api/generate-content) and of Vertex AI's method of the same
 * name, as the wire has it. Pure.
 */
export function toRequest(request: ModelRequest, context: RequestContext): WireRequest {
  const { settings, output, tools } = request;
  const traits = traitsOf(context.model);
  const warnings: Warning[] = [...danglingWarnings(request)];
  const native = tools.length === 0 || capabilitiesOf(traits)?.toolsWithStructuredOutput !== false;
  const schema =
    output === undefined || !native ? undefined : wireSchema(output.schema, 'the output', warnings);
  const config: JsonObject = {
    ...sampling(settings, warnings),
    ...thinking(settings, context.model, warnings),
    ...(schema === undefined
      ? {}
      : { responseMimeType: 'application/json', responseJsonSchema: schema }),
  };
  if (output !== undefined && !native) {
    warnings.push({
      type: 'warning',
      code: 'output-by-instruction',
      message: `${context.model} takes no response schema beside tools: the form of the answer was asked for in the instructions. Gemini 3 and later take both.`,
    });
  }
  const instructions = systemText(request, native ? undefined : output?.schema);
  const toolConfig = toToolConfig(request, warnings);
  const body: JsonObject = {
    contents: toContents(request.messages, {
      backend: context.backend,
      modern: isModern(traits),
      wantsSignatures: traits.generation !== undefined && traits.generation >= 3,
      warnings,
    }),
    ...(instructions === '' ? {} : { systemInstruction: { parts: [{ text: instructions }] } }),
    ...(tools.length === 0
      ? {}
      : { tools: [{ functionDeclarations: tools.map((one) => toTool(one, warnings)) }] }),
    ...(toolConfig === undefined ? {} : { toolConfig }),
    ...(Object.keys(config).length === 0 ? {} : { generationConfig: config }),
  };
  return {
    body: withExtras(body, settings.providerOptions?.[provider], context.extraBody),
    streaming: settings.streaming !== false,
    warnings,
  };
}

/** Instructions, what `system` messages say (the wire has no such role), and a form that can be asked for only in words. */
function systemText(request: ModelRequest, schema: JsonObject | undefined): string {
  const system = request.messages.filter(({ role }) => role === 'system').map(textOf);
  const form =
    schema === undefined
      ? []
      : [
          `Your final answer is one JSON value, without any text or code fence around it, that this JSON Schema describes:\n${JSON.stringify(schema)}`,
        ];
  return [request.instructions ?? '', ...system, ...form].filter((one) => one !== '').join('\n\n');
}

// The API takes up to five (https://ai.google.dev/api/generate-content#generationconfig).
const maxStops = 5;

function sampling(settings: ModelSettings, warnings: Warning[]): JsonObject {
  const { temperature, topP, maxTokens, stop, seed } = settings;
  if (stop !== undefined && stop.length > maxStops) {
    warnings.push(
      unsupportedSetting(
        `Only the first ${maxStops} texts of the setting stop were sent: Gemini takes no more.`,
      ),
    );
  }
  return {
    ...field('temperature', temperature),
    ...field('topP', topP),
    ...field('maxOutputTokens', maxTokens),
    ...field(
      'stopSequences',
      stop === undefined || stop.length === 0 ? undefined : stop.slice(0, maxStops),
    ),
    ...field('seed', seed),
  };
}

function thinking(settings: ModelSettings, model: string, warnings: Warning[]): JsonObject {
  const effort = settings.reasoning?.effort;
  if (effort === undefined) return {};
  const { config, shortfall } = thinkingOf(effort, traitsOf(model));
  if (shortfall !== undefined) {
    warnings.push(
      unsupportedSetting(
        `The setting reasoning.effort ${JSON.stringify(effort)} is not what ${model} does: ${shortfall}.`,
      ),
    );
  }
  return config === undefined ? {} : { thinkingConfig: config };
}

function toTool(tool: ToolSpec, warnings: Warning[]): JsonObject {
  const { name, description, inputSchema } = tool;
  const schema = wireSchema(inputSchema, `the tool ${name}`, warnings);
  const { properties } = schema;
  // An object without properties is refused; a function without parameters leaves them out.
  const empty =
    schema['type'] === 'object' &&
    schema['additionalProperties'] !== true &&
    !isJsonObject(schema['additionalProperties']) &&
    (properties === undefined ||
      (isJsonObject(properties) && Object.keys(properties).length === 0)) &&
    schema['anyOf'] === undefined;
  return { name, description, ...(empty ? {} : { parametersJsonSchema: schema }) };
}

function wireSchema(schema: JsonObject, what: string, warnings: Warning[]): JsonObject {
  const wire = toSchema(schema);
  if (wire.unsaid.length > 0) {
    warnings.push({
      type: 'warning',
      code: 'unsupported-schema',
      message: `Gemini was not told all of the schema of ${what}: it has no ${wire.unsaid.join(', ')}. What it writes is checked against all of it.`,
    });
  }
  return wire.schema;
}

function toToolConfig(
  { settings, tools }: ModelRequest,
  warnings: Warning[],
): JsonObject | undefined {
  if (tools.length === 0) return undefined;
  if (settings.parallelToolCalls === false) {
    warnings.push(
      unsupportedSetting(
        'The setting parallelToolCalls was not sent: Gemini does not have it. The model may call several tools at once.',
      ),
    );
  }
  const { toolChoice: choice } = settings;
  if (choice === undefined) return undefined;
  const functionCallingConfig: JsonObject =
    typeof choice === 'object'
      ? { mode: 'ANY', allowedFunctionNames: [choice.name] }
      : { mode: modes[choice] };
  return { functionCallingConfig };
}

const modes = { auto: 'AUTO', required: 'ANY', none: 'NONE' } as const;

/** A field and its value, or nothing: `undefined` has no JSON form. */
function field(name: string, value: Json | undefined): JsonObject {
  return value === undefined ? {} : { [name]: value };
}
