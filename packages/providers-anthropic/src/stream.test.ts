import type { ModelStreamEvent } from '@agent-functions/core';
import {
  streamAnswer,
  cutAnswer,
  jsonAnswer,
  type WireServer,
} from '@agent-functions/core/testing';
import type { Anthropic } from '@anthropic-ai/sdk';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { asking, claude, failure, listen, respond, user, weather } from '../test/ask.ts';
import {
  answer,
  block,
  call,
  comment,
  deltaUsage,
  errorEvent,
  event,
  message,
  ping,
  redacted,
  start,
  stop,
  text,
  thinking,
} from '../test/wire-events.ts';
import { wireServer } from '../test/wire-server.ts';

let server: WireServer;
beforeEach(async () => (server = await wireServer()));
afterEach(() => server.close());

const request = asking({ tools: [weather, { ...weather, name: 'clock' }] });

const expected = {
  parts: [
    {
      type: 'reasoning',
      text: 'They want weather: Köln.',
      providerData: {
        anthropic: {
          type: 'thinking',
          thinking: 'They want weather: Köln.',
          signature: 'EqQBCgIYAhIM-signed',
        },
      },
    },
    { type: 'reasoning', providerData: { anthropic: redacted } },
    { type: 'text', text: 'It is 21 °C — 晴れ 🌤' },
    {
      type: 'tool-call',
      toolName: 'weather',
      input: { city: 'Köln' },
      providerData: { anthropic: { id: 'toolu_a', caller: { type: 'direct' } } },
    },
    {
      type: 'tool-call',
      toolName: 'clock',
      input: { zone: 'CET' },
      providerData: { anthropic: { id: 'toolu_b', caller: { type: 'direct' } } },
    },
  ],
  // 8 asked anew, 4 written to the cache, 8 read from it.
  usage: {
    inputTokens: 20,
    outputTokens: 10,
    totalTokens: 30,
    cachedInputTokens: 8,
    cacheWriteInputTokens: 4,
    reasoningTokens: 4,
  },
  finishReason: 'tool-calls',
  responseId: 'msg_1',
};

