import { ModelError, type ModelStreamEvent } from '@agent-functions/core';
import { streamAnswer, cutAnswer, type HttpAnswer } from '@agent-functions/core/testing';
import { afterAll, describe, expect, it } from 'vitest';
import { asking, claude, weather } from '../test/ask.ts';
import { sequences, type Sequence } from '../test/sdk-sequences.ts';
import { event, known } from '../test/wire-events.ts';
import { wireServer } from '../test/wire-server.ts';

// The vendor's own sequences, whole, in single bytes, and cut behind every event and within it.

const server = await wireServer();
afterAll(() => server.close());

const request = asking({ tools: [weather, { ...weather, name: 'clock' }] });
const model = claude(server);
const cutShort: unknown = expect.stringMatching(/^(network|invalid-response)$/);

/** The events of each stream as they go over the wire, with what comes between: one chunk each. */
function wire({ turns, between = '', breaks }: Sequence): readonly (readonly string[])[] {
  return turns.map((turn) => [
    ...turn.flatMap((one) => (between === '' ? [known(one)] : [between, known(one)])),
    ...(breaks === undefined ? [] : [event({ ...breaks })]),
  ]);
}

/** Answers the first request with the first stream, and what it continues with the next. */
function inTurn(answers: readonly HttpAnswer[]): HttpAnswer {
  return (response, received) => {
    const asked: unknown[] = JSON.parse(received.body).messages;
    const answer = answers[asked.length - 1];
    if (answer === undefined) throw new Error(`asked ${asked.length} times`);
    return answer(response, received);
  };
}

interface Outcome {
  readonly shown: readonly ModelStreamEvent[];
  readonly error: unknown;
}

async function hear(...answers: readonly HttpAnswer[]): Promise<Outcome> {
  server.play(inTurn(answers));
  const shown: ModelStreamEvent[] = [];
  try {
    const { signal } = new AbortController();
    for await (const one of model.stream(request, { signal })) shown.push(one);
    return { shown, error: undefined };
  } catch (error) {
    return { shown, error };
  }
}

function textOf(shown: readonly ModelStreamEvent[]): string {
  return shown.map((one) => (one.type === 'text-delta' ? one.delta : '')).join('');
}

function wholeText({ parts }: Sequence): string {
  return parts.map((part) => (part.type === 'text' ? part.text : '')).join('');
}

function expectWhole(sequence: Sequence, { shown, error }: Outcome, hint: string): void {
  const { parts, finishReason, turns } = sequence;
  const times = turns.length;
  expect(error, hint).toBeUndefined();
  expect(textOf(shown), hint).toBe(wholeText(sequence));
  expect(shown.at(-1), hint).toEqual({
    type: 'response',
    response: {
      parts,
      finishReason,
      responseId: 'msg_1',
      usage: {
        inputTokens: 20 * times,
        outputTokens: 10 * times,
        totalTokens: 30 * times,
        cachedInputTokens: 8 * times,
        cacheWriteInputTokens: 4 * times,
        reasoningTokens: 4 * times,
      },
    },
  });
}

/** A failure that may be tried again, after nothing but what the vendor said. */
function expectBroken(sequence: Sequence, { shown, error }: Outcome, hint: string): void {
  expect(error, hint).toBeInstanceOf(ModelError);
  expect(error, hint).toMatchObject({ provider: 'anthropic', retryable: true });
  expect(
    shown.filter(({ type }) => type === 'response'),
    hint,
  ).toEqual([]);
  expect(wholeText(sequence).startsWith(textOf(shown)), hint).toBe(true);
}

/** Single bytes, each in a write of its own. */
function inBytes(text: string): HttpAnswer {
  return async (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (const byte of new TextEncoder().encode(text)) {
      await new Promise((resolve) => response.write(Uint8Array.of(byte), resolve));
    }
    response.end();
  };
}

/** Behind the chunk's first byte, in its middle, inside of a letter of several bytes, at its very end, and behind it. */
function placesIn(chunk: Uint8Array): readonly number[] {
  const { length } = chunk;
  const inLetter = chunk.findIndex((byte) => (byte & 0xc0) === 0x80);
  const places = [1, length >> 1, inLetter, length - 3, length - 2, length - 1, length];
  return [...new Set(places)].filter((place) => place > 0);
}

describe.each(sequences)('$name', (sequence) => {
  const { breaks } = sequence;
  const streams = wire(sequence);

  it.each([
    ['whole', streamAnswer],
    ['in single bytes', inBytes],
  ])('%s', async (how, play) => {
    const outcome = await hear(...streams.map((chunks) => play(chunks.join(''))));
    if (breaks === undefined) {
      expectWhole(sequence, outcome, how);
    } else {
      expectBroken(sequence, outcome, how);
      expect(textOf(outcome.shown)).toBe(wholeText(sequence));
      expect(outcome.error).toMatchObject({ reason: 'overloaded' });
    }
  });

  describe.each([
    ['ends properly', streamAnswer],
    ['breaks', cutAnswer],
  ] as const)('where the connection %s too early', (_, play) => {
    it.each(streams.map((chunks, turn) => ({ chunks, turn })))(
      'stream $turn is whole or fails for a while',
      async ({ chunks, turn }) => {
        const all = new TextEncoder().encode(chunks.join(''));
        const before = chunks.map((_, count) => Buffer.byteLength(chunks.slice(0, count).join('')));
        // Where the last event begins that says how it ended: from its end on nothing is missing.
        const last = chunks.findLastIndex((chunk) =>
          chunk.startsWith(breaks === undefined ? 'event: message_delta' : 'event: error'),
        );
        const begun = before[last] ?? Number.NaN;
        const ended = begun + Buffer.byteLength(chunks[last] ?? '');
        const cuts = chunks.flatMap((chunk, count) => {
          const from = before[count] ?? Number.NaN;
          return placesIn(new TextEncoder().encode(chunk)).map((place) => from + place);
        });
        expect(cuts.length).toBeGreaterThan(4 * chunks.length);
        for (const at of [0, ...cuts]) {
          const outcome = await hear(
            ...streams.map((one, index) =>
              index === turn ? play(all.subarray(0, at)) : streamAnswer(one.join('')),
            ),
          );
          const hint = `cut at byte ${at} of ${all.length}`;
          if (breaks !== undefined) {
            expectBroken(sequence, outcome, hint);
            if (at <= begun) {
              expect(outcome.error, hint).toMatchObject({ reason: cutShort });
            } else if (at >= ended) {
              expect(outcome.error, hint).toMatchObject({ reason: 'overloaded' });
            }
          } else if (at >= ended) {
            expectWhole(sequence, outcome, hint);
          } else if (at > ended - 3 && outcome.error === undefined) {
            // The SDK takes an event without the empty line after it, which is whole by then.
            expectWhole(sequence, outcome, hint);
          } else {
            expectBroken(sequence, outcome, hint);
            expect(outcome.error, hint).toMatchObject({
              reason: cutShort,
            });
          }
        }
      },
    );
  });
});

it('counts what is newer than this version, and says so once', async () => {
  const sequence = sequences.find(({ name }) => name.includes('newer'));
  if (sequence === undefined) throw new Error('nothing to hear');
  const { shown } = await hear(...wire(sequence).map((chunks) => streamAnswer(chunks.join(''))));
  const times = sequence.turns.flat().length;
  expect(shown.filter(({ type }) => type === 'warning')).toEqual([
    {
      type: 'warning',
      code: 'unknown-events',
      message: expect.stringContaining(
        `content_block_surprise ×${times}, content_block_delta of surprise_delta ×${times}.`,
      ),
    },
  ]);
});
