import type { Abortable } from './abort.ts';

/** Resolves after `ms`; rejects with the abort reason as soon as the signal fires. */
export function sleep(ms: number, signal: Abortable): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const onAbort = (): void => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    }, ms);
    signal.addEventListener('abort', onAbort, { once: true });
  });
}

/**
 * What `promise` settles to, or a rejection with the abort reason, whichever is first. No listener stays behind, and
 * what becomes of `promise` after an abort is observed: its failure is nobody's unhandled rejection.
 */
export function orAbort<T>(promise: PromiseLike<T>, signal: Abortable): Promise<T> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      promise.then(undefined, () => undefined);
      return reject(signal.reason);
    }
    const onAbort = (): void => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    promise.then(
      (value) => {
        signal.removeEventListener('abort', onAbort);
        resolve(value);
      },
      (error: unknown) => {
        signal.removeEventListener('abort', onAbort);
        reject(error);
      },
    );
  });
}
