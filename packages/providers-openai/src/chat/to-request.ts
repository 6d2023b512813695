import {
  isJsonObject,
  outputText,
  type FilePart,
  type Json,
  type JsonObject,
  type Message,
  type ModelRequest,
  type Part,
  type ReasoningPart,
  type ToolCallPart,
  type ToolResultPart,
  type ToolSpec,
} from '@agent-functions/core';
import {
  danglingWarnings,
  wireIds,
  withExtras,
  type Warning,
  type WireIds,
} from '@agent-functions/core/provider';
import {
  argumentsText,
  field,
  fileName,
  fileOption,
  fileUrl,
  parallelToolCalls,
  schemaName,
  toolChoice,
  unsupportedPart,
  vendorOptions,
  wireSchema,
  type RequestContext,
  type WireRequest,
  contentOf,
} from '../to-request.ts';

/** The body of `POST /chat/completions` (https://platform.openai.com/docs/api-reference/chat/create). */
export function toChatRequest(request: ModelRequest, context: RequestContext): WireRequest {
  const { settings, output, instructions } = request;
  const warnings: Warning[] = [...danglingWarnings(request)];
  const ids = wireIds(context.provider, request.messages);
  const writer: Writer = { context, warnings, ids, messages: [], shown: [] };
  const streaming = settings.streaming !== false;
  for (const message of request.messages) writeMessage(message, writer);
  showFiles(writer);
  const { messages } = writer;
  const body: JsonObject = {
    model: context.model,
    messages:
      instructions === undefined || instructions === ''
        ? messages
        : [{ role: 'system', content: instructions }, ...messages],
    ...(request.tools.length === 0 ? {} : { tools: request.tools.map(toTool) }),
    ...field(
      'tool_choice',
      toolChoice(request, (name) => ({ type: 'function', function: { name } })),
    ),
    ...field('parallel_tool_calls', parallelToolCalls(request)),
    ...(output === undefined ? {} : { response_format: toFormat(output) }),
    ...field('reasoning_effort', settings.reasoning?.effort),
    ...field('temperature', settings.temperature),
    ...field('top_p', settings.topP),
    // OpenAI's reasoning models refuse the old name; compatible servers often know no other.
    ...field(context.compatible ? 'max_tokens' : 'max_completion_tokens', settings.maxTokens),
    ...field('stop', settings.stop),
    ...field('seed', settings.seed),
    stream: streaming,
    ...(streaming ? { stream_options: { include_usage: true } } : {}),
  };
  const options = vendorOptions(settings, context.provider);
  return { body: withExtras(body, options, context.extraBody), warnings };
}

interface Writer {
  readonly context: RequestContext;
  readonly warnings: Warning[];
  readonly ids: WireIds;
  readonly messages: JsonObject[];
  /** Files of the results that were written last: the result of a tool is text, the next message shows them. */
  shown: JsonObject[];
}

/** All results of a turn stand together behind its calls; then comes what they show. */
function write(message: JsonObject, writer: Writer): void {
  if (message['role'] !== 'tool') showFiles(writer);
  writer.messages.push(message);
}

function showFiles(writer: Writer): void {
  const { shown, messages } = writer;
  if (shown.length === 0) return;
  writer.shown = [];
  messages.push({ role: 'user', content: shown });
}

const tools = new WeakMap<ToolSpec, JsonObject>();

function toTool(tool: ToolSpec): JsonObject {
  const known = tools.get(tool);
  if (known !== undefined) return known;
  const { schema, strict } = wireSchema(tool.inputSchema, tool.strict);
  const { name, description } = tool;
  const wire: JsonObject = {
    type: 'function',
    function: { name, description, parameters: schema, ...(strict ? { strict } : {}) },
  };
  tools.set(tool, wire);
  return wire;
}

function toFormat(output: NonNullable<ModelRequest['output']>): JsonObject {
  const { schema, strict } = wireSchema(output.schema, output.strict);
  const name = schemaName(output.name);
  return { type: 'json_schema', json_schema: { name, schema, ...(strict ? { strict } : {}) } };
}

/** One message each, except results of tools: every result is a message. */
function writeMessage(message: Message, writer: Writer): void {
  const { role } = message;
  if (role === 'assistant') return writeAnswer(message, writer);
  const content: JsonObject[] = [];
  for (const part of message.parts) {
    if (part.type === 'tool-result') write(toResult(part, message, writer), writer);
    else {
      const piece = contentPart(part, `a ${role} message`, writer);
      if (piece !== undefined) content.push(piece);
    }
  }
  if (content.length > 0) {
    write({ role: role === 'tool' ? 'user' : role, content: simplest(content) }, writer);
  }
}

