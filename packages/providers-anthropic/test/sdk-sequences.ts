import type { ModelPart } from '@agent-functions/core';
import type { Anthropic } from '@anthropic-ai/sdk';
import { comment, deltaUsage, event, message, ping, redacted } from './wire-events.ts';

// Event sequences as the vendor sends them. Every event is of the SDK's own type, so that the compiler says when one is
// not: `RawMessageStreamEvent` of @anthropic-ai/sdk 1.12.0, resources/messages/messages.d.ts, and `ErrorResponse` of
// resources/shared.d.ts. Their order is that of https://platform.claude.com/docs/en/build-with-claude/streaming. Pings
// have no type in the SDK: core/streaming.js skips them by their name.

type Event = Anthropic.RawMessageStreamEvent;

/** A sequence, and what it comes to. */
export interface Sequence {
  readonly name: string;
  /** The streams of one answer: more than one where the vendor pauses. */
  readonly turns: readonly (readonly Event[])[];
  /** What comes before every event. */
  readonly between?: string;
  /** Where the vendor itself breaks off: its last event. */
  readonly breaks?: Anthropic.ErrorResponse;
  readonly parts: readonly ModelPart[];
  readonly finishReason: string;
}

type Delta = Anthropic.RawContentBlockDelta;

const begin: Event = { type: 'message_start', message: message() };

function block(
  index: number,
  content_block: Anthropic.RawContentBlockStartEvent['content_block'],
  ...deltas: readonly Delta[]
): Event[] {
  return [
    { type: 'content_block_start', index, content_block },
    ...deltas.map((delta): Event => ({ type: 'content_block_delta', index, delta })),
    { type: 'content_block_stop', index },
  ];
}

function says(index: number, ...pieces: readonly string[]): Event[] {
  return block(
    index,
    { type: 'text', text: '', citations: null },
    ...pieces.map((text): Delta => ({ type: 'text_delta', text })),
  );
}

function calls(index: number, id: string, name: string, ...json: readonly string[]): Event[] {
  return block(
    index,
    { type: 'tool_use', id, name, input: {}, caller: { type: 'direct' } },
    ...['', ...json].map((partial_json): Delta => ({ type: 'input_json_delta', partial_json })),
  );
}

function end(
  stop_reason: Anthropic.StopReason,
  stop_details: Anthropic.RefusalStopDetails | null = null,
): Event[] {
  return [
    {
      type: 'message_delta',
      delta: { container: null, stop_details, stop_reason, stop_sequence: null },
      usage: deltaUsage,
    },
    { type: 'message_stop' },
  ];
}

const rain = ['Rain in ', 'Köln ☔', '.'] as const;
const said: ModelPart = { type: 'text', text: 'Rain in Köln ☔.' };

function called(id: string, toolName: string, input: Readonly<Record<string, string>>): ModelPart {
  return {
    type: 'tool-call',
    toolName,
    input,
    providerData: { anthropic: { id, caller: { type: 'direct' } } },
  };
}

const thought = {
  type: 'thinking',
  thinking: 'They ask for Köln. Look it up.',
  signature: 'EqQBCgIYAhIM-signed',
} as const satisfies Anthropic.ThinkingBlock;

const thinks: readonly Event[] = [
  ...block(
    0,
    { type: 'thinking', thinking: '', signature: '' },
    { type: 'thinking_delta', thinking: 'They ask for Köln. ' },
    { type: 'thinking_delta', thinking: 'Look it up.' },
    { type: 'signature_delta', signature: thought.signature },
  ),
  ...block(1, redacted),
];

const thoughts: readonly ModelPart[] = [
  { type: 'reasoning', text: thought.thinking, providerData: { anthropic: thought } },
  {
    type: 'reasoning',
    providerData: { anthropic: { type: redacted.type, data: redacted.data } },
  },
];

