import {
  isJsonObject,
  outputText,
  type FilePart,
  type Json,
  type JsonObject,
  type Message,
  type ModelRequest,
  type OutputSpec,
  type ToolResultPart,
  type ToolSpec,
} from '@agent-functions/core';
import { withExtras, type Warning } from '@agent-functions/core/provider';
import type { Think } from './options.ts';
import { toolSchema, type ToolSchema } from './tool-schema.ts';

/** A request body, and what the wire could not say. */
export interface WireRequest {
  readonly body: JsonObject;
  readonly warnings: readonly Warning[];
}

/** What the converter must know beside the request. */
export interface RequestContext {
  readonly model: string;
  readonly keepAlive: string | number | undefined;
  readonly numCtx: number | undefined;
  readonly think: Think | undefined;
  readonly extraBody: JsonObject;
}

/** The body of `POST /api/chat` (https://docs.ollama.com/api/chat; `ChatRequest` of the SDK). */
export function toRequest(request: ModelRequest, context: RequestContext): WireRequest {
  const { settings } = request;
  const warnings: Warning[] = [];
  const tools = toolsOf(request, warnings);
  const form = formOf(request.output, tools, warnings);
  const system = [request.instructions ?? '', form.words]
    .filter((text) => text !== '')
    .join('\n\n');
  if (settings.parallelToolCalls === false && tools.length > 0) {
    warnings.push(unsaid('parallelToolCalls: false', 'The model may call several tools at once.'));
  }
  const options = {
    ...field('temperature', settings.temperature),
    ...field('top_p', settings.topP),
    ...field('num_predict', settings.maxTokens),
    ...field('stop', settings.stop),
    ...field('seed', settings.seed),
    ...field('num_ctx', context.numCtx),
  };
  const body: JsonObject = {
    model: context.model,
    messages: [
      ...(system === '' ? [] : [{ role: 'system', content: system }]),
      ...request.messages.flatMap((message) => toMessages(message, warnings)),
    ],
    ...(tools.length === 0 ? {} : { tools: tools.map((tool) => toTool(tool, warnings)) }),
    ...field('format', form.format),
    ...field('think', thinkOf(request, context, warnings)),
    ...field('keep_alive', context.keepAlive),
    ...(Object.keys(options).length === 0 ? {} : { options }),
    stream: settings.streaming !== false,
  };
  const extras = withExtras(body, settings.providerOptions?.['ollama'], context.extraBody);
  return { body: extras, warnings };
}

function field(name: string, value: Json | undefined): JsonObject {
  return value === undefined ? {} : { [name]: value };
}

/** The tools that the model is shown: the API knows no choice among them, except to be shown none, or one. */
function toolsOf({ tools, settings }: ModelRequest, warnings: Warning[]): readonly ToolSpec[] {
  const { toolChoice: choice } = settings;
  if (tools.length === 0 || choice === undefined || choice === 'auto') return tools;
  if (choice === 'none') {
    warnings.push(unsaid("toolChoice: 'none'", 'No tool is shown.'));
    return [];
  }
  const instead = 'The model may answer without calling one.';
  if (choice === 'required') {
    warnings.push(unsaid("toolChoice: 'required'", instead));
    return tools;
  }
  warnings.push(unsaid(`toolChoice: ${choice.name}`, `Only this tool is shown. ${instead}`));
  return tools.filter(({ name }) => name === choice.name);
}

const schemas = new WeakMap<ToolSpec, ToolSchema>();

function toTool(tool: ToolSpec, warnings: Warning[]): JsonObject {
  const { name, description, inputSchema } = tool;
  const converted = schemas.get(tool) ?? toolSchema(inputSchema);
  schemas.set(tool, converted);
  for (const what of converted.lost) {
    const message = `The parameters of the tool ${name} ${what} to the model.`;
    warnings.push({ type: 'warning', code: 'unsupported-schema', message });
  }
  return { type: 'function', function: { name, description, parameters: converted.schema } };
}

interface Form {
  readonly format?: JsonObject;
  /** What the system message says of it. */
  readonly words: string;
}

/**
 * The form of the answer. `format` holds the model to a grammar from its first word, so that it can call no tool
 * (https://github.com/ollama/ollama/issues/8095): beside tools the form is asked for in words, and core checks the answer.
 */
function formOf(
  output: OutputSpec | undefined,
  tools: readonly ToolSpec[],
  warnings: Warning[],
): Form {
  if (output === undefined) return { words: '' };
  if (tools.length === 0) return { format: output.schema, words: '' };
  warnings.push(
    unsaid(
      `the form of the answer (${output.name}) beside tools`,
      'It was asked for in words; the answer is checked, but not enforced.',
    ),
  );
  const schema = JSON.stringify(output.schema);
  return {
    words: `Call tools as you need. Your final answer is only JSON, without any other text, that matches this JSON Schema:\n${schema}`,
  };
}

