import { describe, expect, it } from 'vitest';
import type { ModelResponse, ModelStreamEvent } from '../model.ts';
import { collect, rejection } from '../testing/assert.ts';
import { AnswerStream, type AnswerReader, type Incoming } from './answer-stream.ts';

const warning: ModelStreamEvent = { type: 'warning', code: 'w', message: 'w' };
const usage = { inputTokens: 1, outputTokens: 1, totalTokens: 2 };

/** Texts are deltas; `!` ends the answer, `?` is an event that is not understood. */
function reader(): AnswerReader {
  let text = '';
  let complete = false;
  return {
    push(event) {
      if (event === '?') throw new Error('not understood');
      if (event === '!') complete = true;
      if (typeof event !== 'string' || event === '!') return [];
      text += event;
      return event.split('').map((delta) => ({ type: 'text-delta', delta }));
    },
    isComplete: () => complete,
    end() {
      if (!complete) throw new Error('cut');
      const parts = [{ type: 'text', text }] as const;
      const response: ModelResponse = { parts, usage, finishReason: 'stop' };
      return [warning, { type: 'response', response }];
    },
  };
}

interface Source {
  readonly events: AsyncIterable<unknown>;
  left: boolean;
}

function source(...events: readonly unknown[]): Source {
  async function* play(): AsyncGenerator {
    try {
      for (const event of events) {
        if (event instanceof Error) throw event;
        yield event;
      }
    } finally {
      made.left = true;
    }
  }
  const made: Source = { left: false, events: play() };
  return made;
}

function stream(
  sent: readonly (Partial<Incoming> & Pick<Incoming, 'events'>)[],
  signal: AbortSignal = new AbortController().signal,
): AnswerStream {
  const [own, left] = [reader(), [...sent]];
  return new AnswerStream(
    signal,
    async () => ({
      warnings: [warning],
      send: async () => ({ reader: own, ...(left.shift() ?? source()) }),
    }),
    (error) => new Error('worded', { cause: error }),
  );
}

const said = (events: readonly ModelStreamEvent[]): string =>
  events.map((event) => (event.type === 'text-delta' ? event.delta : `<${event.type}>`)).join('');

describe('one call', () => {
  it('yields warnings, deltas in order, then one response', async () => {
    const events = await collect(stream([source('a', 'bc', {}, '!')]));
    expect(said(events)).toBe('<warning>abc<warning><response>');
  });

  it('keeps the order for a reader who does not wait', async () => {
    const answer = stream([source('a', 'bc', '!')]);
    const results = await Promise.all(Array.from({ length: 7 }, () => answer.next()));
    expect(said(results.flatMap(({ value }) => (value === undefined ? [] : [value])))).toBe(
      '<warning>abc<warning><response>',
    );
    expect(results.at(-1)).toEqual({ done: true, value: undefined });
  });

  it('is whole when it is cut after the vendor said so', async () => {
    const events = await collect(stream([source('a', '!', new Error('socket'))]));
    expect(said(events)).toBe('<warning>a<warning><response>');
  });

  it('goes on where the vendor paused, and says what was learnt', async () => {
    let pauses = 1;
    const paused = (): boolean => pauses-- > 0;
    const events = await collect(
      stream([
        { ...source('a'), paused },
        { ...source('b', '!'), warnings: [warning] },
      ]),
    );
    expect(said(events)).toBe('<warning>a<warning>b<warning><response>');
  });

  it('may be answered in one piece', async () => {
    const answer = new AnswerStream(
      new AbortController().signal,
      async () => ({ warnings: [], send: async () => [warning] }),
      (error) => error,
    );
    expect(said(await collect(answer))).toBe('<warning>');
  });
});

describe('a call that breaks', () => {
  it.each([
    ['in the middle', ['a', new Error('socket')]],
    ['at its end', ['a']],
    ['in an event', ['a', '?']],
  ])('%s throws what its provider words, and nothing after', async (_, events) => {
    const answer = stream([source(...events)]);
    await answer.next();
    expect((await answer.next()).value).toEqual({ type: 'text-delta', delta: 'a' });
    expect(await rejection(answer.next())).toMatchObject({ message: 'worded' });
    expect(await answer.next()).toEqual({ done: true, value: undefined });
  });

  it('throws the reason of its signal as it is', async () => {
    const abort = new AbortController();
    const answer = stream([source('a', 'b', '!')], abort.signal);
    await answer.next();
    await answer.next();
    abort.abort('enough');
    expect(await rejection(collect(stream([], abort.signal)))).toBe('enough');
    expect(await rejection(collect(answer))).toBe('enough');
  });

  it('is left by a reader who leaves', async () => {
    const incoming = source('a', 'b', '!');
    for await (const event of stream([incoming])) if (event.type === 'text-delta') break;
    expect(incoming.left).toBe(true);
  });
});
