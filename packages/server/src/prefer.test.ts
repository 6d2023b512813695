import { expect, test } from 'vitest';
import { applied, preferencesIn, waitsFor } from './prefer.ts';

const read = (prefer: string) => preferencesIn(new Headers({ prefer }));

test.each([
  ['respond-async', true, undefined, 0],
  ['Respond-Async', true, undefined, 0],
  ['wait=20', false, 20_000, 20_000],
  ['wait = 20', false, 20_000, 20_000],
  ['wait="20"', false, 20_000, 20_000],
  ['wait=0', false, 0, 0],
  ['respond-async, wait=10', true, 10_000, 10_000],
  ['wait=10,respond-async;x=1', true, 10_000, 10_000],
  ['wait=1, wait=2', false, 1_000, 1_000],
  ['wait=999999999', false, 86_400_000, 86_400_000],
  ['return=minimal, handling=lenient; by="a, respond-async"', false, undefined, undefined],
  ['note="a\\", b", wait=3', false, 3_000, 3_000],
  ['wait=soon', false, undefined, undefined],
  ['wait=-1', false, undefined, undefined],
  ['wait=1.5', false, undefined, undefined],
  ['wait', false, undefined, undefined],
  ['', false, undefined, undefined],
  [', ,;=,"', false, undefined, undefined],
])('Prefer: %s', (prefer, respondAsync, waitMs, waits) => {
  expect(read(prefer)).toEqual({ respondAsync, waitMs });
  expect(waitsFor(read(prefer))).toBe(waits);
});

test('Preference-Applied names what was applied', () => {
  expect(applied(read('respond-async'), 202)).toEqual({ 'preference-applied': 'respond-async' });
  expect(applied(read('respond-async, wait=10'), 200)).toEqual({ 'preference-applied': 'wait=10' });
  expect(applied(read('respond-async, wait=10'), 202)).toEqual({
    'preference-applied': 'respond-async, wait=10',
  });
  expect(applied(read('return=minimal'), 200)).toEqual({});
});

test('a header of any length is read in one pass', () => {
  const started = performance.now();
  read(`${'a='.repeat(30_000)}${'"'.repeat(30_001)}${',;'.repeat(10_000)}`);
  expect(performance.now() - started).toBeLessThan(200);
});
