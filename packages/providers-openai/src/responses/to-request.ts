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
  unsupportedSetting,
  vendorOptions,
  wireSchema,
  type RequestContext,
  type WireRequest,
  contentOf,
} from '../to-request.ts';

/**
 * The body of `POST /responses` (https://platform.openai.com/docs/api-reference/responses/create). Nothing is stored at
 * the vendor: the journal is the state, so reasoning comes back encrypted and is sent again with the conversation.
 */
export function toResponsesRequest(request: ModelRequest, context: RequestContext): WireRequest {
  const { settings, output } = request;
  const warnings: Warning[] = [...danglingWarnings(request)];
  const options = vendorOptions(settings, context.provider);
  const stored = options['store'] === true || context.extraBody['store'] === true;
  const writer: Writer = {
    context,
    warnings,
    stored,
    ids: wireIds(context.provider, request.messages),
  };
  const instead = "Use api: 'chat', or leave it out.";
  if (settings.stop !== undefined) {
    warnings.push(unsupportedSetting('stop', 'the Responses API', instead));
  }
  if (settings.seed !== undefined) {
    warnings.push(unsupportedSetting('seed', 'the Responses API', instead));
  }
  const effort = settings.reasoning?.effort;
  const body: JsonObject = {
    model: context.model,
    ...field('instructions', request.instructions === '' ? undefined : request.instructions),
    input: request.messages.flatMap((message) => inputItems(message, writer)),
    ...(request.tools.length === 0 ? {} : { tools: request.tools.map(toTool) }),
    ...field(
      'tool_choice',
      toolChoice(request, (name) => ({ type: 'function', name })),
    ),
    ...field('parallel_tool_calls', parallelToolCalls(request)),
    ...(output === undefined ? {} : { text: { format: toFormat(output) } }),
    ...(effort === undefined ? {} : { reasoning: { effort } }),
    ...field('temperature', settings.temperature),
    ...field('top_p', settings.topP),
    ...field('max_output_tokens', settings.maxTokens),
    store: false,
    ...(context.encrypted ? { include: ['reasoning.encrypted_content'] } : {}),
    stream: settings.streaming !== false,
  };
  return { body: withExtras(body, options, context.extraBody), warnings };
}

interface Writer {
  readonly context: RequestContext;
  readonly warnings: Warning[];
  readonly ids: WireIds;
  /** The vendor keeps the conversation: reasoning needs no encrypted content to be found again. */
  readonly stored: boolean;
}

const tools = new WeakMap<ToolSpec, JsonObject>();

function toTool(tool: ToolSpec): JsonObject {
  const known = tools.get(tool);
  if (known !== undefined) return known;
  const { schema, strict } = wireSchema(tool.inputSchema, tool.strict);
  const wire: JsonObject = {
    type: 'function',
    name: tool.name,
    description: tool.description,
    parameters: schema,
    strict,
  };
  tools.set(tool, wire);
  return wire;
}

function toFormat(output: NonNullable<ModelRequest['output']>): JsonObject {
  const { schema, strict } = wireSchema(output.schema, output.strict);
  return { type: 'json_schema', name: schemaName(output.name), schema, strict };
}

/** One message is one item, except the assistant's: its text, calls and reasoning are items of their own, in order. */
function inputItems(message: Message, writer: Writer): JsonObject[] {
  const items: JsonObject[] = [];
  const { role } = message;
  let content: Json[] = [];
  const closeContent = (): void => {
    if (content.length > 0)
      items.push({ role: role === 'tool' ? 'user' : role, content: simplest(content) });
    content = [];
  };
  for (const part of message.parts) {
    if (role === 'assistant') {
      const item = assistantItem(part, message, writer);
      if (item !== undefined) append(items, item);
    } else if (part.type === 'tool-result') {
      closeContent();
      items.push(toResult(part, message, writer));
    } else {
      const piece = inputContent(part, `a ${role} message`, writer);
      if (piece !== undefined) content.push(piece);
    }
  }
  closeContent();
  return role === 'assistant' ? withoutLooseReasoning(items) : items;
}

