import { ModelError } from '@agent-functions/core';
import { streamAnswer, cutAnswer, jsonAnswer } from '@agent-functions/core/testing';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { asking, failure, key, listen, respond, targets, weather } from '../test/targets.ts';
import { wireServer } from '../test/wire-server.ts';
import { completed, done, event, responsesItems } from '../test/wire-events.ts';

const server = await wireServer();
afterAll(() => server.close());

describe.each(targets)('$name', (target) => {
  const whole = target.answer.join('');
  const model = target.model(server.url);

  beforeEach(() => {
    server.received.length = 0;
    server.play(streamAnswer(whole));
  });

  const expected = {
    parts: [
      ...(target.wire === 'responses'
        ? [
            {
              type: 'reasoning',
              text: 'They want weather.',
              providerData: {
                [target.provider]: {
                  id: 'rs_1',
                  type: 'reasoning',
                  summary: [{ type: 'summary_text', text: 'They want weather.' }],
                  encrypted_content: 'gAAAA-opaque',
                },
              },
            },
          ]
        : []),
      { type: 'text', text: 'It is 21 °C — 晴れ 🌤' },
      {
        type: 'tool-call',
        toolName: 'weather',
        input: { city: 'Köln' },
        providerData: { [target.provider]: { id: 'call_a' } },
      },
      {
        type: 'tool-call',
        toolName: 'clock',
        input: { zone: 'CET' },
        providerData: { [target.provider]: { id: 'call_b' } },
      },
    ],
    usage: {
      inputTokens: 20,
      outputTokens: 10,
      totalTokens: 30,
      cachedInputTokens: 8,
      reasoningTokens: 4,
    },
    finishReason: 'tool-calls',
    responseId: target.wire === 'responses' ? 'resp_1' : 'chatcmpl-1',
    modelId: 'gpt-5-mini-2025-08-07',
  };

  it('streams deltas, then one response with everything in it', async () => {
    const events = await listen(model, asking({ tools: [weather] }));
    expect(events).toEqual([
      ...(target.wire === 'responses'
        ? [{ type: 'reasoning-delta', delta: 'They want weather.' }]
        : []),
      { type: 'text-delta', delta: 'It is ' },
      { type: 'text-delta', delta: '21 °C — 晴れ 🌤' },
      { type: 'tool-input-delta', index: 0, toolName: 'weather', delta: '{"city":' },
      { type: 'tool-input-delta', index: 0, toolName: 'weather', delta: '"Köln"}' },
      { type: 'tool-input-delta', index: 1, toolName: 'clock', delta: '{"zone":"CET"}' },
      { type: 'response', response: expected },
    ]);
  });

  it('asks at its own address, with its own credential', async () => {
    await listen(model);
    const [request] = server.received;
    expect(request?.method).toBe('POST');
    expect(request?.url).toBe(target.url);
    const [name, value] = target.auth;
    expect(request?.headers[name]).toBe(value);
    const other = name === 'api-key' ? 'authorization' : 'api-key';
    expect(request?.headers[other]).toBeUndefined();
  });

  it('reads the same answer however the network cuts its bytes', async () => {
    const raw = Buffer.from(whole);
    for (const size of [1, 7, 64]) {
      server.play(async (response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        for (let at = 0; at < raw.length; at += size) response.write(raw.subarray(at, at + size));
        response.end();
      });
      expect(await respond(model)).toEqual(expected);
    }
  });

  it('reads lines that end in CR LF', async () => {
    server.play(streamAnswer(whole.replaceAll('\n', '\r\n')));
    expect(await respond(model)).toEqual(expected);
  });

  describe('a stream that ends too early is an error, wherever it is cut', () => {
    // From the first byte up to, but without, what makes an answer whole: the last event, or the finish reason.
    const last = target.answer.findIndex((text) => /response.completed|"tool_calls"}]/.test(text));
    const places = target.answer.slice(0, last + 1).flatMap((text, count) => {
      const before = target.answer.slice(0, count).join('');
      return [
        { place: `after ${count} chunks`, text: before },
        {
          place: `within chunk ${count}`,
          text: before + text.slice(0, Math.floor(text.length / 2)),
        },
      ];
    });

    it.each(places)('closed $place', async ({ text }) => {
      server.play(streamAnswer(text));
      const error = await failure(listen(model));
      expect(error).toBeInstanceOf(ModelError);
      expect(error).toMatchObject({ reason: 'invalid-response', retryable: true });
    });

    it.each(places)('broken $place', async ({ text }) => {
      server.play(cutAnswer(text));
      const error = await failure(listen(model));
      expect(error).toBeInstanceOf(ModelError);
      expect(error).toMatchObject({ reason: 'network', retryable: true });
    });
  });

  it('has its answer when only the end of the connection is lost', async () => {
    const whole = target.wire === 'responses' ? target.answer : target.answer.slice(0, -1);
    server.play(cutAnswer(whole.join('')));
    expect(await respond(model)).toEqual(expected);
  });

  it.each([
    ['an empty body', ''],
    ['only comments', ': keep-alive\n\n: keep-alive\n\n'],
    ['a page', '<html><body>Welcome to the proxy</body></html>'],
    ['JSON instead of events', '{"object":"list","data":[]}'],
    ['events that are not JSON', 'data: {"broken\n\n'],
    ['events that are not objects', 'data: null\n\ndata: "text"\n\ndata: [1]\n\n'],
    ['only the end mark', done],
  ])('calls %s an invalid response', async (_, body) => {
    server.play(streamAnswer(body));
    const error = await failure(listen(model));
    expect(error).toBeInstanceOf(ModelError);
    expect(error).toMatchObject({ reason: 'invalid-response', provider: target.provider });
  });

  it('waits for a slow first byte', async () => {
    const { promise: asked, resolve: wasAsked } = Promise.withResolvers<void>();
    const { promise: go, resolve: answer } = Promise.withResolvers<void>();
    server.play(async (response) => {
      wasAsked();
      await go;
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.end(whole);
    });
    const answered = respond(model);
    await asked;
    answer();
    expect(await answered).toEqual(expected);
  });

  it('shows a delta before the answer goes on', async () => {
    const { promise: seen, resolve: sawDelta } = Promise.withResolvers<void>();
    const first = target.answer.findIndex((text) => text.includes('It is ')) + 1;
    server.play(async (response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(target.answer.slice(0, first).join(''));
      await seen;
      response.end(target.answer.slice(first).join(''));
    });
    const texts: string[] = [];
    const { signal } = new AbortController();
    for await (const event of model.stream(asking(), { signal })) {
      if (event.type === 'text-delta') texts.push(event.delta);
      if (texts.length === 1) sawDelta();
    }
    expect(texts).toEqual(['It is ', '21 °C — 晴れ 🌤']);
  });

  it.each(['before the first byte', 'in the middle'])(
    'closes the socket within a second when it is aborted %s',
    async (when) => {
      const { promise: asked, resolve: wasAsked } = Promise.withResolvers<{
        closed: Promise<void>;
      }>();
      server.play((response, request) => {
        if (when === 'in the middle') {
          response.writeHead(200, { 'content-type': 'text/event-stream' });
          response.write(target.answer.slice(0, -3).join(''));
        }
        wasAsked(request);
      });
      const controller = new AbortController();
      const { promise: seen, resolve: sawDelta } = Promise.withResolvers<void>();
      const call = (async () => {
        for await (const event of model.stream(asking(), { signal: controller.signal })) {
          if (event.type === 'tool-input-delta') sawDelta();
        }
      })();
      const outcome = failure(call);
      const { closed } = await asked;
      if (when === 'in the middle') await seen;
      const reason = new Error('the run was cancelled');
      const start = performance.now();
      controller.abort(reason);
      await closed;
      expect(performance.now() - start).toBeLessThan(1_000);
      expect(await outcome).toBe(reason);
    },
  );

  it('asks nothing when it is aborted already', async () => {
    const reason = new Error('too late');
    expect(await failure(listen(model, asking(), AbortSignal.abort(reason)))).toBe(reason);
    expect(server.received).toHaveLength(0);
  });

  it('closes the socket when the reader leaves', async () => {
    server.play((response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(target.answer.slice(0, -3).join(''));
    });
    const { signal } = new AbortController();
    for await (const event of model.stream(asking(), { signal })) {
      if (event.type === 'text-delta') break;
    }
    await server.received[0]?.closed;
  });

  it('asks once: retries are not its business', async () => {
    server.play(jsonAnswer({ error: { message: 'down' } }, 500));
    expect(await failure(listen(model))).toMatchObject({ reason: 'overloaded', status: 500 });
    expect(server.received).toHaveLength(1);
  });

  it('uses its socket again', async () => {
    await using quiet = await wireServer();
    let ended = Promise.withResolvers<void>();
    quiet.play((response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(whole);
      // The end of the body comes after the end mark, as it does over a real network.
      setImmediate(() => response.end(() => ended.resolve()));
    });
    const other = target.model(quiet.url);
    for (let turn = 0; turn < 10; turn++) {
      ended = Promise.withResolvers<void>();
      await Promise.all([respond(other), ended.promise]);
    }
    expect(quiet.connections()).toBeLessThan(6);
  });

  describe('asked for one piece', () => {
    it('gives the response without deltas', async () => {
      const answer = target.wire === 'responses' ? responsesBody : chatBody;
      server.play(jsonAnswer(answer));
      const events = await listen(model, asking({ settings: { streaming: false } }));
      expect(events).toEqual([{ type: 'response', response: expected }]);
      const sent = JSON.parse(server.received[0]?.body ?? '');
      expect(sent.stream).toBe(false);
      expect(sent.stream_options).toBeUndefined();
    });

    it.each([
      ['an empty object', jsonAnswer({})],
      ['a page', streamAnswer('<html></html>')],
      ['nothing', streamAnswer('')],
    ])('calls %s an invalid response', async (_, answer) => {
      server.play(answer);
      const error = await failure(listen(model, asking({ settings: { streaming: false } })));
      expect(error).toMatchObject({ reason: 'invalid-response' });
    });

    it('is aborted down to the socket', async () => {
      const { promise: asked, resolve: wasAsked } = Promise.withResolvers<{
        closed: Promise<void>;
      }>();
      server.play((_, request) => wasAsked(request));
      const controller = new AbortController();
      const outcome = failure(
        listen(model, asking({ settings: { streaming: false } }), controller.signal),
      );
      const { closed } = await asked;
      const reason = new Error('enough');
      controller.abort(reason);
      expect(await outcome).toBe(reason);
      await closed;
    });
  });

  it('never shows the key, whatever the server says', async () => {
    for (const status of [400, 401, 403, 404, 429, 500]) {
      server.play(
        jsonAnswer(
          { error: { message: `Incorrect API key provided: ${key} (sk-cana**********6789)` } },
          status,
          { 'x-echo': key },
        ),
      );
      const error = await failure(listen(model));
      expect(error).toBeInstanceOf(ModelError);
      expect(everythingIn(error)).not.toContain('canary');
      expect(everythingIn(error)).not.toContain('sk-');
    }
  });
});

