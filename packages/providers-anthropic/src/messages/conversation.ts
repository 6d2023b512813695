import {
  isJsonObject,
  outputText,
  type Json,
  type JsonObject,
  type Message,
  type Part,
  type ReasoningPart,
  type ToolCallPart,
  type ToolResultPart,
} from '@agent-functions/core';
import { type Warning, wireIds, type WireIds } from '@agent-functions/core/provider';
import { inputBlock, own, resultContent, textBlock, unsupportedPart } from './content.ts';

/** A conversation as the API has it: what the system says, and turns that alternate, beginning and ending with the user. */
export interface Conversation {
  readonly system: readonly string[];
  readonly turns: readonly Turn[];
}

export interface Turn {
  readonly role: 'user' | 'assistant';
  readonly content: readonly JsonObject[];
}

/** Which thinking blocks are left out: those with a signature for which this is true. */
export type LeavesOut = (signature: string) => boolean;

/**
 * The messages as turns. Messages of one side that follow each other are one turn; every result of a tool stands first in
 * the turn after its call, wherever it came from, because the API takes it nowhere else
 * (https://platform.claude.com/docs/en/agents-and-tools/tool-use/handle-tool-calls).
 */
export function toConversation(
  messages: readonly Message[],
  leavesOut: LeavesOut,
  warnings: Warning[],
): Conversation {
  const ids = wireIds('anthropic', messages);
  const writer: Writer = { ids, leavesOut, warnings, calls: callIds(messages, ids) };
  const system: string[] = [];
  const turns: OpenTurn[] = [];
  const results = new Map<string, JsonObject>();

  for (const message of messages) {
    if (message.role === 'system') {
      const text = message.parts.map((part) => ('text' in part ? part.text : '')).join('');
      if (text !== undefined && text.trim() !== '') system.push(text);
      continue;
    }
    const role = message.role === 'assistant' ? 'assistant' : 'user';
    const content: JsonObject[] = [];
    let held = false;
    for (const part of message.parts) {
      if (part.type === 'tool-result') {
        const block = toResult(part, message, writer);
        if (block === undefined) content.push(...orphan(part, writer));
        else {
          results.set(ids(message, part.callId), block);
          held = true;
        }
        continue;
      }
      const block =
        role === 'assistant'
          ? assistantBlock(part, message, writer)
          : inputBlock(part, `a ${message.role} message`, warnings);
      if (block !== undefined) content.push(block);
    }
    // A message of results alone is a turn too: what is said after it is another answer.
    if (content.length > 0 || held) append(turns, content.length > 0 ? role : 'user', content);
  }
  return { system, turns: settled(turns, results, warnings) };
}

interface Writer {
  readonly ids: WireIds;
  readonly leavesOut: LeavesOut;
  readonly warnings: Warning[];
  /** The ids of all calls in the conversation. */
  readonly calls: ReadonlySet<string>;
}

interface OpenTurn {
  readonly role: Turn['role'];
  readonly content: JsonObject[];
}

function callIds(messages: readonly Message[], ids: WireIds): ReadonlySet<string> {
  const calls = new Set<string>();
  for (const message of messages) {
    for (const part of message.parts) {
      if (part.type === 'tool-call') calls.add(ids(message, part.callId));
    }
  }
  return calls;
}

function append(turns: OpenTurn[], role: Turn['role'], content: readonly JsonObject[]): void {
  const last = turns.at(-1);
  if (last?.role === role) last.content.push(...content);
  else turns.push({ role, content: [...content] });
}

/** Puts the results where they belong, and makes the first and the last turn the user's. */
function settled(
  turns: readonly OpenTurn[],
  results: ReadonlyMap<string, JsonObject>,
  warnings: Warning[],
): readonly Turn[] {
  const out: Turn[] = [];
  let due: readonly JsonObject[] = [];
  for (const { role, content } of turns) {
    if (role === 'user') {
      if (due.length + content.length > 0) out.push({ role, content: [...due, ...content] });
      due = [];
      continue;
    }
    const kept = withoutLooseThinking(content);
    if (kept.length === 0) continue;
    // Only what was between two answers fell away: they are one.
    if (out.at(-1)?.role !== 'user') out.push(user(due, out.length === 0 ? before : goOn));
    out.push({ role, content: kept });
    due = resultsOf(kept, results, warnings);
  }
  if (out.at(-1)?.role !== 'user') out.push(user(due, goOn));
  return merged(out);
}

// A conversation must begin with the user, who may have been cut off, and newer models take no answer to be continued.
const before = '(Earlier messages are not shown.)';
const goOn = 'Continue.';