/** Whether to think. Levels are gpt-oss's; other models refuse them (400: think value "low" is not supported). */
function thinkOf(
  { settings }: ModelRequest,
  { model, think }: RequestContext,
  warnings: Warning[],
): Think | undefined {
  const effort = settings.reasoning?.effort;
  if (effort === undefined) return think;
  const levels = /gpt-?oss/i.test(model);
  const name = `reasoning.effort: '${effort}'`;
  if (!levels) {
    if (effort === 'none') return false;
    warnings.push(unsaid(`the level of ${name}`, `${model} was told to think, not how much.`));
    return true;
  }
  if (effort === 'none' || effort === 'minimal') {
    warnings.push(unsaid(name, `${model} was told to think as little as it can: 'low'.`));
    return 'low';
  }
  return effort;
}

/** One message each, except results of tools: every result is a message, named by its tool. */
function toMessages(message: Message, warnings: Warning[]): JsonObject[] {
  const content: string[] = [];
  const images: string[] = [];
  const calls: JsonObject[] = [];
  const results: JsonObject[] = [];
  let thinking = '';
  for (const part of message.parts) {
    switch (part.type) {
      case 'text':
      case 'refusal':
      case 'summary':
        content.push(part.text);
        break;
      case 'reasoning':
        // Only Ollama's own thoughts go back to it.
        if (part.providerData?.['ollama'] !== undefined) thinking += part.text ?? '';
        break;
      case 'file':
        if (isImage(part)) images.push(part.data);
        else content.push(leftOut(part, `a ${message.role} message`, warnings));
        break;
      case 'tool-call': {
        const { toolName: name, input } = part;
        calls.push({ function: { name, arguments: argumentsOf(input) } });
        break;
      }
      case 'tool-result':
        results.push(toResult(part, warnings));
        break;
      default:
        part satisfies never;
    }
  }
  const text = content.join(message.role === 'assistant' ? '' : '\n');
  const said = text !== '' || images.length > 0 || calls.length > 0;
  if (!said && results.length > 0) return results;
  if (!said && message.role === 'assistant') return [];
  const role = message.role === 'tool' ? 'user' : message.role;
  const one = {
    role,
    content: text,
    ...(thinking === '' ? {} : { thinking }),
    ...(images.length === 0 ? {} : { images }),
    ...(calls.length === 0 ? {} : { tool_calls: calls }),
  };
  // A call stands before its result; what else a message of results holds, after them.
  return role === 'assistant' ? [one, ...results] : [...results, one];
}

/** Arguments are an object on this wire; what the model wrote instead of one is shown to it as it was. */
function argumentsOf(input: Json): JsonObject {
  return isJsonObject(input) ? input : { invalid_json: input };
}

function toResult({ toolName, output }: ToolResultPart, warnings: Warning[]): JsonObject {
  const content = [outputText(output)];
  const images: string[] = [];
  if (output.type === 'content') {
    for (const part of output.parts) {
      if (part.type !== 'file') continue;
      if (isImage(part)) images.push(part.data);
      else content.push(leftOut(part, `the result of ${toolName}`, warnings));
    }
  }
  return {
    role: 'tool',
    tool_name: toolName,
    content: content.filter((text) => text !== '').join('\n'),
    ...(images.length === 0 ? {} : { images }),
  };
}

function isImage(part: FilePart): part is FilePart & { readonly data: string } {
  return part.mediaType.startsWith('image/') && part.data !== undefined;
}

/** Says that a file was not sent: to the app as a warning, to the model in its place. */
function leftOut(part: FilePart, where: string, warnings: Warning[]): string {
  const { mediaType } = part;
  const why = mediaType.startsWith('image/')
    ? 'Ollama takes images as base64 data, and no URL is fetched for it. Put the image into data.'
    : 'Ollama takes images and text. Put its text into the message.';
  const message = `A file (${mediaType}) in ${where} was not sent to the model: ${why}`;
  warnings.push({ type: 'warning', code: 'unsupported-part', message });
  return `[A file (${mediaType}) cannot be shown here.]`;
}

/** A setting that the API does not have. */
function unsaid(what: string, instead: string): Warning {
  return {
    type: 'warning',
    code: 'unsupported-setting',
    message: `Ollama's API cannot say ${what}. ${instead}`,
  };
}