describe('the events of an answer', () => {
  test('are read one by one; thinking is kept untouched; what is not known is counted', async () => {
    server.play(streamAnswer(answer.join('')));
    const events = await listen(claude(server), request);
    expect(events).toEqual([
      { type: 'reasoning-delta', delta: 'They want weather: Köln.' },
      { type: 'text-delta', delta: 'It is ' },
      { type: 'text-delta', delta: '21 °C — 晴れ 🌤' },
      { type: 'tool-input-delta', index: 0, toolName: 'weather', delta: '{"city":' },
      { type: 'tool-input-delta', index: 0, toolName: 'weather', delta: '"Köln"}' },
      { type: 'tool-input-delta', index: 1, toolName: 'clock', delta: '{"zone":"CET"}' },
      {
        type: 'warning',
        code: 'unknown-events',
        message: expect.stringContaining('something_new ×1'),
      },
      { type: 'response', response: expected },
    ]);
  });

  test('mean the same in every piece that the network makes of them', async () => {
    const body = new TextEncoder().encode(answer.join(''));
    for (const size of [1, 2, 3, 7, 64, 1_000]) {
      server.play(async (response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        for (let at = 0; at < body.length; at += size) {
          await new Promise((resolve) => response.write(body.subarray(at, at + size), resolve));
        }
        response.end();
      });
      expect(await respond(claude(server), request), `pieces of ${size}`).toEqual(expected);
    }
  });

  const whole = answer.findIndex((one) => one.startsWith('event: message_delta')) + 1;
  for (const [how, play] of [
    ['ends properly', streamAnswer],
    ['breaks', cutAnswer],
  ] as const) {
    test(`are no answer where the stream ${how} before the last of them, after any`, async () => {
      for (let count = 0; count < whole; count++) {
        server.play(play(answer.slice(0, count).join('')));
        const error = await failure(listen(claude(server), request));
        expect(error, `after ${count} events`).toMatchObject({
          provider: 'anthropic',
          reason: expect.stringMatching(/^(network|invalid-response)$/),
          retryable: true,
        });
      }
    });

    test(`are no answer where the stream ${how} inside of one`, async () => {
      for (let count = 1; count <= whole; count++) {
        const last = answer[count - 1] ?? '';
        for (const at of [1, Math.floor(last.length / 2), last.length - 3]) {
          const body = answer.slice(0, count - 1).join('') + last.slice(0, at);
          server.play(play(body));
          const result = await listen(claude(server), request).catch((error: unknown) => error);
          // The SDK takes an event without the empty line after it, which is whole by then.
          if (Array.isArray(result)) expect(result.at(-1)).toMatchObject({ response: expected });
          else
            expect(result).toMatchObject({
              reason: expect.stringMatching(/^(network|invalid-response)$/),
            });
        }
      }
    });

    test(`are a whole answer where the stream ${how} after the reason of its end`, async () => {
      server.play(play(answer.slice(0, whole).join('')));
      expect(await respond(claude(server), request)).toEqual(expected);
    });
  }

  test('come with pings and comments anywhere', async () => {
    server.play(streamAnswer(answer.map((one) => ping + comment + one).join('')));
    expect(await respond(claude(server), request)).toEqual(expected);
  });

  test('are the same as a message in one piece', async () => {
    const content = [
      { type: 'thinking', thinking: 'They want weather: Köln.', signature: 'EqQBCgIYAhIM-signed' },
      redacted,
      { type: 'text', text: 'It is 21 °C — 晴れ 🌤', citations: null },
      {
        type: 'tool_use',
        id: 'toolu_a',
        name: 'weather',
        input: { city: 'Köln' },
        caller: { type: 'direct' },
      },
      {
        type: 'tool_use',
        id: 'toolu_b',
        name: 'clock',
        input: { zone: 'CET' },
        caller: { type: 'direct' },
      },
    ];
    server.play(jsonAnswer({ ...message(), content, stop_reason: 'tool_use', usage: deltaUsage }));
    const settings = { streaming: false };
    expect(await respond(claude(server), { ...request, settings })).toEqual(expected);
  });

  test('give citations and the work of the vendor’s tools back as they came', async () => {
    const search = {
      type: 'server_tool_use',
      id: 'srvtoolu_1',
      name: 'web_search',
      input: {},
      caller: { type: 'direct' },
    } as const;
    const citation: Anthropic.CitationCharLocation = {
      type: 'char_location',
      cited_text: 'rain',
      document_index: 0,
      document_title: null,
      start_char_index: 0,
      end_char_index: 4,
      file_id: null,
    };
    const found: Anthropic.WebSearchToolResultBlock = {
      type: 'web_search_tool_result',
      tool_use_id: 'srvtoolu_1',
      caller: { type: 'direct' },
      content: [],
    };
    const events = [
      start(),
      ...block(0, search, { type: 'input_json_delta', partial_json: '{"query":"rain"}' }),
      ...block(1, found),
      ...block(
        2,
        { type: 'text', text: '', citations: [] },
        { type: 'text_delta', text: 'Rain.' },
        { type: 'citations_delta', citation },
      ),
      ...stop('end_turn'),
    ];
    server.play(streamAnswer(events.join('')));
    const model = claude(server);
    const { parts } = await respond(model);
    expect(parts).toEqual([
      { type: 'reasoning', providerData: { anthropic: { ...search, input: { query: 'rain' } } } },
      { type: 'reasoning', providerData: { anthropic: found } },
      { type: 'text', text: 'Rain.', providerData: { anthropic: { citations: [citation] } } },
    ]);
    const said = parts.filter((part) => part.type !== 'tool-call');
    await respond(
      model,
      asking({
        messages: [user('One?'), { id: 'a', role: 'assistant', parts: said }, user('Two?', 'm2')],
      }),
    );
    const [, turn] = JSON.parse(server.received[1]?.body ?? '').messages;
    expect(turn.content).toEqual([
      { ...search, input: { query: 'rain' } },
      found,
      { type: 'text', text: 'Rain.', citations: [citation] },
    ]);
  });
});