const chatBody = {
  id: 'chatcmpl-1',
  object: 'chat.completion',
  model: 'gpt-5-mini-2025-08-07',
  choices: [
    {
      index: 0,
      finish_reason: 'tool_calls',
      message: {
        role: 'assistant',
        content: 'It is 21 °C — 晴れ 🌤',
        refusal: null,
        tool_calls: [
          {
            id: 'call_a',
            type: 'function',
            function: { name: 'weather', arguments: '{"city":"Köln"}' },
          },
          {
            id: 'call_b',
            type: 'function',
            function: { name: 'clock', arguments: '{"zone":"CET"}' },
          },
        ],
      },
    },
  ],
  usage: {
    prompt_tokens: 20,
    completion_tokens: 10,
    total_tokens: 30,
    prompt_tokens_details: { cached_tokens: 8 },
    completion_tokens_details: { reasoning_tokens: 4 },
  },
};

const responsesBody = JSON.parse(
  completed(Object.values(responsesItems)).split('\ndata: ')[1] ?? '',
).response;

/** Whatever a logger could print of an error: its fields and their fields, stack and cause included. */
function everythingIn(error: unknown, seen = new Set<unknown>()): string {
  if (typeof error !== 'object' || error === null) return String(error);
  if (seen.has(error)) return '';
  seen.add(error);
  const headers = error instanceof Headers ? JSON.stringify([...error]) : '';
  return (
    headers +
    Reflect.ownKeys(error)
      .map((name) => everythingIn(Reflect.get(error, name), seen))
      .join(' ')
  );
}

