import { describe, expect, it } from 'vitest';
import type { Message } from '../message.ts';
import type { ModelRequest, ModelStreamEvent } from '../model.ts';
import { ModelError } from '../errors.ts';
import { collect, gate, scriptedModel, UnscriptedCallError } from './index.ts';

const message = (role: Message['role'], text: string): Message => ({
  id: `${role}:${text}`,
  role,
  parts: [{ type: 'text', text }],
});
const request = (...messages: Message[]): ModelRequest => ({ messages, tools: [], settings: {} });
const ask = request(message('user', 'Hi'));
const { signal } = new AbortController();

function textOfDeltas(events: readonly ModelStreamEvent[]): string {
  return events.map((event) => (event.type === 'text-delta' ? event.delta : '')).join('');
}

describe('scriptedModel', () => {
  it('streams text in chunks, then one response, last', async () => {
    const model = scriptedModel(['Hello, world'], { chunkSize: 5 });
    const events = await collect(model.stream(ask, { signal }));
    expect(events).toEqual([
      { type: 'text-delta', delta: 'Hello' },
      { type: 'text-delta', delta: ', wor' },
      { type: 'text-delta', delta: 'ld' },
      {
        type: 'response',
        response: {
          parts: [{ type: 'text', text: 'Hello, world' }],
          usage: { inputTokens: 10, outputTokens: 5, totalTokens: 15 },
          finishReason: 'stop',
        },
      },
    ]);
    expect(model.calls).toBe(1);
    expect(model.running).toBe(0);
    expect(model.requests).toEqual([ask]);
  });

  it('never cuts a surrogate pair', async () => {
    const model = scriptedModel(['a😀b😀'], { chunkSize: 2 });
    const events = await collect(model.stream(ask, { signal }));
    expect(textOfDeltas(events)).toBe('a😀b😀');
    const deltas = events.flatMap((event) => (event.type === 'text-delta' ? [event.delta] : []));
    // encodeURIComponent refuses a lone surrogate.
    expect(deltas.map((delta) => decodeURIComponent(encodeURIComponent(delta)))).toEqual(deltas);
  });

  it('plays reasoning, tool calls, structured output and refusals', async () => {
    const model = scriptedModel([
      {
        reasoning: 'hm',
        calls: [
          ['get_weather', { city: 'Seattle' }],
          ['now', {}],
        ],
      },
      { json: { city: 'Seattle' } },
      { refusal: 'No.' },
      { calls: [{ toolName: 'get_weather', inputText: '{"city":' }] },
    ]);
    const answers = [];
    const inputs = ['', ''];
    for (let turn = 0; turn < 4; turn += 1) {
      const events = await collect(model.stream(ask, { signal }));
      const last = events.at(-1);
      if (last?.type === 'response')
        answers.push([last.response.finishReason, last.response.parts]);
      for (const event of events) {
        if (event.type === 'tool-input-delta' && turn === 0) inputs[event.index] += event.delta;
      }
    }
    expect(inputs).toEqual(['{"city":"Seattle"}', '{}']);
    expect(answers).toEqual([
      [
        'tool-calls',
        [
          { type: 'reasoning', text: 'hm' },
          { type: 'tool-call', toolName: 'get_weather', input: { city: 'Seattle' } },
          { type: 'tool-call', toolName: 'now', input: {} },
        ],
      ],
      ['stop', [{ type: 'text', text: '{"city":"Seattle"}' }]],
      ['refusal', [{ type: 'refusal', text: 'No.' }]],
      ['tool-calls', [{ type: 'tool-call', toolName: 'get_weather', input: '{"city":' }]],
    ]);
  });

  it('throws what it is told to, at once or after deltas', async () => {
    const error = new ModelError('slow down', { reason: 'rate-limit' });
    const model = scriptedModel([error, { text: 'Hello there', error, breakAfter: 1 }]);
    await expect(collect(model.stream(ask, { signal }))).rejects.toBe(error);
    const seen: ModelStreamEvent[] = [];
    const reading = (async () => {
      for await (const event of model.stream(ask, { signal })) seen.push(event);
    })();
    await expect(reading).rejects.toBe(error);
    expect(seen).toEqual([{ type: 'text-delta', delta: 'Hello th' }]);
    expect(model.running).toBe(0);
  });

  it('can end without a response', async () => {
    const model = scriptedModel([{ text: 'Hello there', breakAfter: 1 }]);
    expect(await collect(model.stream(ask, { signal }))).toEqual([
      { type: 'text-delta', delta: 'Hello th' },
    ]);
  });

  it('hangs until the signal aborts, and ends with its reason', async () => {
    const abort = new AbortController();
    const model = scriptedModel([{ text: 'Hi', hang: true }]);
    const stream = model.stream(ask, { signal: abort.signal })[Symbol.asyncIterator]();
    expect(await stream.next()).toEqual({
      done: false,
      value: { type: 'text-delta', delta: 'Hi' },
    });
    const next = stream.next();
    abort.abort(new Error('enough'));
    await expect(next).rejects.toThrow('enough');
    expect(model.running).toBe(0);
    expect(await stream.next()).toEqual({ done: true, value: undefined });
  });

  it('waits at gates that the test opens', async () => {
    const before = gate();
    const model = scriptedModel([{ text: 'Hi', before }]);
    const events = collect(model.stream(ask, { signal }));
    await before.reached;
    expect(model.running).toBe(1);
    before.open();
    expect((await events).length).toBe(2);
  });

  it('fails loudly on a call that is not in the script, with the last message', async () => {
    const model = scriptedModel(['one']);
    await collect(model.stream(ask, { signal }));
    const failing = collect(model.stream(request(message('user', 'and now?')), { signal }));
    await expect(failing).rejects.toThrow(UnscriptedCallError);
    await expect(failing).rejects.toThrow(/turn 2, but its script has 1.*user: and now\?/s);
  });

  it('finds its place by the conversation, so that another process goes on', async () => {
    const script = [{ calls: [['now', {}]] }, 'It is noon.'] as const;
    const conversation = request(
      message('user', 'before'),
      message('assistant', 'answered'),
      message('user', 'What time is it?'),
      message('assistant', ''),
      message('tool', '12:00'),
    );
    const fresh = scriptedModel(script, { by: 'conversation' });
    expect(textOfDeltas(await collect(fresh.stream(conversation, { signal })))).toBe('It is noon.');
  });

  it('asks a function with the request and the index of the call, also asynchronously', async () => {
    const model = scriptedModel((asked, index) =>
      Promise.resolve(`${asked.messages.length}/${index}`),
    );
    const texts = await Promise.all(
      [1, 2, 3].map(async () => textOfDeltas(await collect(model.stream(ask, { signal })))),
    );
    expect(texts).toEqual(['1/0', '1/1', '1/2']);
  });

  it('answers in one piece when streaming is off', async () => {
    const model = scriptedModel(['Hello']);
    const events = await collect(
      model.stream({ ...ask, settings: { streaming: false } }, { signal }),
    );
    expect(events.map((event) => event.type)).toEqual(['response']);
  });
});
