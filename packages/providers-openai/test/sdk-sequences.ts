import type { ChatCompletionChunk } from 'openai/resources/chat/completions';
import type {
  Response,
  ResponseFunctionToolCall,
  ResponseFunctionWebSearch,
  ResponseOutputItem,
  ResponseOutputMessage,
  ResponseReasoningItem,
  ResponseStreamEvent,
} from 'openai/resources/responses/responses';

// Event sequences as the vendor sends them. Every event is of the SDK's own type, so that the compiler says when one is
// not: `ResponseStreamEvent` of openai/resources/responses/responses.d.ts (order and fields as its comments and
// https://platform.openai.com/docs/api-reference/responses-streaming say), and `ChatCompletionChunk` of
// openai/resources/chat/completions/completions.d.ts.

/** A sequence, and what it comes to. */
export interface Sequence {
  readonly name: string;
  readonly events: readonly (ResponseStreamEvent | ChatCompletionChunk)[];
  readonly text: string;
  readonly calls?: readonly unknown[];
  readonly finishReason: string;
  /** Where the vendor itself breaks off: the reason. */
  readonly fails?: string;
}

function response(
  status: 'in_progress' | 'completed' | 'incomplete' | 'failed',
  more: Partial<Response> = {},
): Response {
  return {
    id: 'resp_1',
    access_programs: null,
    object: 'response',
    created_at: 1,
    output_text: '',
    error: null,
    incomplete_details: null,
    instructions: null,
    metadata: null,
    model: 'gpt-5-mini-2025-08-07',
    output: [],
    parallel_tool_calls: true,
    temperature: 1,
    tool_choice: 'auto',
    tools: [],
    top_p: 1,
    status,
    ...more,
  };
}

const usage = {
  input_tokens: 20,
  input_tokens_details: { cached_tokens: 8, cache_write_tokens: 0 },
  output_tokens: 10,
  output_tokens_details: { reasoning_tokens: 4 },
  total_tokens: 30,
};

const reasoning: ResponseReasoningItem = {
  id: 'rs_1',
  type: 'reasoning',
  summary: [{ type: 'summary_text', text: 'Look it up.' }],
  encrypted_content: 'gAAAA-opaque',
};
const call: ResponseFunctionToolCall = {
  id: 'fc_1',
  type: 'function_call',
  status: 'completed',
  call_id: 'call_a',
  name: 'weather',
  arguments: '{"city":"Köln"}',
};
const search: ResponseFunctionWebSearch = {
  id: 'ws_1',
  type: 'web_search_call',
  status: 'completed',
  action: { type: 'search', query: 'weather Köln', queries: ['weather Köln'] },
};
const text = 'Rain in Köln ☔.';
const message: ResponseOutputMessage = {
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  status: 'completed',
  content: [{ type: 'output_text', text, annotations: [] }],
};
const refusal: ResponseOutputMessage = {
  ...message,
  content: [{ type: 'refusal', refusal: 'I will not.' }],
};

/** Gives events their numbers. */
function numbered(
  events: readonly ((sequence_number: number) => ResponseStreamEvent)[],
): ResponseStreamEvent[] {
  return events.map((make, index) => make(index));
}

type Make = (sequence_number: number) => ResponseStreamEvent;

const begin: readonly Make[] = [
  (sequence_number) => ({
    type: 'response.created',
    sequence_number,
    response: response('in_progress'),
  }),
  (sequence_number) => ({
    type: 'response.in_progress',
    sequence_number,
    response: response('in_progress'),
  }),
];

const end =
  (output: ResponseOutputItem[]): Make =>
  (sequence_number) => ({
    type: 'response.completed',
    sequence_number,
    response: response('completed', { output, usage }),
  });

function thinks(output_index: number): readonly Make[] {
  const at = { item_id: 'rs_1', output_index, summary_index: 0 };
  return [
    (sequence_number) => ({
      type: 'response.output_item.added',
      sequence_number,
      output_index,
      item: { id: 'rs_1', type: 'reasoning', summary: [] },
    }),
    (sequence_number) => ({
      type: 'response.reasoning_summary_part.added',
      sequence_number,
      ...at,
      part: { type: 'summary_text', text: '' },
    }),
    ...['Look ', 'it up.'].map((delta): Make => (sequence_number) => ({
      type: 'response.reasoning_summary_text.delta',
      sequence_number,
      ...at,
      delta,
    })),
    (sequence_number) => ({
      type: 'response.reasoning_summary_text.done',
      sequence_number,
      ...at,
      text: 'Look it up.',
    }),
    (sequence_number) => ({
      type: 'response.reasoning_summary_part.done',
      sequence_number,
      ...at,
      part: { type: 'summary_text', text: 'Look it up.' },
    }),
    (sequence_number) => ({
      type: 'response.output_item.done',
      sequence_number,
      output_index,
      item: reasoning,
    }),
  ];
}

