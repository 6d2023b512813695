import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { outputText, textOf, wireCallId } from './message.ts';

/** A call id as core makes it: `f0.t3.c1`, `f0.1.2.t10.c4`. */
const callIds = fc
  .tuple(
    fc.array(fc.nat({ max: 9 }), { maxLength: 3 }),
    fc.integer({ min: 1, max: 99 }),
    fc.integer({ min: 1, max: 40 }),
  )
  .map(([path, turn, call]) => `${['f0', ...path].join('.')}.t${turn}.c${call}`);

describe('wireCallId', () => {
  it('is made of what every vendor takes, at most 40 characters', () => {
    const runIds = fc.oneof(fc.uuid(), fc.string());
    fc.assert(
      fc.property(fc.option(runIds, { nil: undefined }), callIds, (runId, callId) => {
        expect(wireCallId(runId, callId)).toMatch(/^[A-Za-z0-9_-]{1,40}$/);
      }),
    );
  });

  it('differs for every call of every run', () => {
    const calls = fc.uniqueArray(fc.tuple(fc.uuid({ version: 4 }), callIds), {
      minLength: 2,
      maxLength: 50,
      selector: ([runId, callId]) => `${runId}/${callId}`,
    });
    fc.assert(
      fc.property(calls, (pairs) => {
        const ids = pairs.map(([runId, callId]) => wireCallId(runId, callId));
        expect(new Set(ids).size).toBe(pairs.length);
      }),
    );
  });

  it('is the same each time, so that calls and results match', () => {
    const runId = '3f2a9c1e-7b64-4f0d-9a51-c2d8e7b60f13';
    expect(wireCallId(runId, 'f0.t3.c1')).toBe(wireCallId(runId, 'f0.t3.c1'));
    expect(wireCallId(runId, 'f0.t3.c1')).toMatch(/_f0_t3_c1$/);
    expect(wireCallId(undefined, 'f0.t3.c1')).toBe('f0_t3_c1');
  });
});

describe('textOf', () => {
  it('joins the text of a message and nothing else', () => {
    const text = textOf({
      id: 'm',
      role: 'assistant',
      parts: [
        { type: 'reasoning', text: 'hm' },
        { type: 'text', text: 'It ' },
        { type: 'tool-call', callId: 'c', toolName: 't', input: {} },
        { type: 'text', text: 'rains.' },
        { type: 'refusal', text: 'no' },
      ],
    });
    expect(text).toBe('It rains.');
  });
});

describe('outputText', () => {
  it('is text as it is, JSON as JSON, content as its text', () => {
    expect(outputText({ type: 'json', value: 'rain' })).toBe('rain');
    expect(outputText({ type: 'json', value: { celsius: 7 } })).toBe('{"celsius":7}');
    expect(outputText({ type: 'json', value: null })).toBe('null');
    const parts = [
      { type: 'text', text: 'a' },
      { type: 'file', mediaType: 'image/png', data: '' },
      { type: 'text', text: 'b' },
    ] as const;
    expect(outputText({ type: 'content', parts })).toBe('ab');
  });
});
