import { ModelError } from '@agent-functions/core';
import { streamAnswer, cutAnswer, jsonAnswer } from '@agent-functions/core/testing';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { asking, failure, key, listen, respond, targets, weather } from '../test/targets.ts';
import { answer, body, chunk, event, failureBody, last, retryInfo } from '../test/wire-events.ts';
import { wireServer } from '../test/wire-server.ts';

const server = await wireServer();
afterAll(() => server.close());
const whole = answer.join('');

describe.each(targets)('$name', (target) => {
  const model = target.model(server.url);

  beforeEach(() => {
    server.received.length = 0;
    server.play(streamAnswer(whole));
  });

  const expected = {
    parts: [
      { type: 'reasoning', text: '**Weather**\n\nThey want weather.' },
      { type: 'text', text: 'It is 21 °C — 晴れ 🌤' },
      {
        type: 'tool-call',
        toolName: 'weather',
        input: { city: 'Köln' },
        providerData: {
          google: { id: 'call_a', signature: 'c2lnbmF0dXJlLWE=', api: target.backend },
        },
      },
      {
        type: 'tool-call',
        toolName: 'clock',
        input: { zone: 'CET' },
        providerData: { google: { id: 'call_b' } },
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
    responseId: 'resp_1',
    modelId: 'gemini-3.8-flash-001',
  };

  it('streams deltas, then one response with everything in it', async () => {
    expect(await listen(model, asking({ tools: [weather] }))).toEqual([
      { type: 'reasoning-delta', delta: '**Weather**\n\nThey want ' },
      { type: 'reasoning-delta', delta: 'weather.' },
      { type: 'text-delta', delta: 'It is ' },
      { type: 'text-delta', delta: '21 °C — 晴れ 🌤' },
      { type: 'tool-input-delta', index: 0, toolName: 'weather', delta: '{"city":"Köln"}' },
      { type: 'tool-input-delta', index: 1, toolName: 'clock', delta: '{"zone":"CET"}' },
      { type: 'response', response: expected },
    ]);
  });

  it('asks at its own address, with its own credential', async () => {
    await listen(model);
    const [request] = server.received;
    expect(request?.url).toBe(target.url);
    const [name, value] = target.auth;
    expect(request?.headers[name]).toBe(value);
  });

  it('reads the same answer however the network cuts its bytes', async () => {
    const raw = Buffer.from(whole);
    for (const size of [1, 7, 64]) {
      server.play((response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        for (let at = 0; at < raw.length; at += size) response.write(raw.subarray(at, at + size));
        response.end();
      });
      expect(await respond(model)).toEqual(expected);
    }
  });

  describe('a stream that ends too early is an error, wherever it is cut', () => {
    const places = answer.flatMap((text, count) => {
      const before = answer.slice(0, count).join('');
      return [
        { place: `after ${count} chunks`, text: before },
        { place: `within chunk ${count}`, text: before + text.slice(0, text.length / 2) },
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
    server.play(cutAnswer(whole));
    expect(await respond(model)).toEqual(expected);
  });

  it.each([
    ['an empty body', ''],
    ['only comments', ': keep-alive\n\n: keep-alive\n\n'],
    ['a page', '<html><body>Welcome to the proxy</body></html>'],
    ['JSON instead of events', '{"object":"list","data":[]}'],
    ['events that are not JSON', 'data: {"broken\n\n'],
    ['events that are not objects', 'data: null\n\ndata: "text"\n\ndata: [1]\n\n'],
    ['the end mark of another wire', 'data: [DONE]\n\n'],
  ])('calls %s an invalid response', async (_, text) => {
    server.play(streamAnswer(text));
    const error = await failure(listen(model));
    expect(error).toBeInstanceOf(ModelError);
    expect(error).toMatchObject({ reason: 'invalid-response', provider: 'google' });
  });

  it('hangs up within a second when it is aborted, and asks once after an error', async () => {
    const { promise: asked, resolve: wasAsked } = Promise.withResolvers<{
      closed: Promise<void>;
    }>();
    server.play((response, request) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(answer.slice(0, 3).join(''));
      wasAsked(request);
    });
    const controller = new AbortController();
    const outcome = failure(listen(model, asking(), controller.signal));
    const { closed } = await asked;
    const reason = new Error('the run was cancelled');
    controller.abort(reason);
    await closed;
    expect(await outcome).toBe(reason);
    server.play(jsonAnswer(failureBody(500, 'INTERNAL', 'down'), 500));
    expect(await failure(listen(model))).toMatchObject({ reason: 'overloaded', status: 500 });
    expect(server.received).toHaveLength(2);
  });

  it('uses its socket again', async () => {
    await using quiet = await wireServer();
    let ended = Promise.withResolvers<void>();
    quiet.play((response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(whole);
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
    const request = asking({ settings: { streaming: false } });

    it('gives the response without deltas', async () => {
      server.play(jsonAnswer(body));
      expect(await listen(model, request)).toEqual([{ type: 'response', response: expected }]);
      expect(server.received[0]?.url).toBe(
        target.url.replace('streamGenerateContent?alt=sse', 'generateContent'),
      );
    });

    it.each([
      ['an empty object', jsonAnswer({})],
      ['null', jsonAnswer(null)],
      ['a page', streamAnswer('<html></html>')],
      ['nothing', streamAnswer('')],
      ['an answer that has not ended', jsonAnswer({ candidates: [{ content: { parts: [] } }] })],
    ])('calls %s an invalid response', async (_, answer) => {
      server.play(answer);
      expect(await failure(listen(model, request))).toMatchObject({ reason: 'invalid-response' });
    });
  });

  it('never shows the key, whatever the server says', async () => {
    for (const status of [400, 401, 403, 404, 429, 500]) {
      const said = `API key not valid: ${key} (AIza-canary*****)`;
      server.play(jsonAnswer(failureBody(status, 'SOMETHING', said), status, { 'x-echo': key }));
      const error = await failure(listen(model));
      expect(error).toBeInstanceOf(ModelError);
      expect(everythingIn(error)).not.toContain('canary');
    }
  });

  it.each([
    [failureBody(429, 'RESOURCE_EXHAUSTED', 'slow down', [retryInfo('3.5s')]), 'rate-limit', 3500],
    [failureBody(503, 'UNAVAILABLE', 'The model is overloaded.'), 'overloaded', undefined],
    [failureBody(500, 'INTERNAL', 'sorry'), 'overloaded', undefined],
    [failureBody(400, 'INVALID_ARGUMENT', 'no'), 'invalid-request', undefined],
    [failureBody(504, 'DEADLINE_EXCEEDED', 'late'), 'timeout', undefined],
  ])('says what an error in the middle of a stream says: %j', async (error, reason, wait) => {
    server.play(streamAnswer(answer.slice(0, 3).join('') + event(error)));
    const thrown = await failure(listen(model));
    expect(thrown).toMatchObject({ reason });
    expect(thrown).toHaveProperty('retryAfterMs', wait);
  });

  it.each(['SAFETY', 'PROHIBITED_CONTENT', 'BLOCKLIST', 'OTHER', 'MODEL_ARMOR', 'NEW_ONE'])(
    'takes a prompt that was blocked (%s) for filtered',
    async (blockReason) => {
      const feedback = { promptFeedback: { blockReason }, usageMetadata: { promptTokenCount: 9 } };
      for (const [answer, streaming] of [
        [streamAnswer(event(feedback)), true],
        [jsonAnswer(feedback), false],
      ] as const) {
        server.play(answer);
        const error = await failure(listen(model, asking({ settings: { streaming } })));
        expect(error).toMatchObject({ reason: 'content-filter', retryable: false });
        expect(error).toHaveProperty('details.vendorCode', blockReason);
      }
    },
  );

  it.each([
    ['STOP', 'stop'],
    ['MAX_TOKENS', 'length'],
    ['CONTINUATION', 'length'],
    ['SAFETY', 'content-filter'],
    ['RECITATION', 'content-filter'],
    ['BLOCKLIST', 'content-filter'],
    ['PROHIBITED_CONTENT', 'content-filter'],
    ['SPII', 'content-filter'],
    ['IMAGE_SAFETY', 'content-filter'],
    ['LANGUAGE', 'other'],
    ['OTHER', 'other'],
    ['TOO_MANY_TOOL_CALLS', 'other'],
    ['FINISH_REASON_UNSPECIFIED', 'other'],
    ['NEW_ONE', 'other'],
  ])('knows the finish reason %s as %s, and asks once', async (reason, finishReason) => {
    server.play(streamAnswer(chunk([{ text: 'So far' }]) + last(reason)));
    expect(await respond(model)).toMatchObject({ finishReason });
    expect(server.received).toHaveLength(1);
  });

  it.each(['MALFORMED_FUNCTION_CALL', 'UNEXPECTED_TOOL_CALL', 'MALFORMED_RESPONSE'])(
    'lets a call that the model garbled (%s) be asked again',
    async (reason) => {
      server.play(streamAnswer(chunk([{ text: 'So far' }]) + last(reason)));
      const error = await failure(listen(model));
      expect(error).toMatchObject({ reason: 'invalid-response', retryable: true });
      expect(String(error)).toContain(reason);
    },
  );

  it('counts what it does not know, and says so', async () => {
    server.play(
      streamAnswer(
        event({ hello: 1 }) +
          chunk([{ hologram: {} }, { text: 'Yes' }]) +
          chunk([{ hologram: {} }, {}]) +
          last('STOP'),
      ),
    );
    const events = await listen(model);
    expect(events.slice(0, -1)).toEqual([
      { type: 'text-delta', delta: 'Yes' },
      {
        type: 'warning',
        code: 'unknown-content',
        message:
          'The answer held what this version does not know, and it was left out: chunk (1), part "hologram" (2), empty part (1).',
      },
    ]);
  });

  it('keeps a signature with the part that it came with', async () => {
    server.play(
      streamAnswer(
        chunk([{ text: 'a' }, { text: 'b', thoughtSignature: 'czE=' }, { text: 'c' }]) +
          chunk([{ text: 'd' }]) +
          last('STOP', [{ text: '', thoughtSignature: 'czI=' }]),
      ),
    );
    const signed = (signature: string) => ({ google: { signature, api: target.backend } });
    expect((await respond(model)).parts).toEqual([
      { type: 'text', text: 'a' },
      { type: 'text', text: 'b', providerData: signed('czE=') },
      { type: 'text', text: 'cd' },
      { type: 'reasoning', providerData: signed('czI=') },
    ]);
  });

  it('keeps images that the model made, and what its own tools did', async () => {
    const code = { executableCode: { language: 'PYTHON', code: 'print(1)' } };
    const image = { inlineData: { mimeType: 'image/png', data: 'iVBORw0KGgo=' } };
    server.play(streamAnswer(chunk([code, image]) + last('STOP')));
    expect((await respond(model)).parts).toEqual([
      { type: 'reasoning', providerData: { google: { part: code, api: target.backend } } },
      { type: 'file', mediaType: 'image/png', data: 'iVBORw0KGgo=' },
    ]);
  });
});

it('is silent to a reader who left while it was asked', async () => {
  const model = targets[0]?.model(server.url);
  if (model === undefined) throw new Error('no target');
  const { promise: asked, resolve: wasAsked } = Promise.withResolvers<void>();
  server.play(() => wasAsked());
  const { signal } = new AbortController();
  const events = model.stream(asking(), { signal })[Symbol.asyncIterator]();
  const first = events.next();
  await asked;
  await events.return?.();
  expect(await first).toEqual({ done: true, value: undefined });
});

/** Whatever a logger could print of an error: its fields and their fields, stack and cause included. */
function everythingIn(error: unknown, seen = new Set<unknown>()): string {
  if (typeof error !== 'object' || error === null) return String(error);
  if (seen.has(error)) return '';
  seen.add(error);
  return Reflect.ownKeys(error)
    .map((name) => everythingIn(Reflect.get(error, name), seen))
    .join(' ');
}
