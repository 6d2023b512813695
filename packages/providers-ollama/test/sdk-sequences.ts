import type { ModelPart } from '@agent-functions/core';
import type { ChatResponse, ErrorResponse, Message, ToolCall } from 'ollama';

// Streams as the server sends them. Every line is of the SDK's own types, so that the compiler says when one is not:
// `ChatResponse`, `Message`, `ToolCall` and `ErrorResponse` of ollama/dist/browser.d.ts (0.6.4). The order of lines is that
// of https://docs.ollama.com/api/chat, /capabilities/thinking, /capabilities/tool-calling and /api/errors.

type Ending =
  | 'done_reason'
  | 'total_duration'
  | 'load_duration'
  | 'prompt_eval_count'
  | 'prompt_eval_duration'
  | 'eval_count'
  | 'eval_duration';

/** A `ChatResponse` in JSON: its date is a text, and why it ended and what it cost are in the last line only. */
type ChatLine = Omit<ChatResponse, 'created_at' | 'done' | Ending> & {
  readonly created_at: string;
} & ({ readonly done: false } | ({ readonly done: true } & Pick<ChatResponse, Ending>));

/** A stream, and what it comes to. */
export interface Sequence {
  readonly name: string;
  /** `undefined` is an empty line. */
  readonly lines: readonly (ChatLine | ErrorResponse | undefined)[];
  readonly parts: readonly ModelPart[];
  readonly finishReason: string;
  /** Fields that mean nothing to us, as the warning counts them. */
  readonly unknown?: string;
  /** Where the server itself breaks off: the reason. */
  readonly fails?: string;
}

const head = { model: 'qwen3', created_at: '2026-11-22T10:00:00.123456789Z' };

function piece(message: Partial<Message>): ChatLine {
  return { ...head, message: { role: 'assistant', content: '', ...message }, done: false };
}

function ended(done_reason: 'stop' | 'length' = 'stop', message: Partial<Message> = {}): ChatLine {
  return {
    ...piece(message),
    done: true,
    done_reason,
    total_duration: 5_589_157_167,
    load_duration: 3_013_701_500,
    prompt_eval_count: 26,
    prompt_eval_duration: 325_953_000,
    eval_count: 11,
    eval_duration: 2_431_000_000,
  };
}

export const usage = { inputTokens: 26, outputTokens: 11, totalTokens: 37 };

function calling(name: string, input: ToolCall['function']['arguments']): ToolCall {
  return { function: { name, arguments: input } };
}

const saying = ['Köln: ', '21 °C — ', '晴れ 🌤', '.'].map((content) => piece({ content }));
const said: ModelPart = { type: 'text', text: 'Köln: 21 °C — 晴れ 🌤.' };
const thinking = ['Sie fragen ', 'nach Köln.'].map((thought) => piece({ thinking: thought }));
const thought: ModelPart = {
  type: 'reasoning',
  text: 'Sie fragen nach Köln.',
  providerData: { ollama: { thinking: true } },
};
const weather = calling('weather', { city: 'Köln', days: [1, 2], exact: true });
const clock = calling('clock', { zone: 'CET' });
const called: readonly ModelPart[] = [
  {
    type: 'tool-call',
    toolName: 'weather',
    input: { city: 'Köln', days: [1, 2], exact: true },
  },
  { type: 'tool-call', toolName: 'clock', input: { zone: 'CET' } },
];

// What newer servers send, and the SDK's types do not have.
const newer: ChatLine & { readonly shard: string } = {
  ...piece({ content: 'Hello' }),
  shard: 'eu-1',
};
const newerCall: ToolCall & { readonly id: string; readonly trust: number } = {
  ...clock,
  id: 'call_a',
  trust: 1,
};

export const sequences: readonly Sequence[] = [
  { name: 'says', lines: [...saying, ended()], parts: [said], finishReason: 'stop' },
  {
    name: 'says its last piece in the line that ends it',
    lines: [piece({ content: 'Köln' }), ended('stop', { content: ' 🌤' })],
    parts: [{ type: 'text', text: 'Köln 🌤' }],
    finishReason: 'stop',
  },
  {
    name: 'thinks, then says',
    lines: [...thinking, ...saying, ended()],
    parts: [thought, said],
    finishReason: 'stop',
  },
  {
    name: 'thinks, says and calls',
    lines: [...thinking, ...saying, piece({ tool_calls: [weather] }), ended()],
    parts: [thought, said, ...called.slice(0, 1)],
    finishReason: 'tool-calls',
  },
  {
    name: 'calls twice in one line',
    lines: [piece({ tool_calls: [weather, clock] }), ended()],
    parts: called,
    finishReason: 'tool-calls',
  },
  {
    name: 'calls twice in two lines',
    lines: [piece({ tool_calls: [weather] }), piece({ tool_calls: [clock] }), ended()],
    parts: called,
    finishReason: 'tool-calls',
  },
  {
    name: 'calls with empty arguments',
    lines: [piece({ tool_calls: [calling('now', {})] }), ended()],
    parts: [{ type: 'tool-call', toolName: 'now', input: {} }],
    finishReason: 'tool-calls',
  },
  {
    name: 'is cut at its length',
    lines: [...saying, ended('length')],
    parts: [said],
    finishReason: 'length',
  },
  { name: 'ends without content', lines: [ended()], parts: [], finishReason: 'stop' },
  {
    name: 'has empty lines between',
    lines: [undefined, ...saying.flatMap((one) => [one, undefined, undefined]), ended(), undefined],
    parts: [said],
    finishReason: 'stop',
  },
  {
    name: 'has fields that are newer',
    lines: [newer, newer, piece({ tool_calls: [newerCall] }), ended()],
    parts: [{ type: 'text', text: 'HelloHello' }, ...called.slice(1)],
    finishReason: 'tool-calls',
    unknown: 'shard (2), trust (1)',
  },
  {
    name: 'fails after text',
    lines: [...saying, { error: 'an error was encountered while running the model' }],
    parts: [],
    finishReason: '',
    fails: 'overloaded',
  },
  {
    name: 'fails between its calls, and goes on',
    lines: [
      ...thinking,
      piece({ tool_calls: [weather] }),
      { error: 'the input length exceeds the context length' },
      piece({ tool_calls: [clock] }),
      ended(),
    ],
    parts: [],
    finishReason: '',
    fails: 'context-length',
  },
];