describe('the ends of an answer', () => {
  const refused = {
    stop_details: { type: 'refusal', category: 'cyber', explanation: null },
  } as const;
  test.each([
    ['end_turn', 'stop'],
    ['stop_sequence', 'stop'],
    ['max_tokens', 'length'],
    ['model_context_window_exceeded', 'length'],
  ] as const)('%s is %s', async (reason, finishReason) => {
    server.play(streamAnswer([start(), ...text(0, 'Hi'), ...stop(reason)].join('')));
    const events = await listen(claude(server));
    expect(events.at(-1)).toMatchObject({ response: { finishReason, parts: [{ text: 'Hi' }] } });
    const warned = events.some((one) => one.type === 'warning' && one.code === 'context-window');
    expect(warned).toBe(reason === 'model_context_window_exceeded');
  });

  test('a refusal says why, and nothing that was under way is done', async () => {
    const events = [start(), ...text(0, 'First I '), ...call(1, 'toolu_a', 'weather', '{}')];
    server.play(streamAnswer([...events, ...stop('refusal', refused)].join('')));
    const { parts, finishReason } = await respond(claude(server), request);
    expect(finishReason).toBe('refusal');
    expect(parts).toEqual([
      { type: 'text', text: 'First I ' },
      { type: 'refusal', text: 'Claude declined to answer (cyber).' },
    ]);
  });

  const search = {
    type: 'server_tool_use',
    id: 'srvtoolu_1',
    name: 'web_search',
    input: {},
    caller: { type: 'direct' },
  } as const;
  const paused = [
    start({ id: 'msg_1' }),
    ...text(0, 'I look. '),
    ...block(1, search),
    ...stop('pause_turn', { container: { id: 'container_1', expires_at: 'later', skills: null } }),
  ];

  test('a paused turn goes on by itself, in the same container, as one answer', async () => {
    const rest = [start({ id: 'msg_2' }), ...text(0, 'It rains.'), ...stop('end_turn')];
    server.play((response, received) =>
      streamAnswer((JSON.parse(received.body).messages.length > 1 ? rest : paused).join(''))(
        response,
        received,
      ),
    );
    const events = await listen(claude(server));
    const [first, second] = server.received.map(({ body }) => JSON.parse(body));
    expect(server.received).toHaveLength(2);
    expect(second.messages).toEqual([
      ...first.messages,
      { role: 'assistant', content: [{ type: 'text', text: 'I look. ', citations: null }, search] },
    ]);
    expect(second.container).toBe('container_1');
    expect(events.filter(({ type }) => type === 'text-delta')).toHaveLength(2);
    expect(events.at(-1)).toMatchObject({
      response: {
        finishReason: 'stop',
        usage: {
          inputTokens: 40,
          outputTokens: 20,
          cachedInputTokens: 16,
          cacheWriteInputTokens: 8,
          reasoningTokens: 8,
        },
        parts: [{ text: 'I look. ' }, { type: 'reasoning' }, { text: 'It rains.' }],
      },
    });
  });

  test('a turn that never ends is given back after a while, with a warning', async () => {
    server.play(streamAnswer(paused.join('')));
    const events = await listen(claude(server));
    expect(server.received).toHaveLength(9);
    expect(events.at(-2)).toMatchObject({ code: 'paused' });
    expect(events.at(-1)).toMatchObject({ response: { finishReason: 'other' } });
  });
});

describe('an error inside a stream', () => {
  test.each([
    ['overloaded_error', 'Overloaded', 'overloaded', true],
    ['api_error', 'Internal server error', 'overloaded', true],
    ['rate_limit_error', 'Too fast', 'rate-limit', true],
    ['timeout_error', 'Too slow', 'timeout', true],
    ['invalid_request_error', 'prompt is too long: 5 tokens > 4 maximum', 'context-length', false],
    [
      'invalid_request_error',
      'Output blocked by content filtering policy',
      'content-filter',
      false,
    ],
    ['invalid_request_error', 'No.', 'invalid-request', false],
    ['authentication_error', 'No.', 'authentication', false],
    ['permission_error', 'No.', 'permission', false],
    ['billing_error', 'No.', 'quota', false],
    ['new_error', 'Whatever', 'overloaded', true],
  ])('%s (%s) is %s', async (type, words, reason, retryable) => {
    server.play(streamAnswer([start(), ...text(0, 'Hel'), errorEvent(type, words)].join('')));
    const shown: ModelStreamEvent[] = [];
    const error = await failure(
      (async () => {
        const { signal } = new AbortController();
        for await (const one of claude(server).stream(asking(), { signal })) shown.push(one);
      })(),
    );
    expect(error).toMatchObject({ reason, retryable, provider: 'anthropic', status: undefined });
    expect(shown).toEqual([{ type: 'text-delta', delta: 'Hel' }]);
  });

  test.each([
    ['an event that is not JSON', `event: message_delta\ndata: {"type\n\n`],
    ['a call without a name', [...call(0, 'toolu_a', '', '{}'), ...stop('tool_use')].join('')],
  ])('%s is an invalid response', async (_, broken) => {
    server.play(streamAnswer(start() + broken));
    expect(await failure(listen(claude(server)))).toMatchObject({ reason: 'invalid-response' });
  });

  test('a server that announces no blocks is read all the same', async () => {
    const events = [
      event({ type: 'message_start', message: {} }),
      event({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'Hi' } }),
      event({ type: 'message_stop' }),
    ];
    server.play(streamAnswer(events.join('')));
    expect(await respond(claude(server))).toEqual({
      parts: [{ type: 'text', text: 'Hi' }],
      usage: { inputTokens: 0, outputTokens: 0, totalTokens: 0 },
      finishReason: 'stop',
    });
  });

  test('thinking whose text is kept back is carried all the same', async () => {
    server.play(
      streamAnswer(
        [start(), ...thinking(0, '', 'sig'), ...text(1, 'Hi'), ...stop('end_turn')].join(''),
      ),
    );
    const { parts } = await respond(claude(server));
    expect(parts[0]).toEqual({
      type: 'reasoning',
      providerData: { anthropic: { type: 'thinking', thinking: '', signature: 'sig' } },
    });
  });
});