function says(output_index: number, done = true): readonly Make[] {
  const at = { item_id: 'msg_1', output_index, content_index: 0 };
  const empty = { type: 'output_text', text: '', annotations: [] } as const;
  const whole = { type: 'output_text' as const, text, annotations: [] };
  return [
    (sequence_number) => ({
      type: 'response.output_item.added',
      sequence_number,
      output_index,
      item: { ...message, status: 'in_progress', content: [] },
    }),
    (sequence_number) => ({
      type: 'response.content_part.added',
      sequence_number,
      ...at,
      part: { ...empty, annotations: [] },
    }),
    ...['Rain in ', 'Köln ☔', '.'].map((delta): Make => (sequence_number) => ({
      type: 'response.output_text.delta',
      sequence_number,
      ...at,
      delta,
      logprobs: [],
    })),
    ...(done
      ? [
          (sequence_number: number): ResponseStreamEvent => ({
            type: 'response.output_text.done',
            sequence_number,
            ...at,
            text,
            logprobs: [],
          }),
          (sequence_number: number): ResponseStreamEvent => ({
            type: 'response.content_part.done',
            sequence_number,
            ...at,
            part: whole,
          }),
          (sequence_number: number): ResponseStreamEvent => ({
            type: 'response.output_item.done',
            sequence_number,
            output_index,
            item: message,
          }),
        ]
      : []),
  ];
}

function callsTool(output_index: number): readonly Make[] {
  const at = { item_id: 'fc_1', output_index };
  return [
    (sequence_number) => ({
      type: 'response.output_item.added',
      sequence_number,
      output_index,
      item: { ...call, status: 'in_progress', arguments: '' },
    }),
    ...['{"city":', '"Köln"}'].map((delta): Make => (sequence_number) => ({
      type: 'response.function_call_arguments.delta',
      sequence_number,
      ...at,
      delta,
    })),
    (sequence_number) => ({
      type: 'response.function_call_arguments.done',
      sequence_number,
      ...at,
      name: 'weather',
      arguments: call.arguments,
    }),
    (sequence_number) => ({
      type: 'response.output_item.done',
      sequence_number,
      output_index,
      item: call,
    }),
  ];
}

function searches(output_index: number): readonly Make[] {
  const at = { item_id: 'ws_1', output_index };
  return [
    (sequence_number) => ({
      type: 'response.output_item.added',
      sequence_number,
      output_index,
      item: { ...search, status: 'in_progress' },
    }),
    (sequence_number) => ({ type: 'response.web_search_call.in_progress', sequence_number, ...at }),
    (sequence_number) => ({ type: 'response.web_search_call.searching', sequence_number, ...at }),
    (sequence_number) => ({ type: 'response.web_search_call.completed', sequence_number, ...at }),
    (sequence_number) => ({
      type: 'response.output_item.done',
      sequence_number,
      output_index,
      item: search,
    }),
  ];
}

const refuses: readonly Make[] = [
  (sequence_number) => ({
    type: 'response.output_item.added',
    sequence_number,
    output_index: 0,
    item: { ...message, status: 'in_progress', content: [] },
  }),
  ...['I will ', 'not.'].map((delta): Make => (sequence_number) => ({
    type: 'response.refusal.delta',
    sequence_number,
    item_id: 'msg_1',
    output_index: 0,
    content_index: 0,
    delta,
  })),
  (sequence_number) => ({
    type: 'response.refusal.done',
    sequence_number,
    item_id: 'msg_1',
    output_index: 0,
    content_index: 0,
    refusal: 'I will not.',
  }),
  (sequence_number) => ({
    type: 'response.output_item.done',
    sequence_number,
    output_index: 0,
    item: refusal,
  }),
];

