import {
  isJsonObject,
  outputText,
  type FilePart,
  type Json,
  type JsonObject,
  type Message,
  type Part,
  type ToolCallPart,
  type ToolResultPart,
} from '@agent-functions/core';
import { type Warning, wireIds, type WireIds } from '@agent-functions/core/provider';
import type { Backend } from './endpoint.ts';
import { provider } from './options.ts';
import { unsupportedFile } from './warning.ts';

/** What the conversation's converter must know of the model. */
export interface ContentsContext {
  readonly backend: Backend;
  /** Gemini 3 and later, or unknown: call ids, and files in tool results. */
  readonly modern: boolean;
  /** The model refuses its turn's tool calls without a signature. */
  readonly wantsSignatures: boolean;
  readonly warnings: Warning[];
}

interface Writer extends ContentsContext {
  readonly ids: WireIds;
}

interface Content {
  readonly role: 'user' | 'model';
  /** Results of calls, which stand alone. */
  readonly results: boolean;
  readonly parts: JsonObject[];
}

/**
 * The conversation as `contents`. Turns of the model that follow each other are one, and the results of a turn's calls are
 * one content after it, as the API wants them; `system` messages are in the instructions.
 */
export function toContents(messages: readonly Message[], context: ContentsContext): JsonObject[] {
  const writer: Writer = { ...context, ids: wireIds(provider, messages) };
  const contents: Content[] = [];
  for (const message of messages) {
    if (message.role === 'system') continue;
    const role = message.role === 'assistant' ? 'model' : 'user';
    for (const part of message.parts) {
      const wire = toPart(part, message, writer);
      if (wire !== undefined) append(contents, role, wire);
    }
  }
  // A conversation begins with the user; that it begins with an answer has no other form.
  if (contents[0]?.role === 'model') {
    contents.unshift({ role: 'user', results: false, parts: [{ text: ' ' }] });
  }
  if (context.wantsSignatures) signCurrentTurn(contents);
  return contents.map(({ role, parts }) => ({ role, parts }));
}

function append(contents: Content[], role: Content['role'], part: JsonObject): void {
  const results = part['functionResponse'] !== undefined;
  const to: Content['role'] = results ? 'user' : role;
  const last = contents.at(-1);
  if (last?.role === to && last.results === results) last.parts.push(part);
  else contents.push({ role: to, results, parts: [part] });
}

function toPart(part: Part, message: Message, writer: Writer): JsonObject | undefined {
  const { role } = message;
  switch (part.type) {
    case 'text':
    case 'refusal':
    case 'summary':
      if (part.text === '') return undefined;
      return { text: part.text, ...signature(part, writer) };
    case 'reasoning':
      return role === 'assistant' ? toThought(part, writer) : undefined;
    case 'file':
      return withSignature(
        toFile(part, `${role === 'assistant' ? 'an' : 'a'} ${role} message`, writer),
        part,
        writer,
      );
    case 'tool-call':
      return { functionCall: toCall(part, message, writer), ...signature(part, writer) };
    case 'tool-result':
      return { functionResponse: toResult(part, message, writer) };
    default:
      return part satisfies never;
  }
}

/**
 * What the model thought: only what is signed, or opaque, means anything to it again. A signature of another provider, or
 * of the other of Google's two APIs, would be refused and stays behind.
 */
function toThought(
  part: Extract<Part, { type: 'reasoning' }>,
  writer: Writer,
): JsonObject | undefined {
  const data = own(part, writer);
  const raw = data?.['part'];
  if (isJsonObject(raw)) return raw;
  const signed = signature(part, writer);
  if (signed['thoughtSignature'] === undefined) return undefined;
  return part.text === undefined || part.text === ''
    ? { text: '', ...signed }
    : { text: part.text, thought: true, ...signed };
}

