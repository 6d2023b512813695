import { ModelError } from '@agent-functions/core';
import { Ollama } from 'ollama';
import { afterAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { asking, failure, listen, respond, weather } from '../test/asking.ts';
import { answerBody, answerLines, answerResponse, last, line } from '../test/wire-lines.ts';
import { begins, bytes, cut, json, slices, wireServer } from '../test/wire-server.ts';
import { ollama } from './index.ts';

const server = await wireServer();
afterAll(() => server.close());
const whole = answerLines.join('');
const model = ollama('qwen3', { host: server.url });

beforeEach(() => {
  server.received.length = 0;
  server.play(bytes(whole));
});

it('streams deltas, then one response with everything in it', async () => {
  expect(await listen(model, asking({ tools: [weather] }))).toEqual([
    { type: 'reasoning-delta', delta: 'They want ' },
    { type: 'reasoning-delta', delta: 'weather.' },
    { type: 'text-delta', delta: 'It is ' },
    { type: 'text-delta', delta: '21 °C — 晴れ 🌤' },
    { type: 'tool-input-delta', index: 0, toolName: 'weather', delta: '{"city":"Köln"}' },
    { type: 'tool-input-delta', index: 1, toolName: 'clock', delta: '{"zone":"CET"}' },
    { type: 'response', response: answerResponse },
  ]);
  const [request] = server.received;
  expect([request?.method, request?.url]).toEqual(['POST', '/api/chat']);
  expect(request?.headers.authorization).toBeUndefined();
});

describe('the same answer, however the network cuts its bytes', () => {
  it.each([1, 2, 3, 7, 64, 1000])('in writes of %i', async (size) => {
    server.play(slices(whole, size));
    expect(await respond(model)).toEqual(answerResponse);
  });

  it('with CR LF, empty lines and no line break at the end', async () => {
    server.play(bytes(`\n${whole.replaceAll('\n', '\r\n\r\n').trimEnd()}`));
    expect(await respond(model)).toEqual(answerResponse);
  });
});

describe('a stream that ends too early is an error, wherever it is cut', () => {
  const raw = Buffer.from(whole);
  // Bytes of "°", "晴" and the four of "🌤", and the middle and the end of every line but the last.
  const within = ['°', '晴', '🌤'].flatMap((letter) => {
    const at = raw.indexOf(letter);
    return Array.from({ length: Buffer.byteLength(letter) - 1 }, (_, index) => at + index + 1);
  });
  let end = 0;
  const ends = answerLines.flatMap((text) => {
    const begin = end;
    end += Buffer.byteLength(text);
    return [begin, Math.floor((begin + end) / 2)];
  });
  const places = [...ends, ...within, raw.length - 3];

  it.each(places)('closed after %i bytes', async (place) => {
    server.play(bytes(raw.subarray(0, place)));
    const error = await failure(listen(model));
    expect(error).toBeInstanceOf(ModelError);
    expect(error).toMatchObject({ reason: 'invalid-response', retryable: true });
  });

  it.each(places)('broken after %i bytes', async (place) => {
    server.play(cut(raw.subarray(0, place)));
    const error = await failure(listen(model));
    expect(error).toBeInstanceOf(ModelError);
    expect(error).toMatchObject({ reason: 'network', retryable: true });
  });
});

it.each([
  ['an empty body', ''],
  ['only empty lines', '\n\n\n'],
  ['a page', '<html><body>Welcome to the proxy</body></html>\n'],
  ['a line that is cut in the middle of others', `${line({ content: 'a' })}{"mess\n${last()}`],
  ['lines that are not objects', 'null\n"text"\n[1]\n1\n'],
  ['a call without a name', line({ tool_calls: [{ function: { arguments: {} } }] }) + last()],
  ['one object that never says done', line({ content: 'Hello' })],
])('calls %s an invalid response', async (_, body) => {
  server.play(bytes(body));
  const error = await failure(listen(model));
  expect(error).toBeInstanceOf(ModelError);
  expect(error).toMatchObject({ reason: 'invalid-response', provider: 'ollama' });
});

it.each([
  ['an error was encountered while running the model', 'overloaded'],
  ['the input length exceeds the context length', 'context-length'],
  [
    JSON.stringify({
      error: {
        code: 400,
        message: 'request (2622 tokens) exceeds the available context size (512 tokens)',
      },
    }),
    'context-length',
  ],
  ['model "qwen3" not found', 'invalid-request'],
])('makes of an error inside the stream what its words say: %s', async (error, reason) => {
  server.play(bytes(`${line({ content: 'It ' })}${JSON.stringify({ error })}\n`));
  const thrown = await failure(listen(model));
  expect(thrown).toMatchObject({ reason, provider: 'ollama' });
  server.play(json({ error }));
  const settings = { streaming: false };
  expect(await failure(listen(model, asking({ settings })))).toMatchObject({ reason });
});

it('prints nothing of an answer, as the SDK would', async () => {
  const printed = (['log', 'warn', 'error'] as const).map((name) => vi.spyOn(console, name));
  server.play(bytes(`${line({ content: 'secret' })}{"mess\n`));
  await failure(listen(model));
  server.play((response) => void response.writeHead(500).end('<html>secret</html>'));
  await failure(listen(model));
  expect(printed.flatMap((spy) => spy.mock.calls)).toEqual([]);
});

it('ignores fields that it does not know, and counts them', async () => {
  const odd = line({ content: 'Hi', mood: 'good' }, { surprise: 1 });
  server.play(bytes(odd + odd + last()));
  const events = await listen(model);
  expect(events.at(-2)).toEqual({
    type: 'warning',
    code: 'unknown-fields',
    message:
      'Ollama sent fields that this version does not know, and they were ignored: surprise (2), mood (2).',
  });
  expect(events.at(-1)).toMatchObject({ response: { parts: [{ text: 'HiHi' }] } });
});

it.each([
  ['stop', 'stop'],
  ['length', 'length'],
  ['load', 'other'],
  ['unload', 'other'],
  [undefined, 'stop'],
])('gives done_reason %s as %s', async (reason, finishReason) => {
  server.play(bytes(line({ content: 'Hi' }) + last({ done_reason: reason })));
  expect(await respond(model)).toMatchObject({ finishReason });
});

it('gives the images of a model that draws', async () => {
  server.play(bytes(line({ images: ['/9j/4AAQ'] }) + last()));
  expect((await respond(model)).parts).toEqual([
    { type: 'file', mediaType: 'image/jpeg', data: '/9j/4AAQ' },
  ]);
});

it('names the model that answered, where it is another', async () => {
  server.play(bytes(line({ content: 'Hi' }) + last({ model: 'qwen3:8b' })));
  expect(await respond(model)).toMatchObject({ modelId: 'qwen3:8b' });
});

describe('asked for one piece', () => {
  const settings = { streaming: false };

  it('gives the response without deltas', async () => {
    server.play(json(answerBody));
    expect(await listen(model, asking({ settings }))).toEqual([
      { type: 'response', response: answerResponse },
    ]);
    expect(JSON.parse(server.received[0]?.body ?? '')).toMatchObject({ stream: false });
  });

  it.each([
    ['an empty object', json({})],
    ['a page', bytes('<html></html>')],
    ['nothing', bytes('')],
  ])('calls %s an invalid response', async (_, answer) => {
    server.play(answer);
    expect(await failure(listen(model, asking({ settings })))).toMatchObject({
      reason: 'invalid-response',
    });
  });
});

describe('an abort', () => {
  const handedIn = ollama('qwen3', { client: new Ollama({ host: server.url }) });

  it.each([
    ['before the first byte', model, true],
    ['in the middle', model, true],
    ['in one piece', model, false],
    ['before the first byte, with a client handed in', handedIn, true],
    ['in one piece, with a client handed in', handedIn, false],
  ])('%s closes its own socket, and no other call’s', async (when, one, streaming) => {
    const sockets: Promise<void>[] = [];
    const { promise: both, resolve: bothAsked } = Promise.withResolvers<void>();
    const finish: (() => void)[] = [];
    server.play((response, request) => {
      sockets.push(request.closed);
      if (when === 'in the middle') void begins(answerLines[0] ?? '')(response, request);
      finish.push(() =>
        streaming
          ? response.end(when === 'in the middle' ? answerLines.slice(1).join('') : whole)
          : response.end(JSON.stringify(answerBody)),
      );
      if (sockets.length === 2) bothAsked();
    });
    const stopped = new AbortController();
    const settings = { streaming };
    const first = failure(listen(one, asking({ settings }), stopped.signal));
    await vi.waitFor(() => expect(sockets).toHaveLength(1));
    const second = respond(one, asking({ settings }));
    await both;
    const reason = new Error('enough');
    stopped.abort(reason);
    expect(await first).toBe(reason);
    await sockets[0];
    finish[1]?.();
    expect(await second).toEqual(answerResponse);
  });

  it('asks nothing when it came before', async () => {
    const reason = new Error('too late');
    expect(await failure(listen(model, asking(), AbortSignal.abort(reason)))).toBe(reason);
    expect(server.received).toHaveLength(0);
  });

  it('is not needed when the reader leaves', async () => {
    server.play(begins(answerLines.slice(0, 4).join('')));
    const { signal } = new AbortController();
    for await (const event of model.stream(asking(), { signal })) {
      if (event.type === 'text-delta') break;
    }
    await server.received[0]?.closed;
  });

  it('leaves nothing behind in a client that was handed in', async () => {
    const client = new Ollama({ host: server.url });
    server.play(begins(answerLines.slice(0, 4).join('')));
    const { signal } = new AbortController();
    for await (const event of ollama('qwen3', { client }).stream(asking(), { signal })) {
      if (event.type === 'text-delta') break;
    }
    expect(Reflect.get(client, 'ongoingStreamedRequests')).toEqual([]);
  });
});

it('uses its socket again', async () => {
  await using quiet = await wireServer();
  let ended = Promise.withResolvers<void>();
  quiet.play((response) => {
    response.writeHead(200, { 'content-type': 'application/x-ndjson' });
    response.write(whole);
    // The end of the body comes after the last line, as it does over a real network.
    setImmediate(() => response.end(() => ended.resolve()));
  });
  const other = ollama('qwen3', { host: quiet.url });
  for (let turn = 0; turn < 10; turn++) {
    ended = Promise.withResolvers<void>();
    await Promise.all([respond(other), ended.promise]);
  }
  expect(quiet.connections()).toBeLessThan(6);
});

it('asks once: retries are not its business', async () => {
  server.play(json({ error: 'down' }, 500));
  expect(await failure(listen(model))).toMatchObject({ reason: 'overloaded', status: 500 });
  expect(server.received).toHaveLength(1);
});
