import type {
  FinishReason,
  JsonObject,
  ModelPart,
  ModelResponse,
  ModelStreamEvent,
  RequestUsage,
} from '@agent-functions/core';
import {
  isRecord,
  listOf,
  numberOf,
  stringOf,
  WireError,
  type AnswerReader,
  type Fields,
} from '@agent-functions/core/provider';
import { toBlock, toPart, type OpenBlock } from './messages/blocks.ts';

/** Reads messages one after the other: a turn that the vendor paused is gone on with in the next. */
export interface MessagesReader extends AnswerReader {
  /**
   * The content so far, where the vendor paused a long turn and wants it back to go on (`pause_turn`); the next message
   * is read as its continuation.
   */
  resume(): Paused | undefined;
}

export interface Paused {
  readonly content: readonly JsonObject[];
  /** Where the vendor's tools run, to be asked for again. */
  readonly container: string | undefined;
}

const nothing: readonly ModelStreamEvent[] = [];

/** How often a paused turn is taken up again before it is given back as it is. */
const maxResumes = 8;

/**
 * Reads the events of `POST /v1/messages` (`RawMessageStreamEvent` of the SDK, resources/messages/messages.d.ts), or a
 * whole `message`. What it does not know is counted and said at the end, because the vendor adds kinds of events.
 *
 * @param model The name that was asked for.
 */
