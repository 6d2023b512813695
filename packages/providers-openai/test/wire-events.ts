/** One server-sent event of the Responses API, with its name, as OpenAI sends it. */
export function event(data: { readonly type: string; readonly [key: string]: unknown }): string {
  return `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`;
}

/** One chunk of Chat Completions. */
export function chunk(data: unknown): string {
  return `data: ${JSON.stringify(data)}\n\n`;
}

/** A text in two pieces. */
export function halves(text: string): [string, string] {
  const middle = Math.ceil(text.length / 2);
  return [text.slice(0, middle), text.slice(middle)];
}

export const done = 'data: [DONE]\n\n';

/** A chunk with one delta. */
export function delta(fields: object, finish_reason: string | null = null): string {
  return chunk({
    id: 'chatcmpl-1',
    object: 'chat.completion.chunk',
    created: 1,
    model: 'gpt-5-mini-2025-08-07',
    choices: [{ index: 0, delta: fields, logprobs: null, finish_reason }],
  });
}

export const chatUsage = chunk({
  id: 'chatcmpl-1',
  object: 'chat.completion.chunk',
  created: 1,
  model: 'gpt-5-mini-2025-08-07',
  choices: [],
  usage: {
    prompt_tokens: 20,
    completion_tokens: 10,
    total_tokens: 30,
    prompt_tokens_details: { cached_tokens: 8, audio_tokens: 0 },
    completion_tokens_details: { reasoning_tokens: 4, audio_tokens: 0 },
  },
});

export const responsesUsage = {
  input_tokens: 20,
  input_tokens_details: { cached_tokens: 8, cache_write_tokens: 0 },
  output_tokens: 10,
  output_tokens_details: { reasoning_tokens: 4 },
  total_tokens: 30,
};

/** The chunks of an answer that thinks, says something (with letters of several bytes) and calls two tools. */
export const chatAnswer: readonly string[] = [
  delta({ role: 'assistant', content: '', refusal: null }),
  delta({ content: 'It is ' }),
  delta({ content: '21 °C — 晴れ 🌤' }),
  delta({
    tool_calls: [
      { index: 0, id: 'call_a', type: 'function', function: { name: 'weather', arguments: '' } },
    ],
  }),
  delta({ tool_calls: [{ index: 0, function: { arguments: '{"city":' } }] }),
  delta({ tool_calls: [{ index: 0, function: { arguments: '"Köln"}' } }] }),
  delta({
    tool_calls: [
      { index: 1, id: 'call_b', type: 'function', function: { name: 'clock', arguments: '' } },
    ],
  }),
  delta({ tool_calls: [{ index: 1, function: { arguments: '{"zone":"CET"}' } }] }),
  delta({}, 'tool_calls'),
  chatUsage,
  done,
];

const response = {
  id: 'resp_1',
  object: 'response',
  model: 'gpt-5-mini-2025-08-07',
  status: 'in_progress',
  output: [],
};

const reasoning = {
  id: 'rs_1',
  type: 'reasoning',
  summary: [{ type: 'summary_text', text: 'They want weather.' }],
  encrypted_content: 'gAAAA-opaque',
};
const message = {
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  status: 'completed',
  content: [{ type: 'output_text', text: 'It is 21 °C — 晴れ 🌤', annotations: [] }],
};
const callA = {
  id: 'fc_1',
  type: 'function_call',
  status: 'completed',
  call_id: 'call_a',
  name: 'weather',
  arguments: '{"city":"Köln"}',
};
const callB = {
  id: 'fc_2',
  type: 'function_call',
  status: 'completed',
  call_id: 'call_b',
  name: 'clock',
  arguments: '{"zone":"CET"}',
};

export const responsesItems = { reasoning, message, callA, callB };

/** The last event of an answer. */
export function completed(output: readonly object[], more: object = {}): string {
  return event({
    type: 'response.completed',
    sequence_number: 99,
    response: { ...response, status: 'completed', output, usage: responsesUsage, ...more },
  });
}

/** The same answer as events of the Responses API. */
export const responsesAnswer: readonly string[] = [
  event({ type: 'response.created', sequence_number: 0, response }),
  event({ type: 'response.in_progress', sequence_number: 1, response }),
  event({
    type: 'response.output_item.added',
    sequence_number: 2,
    output_index: 0,
    item: { id: 'rs_1', type: 'reasoning', summary: [] },
  }),
  event({
    type: 'response.reasoning_summary_text.delta',
    sequence_number: 3,
    item_id: 'rs_1',
    output_index: 0,
    summary_index: 0,
    delta: 'They want weather.',
  }),
  event({
    type: 'response.output_item.done',
    sequence_number: 4,
    output_index: 0,
    item: reasoning,
  }),
  event({
    type: 'response.output_item.added',
    sequence_number: 5,
    output_index: 1,
    item: { ...message, status: 'in_progress', content: [] },
  }),
  event({
    type: 'response.output_text.delta',
    sequence_number: 6,
    item_id: 'msg_1',
    output_index: 1,
    content_index: 0,
    delta: 'It is ',
  }),
  event({
    type: 'response.output_text.delta',
    sequence_number: 7,
    item_id: 'msg_1',
    output_index: 1,
    content_index: 0,
    delta: '21 °C — 晴れ 🌤',
  }),
  event({
    type: 'response.output_item.done',
    sequence_number: 8,
    output_index: 1,
    item: message,
  }),
  event({
    type: 'response.output_item.added',
    sequence_number: 9,
    output_index: 2,
    item: { ...callA, status: 'in_progress', arguments: '' },
  }),
  event({
    type: 'response.function_call_arguments.delta',
    sequence_number: 10,
    item_id: 'fc_1',
    output_index: 2,
    delta: '{"city":',
  }),
  event({
    type: 'response.function_call_arguments.delta',
    sequence_number: 11,
    item_id: 'fc_1',
    output_index: 2,
    delta: '"Köln"}',
  }),
  event({ type: 'response.output_item.done', sequence_number: 12, output_index: 2, item: callA }),
  event({
    type: 'response.output_item.added',
    sequence_number: 13,
    output_index: 3,
    item: { ...callB, status: 'in_progress', arguments: '' },
  }),
  event({
    type: 'response.function_call_arguments.delta',
    sequence_number: 14,
    item_id: 'fc_2',
    output_index: 3,
    delta: '{"zone":"CET"}',
  }),
  event({ type: 'response.output_item.done', sequence_number: 15, output_index: 3, item: callB }),
  completed([reasoning, message, callA, callB]),
];
