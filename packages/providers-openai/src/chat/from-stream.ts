import type {
  FinishReason,
  ModelPart,
  ModelResponse,
  ModelStreamEvent,
} from '@agent-functions/core';
import {
  isRecord,
  listOf,
  stringOf,
  WireError,
  type AnswerReader,
  type Fields,
} from '@agent-functions/core/provider';
import { bodyOf, finishOf, nothing, type ReadContext, usageOf } from '../from-stream.ts';
import { toolCallFragments } from './tool-calls.ts';

/** Fields of compatible servers for what a model thought; OpenAI's own Chat Completions has none. */
const reasoningFields = ['reasoning_content', 'reasoning'] as const;

/**
 * Reads the chunks of `POST /chat/completions` with `stream: true`.
 *
 * @param done Whether the stream was closed by the vendor's own end mark; asked at its end.
 */
export function chatReader(context: ReadContext, done: () => boolean): AnswerReader {
  const calls = toolCallFragments();
  let chunks = 0;
  let text = '';
  let refusal: string | undefined;
  let reasoning = '';
  let reasoningField: string | undefined;
  let finish: string | undefined;
  let usage: unknown;
  let id: string | undefined;
  let model: string | undefined;

  function readDelta(delta: Fields): readonly ModelStreamEvent[] {
    const out: ModelStreamEvent[] = [];
    for (const name of reasoningFields) {
      const thought = delta[name];
      if (typeof thought !== 'string' || thought === '') continue;
      // Some servers send the same thought in both fields.
      reasoningField ??= name;
      if (reasoningField !== name) continue;
      reasoning += thought;
      out.push({ type: 'reasoning-delta', delta: thought });
    }
    const said = textOf(delta['content']);
    if (said !== '') {
      text += said;
      out.push({ type: 'text-delta', delta: said });
    }
    const refused = stringOf(delta['refusal']) ?? '';
    if (refused !== '') refusal = `${refusal ?? ''}${refused}`;
    for (const fragment of listOf(delta['tool_calls'])) {
      const event = calls.add(fragment);
      if (event !== undefined) out.push(event);
    }
    return out;
  }

  return {
    push(chunk) {
      if (!isRecord(chunk)) return nothing;
      if (chunk['error'] !== undefined && chunk['error'] !== null) {
        throw new WireError('the stream broke off with an error', chunk['error']);
      }
      chunks++;
      id ??= stringOf(chunk['id']);
      model ??= stringOf(chunk['model']) || undefined;
      if (isRecord(chunk['usage'])) usage = chunk['usage'];
      const choice = firstChoice(chunk);
      if (choice === undefined) return nothing;
      finish = stringOf(choice['finish_reason']) || finish;
      const delta = choice['delta'];
      return isRecord(delta) ? readDelta(delta) : nothing;
    },
    isComplete: () => finish !== undefined && finish !== 'error',
    end() {
      const parts = toParts({ reasoning, reasoningField, text, refusal }, context.provider);
      parts.push(...calls.parts(context.provider));
      // A server that forgets the reason but closes the stream properly has said all it had.
      if (finish === undefined && !(done() && parts.length > 0)) {
        throw new WireError(
          chunks === 0
            ? 'the stream ended without any answer'
            : 'the stream ended in the middle of the answer',
        );
      }
      const response = toResponse({ id, model, usage, finish, parts }, context);
      return [{ type: 'response', response }];
    },
  };
}

/** The answer of `POST /chat/completions` in one piece. */
export function fromChat(body: unknown, context: ReadContext): ModelResponse {
  const response = bodyOf(body, 'Chat Completions');
  const choice = firstChoice(response);
  const message = choice?.['message'];
  if (choice === undefined || !isRecord(message)) {
    throw new WireError('the body has no choices; is this Chat Completions?');
  }
  const calls = toolCallFragments();
  // In one piece every element is a call of its own, whatever its id says.
  for (const [index, call] of listOf(message['tool_calls']).entries()) {
    if (isRecord(call)) calls.add({ ...call, index });
  }
  const reasoningField = reasoningFields.find((name) => (stringOf(message[name]) ?? '') !== '');
  const said = {
    reasoning: reasoningField === undefined ? '' : (stringOf(message[reasoningField]) ?? ''),
    reasoningField,
    text: textOf(message['content']),
    refusal: stringOf(message['refusal']) || undefined,
  };
  const parts = [...toParts(said, context.provider), ...calls.parts(context.provider)];
  const facts = {
    id: stringOf(response['id']),
    model: stringOf(response['model']) || undefined,
    usage: response['usage'],
    finish: stringOf(choice['finish_reason']) || undefined,
    parts,
  };
  return toResponse(facts, context);
}

interface Facts {
  readonly id: string | undefined;
  readonly model: string | undefined;
  readonly usage: unknown;
  readonly finish: string | undefined;
  readonly parts: readonly ModelPart[];
}

function toResponse(facts: Facts, context: ReadContext): ModelResponse {
  const { id, model, parts, finish } = facts;
  if (finish === 'error') throw new WireError('the server broke the answer off with an error');
  return {
    parts,
    usage: usageOf(facts.usage, 'prompt', 'completion'),
    finishReason: finishReason(finish, parts),
    ...(id === undefined || id === '' ? {} : { responseId: id }),
    ...(model === undefined || model === context.model ? {} : { modelId: model }),
  };
}

interface Said {
  readonly reasoning: string;
  readonly reasoningField: string | undefined;
  readonly text: string;
  readonly refusal: string | undefined;
}

function toParts(
  { reasoning, reasoningField, text, refusal }: Said,
  provider: string,
): ModelPart[] {
  return [
    ...(reasoning === ''
      ? []
      : [
          {
            type: 'reasoning' as const,
            text: reasoning,
            providerData: { [provider]: { field: reasoningField ?? '' } },
          },
        ]),
    ...(text === '' ? [] : [{ type: 'text' as const, text }]),
    ...(refusal === undefined ? [] : [{ type: 'refusal' as const, text: refusal }]),
  ];
}

function finishReason(finish: string | undefined, parts: readonly ModelPart[]): FinishReason {
  switch (finish) {
    case 'length':
      return 'length';
    case 'content_filter':
      return 'content-filter';
    case undefined:
    case 'stop':
    case 'tool_calls':
    case 'function_call':
      return finishOf(parts);
    default:
      return parts.some((part) => part.type === 'tool-call') ? 'tool-calls' : 'other';
  }
}

function firstChoice(body: Fields): Fields | undefined {
  const first = listOf(body['choices'])[0];
  return isRecord(first) && (first['index'] === undefined || first['index'] === 0)
    ? first
    : undefined;
}

/** Content as text; some servers send a list of parts. */
function textOf(content: unknown): string {
  if (typeof content === 'string') return content;
  let text = '';
  for (const part of listOf(content)) {
    if (isRecord(part)) text += stringOf(part['text']) ?? '';
  }
  return text;
}