function own(part: Part, { backend }: Writer): JsonObject | undefined {
  const data = part.providerData?.[provider];
  return isJsonObject(data) && (data['api'] === undefined || data['api'] === backend)
    ? data
    : undefined;
}

function signature(part: Part, writer: Writer): JsonObject {
  const value = own(part, writer)?.['signature'];
  return typeof value === 'string' ? { thoughtSignature: value } : {};
}

function withSignature(
  wire: JsonObject | undefined,
  part: Part,
  writer: Writer,
): JsonObject | undefined {
  return wire === undefined ? undefined : { ...wire, ...signature(part, writer) };
}

function toCall(part: ToolCallPart, message: Message, writer: Writer): JsonObject {
  return {
    ...(writer.modern ? { id: writer.ids(message, part.callId) } : {}),
    name: part.toolName,
    args: isJsonObject(part.input)
      ? part.input
      : // Another provider's model wrote no object; the wire has nothing else.
        { [typeof part.input === 'string' ? 'invalid_json' : 'value']: part.input },
  };
}

/** `output` and `error` are the names that the API gives a meaning (`FunctionResponse.response` in the SDK's types). */
function toResult(part: ToolResultPart, message: Message, writer: Writer): JsonObject {
  const { output } = part;
  const value: Json = output.type === 'json' ? output.value : outputText(output);
  const files =
    output.type === 'json' ? [] : output.parts.flatMap((one) => resultFile(one, part, writer));
  return {
    ...(writer.modern ? { id: writer.ids(message, part.callId) } : {}),
    name: part.toolName,
    response: { [part.isError === true ? 'error' : 'output']: value },
    ...(files.length === 0 ? {} : { parts: files }),
  };
}

function resultFile(part: Part, result: ToolResultPart, writer: Writer): JsonObject[] {
  if (part.type !== 'file') return [];
  const where = `the result of ${result.toolName}`;
  if (!writer.modern) {
    writer.warnings.push(
      unsupportedFile(part, where, 'Models before Gemini 3 take no files there.'),
    );
    return [];
  }
  const file = toFile(part, where, writer);
  return file === undefined ? [] : [file];
}

/**
 * Bytes go along; an address goes as it is, for the API to read: `https:` (with the Gemini API also of a file that was
 * uploaded to it) and `gs:`. Nothing is fetched here.
 */
function toFile(part: FilePart, where: string, writer: Writer): JsonObject | undefined {
  const { mediaType: mimeType, data, url } = part;
  if (data !== undefined) return { inlineData: { mimeType, data } };
  const inline = /^data:([^;,]*)[^,]*;base64,(.*)$/s.exec(url ?? '');
  if (inline !== null) return { inlineData: { mimeType, data: inline[2] ?? '' } };
  if (url !== undefined && /^(https|gs):/i.test(url)) {
    return { fileData: { mimeType, fileUri: url } };
  }
  writer.warnings.push(
    unsupportedFile(part, where, 'Give its bytes as data, or an https: or gs: address.'),
  );
  return undefined;
}

/** What the API's documentation gives to say for calls that another model wrote (Thought signatures, FAQ). */
const unsigned = 'skip_thought_signature_validator';

/**
 * Gemini 3 refuses a turn in progress whose tool calls are not signed: the first call of each of its steps. Where the
 * turn was begun by another model (a fallback, a handoff), its calls say so.
 */
function signCurrentTurn(contents: readonly Content[]): void {
  const begin = contents.findLastIndex(({ role, results }) => role === 'user' && !results);
  for (const { role, parts } of contents.slice(begin + 1)) {
    if (role !== 'model') continue;
    const calls = parts.flatMap((part, index) =>
      part['functionCall'] === undefined ? [] : [{ part, index }],
    );
    const [first] = calls;
    if (first === undefined || calls.some(({ part }) => part['thoughtSignature'] !== undefined)) {
      continue;
    }
    parts[first.index] = { ...first.part, thoughtSignature: unsigned };
  }
}