describe('an error inside a stream', () => {
  it.each([
    [{ code: 'rate_limit_exceeded', message: 'slow down' }, 'rate-limit'],
    [{ code: 'server_error', message: 'sorry' }, 'overloaded'],
    [{ code: 'invalid_image', message: 'not an image' }, 'invalid-request'],
    [{ code: 'image_content_policy_violation', message: 'no' }, 'content-filter'],
    [{ code: 'context_length_exceeded', message: 'long' }, 'context-length'],
    [{ code: 'insufficient_quota', message: 'pay' }, 'quota'],
  ])('is what its code says: %j', async (error, reason) => {
    const [responses, chat] = targets;
    if (responses === undefined || chat === undefined) throw new Error('no targets');
    const begun = responses.answer.slice(0, 7).join('');
    for (const text of [
      begun + event({ type: 'response.failed', response: { status: 'failed', error } }),
      begun + event({ type: 'error', ...error, param: null }),
      begun + `event: error\ndata: ${JSON.stringify({ error })}\n\n`,
    ]) {
      server.play(streamAnswer(text));
      expect(await failure(listen(responses.model(server.url)))).toMatchObject({ reason });
    }
    server.play(
      streamAnswer(`${chat.answer.slice(0, 3).join('')}data: ${JSON.stringify({ error })}\n\n`),
    );
    expect(await failure(listen(chat.model(server.url)))).toMatchObject({ reason });
    server.play(jsonAnswer({ status: 'failed', error, output: [] }));
    expect(
      await failure(
        listen(responses.model(server.url), asking({ settings: { streaming: false } })),
      ),
    ).toMatchObject({ reason });
  });
});

it('is silent to a reader who left while it was asked', async () => {
  const [target] = targets;
  const asked = Promise.withResolvers<{ closed: Promise<void> }>();
  server.play((_, request) => asked.resolve(request));
  const { signal } = new AbortController();
  const events = target?.model(server.url).stream(asking(), { signal })[Symbol.asyncIterator]();
  const pending = events?.next();
  const { closed } = await asked.promise;
  await events?.return?.();
  await closed;
  expect(await pending).toEqual({ done: true, value: undefined });
});

it('gives its events in order to a reader who does not wait', async () => {
  const [target] = targets;
  server.play(streamAnswer(target?.answer.join('') ?? ''));
  const { signal } = new AbortController();
  const events = target?.model(server.url).stream(asking(), { signal })[Symbol.asyncIterator]();
  if (events === undefined) throw new Error('no target');
  const results = await Promise.all(Array.from({ length: 9 }, () => events.next()));
  expect(results.map((result) => result.value?.type)).toEqual([
    'reasoning-delta',
    'text-delta',
    'text-delta',
    'tool-input-delta',
    'tool-input-delta',
    'tool-input-delta',
    'response',
    undefined,
    undefined,
  ]);
});
