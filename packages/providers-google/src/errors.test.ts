import { ModelError } from '@agent-functions/core';
import { WireError } from '@agent-functions/core/provider';
import { ApiError } from '@google/genai';
import { describe, expect, it } from 'vitest';
import { errorInfo, failureBody, quotaFailure, retryInfo } from '../test/wire-events.ts';
import { BlockedError, toModelError } from './errors.ts';

const context = {
  provider: 'google',
  who: 'The Gemini API',
  model: 'gemini-3.8-flash',
  keyName: 'GOOGLE_API_KEY',
  secrets: ['tenant-token-abc'],
  retryAfter: null,
};

/** The SDK's own error for an answer, as it makes it: the body is its text. */
function answered(status: number, body: unknown): ApiError {
  return new ApiError({ status, message: JSON.stringify(body) });
}

function vendor(status: number, code: string, message: string, details: object[] = []): ModelError {
  return modelError(answered(status, failureBody(status, code, message, details)));
}

function modelError(thrown: unknown, more: Partial<typeof context> = {}): ModelError {
  const error = toModelError(thrown, { ...context, ...more });
  if (error instanceof ModelError) return error;
  throw new Error(`not a ModelError: ${String(error)}`);
}

describe('the reason of an answer', () => {
  it.each<[number, string, string, object[], ModelError['reason']]>([
    [400, 'INVALID_ARGUMENT', 'Please use a valid role.', [], 'invalid-request'],
    [
      400,
      'INVALID_ARGUMENT',
      'The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).',
      [],
      'context-length',
    ],
    [
      400,
      'INVALID_ARGUMENT',
      'API key not valid.',
      [errorInfo('API_KEY_INVALID')],
      'authentication',
    ],
    [400, 'INVALID_ARGUMENT', 'API key expired. Please renew the API key.', [], 'authentication'],
    [400, 'FAILED_PRECONDITION', 'User location is not supported.', [], 'permission'],
    [401, 'UNAUTHENTICATED', 'Request had invalid credentials.', [], 'authentication'],
    [403, 'PERMISSION_DENIED', 'no', [], 'permission'],
    [403, 'PERMISSION_DENIED', 'off', [errorInfo('SERVICE_DISABLED')], 'permission'],
    [403, 'PERMISSION_DENIED', 'pay', [errorInfo('BILLING_DISABLED')], 'quota'],
    [404, 'NOT_FOUND', 'models/nope is not found', [], 'invalid-request'],
    [408, 'X', 'slow', [], 'timeout'],
    [409, 'ABORTED', 'again', [], 'overloaded'],
    [429, 'RESOURCE_EXHAUSTED', 'Resource exhausted. Please try again later.', [], 'rate-limit'],
    [
      429,
      'RESOURCE_EXHAUSTED',
      'You exceeded your current quota, please check your plan and billing details.',
      [quotaFailure('GenerateRequestsPerMinutePerProjectPerModel-FreeTier'), retryInfo('26s')],
      'rate-limit',
    ],
    [
      429,
      'RESOURCE_EXHAUSTED',
      'You exceeded your current quota, please check your plan and billing details.',
      [quotaFailure('GenerateRequestsPerDayPerProjectPerModel-FreeTier'), retryInfo('26s')],
      'quota',
    ],
    [429, 'RESOURCE_EXHAUSTED', 'Check your plan and billing details.', [], 'quota'],
    [499, 'CANCELLED', 'gone', [], 'overloaded'],
    [500, 'INTERNAL', 'oops', [], 'overloaded'],
    [502, 'X', 'oops', [], 'overloaded'],
    [503, 'UNAVAILABLE', 'The model is overloaded.', [], 'overloaded'],
    [504, 'DEADLINE_EXCEEDED', 'late', [], 'timeout'],
  ])('%i %s %j is found', (status, code, message, details, reason) => {
    const error = vendor(status, code, message, details);
    expect([error.reason, error.status, error.provider]).toEqual([reason, status, 'google']);
    expect(error.cause).toBeUndefined();
  });

  it('is found in every form that the SDK gives an answer', () => {
    const body = failureBody(429, 'RESOURCE_EXHAUSTED', 'slow down', [retryInfo('1.5s')]);
    const asText = {
      error: { message: JSON.stringify(body, null, 2), code: 429, status: 'Too Many' },
    };
    for (const thrown of [
      answered(429, body),
      answered(429, [body]),
      answered(429, asText),
      new ApiError({
        status: 429,
        message: `got status: RESOURCE_EXHAUSTED. ${JSON.stringify(body)}`,
      }),
      new Error(JSON.stringify(body)),
    ]) {
      expect(modelError(thrown)).toMatchObject({ reason: 'rate-limit', retryAfterMs: 1500 });
    }
  });

  it('is found in a page of a proxy', () => {
    const body = {
      error: { message: '<html>Bad gateway</html>', code: 502, status: 'Bad Gateway' },
    };
    expect(modelError(answered(502, body)).message).toBe(
      'The Gemini API failed to answer (502). Retry later.',
    );
  });
});

