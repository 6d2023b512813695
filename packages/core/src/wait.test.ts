import { describe, expect, it } from 'vitest';
import { orAbort, sleep } from './wait.ts';

describe('orAbort', () => {
  it('settles as the promise does', async () => {
    const { signal } = new AbortController();
    expect(await orAbort(Promise.resolve(1), signal)).toBe(1);
    await expect(orAbort(Promise.reject(new Error('no')), signal)).rejects.toThrow('no');
  });

  it('ends with the abort reason while the promise waits', async () => {
    const abort = new AbortController();
    const waiting = orAbort(new Promise(() => undefined), abort.signal);
    abort.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
  });

  it('observes a promise that fails when the signal has fired before', async () => {
    // Unobserved, that rejection ended the process (and fails this test run).
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(orAbort(Promise.reject(new Error('late')), signal)).rejects.toThrow('enough');
    await new Promise((resolve) => setImmediate(resolve));
  });
});

describe('sleep', () => {
  it('ends at once with the abort reason', async () => {
    const abort = new AbortController();
    const sleeping = sleep(60_000, abort.signal);
    abort.abort(new Error('enough'));
    await expect(sleeping).rejects.toThrow('enough');
    await expect(sleep(0, abort.signal)).rejects.toThrow('enough');
    await sleep(1, new AbortController().signal);
  });
});
