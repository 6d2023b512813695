import { ModelError, type ModelResponse } from '@agent-functions/core';
import { streamAnswer, cutAnswer } from '@agent-functions/core/testing';
import { afterAll, describe, expect, it } from 'vitest';
import { chatSequences, responsesSequences, type Sequence } from '../test/sdk-sequences.ts';
import { failure, listen, respond, targets } from '../test/targets.ts';
import { done } from '../test/wire-events.ts';
import { wireServer } from '../test/wire-server.ts';

// The vendor's own sequences, whole, and cut behind every event and within it.

const server = await wireServer();
afterAll(() => server.close());

function said(response: ModelResponse): object {
  return {
    text: response.parts.map((part) => (part.type === 'text' ? part.text : '')).join(''),
    calls: response.parts.flatMap((part) => (part.type === 'tool-call' ? [part.input] : [])),
    finishReason: response.finishReason,
  };
}

describe.each([
  ['Responses', responsesSequences],
  ['Chat Completions', chatSequences],
] as const)('%s', (name, sequences) => {
  const target = targets.find((one) => one.name === name);
  if (target === undefined) throw new Error(`no target ${name}`);
  const model = target.model(server.url);
  const wire = ({ events }: Sequence): readonly string[] => [
    ...events.map((event) =>
      'object' in event
        ? `data: ${JSON.stringify(event)}\n\n`
        : `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`,
    ),
    ...(target.wire === 'chat' ? [done] : []),
  ];

  it.each(sequences)('$name', async (sequence) => {
    server.play(streamAnswer(wire(sequence).join('')));
    if (sequence.fails !== undefined) {
      expect(await failure(listen(model))).toMatchObject({ reason: sequence.fails });
      return;
    }
    const response = await respond(model);
    const { text, calls = [], finishReason } = sequence;
    expect(said(response)).toEqual({ text, calls, finishReason });
    expect(response.usage).toMatchObject({ inputTokens: 20, outputTokens: 10, totalTokens: 30 });
  });

  it.each(sequences.filter(({ fails }) => fails === undefined))(
    '$name: cut anywhere, it is whole or fails for a while',
    async (sequence) => {
      const chunks = wire(sequence);
      const { text, calls = [], finishReason } = sequence;
      let wholeFrom: number | undefined;
      for (let count = 0; count <= chunks.length; count++) {
        const before = chunks.slice(0, count).join('');
        const half = chunks[count]?.slice(0, 25) ?? '';
        for (const play of [
          streamAnswer(before),
          cutAnswer(before),
          streamAnswer(before + half),
          cutAnswer(before + half),
        ]) {
          server.play(play);
          const outcome = await respond(model).then(said, (error: unknown) => error);
          if (outcome instanceof ModelError) {
            expect(['invalid-response', 'network']).toContain(outcome.reason);
            expect(wholeFrom, `after ${count} events: ${outcome.message}`).toBeUndefined();
          } else {
            wholeFrom ??= count;
            expect(outcome).toEqual({ text, calls, finishReason });
          }
        }
      }
      expect(wholeFrom).toBeGreaterThan(chunks.length - 4);
    },
  );
});

it('counts events that are newer than it, and says so once', async () => {
  const model = targets[0]?.model(server.url);
  const [sequence] = responsesSequences;
  if (model === undefined || sequence === undefined) throw new Error('nothing to ask');
  const surprise = 'event: response.surprise\ndata: {"type":"response.surprise","delta":"no"}\n\n';
  server.play(
    streamAnswer(
      sequence.events
        .map((event) => `${surprise}data: ${JSON.stringify(event)}\n\n`)
        .join(': a comment\n\n'),
    ),
  );
  const events = await listen(model);
  expect(events.filter(({ type }) => type === 'warning')).toEqual([
    {
      type: 'warning',
      code: 'unknown-events',
      message: `${sequence.events.length} events of the stream mean nothing to this version: response.surprise.`,
    },
  ]);
  expect(events.at(-1)).toMatchObject({
    type: 'response',
    response: { finishReason: 'tool-calls' },
  });
});