describe('the sentence', () => {
  it('says how long to wait, by the body or by the header', () => {
    const error = vendor(429, 'RESOURCE_EXHAUSTED', 'Slow down.', [retryInfo('26s')]);
    expect(error.message).toBe(
      'The Gemini API limits the rate of gemini-3.8-flash (429): Slow down. Retry in 26 s.',
    );
    const thrown = answered(429, failureBody(429, 'RESOURCE_EXHAUSTED', 'Slow down.'));
    expect(modelError(thrown, { ...context, retryAfter: null })).not.toHaveProperty(
      'retryAfterMs',
      0,
    );
    const waiting = toModelError(thrown, { ...context, retryAfter: '7' });
    expect(waiting).toHaveProperty('retryAfterMs', 7000);
    for (const retryAfter of ['', 'soon', '1e999']) {
      const error = toModelError(thrown, { ...context, retryAfter });
      expect(error).toHaveProperty('retryAfterMs', undefined);
    }
  });

  it('names the setting of a refused key, and repeats nothing of it', () => {
    expect(vendor(401, 'UNAUTHENTICATED', 'AIzaSyABCDEFGH').message).toBe(
      'The Gemini API refused the key (401). Check GOOGLE_API_KEY.',
    );
  });

  it('says what an unknown model can be', () => {
    expect(vendor(404, 'NOT_FOUND', 'models/nope is not found').message).toContain(
      'Check the name, the base URL, the API version',
    );
  });

  it('carries facts for programs', () => {
    const details = [quotaFailure('PerMinute'), errorInfo('RATE_LIMIT_EXCEEDED')];
    expect(vendor(429, 'RESOURCE_EXHAUSTED', 'slow', details).details).toEqual({
      vendorCode: 'RESOURCE_EXHAUSTED',
      vendorReason: 'RATE_LIMIT_EXCEEDED',
      quotas: ['PerMinute'],
    });
  });
});

describe('no answer', () => {
  const caused = (code: string): Error =>
    new TypeError('fetch failed', { cause: Object.assign(new Error('x'), { code }) });

  it.each<[string, unknown, ModelError['reason']]>([
    ['a refused connection', caused('ECONNREFUSED'), 'network'],
    ['no such host', caused('ENOTFOUND'), 'network'],
    ['a slow connection', caused('UND_ERR_HEADERS_TIMEOUT'), 'timeout'],
    ['a cut stream', new TypeError('terminated'), 'network'],
    ['half an event', new Error('Incomplete JSON segment at the end'), 'invalid-response'],
    ['no JSON', new SyntaxError('Unexpected token'), 'invalid-response'],
    ['a stream that ended early', new WireError('it ended'), 'invalid-response'],
    ['a blocked prompt', new BlockedError('SAFETY'), 'content-filter'],
    [
      'no credentials',
      new Error('Could not load the default credentials. Browse to x'),
      'authentication',
    ],
    [
      'a credential file that is not there',
      new Error('The file at /x.json does not exist, or it is not a file. ENOENT'),
      'authentication',
    ],
    ['anything else', new Error('boom'), 'unknown'],
    ['no error at all', 'boom', 'unknown'],
  ])('is read: %s', (_, thrown, reason) => {
    expect(modelError(thrown).reason).toBe(reason);
  });

  it('leaves its own errors as they are', () => {
    const error = new ModelError('x', { reason: 'quota' });
    expect(toModelError(error, context)).toBe(error);
  });
});

it('shows no key of Google, and no token', () => {
  const text = 'AIzaSyABCDEFGHIJK and ya29.a0Af_x';
  expect(vendor(400, 'INVALID_ARGUMENT', text).message).toBe(
    'The Gemini API refused the request (400): [secret] and [secret].',
  );
});