function assistantItem(part: Part, message: Message, writer: Writer): JsonObject | undefined {
  switch (part.type) {
    case 'text':
    case 'refusal':
    case 'summary': {
      if (part.text === '') return undefined;
      const data = part.providerData?.[writer.context.provider];
      const phase = isJsonObject(data) ? data['phase'] : undefined;
      return { role: 'assistant', ...field('phase', phase), content: part.text };
    }
    case 'reasoning':
      return reasoningItem(part, writer);
    case 'tool-call':
      return {
        type: 'function_call',
        call_id: writer.ids(message, part.callId),
        name: part.toolName,
        arguments: argumentsText(part.input, writer.context.compatible),
      };
    case 'tool-result':
      return toResult(part, message, writer);
    case 'file':
      writer.warnings.push(unsupportedPart(`A file (${part.mediaType})`, 'an assistant message'));
      return undefined;
    default:
      return part satisfies never;
  }
}

/** Texts of one answer that follow each other are one message. */
function append(items: JsonObject[], item: JsonObject): void {
  const last = items.at(-1);
  const [before, after] = [last?.['content'], item['content']];
  if (
    typeof before === 'string' &&
    typeof after === 'string' &&
    last?.['phase'] === item['phase']
  ) {
    items[items.length - 1] = { ...last, content: before + after };
  } else items.push(item);
}

/**
 * The vendor's own item, as it came; another provider's reasoning stays behind. Without its id where nothing is stored:
 * the API looks up every id it is given, and refuses the ones that it did not keep.
 */
function reasoningItem(part: ReasoningPart, { context, stored }: Writer): JsonObject | undefined {
  const item = part.providerData?.[context.provider];
  if (!isJsonObject(item) || typeof item['type'] !== 'string') return undefined;
  if (stored) return item;
  if (item['type'] === 'reasoning' && typeof item['encrypted_content'] !== 'string') {
    return undefined;
  }
  const { id: _, ...rest } = item;
  return rest;
}

/** Reasoning that nothing follows (an answer cut by its length) is refused by the API. */
function withoutLooseReasoning(items: JsonObject[]): JsonObject[] {
  let end = items.length;
  while (end > 0 && items[end - 1]?.['type'] === 'reasoning') end--;
  return end === items.length ? items : items.slice(0, end);
}

function toResult(part: ToolResultPart, message: Message, writer: Writer): JsonObject {
  const { output } = part;
  const call_id = writer.ids(message, part.callId);
  if (output.type === 'json' || output.parts.every((one) => one.type === 'text')) {
    return { type: 'function_call_output', call_id, output: outputText(output) };
  }
  const content = output.parts.flatMap((one) => {
    const piece = inputContent(one, `the result of ${part.toolName}`, writer);
    return piece === undefined ? [] : [piece];
  });
  return { type: 'function_call_output', call_id, output: content.length === 0 ? '' : content };
}

function inputContent(part: Part, where: string, writer: Writer): JsonObject | undefined {
  return contentOf(part, where, writer.warnings, {
    text: 'input_text',
    file: (file) => inputFile(file, writer),
  });
}

function inputFile(part: FilePart, { context }: Writer): JsonObject | undefined {
  const file_id = fileOption(part, context.provider, 'file_id');
  const url = fileUrl(part);
  if (part.mediaType.startsWith('image/')) {
    const detail = fileOption(part, context.provider, 'detail') ?? 'auto';
    if (file_id !== undefined) return { type: 'input_image', file_id, detail };
    return url === undefined ? undefined : { type: 'input_image', image_url: url, detail };
  }
  if (file_id !== undefined) return { type: 'input_file', file_id };
  if (url === undefined || part.mediaType.startsWith('audio/')) return undefined;
  return part.data === undefined
    ? { type: 'input_file', file_url: url }
    : { type: 'input_file', filename: fileName(part), file_data: url };
}

/** A single text as a plain string, as every server takes it. */
function simplest(content: readonly Json[]): Json {
  const [only] = content;
  return content.length === 1 && isJsonObject(only) && only['type'] === 'input_text'
    ? (only['text'] ?? '')
    : content;
}