export function messagesReader(model: string): MessagesReader {
  const blocks: OpenBlock[] = [];
  const unknown = new Map<string, number>();
  const spent: Fields[] = [];
  let indexes = new Map<unknown, OpenBlock>();
  let message: Fields = {};
  let usage: { [name: string]: unknown } = {};
  let stop: { readonly reason: string | undefined; readonly details: unknown } | undefined;
  let container: string | undefined;
  let calls = 0;
  let resumes = 0;

  function open(index: unknown, start: Fields): OpenBlock {
    const isCall = start['type'] === 'tool_use';
    const block: OpenBlock = {
      start,
      text: '',
      thinking: '',
      signature: '',
      json: '',
      citations: [],
      call: isCall ? calls++ : -1,
    };
    blocks.push(block);
    indexes.set(index, block);
    return block;
  }

  /** What a block brings along when it is announced; mostly nothing. */
  function begin(index: unknown, start: unknown): readonly ModelStreamEvent[] {
    if (!isRecord(start)) return nothing;
    const block = open(index, start);
    block.signature = stringOf(start['signature']) ?? '';
    block.citations.push(...listOf(start['citations']));
    block.text = stringOf(start['text']) ?? '';
    block.thinking = stringOf(start['thinking']) ?? '';
    if (start['type'] === 'text') return delta('text-delta', block.text);
    return start['type'] === 'thinking' ? delta('reasoning-delta', block.thinking) : nothing;
  }

  function grow(event: Fields): readonly ModelStreamEvent[] {
    const piece = event['delta'];
    if (!isRecord(piece)) return nothing;
    const type = stringOf(piece['type']) ?? '';
    const kind = kinds[type];
    if (kind === undefined) return count(`content_block_delta of ${type}`);
    const block = indexes.get(event['index']) ?? open(event['index'], { type: kind });
    const [name = ''] = type.split('_delta');
    switch (name) {
      case 'text':
        block.text += stringOf(piece['text']) ?? '';
        return delta('text-delta', stringOf(piece['text']));
      case 'thinking':
        block.thinking += stringOf(piece['thinking']) ?? '';
        return delta('reasoning-delta', stringOf(piece['thinking']));
      case 'signature':
        block.signature += stringOf(piece['signature']) ?? '';
        return nothing;
      case 'citations':
        block.citations.push(piece['citation']);
        return nothing;
      default: {
        const json = stringOf(piece['partial_json']) ?? '';
        block.json += json;
        return block.call < 0 ? nothing : inputDelta(block, json);
      }
    }
  }

  function count(what: string): readonly ModelStreamEvent[] {
    unknown.set(what, (unknown.get(what) ?? 0) + 1);
    return nothing;
  }

  function started(value: unknown): void {
    if (!isRecord(value)) return;
    message = value;
    update(value);
  }

  /** Counts grow: those of a later event replace those of an earlier one. */
  function update(value: Fields): void {
    for (const [name, one] of Object.entries(isRecord(value['usage']) ? value['usage'] : {})) {
      if (one !== null) usage[name] = one;
    }
    const place = value['container'];
    if (isRecord(place)) container = stringOf(place['id']) ?? container;
  }

  function stopped(value: unknown): void {
    if (!isRecord(value)) return;
    if (isRecord(value['container'])) update({ container: value['container'] });
    if (value['stop_reason'] === null || value['stop_reason'] === undefined) return;
    stop = { reason: stringOf(value['stop_reason']), details: value['stop_details'] };
  }

  /** A whole message shows nothing before its response does. */
  function whole(value: Fields): void {
    if (!Array.isArray(value['content'])) {
      throw new WireError('the body has no content; is this the Messages API?');
    }
    started(value);
    for (const [index, block] of value['content'].entries()) begin(index, block);
    stop = { reason: stringOf(value['stop_reason']), details: value['stop_details'] };
  }

  function parts(): ModelPart[] {
    const all = blocks.flatMap((block) => toPart(block));
    if (stop?.reason !== 'refusal') return all;
    // Nothing of what it was about to do is done.
    const said = all.filter(({ type }) => type !== 'tool-call');
    return [...said, { type: 'refusal', text: refusalText(stop.details) }];
  }

  return {
    push(event) {
      if (!isRecord(event)) {
        throw new WireError(
          event === undefined || event === null || event === ''
            ? 'the body of the answer is empty'
            : 'the body of the answer is not JSON',
        );
      }
      switch (event['type']) {
        case 'content_block_delta':
          return grow(event);
        case 'content_block_start':
          return begin(event['index'], event['content_block']);
        case 'content_block_stop': {
          const block = indexes.get(event['index']);
          return block === undefined ? nothing : unsaid(block);
        }
        case 'message_start':
          started(event['message']);
          return nothing;
        case 'message_delta':
          update(event);
          stopped(event['delta']);
          return nothing;
        case 'message_stop':
          stop ??= { reason: undefined, details: undefined };
          return nothing;
        case 'message':
          whole(event);
          return nothing;
        case 'ping':
          return nothing;
        case 'error':
          throw new WireError('the stream broke off with an error', event['error'] ?? event);
        default:
          return count(stringOf(event['type']) ?? 'an event without a type');
      }
    },
    isComplete: () => stop !== undefined,
    resume() {
      if (stop?.reason !== 'pause_turn' || resumes >= maxResumes) return undefined;
      resumes++;
      stop = undefined;
      spent.push(usage);
      usage = {};
      indexes = new Map();
      return { content: blocks.map(toBlock), container };
    },
    end() {
      if (stop === undefined) {
        throw new WireError(
          blocks.length === 0
            ? 'the stream ended without any answer'
            : 'the stream ended in the middle of the answer',
        );
      }
      const made = parts();
      const responseId = stringOf(message['id']);
      const modelId = stringOf(message['model']);
      const response: ModelResponse = {
        parts: made,
        usage: usageOf([...spent, usage]),
        finishReason: finishOf(stop.reason, made),
        ...(responseId === undefined ? {} : { responseId }),
        ...(modelId === undefined || modelId === model ? {} : { modelId }),
      };
      return [...warningsOf(unknown, stop.reason), { type: 'response', response }];
    },
  };
}

/** Deltas, and the block that each belongs to where none was announced. */
const kinds: { readonly [delta: string]: string } = {
  text_delta: 'text',
  input_json_delta: 'tool_use',
  thinking_delta: 'thinking',
  signature_delta: 'thinking',
  citations_delta: 'text',
};

