import {
  toJson,
  type FinishReason,
  type ModelPart,
  type ModelResponse,
  type ModelStreamEvent,
} from '@agent-functions/core';
import {
  isRecord,
  listOf,
  stringOf,
  WireError,
  type AnswerReader,
  type Fields,
} from '@agent-functions/core/provider';
import {
  bodyOf,
  finishOf,
  nothing,
  parseInput,
  type ReadContext,
  usageOf,
} from '../from-stream.ts';
import { isKnownEvent } from './known-events.ts';

/** An output item while it is written. */
interface OpenItem {
  /** What is known of it: from `added`, then, whole, from `done`. */
  item: Fields;
  whole: boolean;
  text: string;
  refusal: string;
  arguments: string;
  /** Which tool call of the answer; -1 for other items. */
  readonly call: number;
}

/** Reads the events of `POST /responses` with `stream: true`. Events it does not know it counts. */
export function responsesReader(context: ReadContext): AnswerReader {
  const items = new Map<unknown, OpenItem>();
  let calls = 0;
  let final: Fields | undefined;
  const unknown = new Set<string>();
  let unknowns = 0;

  /** What came with events of kinds that are too new is counted, and said once. */
  function unread(): readonly ModelStreamEvent[] {
    if (unknowns === 0) return nothing;
    const message = `${unknowns} ${unknowns === 1 ? 'event' : 'events'} of the stream mean nothing to this version: ${[...unknown].join(', ')}.`;
    return [{ type: 'warning', code: 'unknown-events', message }];
  }

  function open(event: Fields, item: Fields): OpenItem {
    const isCall = item['type'] === 'function_call';
    const opened: OpenItem = {
      item,
      whole: false,
      text: '',
      refusal: '',
      arguments: '',
      call: isCall ? calls++ : -1,
    };
    items.set(event['output_index'], opened);
    return opened;
  }

  /** The item of a delta; a server that announces none gets one of the kind that the delta belongs to. */
  function itemOf(event: Fields, type: string): OpenItem {
    return items.get(event['output_index']) ?? open(event, { type });
  }

  function close(event: Fields): readonly ModelStreamEvent[] {
    const item = event['item'];
    if (!isRecord(item)) return nothing;
    const opened = items.get(event['output_index']) ?? open(event, item);
    opened.item = item;
    opened.whole = true;
    return unsaid(opened);
  }

  return {
    push(event) {
      if (!isRecord(event)) return nothing;
      switch (event['type']) {
        case 'response.output_text.delta': {
          const delta = stringOf(event['delta']) ?? '';
          itemOf(event, 'message').text += delta;
          return delta === '' ? nothing : [{ type: 'text-delta', delta }];
        }
        case 'response.function_call_arguments.delta': {
          const delta = stringOf(event['delta']) ?? '';
          const call = itemOf(event, 'function_call');
          call.arguments += delta;
          return delta === '' ? nothing : [inputDelta(call, delta)];
        }
        case 'response.reasoning_summary_text.delta':
        case 'response.reasoning_text.delta': {
          const delta = stringOf(event['delta']) ?? '';
          itemOf(event, 'reasoning').text += delta;
          return delta === '' ? nothing : [{ type: 'reasoning-delta', delta }];
        }
        case 'response.refusal.delta':
          itemOf(event, 'message').refusal += stringOf(event['delta']) ?? '';
          return nothing;
        case 'response.output_item.added':
          if (isRecord(event['item'])) open(event, event['item']);
          return nothing;
        case 'response.output_item.done':
          return close(event);
        case 'response.completed':
        case 'response.incomplete':
          if (!isRecord(event['response'])) throw new WireError('its last event has no response');
          final = event['response'];
          return unread();
        case 'response.failed':
        case 'response.cancelled':
          throw failed(event['response']);
        case 'error':
          throw new WireError('the stream broke off with an error', event['error'] ?? event);
        default:
          if (isKnownEvent(event['type'])) return nothing;
          unknowns += 1;
          if (unknown.size < 5) unknown.add(String(event['type']));
          return nothing;
      }
    },
    isComplete: () => final !== undefined,
    end() {
      if (final === undefined) {
        throw new WireError(
          items.size === 0
            ? 'the stream ended without any answer'
            : 'the stream ended in the middle of the answer',
        );
      }
      return [{ type: 'response', response: toResponse(final, context, output(final, items)) }];
    },
  };
}

/** The answer of `POST /responses` in one piece. */
export function fromResponses(body: unknown, context: ReadContext): ModelResponse {
  const response = bodyOf(body, 'The Responses API');
  const { status } = response;
  if (status === 'failed' || status === 'cancelled') throw failed(response);
  if (!Array.isArray(response['output'])) {
    throw new WireError('the body has no output; is this the Responses API?');
  }
  return toResponse(response, context, response['output']);
}

function failed(response: unknown): WireError {
  const error = isRecord(response) ? response['error'] : undefined;
  return new WireError('the answer failed', error ?? { message: 'it gave no reason' });
}

