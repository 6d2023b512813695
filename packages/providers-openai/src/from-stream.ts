import {
  toJson,
  type FinishReason,
  type Json,
  type ModelPart,
  type ModelStreamEvent,
  type RequestUsage,
} from '@agent-functions/core';
import { isRecord, WireError } from '@agent-functions/core/provider';

/** What a reader must know of the request. */
export interface ReadContext {
  readonly provider: string;
  /** The model that was asked. */
  readonly model: string;
}

export const nothing: readonly ModelStreamEvent[] = [];

/** The arguments of a call: JSON, `{}` where the model wrote nothing, else the text as it is. */
export function parseInput(text: string): Json {
  if (text.trim() === '') return {};
  try {
    return toJson(JSON.parse(text));
  } catch {
    return text;
  }
}

/** Why an answer that is whole ended, by what is in it. */
export function finishOf(parts: readonly ModelPart[]): FinishReason {
  if (parts.some((part) => part.type === 'tool-call')) return 'tool-calls';
  return parts.some((part) => part.type === 'refusal') ? 'refusal' : 'stop';
}

/** Counts of a usage object; one that is missing, or not a number, is 0. */
function count(value: unknown): number {
  return typeof value === 'number' && value > 0 ? value : 0;
}

/** A count of a nested object, where the vendor gives it. */
function detail(details: unknown, name: string): number | undefined {
  const value = isRecord(details) ? details[name] : undefined;
  return typeof value === 'number' ? value : undefined;
}

/** Tokens of an answer: the wires differ in what they call the two sides (`prompt_tokens`, `input_tokens`). */
export function usageOf(usage: unknown, input: string, output: string): RequestUsage {
  const fields = isRecord(usage) ? usage : {};
  const inputTokens = count(fields[`${input}_tokens`]);
  const outputTokens = count(fields[`${output}_tokens`]);
  const cached = detail(fields[`${input}_tokens_details`], 'cached_tokens');
  const reasoning = detail(fields[`${output}_tokens_details`], 'reasoning_tokens');
  return {
    inputTokens,
    outputTokens,
    totalTokens: count(fields['total_tokens']) || inputTokens + outputTokens,
    ...(cached === undefined ? {} : { cachedInputTokens: cached }),
    ...(reasoning === undefined ? {} : { reasoningTokens: reasoning }),
  };
}

/** The whole answer of a call that did not stream. */
export function bodyOf(body: unknown, where: string): { readonly [key: string]: unknown } {
  if (isRecord(body)) {
    if (body['error'] !== undefined && body['error'] !== null) {
      throw new WireError(`${where} answered with an error`, body['error']);
    }
    return body;
  }
  throw new WireError(
    body === undefined || body === null || body === ''
      ? 'the body of the answer is empty'
      : 'the body of the answer is not JSON',
  );
}
