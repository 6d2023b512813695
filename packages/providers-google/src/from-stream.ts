import {
  type FinishReason,
  type ModelPart,
  type ModelResponse,
  type ModelStreamEvent,
  type RequestUsage,
} from '@agent-functions/core';
import {
  isRecord,
  listOf,
  stringOf,
  WireError,
  type AnswerReader,
  type Fields,
} from '@agent-functions/core/provider';
import type { Backend } from './endpoint.ts';
import { BlockedError } from './errors.ts';
import { PartList } from './part-list.ts';

/** What a reader must know of the request. */
export interface ReadContext {
  /** The model that was asked. */
  readonly model: string;
  readonly backend: Backend;
}

/** Reads `GenerateContentResponse`s, as the SDK parses the chunks of `streamGenerateContent`. */
export function streamReader(context: ReadContext): AnswerReader {
  const parts = new PartList(context.backend);
  const unknown = new Map<string, number>();
  let usage: Fields = {};
  let finish: string | undefined;
  let responseId: string | undefined;
  let modelId: string | undefined;
  let seen = false;

  function count(what: string): void {
    unknown.set(what, (unknown.get(what) ?? 0) + 1);
  }

  return {
    push(chunk) {
      if (!isRecord(chunk) || !known.some((key) => chunk[key] !== undefined)) {
        count('chunk');
        return [];
      }
      throwIfBlocked(chunk['promptFeedback']);
      seen = true;
      if (isRecord(chunk['usageMetadata'])) usage = { ...usage, ...chunk['usageMetadata'] };
      responseId = stringOf(chunk['responseId']) ?? responseId;
      modelId = stringOf(chunk['modelVersion']) ?? modelId;
      const [candidate] = listOf(chunk['candidates']);
      if (!isRecord(candidate)) return [];
      const reason = stringOf(candidate['finishReason']);
      if (reason !== undefined) {
        throwIfMalformed(reason, stringOf(candidate['finishMessage']));
        finish = reason;
      }
      const content = candidate['content'];
      const list = isRecord(content) ? listOf(content['parts']) : [];
      return list.flatMap((part) => {
        const events = parts.push(part);
        if (events !== undefined) return events;
        count(kindOf(part));
        return [];
      });
    },
    isComplete: () => finish !== undefined,
    end() {
      if (finish === undefined) {
        throw new WireError(
          seen
            ? 'the stream ended in the middle of the answer'
            : 'the stream ended without any answer',
        );
      }
      const all = parts.all();
      const response: ModelResponse = {
        parts: all,
        usage: usageOf(usage),
        finishReason: finishOf(finish, all),
        ...(responseId === undefined ? {} : { responseId }),
        ...(modelId === undefined || modelId === context.model ? {} : { modelId }),
      };
      return [...warnings(unknown), { type: 'response', response }];
    },
  };
}

/** The answer of `generateContent` in one piece: the same object as a chunk, and the only one. */
export function fromBody(body: unknown, context: ReadContext): readonly ModelStreamEvent[] {
  const reader = streamReader(context);
  reader.push(body);
  if (!reader.isComplete()) {
    throw new WireError('the body holds no whole answer; is this the Gemini API?');
  }
  return reader.end();
}

/** What the SDK lets through of a chunk. */
const known = [
  'candidates',
  'promptFeedback',
  'usageMetadata',
  'responseId',
  'modelVersion',
  'createTime',
  'modelStatus',
];

/** The name of what a part of an unknown kind holds. */
function kindOf(part: unknown): string {
  const [name] = isRecord(part) ? Object.keys(part) : [];
  return name === undefined ? 'empty part' : `part ${JSON.stringify(name.slice(0, 40))}`;
}

function warnings(unknown: ReadonlyMap<string, number>): ModelStreamEvent[] {
  if (unknown.size === 0) return [];
  const what = [...unknown].map(([kind, times]) => `${kind} (${times})`).join(', ');
  return [
    {
      type: 'warning',
      code: 'unknown-content',
      message: `The answer held what this version does not know, and it was left out: ${what}.`,
    },
  ];
}

function throwIfBlocked(feedback: unknown): void {
  const reason = isRecord(feedback) ? stringOf(feedback['blockReason']) : undefined;
  if (reason === undefined || !isRecord(feedback)) return;
  throw new BlockedError(reason, stringOf(feedback['blockReasonMessage']));
}

/** The model wrote something that is no answer: asked again, it may do better. */
function throwIfMalformed(reason: string, message: string | undefined): void {
  if (!malformed.has(reason)) return;
  const more = message === undefined ? '' : `: ${message}`;
  throw new WireError(`the model wrote a call or an answer that is not valid (${reason}${more})`);
}

// The values of `FinishReason` in the SDK's types, and what they are here. Others are 'other'.
const malformed: ReadonlySet<string> = new Set([
  'MALFORMED_FUNCTION_CALL',
  'UNEXPECTED_TOOL_CALL',
  'MALFORMED_RESPONSE',
]);
const finishes: { readonly [reason: string]: FinishReason } = {
  MAX_TOKENS: 'length',
  CONTINUATION: 'length',
  SAFETY: 'content-filter',
  RECITATION: 'content-filter',
  BLOCKLIST: 'content-filter',
  PROHIBITED_CONTENT: 'content-filter',
  SPII: 'content-filter',
  MODEL_ARMOR: 'content-filter',
  IMAGE_SAFETY: 'content-filter',
  IMAGE_PROHIBITED_CONTENT: 'content-filter',
  IMAGE_RECITATION: 'content-filter',
};

function finishOf(reason: string, parts: readonly ModelPart[]): FinishReason {
  if (reason !== 'STOP') return finishes[reason] ?? 'other';
  return parts.some(({ type }) => type === 'tool-call') ? 'tool-calls' : 'stop';
}

/** `candidatesTokenCount` is without thoughts, `promptTokenCount` with cached tokens (the SDK's types say so). */
function usageOf(usage: Fields): RequestUsage {
  const inputTokens = count(usage['promptTokenCount']) + count(usage['toolUsePromptTokenCount']);
  const outputTokens = count(usage['candidatesTokenCount']) + count(usage['thoughtsTokenCount']);
  const { cachedContentTokenCount: cached, thoughtsTokenCount: thoughts } = usage;
  return {
    inputTokens,
    outputTokens,
    totalTokens: count(usage['totalTokenCount']) || inputTokens + outputTokens,
    ...(typeof cached === 'number' ? { cachedInputTokens: cached } : {}),
    ...(typeof thoughts === 'number' ? { reasoningTokens: thoughts } : {}),
  };
}

function count(value: unknown): number {
  return typeof value === 'number' && value > 0 ? value : 0;
}
