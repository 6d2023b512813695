import { expect, test } from 'vitest';
import { wantsStream } from './wants-stream.ts';

test.each([
  ['application/json, text/event-stream', 'default'],
  ['text/event-stream, application/json', true],
  ['application/json;q=0.5, text/event-stream', true],
  ['text/event-stream;q=0.5, application/json', false],
  ['text/event-stream', true],
  ['text/event-stream, */*;q=0.1', true],
  ['text/event-stream;q=0', 'default'],
  ['application/json', false],
  ['*/*', 'default'],
  ['', 'default'],
])('Accept: %s', (accept, wanted) => {
  for (const byDefault of [true, false]) {
    const expected = wanted === 'default' ? byDefault : wanted;
    expect(wantsStream(new Headers({ accept }), undefined, byDefault)).toBe(expected);
  }
});
