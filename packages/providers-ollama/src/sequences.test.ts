import { ModelError } from '@agent-functions/core';
import { afterAll, expect, it } from 'vitest';
import { failure, listen } from '../test/asking.ts';
import { sequences, usage, type Sequence } from '../test/sdk-sequences.ts';
import { bytes, cut, slices, wireServer } from '../test/wire-server.ts';
import { ollama } from './index.ts';

// The vendor's own sequences, whole, and cut behind every line and within it.

const server = await wireServer();
afterAll(() => server.close());
const model = ollama('qwen3', { host: server.url });

function wire({ lines }: Sequence): readonly Buffer[] {
  return lines.map((line) => Buffer.from(line === undefined ? '\n' : `${JSON.stringify(line)}\n`));
}

function answer({ parts, finishReason }: Sequence): object {
  return { type: 'response', response: { parts, usage, finishReason } };
}

it.each(sequences)('$name', async (sequence) => {
  const whole = Buffer.concat(wire(sequence)).toString();
  for (const play of [bytes(whole), slices(whole, 1)]) {
    server.play(play);
    if (sequence.fails !== undefined) {
      expect(await failure(listen(model))).toMatchObject({ reason: sequence.fails });
      continue;
    }
    const events = await listen(model);
    expect(events.at(-1)).toEqual(answer(sequence));
    const spoken = sequence.parts.map((part) => (part.type === 'text' ? part.text : '')).join('');
    const deltas = events.map((event) => (event.type === 'text-delta' ? event.delta : ''));
    expect(deltas.join('')).toBe(spoken);
    expect(events.flatMap((event) => (event.type === 'warning' ? [event.message] : []))).toEqual(
      sequence.unknown === undefined
        ? []
        : [
            `Ollama sent fields that this version does not know, and they were ignored: ${sequence.unknown}.`,
          ],
    );
  }
});

it.each(sequences)('$name: cut anywhere, it is no answer', async (sequence) => {
  const chunks = wire(sequence);
  const { lines, fails } = sequence;
  // Behind this line nothing is missing: the answer, or the error, is there.
  const settled = lines.findIndex((line) => line !== undefined && ('error' in line || line.done));
  for (const [index, chunk] of chunks.entries()) {
    // Before it, its first byte, its middle, and all but its bracket and line break.
    const places = new Set([0, 1, Math.floor(chunk.length / 2), chunk.length - 2]);
    for (const place of places) {
      if (place < 0 || place >= chunk.length) continue;
      const begun = Buffer.concat([...chunks.slice(0, index), chunk.subarray(0, place)]);
      const at = `line ${index}, byte ${place}`;
      server.play(bytes(begun));
      const closed = await listen(model).catch((error: unknown) => error);
      server.play(cut(begun));
      const broken = await listen(model).catch((error: unknown) => error);
      if (index <= settled) {
        expect(closed, at).toBeInstanceOf(ModelError);
        expect(closed, at).toMatchObject({ reason: 'invalid-response', retryable: true });
        expect(broken, at).toBeInstanceOf(ModelError);
        expect(broken, at).toMatchObject({ reason: 'network', retryable: true });
      } else if (fails === undefined) {
        expect(closed, at).toContainEqual(answer(sequence));
        // The end of the connection may come before the whole answer was read, or behind it.
        if (broken instanceof ModelError) expect(broken.reason, at).toBe('network');
        else expect(broken, at).toContainEqual(answer(sequence));
      } else {
        expect(closed, at).toMatchObject({ reason: fails });
        expect(broken, at).toBeInstanceOf(ModelError);
      }
    }
  }
});

it.each(sequences)('$name: it needs no line break at its end', async (sequence) => {
  server.play(bytes(Buffer.concat(wire(sequence)).toString().trimEnd()));
  const outcome = await listen(model).catch((error: unknown) => error);
  if (sequence.fails === undefined) expect(outcome).toContainEqual(answer(sequence));
  else expect(outcome).toMatchObject({ reason: sequence.fails });
});
