import { describe, expect, test } from 'vitest';
import { Abort } from './abort.ts';

describe('an abort', () => {
  test('tells its listeners once, and its signal, with the first reason', () => {
    const abort = new Abort();
    const told: unknown[] = [];
    abort.addEventListener('abort', () => told.push(abort.reason));
    abort.signal.addEventListener('abort', () => told.push(abort.signal.reason));
    abort.abort('first');
    abort.abort('second');
    expect(told).toHaveLength(2);
    expect(told.every((reason) => reason === 'first')).toBe(true);
    expect(() => abort.throwIfAborted()).toThrow('first');
  });

  test('gives an aborted signal to who asks late', () => {
    const abort = new Abort();
    abort.abort('gone');
    expect([abort.signal.aborted, abort.signal.reason]).toEqual([true, 'gone']);
  });

  test('does not tell who no longer listens, nor who comes late', () => {
    const abort = new Abort();
    const told: string[] = [];
    const left = () => told.push('left');
    abort.addEventListener('abort', left);
    abort.removeEventListener('abort', left);
    abort.abort('now');
    abort.addEventListener('abort', () => told.push('late'));
    expect(told).toEqual([]);
  });
});
