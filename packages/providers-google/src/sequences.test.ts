import { ModelError } from '@agent-functions/core';
import { streamAnswer, cutAnswer, type HttpAnswer } from '@agent-functions/core/testing';
import { afterAll, describe, expect, it } from 'vitest';
import { sequences, wire, type Sequence } from '../test/sdk-sequences.ts';
import { failure, listen, targets } from '../test/targets.ts';
import { wireServer } from '../test/wire-server.ts';

// The vendor's own sequences, whole, and cut behind every chunk and within it.

const server = await wireServer();
afterAll(() => server.close());

/** These bytes, in writes of this size. */
function slowly(text: string, size: number): HttpAnswer {
  const raw = Buffer.from(text);
  return (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (let at = 0; at < raw.length; at += size) response.write(raw.subarray(at, at + size));
    response.end();
  };
}

/** Everything that is less than the whole: nothing, up to each chunk, and up to places within it. */
function pieces(sequence: Sequence): readonly { readonly place: string; readonly raw: Buffer }[] {
  const chunks = wire(sequence).map((text) => Buffer.from(text));
  return chunks.flatMap((chunk, count) =>
    [...new Set([0, 1, Math.floor(chunk.length / 2), chunk.length - 1])].map((length) => ({
      place: `${length} bytes after ${count} chunks`,
      raw: Buffer.concat([...chunks.slice(0, count), chunk.subarray(0, length)]),
    })),
  );
}

describe.each(targets.filter(({ ids }) => ids))('$name', (target) => {
  const model = target.model(server.url);

  it.each(sequences)('$name', async (sequence) => {
    const text = wire(sequence).join('');
    for (const play of [streamAnswer(text), slowly(text, 1), slowly(text, 50)]) {
      server.play(play);
      const { ends } = sequence;
      if ('error' in ends) {
        const error = await failure(listen(model));
        expect(error).toBeInstanceOf(ModelError);
        expect(error).toMatchObject({ provider: 'google', ...ends.error });
        continue;
      }
      const events = await listen(model);
      expect(events.at(-1)).toEqual({
        type: 'response',
        response: {
          parts: ends.parts(target.backend),
          finishReason: ends.finishReason,
          usage: {
            inputTokens: 20,
            outputTokens: 10,
            totalTokens: 30,
            cachedInputTokens: 8,
            reasoningTokens: 4,
          },
          responseId: 'resp_1',
          modelId: 'gemini-3.8-flash-001',
        },
      });
      expect(events.flatMap((one) => (one.type === 'warning' ? [one.message] : []))).toEqual(
        ends.warning === undefined ? [] : [ends.warning],
      );
    }
  });

  it.each(sequences)('$name: cut anywhere, it is never taken for an answer', async (sequence) => {
    for (const { place, raw } of pieces(sequence)) {
      for (const [play, reason] of [
        [streamAnswer(raw), 'invalid-response'],
        [cutAnswer(raw), 'network'],
      ] as const) {
        server.play(play);
        const error = await failure(listen(model));
        expect(error, place).toBeInstanceOf(ModelError);
        expect(error, place).toMatchObject({ reason, retryable: true });
      }
    }
  });
});