export const responsesSequences: readonly Sequence[] = [
  {
    name: 'thinks, says and calls',
    events: numbered([
      ...begin,
      ...thinks(0),
      ...says(1),
      ...callsTool(2),
      end([reasoning, message, call]),
    ]),
    text,
    calls: [{ city: 'Köln' }],
    finishReason: 'tool-calls',
  },
  {
    name: 'uses a tool of the vendor',
    events: numbered([
      ...begin,
      ...thinks(0),
      ...searches(1),
      ...says(2),
      end([reasoning, search, message]),
    ]),
    text,
    finishReason: 'stop',
  },
  {
    name: 'refuses',
    events: numbered([...begin, ...refuses, end([refusal])]),
    text: '',
    finishReason: 'refusal',
  },
  {
    name: 'is cut at its length',
    events: numbered([
      ...begin,
      ...says(0, false),
      (sequence_number) => ({
        type: 'response.incomplete',
        sequence_number,
        response: response('incomplete', {
          incomplete_details: { reason: 'max_output_tokens' },
          output: [{ ...message, status: 'incomplete' }],
          usage,
        }),
      }),
    ]),
    text,
    finishReason: 'length',
  },
  {
    name: 'fails in the middle',
    events: numbered([
      ...begin,
      ...says(0, false),
      (sequence_number) => ({
        type: 'response.failed',
        sequence_number,
        response: response('failed', { error: { code: 'server_error', message: 'Sorry.' } }),
      }),
    ]),
    text,
    finishReason: '',
    fails: 'overloaded',
  },
  {
    name: 'breaks off with an error',
    events: numbered([
      ...begin,
      ...says(0, false),
      (sequence_number) => ({
        type: 'error',
        sequence_number,
        code: 'rate_limit_exceeded',
        message: 'Slow down.',
        param: null,
      }),
    ]),
    text,
    finishReason: '',
    fails: 'rate-limit',
  },
];

type Delta = ChatCompletionChunk.Choice.Delta;
type Finish = ChatCompletionChunk.Choice['finish_reason'];

function chunk(delta: Delta, finish_reason: Finish = null): ChatCompletionChunk {
  return { ...chunkBase, choices: [{ index: 0, delta, finish_reason, logprobs: null }] };
}

const chunkBase = {
  id: 'chatcmpl-1',
  object: 'chat.completion.chunk',
  created: 1,
  model: 'gpt-5-mini-2025-08-07',
  service_tier: 'default',
  system_fingerprint: 'fp_1',
} as const;

const counted: ChatCompletionChunk = {
  ...chunkBase,
  choices: [],
  usage: { prompt_tokens: 20, completion_tokens: 10, total_tokens: 30 },
};

const opening = chunk({ role: 'assistant', content: '', refusal: null });
const saying = ['Rain in ', 'Köln ☔', '.'].map((content) => chunk({ content }));
const part = (index: number, text_: string): ChatCompletionChunk =>
  chunk({ tool_calls: [{ index, function: { arguments: text_ } }] });
const named = (index: number, id: string): ChatCompletionChunk =>
  chunk({
    tool_calls: [{ index, id, type: 'function', function: { name: 'weather', arguments: '' } }],
  });

export const chatSequences: readonly Sequence[] = [
  {
    name: 'says',
    events: [opening, ...saying, chunk({}, 'stop'), counted],
    text,
    finishReason: 'stop',
  },
  {
    name: 'calls twice',
    events: [
      opening,
      named(0, 'call_a'),
      part(0, '{"city":'),
      part(0, '"Köln"}'),
      named(1, 'call_b'),
      part(1, '{"city":"Bonn"}'),
      chunk({}, 'tool_calls'),
      counted,
    ],
    text: '',
    calls: [{ city: 'Köln' }, { city: 'Bonn' }],
    finishReason: 'tool-calls',
  },
  {
    name: 'refuses',
    events: [
      opening,
      chunk({ refusal: 'I will ' }),
      chunk({ refusal: 'not.' }),
      chunk({}, 'stop'),
      counted,
    ],
    text: '',
    finishReason: 'refusal',
  },
  {
    name: 'is cut at its length',
    events: [opening, ...saying, chunk({}, 'length'), counted],
    text,
    finishReason: 'length',
  },
  {
    name: 'is filtered',
    events: [opening, ...saying, chunk({}, 'content_filter'), counted],
    text,
    finishReason: 'content-filter',
  },
];