const search = {
  type: 'server_tool_use',
  id: 'srvtoolu_1',
  name: 'web_search',
  input: {},
  caller: { type: 'direct' },
} as const satisfies Anthropic.ServerToolUseBlock;

const overloaded: Anthropic.ErrorResponse = {
  type: 'error',
  error: { type: 'overloaded_error', message: 'Overloaded' },
  request_id: 'req_1',
};

/** Kinds of events that nobody knows yet, one of them a delta. */
const news =
  event({ type: 'content_block_surprise', index: 0, delta: { type: 'text_delta', text: 'no' } }) +
  event({ type: 'content_block_delta', index: 0, delta: { type: 'surprise_delta', text: 'no' } });

export const sequences: readonly Sequence[] = [
  {
    name: 'says, with pings and comments between',
    turns: [[begin, ...says(0, ...rain), ...end('end_turn')]],
    between: ping + comment,
    parts: [said],
    finishReason: 'stop',
  },
  {
    name: 'thinks, then says',
    turns: [[begin, ...thinks, ...says(2, ...rain), ...end('end_turn')]],
    parts: [...thoughts, said],
    finishReason: 'stop',
  },
  {
    name: 'calls two tools, one without any input',
    turns: [
      [
        begin,
        ...calls(0, 'toolu_a', 'weather', '{"city":', ' "Kö', 'ln"}'),
        ...calls(1, 'toolu_b', 'clock'),
        ...end('tool_use'),
      ],
    ],
    parts: [called('toolu_a', 'weather', { city: 'Köln' }), called('toolu_b', 'clock', {})],
    finishReason: 'tool-calls',
  },
  {
    name: 'thinks, says and calls',
    turns: [
      [
        begin,
        ...thinks,
        ...says(2, ...rain),
        ...calls(3, 'toolu_a', 'weather', '{"city":', '"Köln"}'),
        ...end('tool_use'),
      ],
    ],
    parts: [...thoughts, said, called('toolu_a', 'weather', { city: 'Köln' })],
    finishReason: 'tool-calls',
  },
  {
    name: 'pauses at a tool of the vendor, and goes on',
    turns: [
      [
        begin,
        ...says(0, 'I look. '),
        ...block(1, search, { type: 'input_json_delta', partial_json: '{"query":"Köln"}' }),
        ...end('pause_turn'),
      ],
      [begin, ...says(0, ...rain), ...end('end_turn')],
    ],
    parts: [
      { type: 'text', text: 'I look. ' },
      { type: 'reasoning', providerData: { anthropic: { ...search, input: { query: 'Köln' } } } },
      said,
    ],
    finishReason: 'stop',
  },
  {
    name: 'refuses in the middle of a call',
    turns: [
      [
        begin,
        ...says(0, ...rain),
        ...calls(1, 'toolu_a', 'weather', '{"city":'),
        ...end('refusal', { type: 'refusal', category: 'bio', explanation: 'I will not.' }),
      ],
    ],
    parts: [said, { type: 'refusal', text: 'I will not.' }],
    finishReason: 'refusal',
  },
  {
    name: 'is cut at its length',
    turns: [[begin, ...says(0, ...rain), ...end('max_tokens')]],
    parts: [said],
    finishReason: 'length',
  },
  {
    name: 'says what is newer than this version between',
    turns: [[begin, ...says(0, ...rain), ...end('end_turn')]],
    between: news,
    parts: [said],
    finishReason: 'stop',
  },
  {
    name: 'breaks off with an error after its text',
    turns: [[begin, ...says(0, ...rain)]],
    breaks: overloaded,
    parts: [said],
    finishReason: '',
  },
  {
    name: 'breaks off with an error within a call',
    turns: [
      [begin, ...says(0, ...rain), ...calls(1, 'toolu_a', 'weather', '{"city":').slice(0, -1)],
    ],
    between: ping,
    breaks: overloaded,
    parts: [said],
    finishReason: '',
  },
];
