import type { Anthropic } from '@anthropic-ai/sdk';

/** One server-sent event, with its name, as the API sends it. */
export function event(data: { readonly type: string; readonly [key: string]: unknown }): string {
  return `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`;
}

/** An event of the SDK's own type: what the compiler takes is what the API documents. */
export function known(data: Anthropic.RawMessageStreamEvent): string {
  return `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`;
}

export const ping = event({ type: 'ping' });

/** A comment, as proxies send them to keep a connection open. */
export const comment = ': keep-alive\n\n';

export const startUsage: Anthropic.Usage = {
  input_tokens: 8,
  cache_creation_input_tokens: 4,
  cache_read_input_tokens: 8,
  cache_creation: { ephemeral_1h_input_tokens: 0, ephemeral_5m_input_tokens: 4 },
  output_tokens: 1,
  output_tokens_details: null,
  inference_geo: 'global',
  server_tool_use: null,
  service_tier: 'standard',
  speed: null,
};

export function message(fields: Partial<Anthropic.Message> = {}): Anthropic.Message {
  return {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'claude-sonnet-5-5',
    content: [],
    container: null,
    diagnostics: null,
    stop_reason: null,
    stop_sequence: null,
    stop_details: null,
    usage: startUsage,
    ...fields,
  };
}

export function start(fields: Partial<Anthropic.Message> = {}): string {
  return known({ type: 'message_start', message: message(fields) });
}

type Block = Anthropic.RawContentBlockStartEvent['content_block'];
type Delta = Anthropic.RawContentBlockDelta;

/** The events of one content block. */
export function block(index: number, content_block: Block, ...deltas: readonly Delta[]): string[] {
  return [
    known({ type: 'content_block_start', index, content_block }),
    ...deltas.map((delta) => known({ type: 'content_block_delta', index, delta })),
    known({ type: 'content_block_stop', index }),
  ];
}

export function text(index: number, ...pieces: readonly string[]): string[] {
  return block(
    index,
    { type: 'text', text: '', citations: null },
    ...pieces.map((piece): Delta => ({ type: 'text_delta', text: piece })),
  );
}

export function thinking(index: number, thought: string, signature: string): string[] {
  return block(
    index,
    { type: 'thinking', thinking: '', signature: '' },
    ...(thought === '' ? [] : [{ type: 'thinking_delta', thinking: thought } as const]),
    { type: 'signature_delta', signature },
  );
}

export function call(
  index: number,
  id: string,
  name: string,
  ...json: readonly string[]
): string[] {
  return block(
    index,
    { type: 'tool_use', id, name, input: {}, caller: { type: 'direct' } },
    ...['', ...json].map((partial_json): Delta => ({ type: 'input_json_delta', partial_json })),
  );
}

export const deltaUsage: Anthropic.MessageDeltaUsage = {
  input_tokens: 8,
  cache_creation_input_tokens: 4,
  cache_read_input_tokens: 8,
  output_tokens: 10,
  output_tokens_details: { thinking_tokens: 4 },
  server_tool_use: null,
};

/** The last two events. */
export function stop(
  stop_reason: Anthropic.StopReason,
  more: Partial<Anthropic.RawMessageDeltaEvent.Delta> = {},
  usage = deltaUsage,
): string[] {
  return [
    known({
      type: 'message_delta',
      delta: { container: null, stop_details: null, stop_reason, stop_sequence: null, ...more },
      usage,
    }),
    known({ type: 'message_stop' }),
  ];
}

/** The error event of a stream (https://platform.claude.com/docs/en/build-with-claude/streaming#error-events). */
export function errorEvent(type: string, words: string): string {
  return event({
    type: 'error',
    error: { type, message: words, details: null },
    request_id: 'req_1',
  });
}

export const redacted: Anthropic.RedactedThinkingBlock = {
  type: 'redacted_thinking',
  data: 'EroHCkYIARgCKkBopaque',
};

/** An answer that thinks twice, says something (with letters of several bytes) and calls two tools; pings between. */
export const answer: readonly string[] = [
  start(),
  ping,
  ...thinking(0, 'They want weather: Köln.', 'EqQBCgIYAhIM-signed'),
  ...block(1, redacted),
  ...text(2, 'It is ', '21 °C — 晴れ 🌤'),
  ping,
  comment,
  ...call(3, 'toolu_a', 'weather', '{"city":', '"Köln"}'),
  ...call(4, 'toolu_b', 'clock', '{"zone":"CET"}'),
  event({ type: 'something_new', what: 'nobody knows it yet' }),
  ...stop('tool_use'),
];
