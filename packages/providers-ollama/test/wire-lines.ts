// Lines as a server sends them: `ChatResponse` of the SDK (ollama/dist/browser.d.ts), and the streams of
// https://docs.ollama.com/api/chat, /capabilities/thinking and /capabilities/tool-calling.

const head = { model: 'qwen3', created_at: '2026-11-22T10:00:00.000000Z' };

/** One line: a piece of the message. */
export function line(message: object, more: object = {}): string {
  const whole = { role: 'assistant', content: '', ...message };
  return `${JSON.stringify({ ...head, message: whole, done: false, ...more })}\n`;
}

/** The last line: why it ended, and what it cost. Durations are nanoseconds. */
export function last(more: object = {}): string {
  return line(
    {},
    {
      done: true,
      done_reason: 'stop',
      total_duration: 5_589_157_167,
      load_duration: 3_013_701_500,
      prompt_eval_count: 26,
      prompt_eval_duration: 325_953_000,
      eval_count: 11,
      eval_duration: 2_431_000_000,
      ...more,
    },
  );
}

/** One call of a tool, as newer servers send it: with an id and an index that the SDK does not know. */
export function call(name: string, input: object, index = 0): object {
  return { id: `call_${index}`, function: { index, name, arguments: input } };
}

/** An answer that thinks, says something (with letters of several bytes) and calls two tools at once. */
export const answerLines: readonly string[] = [
  line({ thinking: 'They want ' }),
  line({ thinking: 'weather.' }),
  line({ content: 'It is ' }),
  line({ content: '21 °C — 晴れ 🌤' }),
  line({ tool_calls: [call('weather', { city: 'Köln' }), call('clock', { zone: 'CET' }, 1)] }),
  last(),
];

export const answerResponse = {
  parts: [
    {
      type: 'reasoning',
      text: 'They want weather.',
      providerData: { ollama: { thinking: true } },
    },
    { type: 'text', text: 'It is 21 °C — 晴れ 🌤' },
    { type: 'tool-call', toolName: 'weather', input: { city: 'Köln' } },
    { type: 'tool-call', toolName: 'clock', input: { zone: 'CET' } },
  ],
  usage: { inputTokens: 26, outputTokens: 11, totalTokens: 37 },
  finishReason: 'tool-calls',
};

/** The same answer in one piece. */
export const answerBody = {
  ...head,
  message: {
    role: 'assistant',
    content: 'It is 21 °C — 晴れ 🌤',
    thinking: 'They want weather.',
    tool_calls: [call('weather', { city: 'Köln' }), call('clock', { zone: 'CET' }, 1)],
  },
  done: true,
  done_reason: 'stop',
  prompt_eval_count: 26,
  eval_count: 11,
};