function delta(
  type: 'text-delta' | 'reasoning-delta',
  text: string | undefined,
): readonly ModelStreamEvent[] {
  return text === undefined || text === '' ? nothing : [{ type, delta: text }];
}

function inputDelta({ call, start }: OpenBlock, json: string): readonly ModelStreamEvent[] {
  if (json === '') return nothing;
  const toolName = stringOf(start['name']) ?? '';
  return [{ type: 'tool-input-delta', index: call, toolName, delta: json }];
}

/** An input that came whole, with the announcement, is shown as one delta. */
function unsaid(block: OpenBlock): readonly ModelStreamEvent[] {
  const { input } = block.start;
  if (block.call < 0 || block.json !== '' || !isRecord(input)) return nothing;
  return Object.keys(input).length === 0 ? nothing : inputDelta(block, JSON.stringify(input));
}

function refusalText(details: unknown): string {
  const { explanation, category } = isRecord(details) ? details : {};
  const why = stringOf(category);
  return (
    stringOf(explanation) ??
    `Claude declined to answer${why === undefined ? '' : ` (${why.replaceAll('_', ' ')})`}.`
  );
}

/** https://platform.claude.com/docs/en/build-with-claude/handling-stop-reasons */
function finishOf(reason: string | undefined, parts: readonly ModelPart[]): FinishReason {
  switch (reason) {
    case 'refusal':
      return 'refusal';
    case 'max_tokens':
    case 'model_context_window_exceeded':
      return 'length';
    case undefined:
    case 'end_turn':
    case 'stop_sequence':
    case 'tool_use':
      return parts.some(({ type }) => type === 'tool-call') ? 'tool-calls' : 'stop';
    default:
      return 'other';
  }
}

function warningsOf(
  unknown: ReadonlyMap<string, number>,
  reason: string | undefined,
): readonly ModelStreamEvent[] {
  const warnings: ModelStreamEvent[] = [];
  const warn = (code: string, message: string): void => {
    warnings.push({ type: 'warning', code, message });
  };
  if (unknown.size > 0) {
    const list = [...unknown].map(([what, times]) => `${what} ×${times}`).join(', ');
    warn(
      'unknown-events',
      `The answer held events that are not known here and were left out: ${list}.`,
    );
  }
  if (reason === 'model_context_window_exceeded') {
    warn(
      'context-window',
      'The answer was cut because the conversation fills what the model can read. Send less history.',
    );
  }
  if (reason === 'pause_turn') {
    warn(
      'paused',
      `The model paused ${maxResumes + 1} times in one answer; it was not asked to go on again.`,
    );
  }
  return warnings;
}

/** Tokens of all messages of an answer: `input_tokens` leaves out what the cache was written with and read from. */
function usageOf(spent: readonly Fields[]): RequestUsage {
  let [inputTokens, outputTokens, cached, written, reasoning] = [0, 0, 0, 0, 0];
  let hasReasoning = false;
  for (const usage of spent) {
    const read = tokens(usage['cache_read_input_tokens']);
    const write = tokens(usage['cache_creation_input_tokens']);
    inputTokens += tokens(usage['input_tokens']) + write + read;
    written += write;
    outputTokens += tokens(usage['output_tokens']);
    cached += read;
    const details = usage['output_tokens_details'];
    if (!isRecord(details) || numberOf(details['thinking_tokens']) === undefined) continue;
    hasReasoning = true;
    reasoning += tokens(details['thinking_tokens']);
  }
  const hasCached = spent.some((usage) => numberOf(usage['cache_read_input_tokens']) !== undefined);
  return {
    inputTokens,
    outputTokens,
    totalTokens: inputTokens + outputTokens,
    ...(hasCached ? { cachedInputTokens: cached } : {}),
    ...(written > 0 ? { cacheWriteInputTokens: written } : {}),
    ...(hasReasoning ? { reasoningTokens: reasoning } : {}),
  };
}

function tokens(value: unknown): number {
  return typeof value === 'number' && value > 0 ? value : 0;
}