function user(due: readonly JsonObject[], otherwise: string): Turn {
  return { role: 'user', content: due.length > 0 ? due : [{ type: 'text', text: otherwise }] };
}

function merged(turns: readonly Turn[]): readonly Turn[] {
  const out: OpenTurn[] = [];
  for (const { role, content } of turns) append(out, role, content);
  return out;
}

function resultsOf(
  content: readonly JsonObject[],
  results: ReadonlyMap<string, JsonObject>,
  warnings: Warning[],
): readonly JsonObject[] {
  return content.flatMap(({ type, id, name }) => {
    if (type !== 'tool_use' || typeof id !== 'string') return [];
    const result = results.get(id);
    if (result !== undefined) return [result];
    warnings.push({
      type: 'warning',
      code: 'missing-tool-result',
      message: `The call of ${typeof name === 'string' ? name : 'a tool'} (${id}) has no result in this conversation; the model is told so.`,
    });
    const text = 'There is no result: the call did not end.';
    return [{ type: 'tool_result', tool_use_id: id, is_error: true, content: text }];
  });
}

function assistantBlock(part: Part, message: Message, writer: Writer): JsonObject | undefined {
  switch (part.type) {
    case 'text':
      return textBlock(part.text, own(part)['citations']);
    case 'refusal':
    case 'summary':
      return textBlock(part.text);
    case 'reasoning':
      return reasoningBlock(part, writer);
    case 'tool-call':
      return toCall(part, message, writer);
    case 'tool-result':
      return undefined;
    case 'file': {
      const why = 'The API takes files from the user and from tools.';
      writer.warnings.push(
        unsupportedPart(`A file (${part.mediaType})`, 'an assistant message', why),
      );
      return undefined;
    }
    default:
      return part satisfies never;
  }
}

/**
 * The vendor's own block, as it came: thinking with its signature, and what its own tools did. Another provider's
 * reasoning stays behind, and so does thinking that was cut before it was signed.
 */
function reasoningBlock(part: ReasoningPart, { leavesOut }: Writer): JsonObject | undefined {
  const block = own(part);
  switch (block['type']) {
    case undefined:
      return undefined;
    case 'thinking': {
      const { signature } = block;
      if (typeof signature !== 'string' || signature === '' || leavesOut(signature))
        return undefined;
      return block;
    }
    case 'redacted_thinking': {
      const { data } = block;
      return typeof data === 'string' && !leavesOut(data) ? block : undefined;
    }
    default:
      return block;
  }
}

/** An answer may not end with thinking (one that was cut by its length does). */
function withoutLooseThinking(content: readonly JsonObject[]): readonly JsonObject[] {
  let end = content.length;
  while (end > 0 && isThinking(content[end - 1])) end--;
  return content.slice(0, end);
}

export function isThinking(block: Json | undefined): boolean {
  const type = isJsonObject(block) ? block['type'] : undefined;
  return type === 'thinking' || type === 'redacted_thinking';
}

function toCall(part: ToolCallPart, message: Message, { ids }: Writer): JsonObject {
  const { id: _, ...rest } = own(part);
  return {
    ...rest,
    type: 'tool_use',
    id: ids(message, part.callId),
    name: part.toolName,
    input: inputOf(part.input),
  };
}

/**
 * An input must be an object; what was none is sent in one, as the vendor advises
 * (https://platform.claude.com/docs/en/agents-and-tools/tool-use/fine-grained-tool-streaming).
 */
function inputOf(input: Json): JsonObject {
  if (isJsonObject(input)) return input;
  return { INVALID_JSON: typeof input === 'string' ? input : JSON.stringify(input) };
}

/** The block of a result, unless its call is not in the conversation. */
function toResult(part: ToolResultPart, message: Message, writer: Writer): JsonObject | undefined {
  const tool_use_id = writer.ids(message, part.callId);
  if (!writer.calls.has(tool_use_id)) return undefined;
  const content = resultContent(part, writer.warnings);
  return {
    type: 'tool_result',
    tool_use_id,
    ...(part.isError === true ? { is_error: true } : {}),
    ...(content === undefined ? {} : { content }),
  };
}

/** A result whose call was cut off the history: the API takes none without its call, so the user says it. */
function orphan(part: ToolResultPart, { warnings }: Writer): readonly JsonObject[] {
  warnings.push({
    type: 'warning',
    code: 'orphan-tool-result',
    message: `A result of ${part.toolName} (${part.callId}) has no call in this conversation; it was sent as text.`,
  });
  const text = textBlock(`The result of ${part.toolName}: ${outputText(part.output)}`);
  return text === undefined ? [] : [text];
}