/** What came in one piece without deltas before it is shown as one delta. */
function unsaid(opened: OpenItem): readonly ModelStreamEvent[] {
  const { item } = opened;
  switch (item['type']) {
    case 'message': {
      const text = textIn(item, 'output_text', 'text');
      return opened.text === '' && text !== '' ? [{ type: 'text-delta', delta: text }] : nothing;
    }
    case 'function_call': {
      const text = stringOf(item['arguments']) ?? '';
      return opened.arguments === '' && text !== '' ? [inputDelta(opened, text)] : nothing;
    }
    case 'reasoning': {
      const text = reasoningText(item);
      return opened.text === '' && text !== ''
        ? [{ type: 'reasoning-delta', delta: text }]
        : nothing;
    }
    default:
      return nothing;
  }
}

function inputDelta({ item, call }: OpenItem, delta: string): ModelStreamEvent {
  const index = Math.max(0, call);
  return { type: 'tool-input-delta', index, toolName: stringOf(item['name']) ?? '', delta };
}

/** The items as they were closed, in their order; the last event's where a server closes none, else what deltas gave. */
function output(final: Fields, items: ReadonlyMap<unknown, OpenItem>): readonly unknown[] {
  const last = listOf(final['output']);
  if (items.size === 0) return last;
  const indexed = [...items].toSorted(([a], [b]) => Number(a) - Number(b));
  if (indexed.some(([, one]) => !one.whole) && last.length >= items.size) return last;
  return indexed.map(([, one]) => (one.whole ? one.item : written(one)));
}

/** An item that was never closed, from its deltas. */
function written(one: OpenItem): Fields {
  switch (one.item['type']) {
    case 'message':
      return {
        ...one.item,
        content: [
          ...(one.text === '' ? [] : [{ type: 'output_text', text: one.text }]),
          ...(one.refusal === '' ? [] : [{ type: 'refusal', refusal: one.refusal }]),
        ],
      };
    case 'function_call':
      return { ...one.item, arguments: one.arguments };
    default:
      return one.item;
  }
}

function toResponse(
  response: Fields,
  context: ReadContext,
  items: readonly unknown[],
): ModelResponse {
  const parts = items.flatMap((item) => (isRecord(item) ? toParts(item, context.provider) : []));
  const responseId = stringOf(response['id']);
  const modelId = stringOf(response['model']);
  return {
    parts,
    usage: usageOf(response['usage'], 'input', 'output'),
    finishReason: finish(response, parts),
    ...(responseId === undefined ? {} : { responseId }),
    ...(modelId === undefined || modelId === context.model ? {} : { modelId }),
  };
}

function finish(response: Fields, parts: readonly ModelPart[]): FinishReason {
  if (response['status'] !== 'incomplete') return finishOf(parts);
  const details = response['incomplete_details'];
  switch (isRecord(details) ? details['reason'] : undefined) {
    case 'max_output_tokens':
      return 'length';
    case 'content_filter':
      return 'content-filter';
    default:
      return 'other';
  }
}

function toParts(item: Fields, provider: string): ModelPart[] {
  switch (item['type']) {
    case 'message': {
      // Models that mark comments and final answers want the mark back.
      const phase = stringOf(item['phase']);
      const data = phase === undefined ? {} : { providerData: { [provider]: { phase } } };
      return listOf(item['content']).flatMap((content): ModelPart[] => {
        if (!isRecord(content)) return [];
        const text = stringOf(content['text']);
        if (text !== undefined && text !== '') return [{ type: 'text', text, ...data }];
        const refusal = stringOf(content['refusal']);
        return refusal === undefined ? [] : [{ type: 'refusal', text: refusal, ...data }];
      });
    }
    case 'function_call':
      return [toCall(item, provider)];
    default: {
      // Reasoning, and what the vendor's own tools did: opaque to us, sent back as it is.
      const text = item['type'] === 'reasoning' ? reasoningText(item) : '';
      return [
        {
          type: 'reasoning',
          ...(text === '' ? {} : { text }),
          providerData: { [provider]: toJson(item) },
        },
      ];
    }
  }
}

function toCall(item: Fields, provider: string): ModelPart {
  const toolName = stringOf(item['name']) ?? '';
  if (toolName === '') throw new WireError('a tool call has no name');
  const id = stringOf(item['call_id']) ?? stringOf(item['id']) ?? '';
  return {
    type: 'tool-call',
    toolName,
    input: parseInput(stringOf(item['arguments']) ?? ''),
    ...(id === '' ? {} : { providerData: { [provider]: { id } } }),
  };
}

function reasoningText(item: Fields): string {
  return listOf(item['summary'])
    .concat(listOf(item['content']))
    .flatMap((one) => (isRecord(one) ? [stringOf(one['text']) ?? ''] : []))
    .join('\n\n');
}

function textIn(item: Fields, type: string, name: string): string {
  let text = '';
  for (const content of listOf(item['content'])) {
    if (isRecord(content) && content['type'] === type) text += stringOf(content[name]) ?? '';
  }
  return text;
}
