import { AgentError, StoreFullError } from '@agent-functions/core';
import { describe, expect, it } from 'vitest';
import { Refusal, toStoreError } from './errors.ts';

/** An error as the clients throw it. */
function rest(status: number | undefined, code: string | undefined, message = 'It failed.'): Error {
  const error = new Error(message);
  error.name = 'RestError';
  return Object.assign(error, { statusCode: status, code });
}

function facts(error: unknown) {
  const made = toStoreError(error, 'the setting S');
  return AgentError.isInstance(made)
    ? { code: made.code, retryable: made.retryable, message: made.message }
    : { code: undefined, retryable: undefined, message: made.message };
}

describe('what the service says', () => {
  it('is told apart where the store can do something about it', () => {
    for (const [status, code, kind] of [
      [409, 'EntityAlreadyExists', 'exists'],
      [412, 'UpdateConditionNotSatisfied', 'stale'],
      [412, undefined, 'stale'],
      [404, 'ResourceNotFound', 'missing'],
      [404, 'BlobNotFound', 'missing'],
      [404, 'TableNotFound', 'no-place'],
      [404, 'QueueNotFound', 'no-place'],
    ] as const) {
      const made = toStoreError(rest(status, code), 'the setting S');
      expect(made).toBeInstanceOf(Refusal);
      expect(made).toMatchObject({ kind });
    }
    const details = { odataError: { code: 'TableNotFound' } };
    const error = Object.assign(rest(404, undefined), { details });
    expect(toStoreError(error, 'x')).toMatchObject({ kind: 'no-place' });
  });

  it('may be gone at the next try, or not', () => {
    for (const status of [408, 429, 500, 502, 503, 504]) {
      const made = facts(rest(status, 'ServerBusy'));
      expect(made).toMatchObject({ code: 'store_unavailable', retryable: true });
      expect(made.message).toBe(
        `The storage account of the setting S failed (${status} ServerBusy). Try again.`,
      );
    }
    for (const status of [400, 401, 403, 501]) {
      expect(facts(rest(status, 'X'))).toMatchObject({ retryable: false });
    }
    const lost = Object.assign(new Error('Aborted.'), { name: 'AbortError' });
    for (const error of [rest(undefined, 'ECONNRESET'), rest(undefined, 'ENOTFOUND'), lost]) {
      expect(facts(error)).toMatchObject({ code: 'store_unavailable', retryable: true });
    }
    expect(facts(new TypeError('Bearer tokens need https.'))).toMatchObject({
      retryable: false,
      message: 'The storage account of the setting S cannot be asked: Bearer tokens need https.',
    });
    expect(facts('odd')).toMatchObject({ code: 'store_unavailable' });
  });

  it('of a value that is too large is that there is no room', () => {
    for (const error of [rest(413, 'RequestBodyTooLarge'), rest(400, 'EntityTooLarge')]) {
      expect(toStoreError(error, 'x')).toBeInstanceOf(StoreFullError);
    }
  });

  it('is passed on without what signs a request', () => {
    const { message } = facts(rest(400, 'X', 'GET https://a.b/c?sv=1&sig=secret failed\nsecret'));
    expect(message).toContain('GET https://a.b/c?… failed');
    expect(message).not.toContain('secret');
  });
});