function writeAnswer(message: Message, writer: Writer): void {
  let text = '';
  let refusal: string | undefined;
  let reasoning: JsonObject = {};
  const calls: JsonObject[] = [];
  const results: ToolResultPart[] = [];
  for (const part of message.parts) {
    switch (part.type) {
      case 'text':
      case 'summary':
        text += part.text;
        break;
      case 'refusal':
        refusal = `${refusal ?? ''}${part.text}`;
        break;
      case 'reasoning':
        reasoning = { ...reasoning, ...reasoningField(part, writer.context) };
        break;
      case 'tool-call':
        calls.push(toCall(part, message, writer));
        break;
      case 'tool-result':
        results.push(part);
        break;
      case 'file':
        writer.warnings.push(unsupportedPart(`A file (${part.mediaType})`, 'an assistant message'));
        break;
      default:
        part satisfies never;
    }
  }
  if (text !== '' || refusal !== undefined || calls.length > 0) {
    // A compatible server knows no refusals: there it is text like any other.
    const asText = writer.context.compatible ? text + (refusal ?? '') : text;
    const answer = {
      role: 'assistant',
      content: asText === '' ? null : asText,
      ...(refusal === undefined || writer.context.compatible ? {} : { refusal }),
      ...reasoning,
      ...(calls.length === 0 ? {} : { tool_calls: calls }),
    };
    write(answer, writer);
  }
  for (const part of results) write(toResult(part, message, writer), writer);
}

/**
 * Reasoning goes back only to compatible servers that gave it, in the field it came in: some of them ask for it between
 * the calls of tools. OpenAI and Azure have no such field.
 */
function reasoningField(part: ReasoningPart, { provider, compatible }: RequestContext): JsonObject {
  const data = part.providerData?.[provider];
  const name = isJsonObject(data) ? data['field'] : undefined;
  return compatible && typeof name === 'string' && part.text !== undefined
    ? { [name]: part.text }
    : {};
}

function toCall(part: ToolCallPart, message: Message, { context, ids }: Writer): JsonObject {
  const data = part.providerData?.[context.provider];
  return {
    id: ids(message, part.callId),
    type: 'function',
    function: {
      name: part.toolName,
      arguments: argumentsText(part.input, context.compatible),
    },
    // Signatures that some compatible servers put beside a call and want back.
    ...field('extra_content', isJsonObject(data) ? data['extra_content'] : undefined),
  };
}

/** The text of a result. Its files go to the user message behind the results, with the name of the call before each. */
function toResult(part: ToolResultPart, message: Message, writer: Writer): JsonObject {
  const { output, toolName } = part;
  const id = writer.ids(message, part.callId);
  let content = outputText(output);
  const add = (line: string): void => {
    content += `${content === '' ? '' : '\n'}[${line}]`;
  };
  for (const one of output.type === 'content' ? output.parts : []) {
    if (one.type === 'text') continue;
    const what = one.type === 'file' ? `A file (${one.mediaType})` : `A ${one.type}`;
    const file = one.type === 'file' ? filePart(one, writer.context) : undefined;
    if (file === undefined) {
      writer.warnings.push(unsupportedPart(what, `the result of ${toolName}`));
      add(`${what} cannot be shown here.`);
    } else {
      writer.shown.push({ type: 'text', text: `${what} from ${toolName}, call ${id}:` }, file);
      add(`${what} is shown after the results.`);
    }
  }
  return { role: 'tool', tool_call_id: id, content };
}

function contentPart(part: Part, where: string, writer: Writer): JsonObject | undefined {
  return contentOf(part, where, writer.warnings, {
    text: 'text',
    file: (file) => filePart(file, writer.context),
  });
}

function filePart(part: FilePart, { provider }: RequestContext): JsonObject | undefined {
  const file_id = fileOption(part, provider, 'file_id');
  if (file_id !== undefined) return { type: 'file', file: { file_id } };
  const url = fileUrl(part);
  if (url === undefined) return undefined;
  if (part.mediaType.startsWith('image/')) {
    const detail = fileOption(part, provider, 'detail');
    return { type: 'image_url', image_url: { url, ...field('detail', detail) } };
  }
  if (part.data === undefined) return undefined;
  if (part.mediaType.startsWith('audio/')) {
    const format = audioFormats[part.mediaType];
    return format === undefined
      ? undefined
      : { type: 'input_audio', input_audio: { data: part.data, format } };
  }
  return { type: 'file', file: { filename: fileName(part), file_data: url } };
}

const audioFormats: { readonly [mediaType: string]: string } = {
  'audio/mpeg': 'mp3',
  'audio/mp3': 'mp3',
  'audio/wav': 'wav',
  'audio/x-wav': 'wav',
};

/** A single text as a plain string, as every server takes it. */
function simplest(content: readonly JsonObject[]): Json {
  const [only] = content;
  return content.length === 1 && only?.['type'] === 'text' ? (only['text'] ?? '') : content;
}
