import { describe, expect, it } from 'vitest';
import { ModelError, UserError, type ModelErrorReason } from '../errors.ts';
import { brokenCall, WireError } from './broken-call.ts';
import { failedCall, reasonOfStatus, type CallFailure, type ErrorContext } from './failed-call.ts';
import { redact } from './redact.ts';
import { retryAfterMs } from './retry-after.ts';
import { thrownAnswer } from './thrown-answer.ts';

const context: ErrorContext = {
  provider: 'acme',
  who: 'The model server at h',
  model: 'm-1',
  keyName: 'ACME_API_KEY',
  secrets: ['tenant-token-abc'],
  keyShapes: [/\bak-\w+/g],
};

describe('a failed call', () => {
  it.each<[Partial<CallFailure> & Pick<CallFailure, 'reason'>, string]>([
    [{ reason: 'authentication', status: 401 }, 'refused the key (401). Check ACME_API_KEY.'],
    [
      { reason: 'permission', status: 403 },
      'does not allow this call of m-1 (403): Said so. Check what the key may do.',
    ],
    [{ reason: 'quota' }, 'has no quota left for m-1: Said so. Check its plan and billing.'],
    [
      { reason: 'rate-limit', status: 429, retryAfterMs: 1_500 },
      'limits the rate of m-1 (429): Said so. Retry in 1.5 s.',
    ],
    [{ reason: 'rate-limit' }, 'limits the rate of m-1: Said so. Retry later.'],
    [{ reason: 'content-filter' }, 'filtered the request: Said so. Change what is asked.'],
    [{ reason: 'overloaded', status: 503 }, 'failed to answer (503): Said so. Retry later.'],
    [{ reason: 'timeout' }, 'took too long to answer: Said so. Retry, or ask for less.'],
    [{ reason: 'invalid-request', status: 400 }, 'refused the request (400): Said so.'],
    [
      { reason: 'invalid-request', status: 404 },
      'does not know the model m-1, or has no such path (404): Said so. Check the name and the base URL.',
    ],
    [{ reason: 'unknown' }, 'failed: Said so.'],
    [{ reason: 'invalid-request', what: 'No', advice: 'Do.' }, ''],
  ])('says what to do: %j', (failure, words) => {
    const error = failedCall({ message: 'Said so. ', ...failure }, context);
    expect(error).toBeInstanceOf(ModelError);
    expect(error.message).toBe(
      words === '' ? 'No: Said so. Do.' : `The model server at h ${words}`,
    );
    expect(error).toMatchObject({ reason: failure.reason, provider: 'acme' });
  });

  it('about its size begins with what was too large', () => {
    const long = failedCall({ reason: 'context-length', message: '' }, context);
    expect(long.message).toBe('The conversation is longer than m-1 can read. Send less history.');
    const large = failedCall({ reason: 'invalid-request', status: 413, message: '' }, context);
    expect(large.message).toBe(
      'The request is larger than the model server at h takes (413). Send smaller files or less history.',
    );
  });

  it('takes the advice of its provider', () => {
    const own = { ...context, advice: { permission: '', 404: 'Look.' } };
    const of = (reason: ModelErrorReason, status: number) =>
      failedCall({ reason, status, message: '' }, own).message;
    expect(of('permission', 403)).toMatch(/this call of m-1 \(403\)\.$/);
    expect(of('invalid-request', 404)).toMatch(/no such path \(404\)\. Look\.$/);
  });

  it('shows no secret, neither in its sentence nor in its details', () => {
    const error = failedCall(
      {
        reason: 'quota',
        message: 'key ak-other of tenant-token-abc',
        details: { id: 'ak-1', many: ['ak-2', 'x'], none: undefined, nil: null, empty: [] },
      },
      context,
    );
    expect(error.message).toContain(': key [secret] of [secret].');
    expect(error.details).toEqual({ id: '[secret]', many: ['[secret]', 'x'] });
  });
});

it.each<[number, ModelErrorReason]>([
  [200, 'unknown'],
  [307, 'invalid-request'],
  [400, 'invalid-request'],
  [401, 'authentication'],
  [402, 'quota'],
  [403, 'permission'],
  [408, 'timeout'],
  [409, 'overloaded'],
  [422, 'invalid-request'],
  [429, 'rate-limit'],
  [499, 'overloaded'],
  [500, 'overloaded'],
  [504, 'timeout'],
  [529, 'overloaded'],
])('a status of %i is %s', (status, reason) => {
  expect(reasonOfStatus(status)).toBe(reason);
});

describe('a broken call', () => {
  const socket = (code: string): Error =>
    new TypeError('fetch failed', { cause: Object.assign(new Error(`connect ${code}`), { code }) });
  const twoAddresses = new TypeError('fetch failed', {
    cause: new AggregateError([Object.assign(new Error('no'), { code: 'ECONNREFUSED' })]),
  });

  it.each<[string, unknown, ModelErrorReason]>([
    ['a refused connection', socket('ECONNREFUSED'), 'network'],
    ['a reset', socket('ECONNRESET'), 'network'],
    ['no such host', socket('ENOTFOUND'), 'network'],
    ['both addresses of a host', twoAddresses, 'network'],
    ['a slow connection', socket('UND_ERR_CONNECT_TIMEOUT'), 'timeout'],
    ['slow headers', socket('UND_ERR_HEADERS_TIMEOUT'), 'timeout'],
    ['a slow body', socket('UND_ERR_BODY_TIMEOUT'), 'timeout'],
    ['a cut stream', new TypeError('terminated'), 'network'],
    ['no JSON', new SyntaxError('Unexpected token'), 'invalid-response'],
    ['half an answer', new WireError('it ended'), 'invalid-response'],
    ['a head alone', new Error('iterate over a response with no body'), 'invalid-response'],
    ['anything else', new RangeError('odd'), 'unknown'],
    ['a text', 'odd', 'unknown'],
    ['nothing', null, 'unknown'],
  ])('is read: %s', (_, thrown, reason) => {
    const error = brokenCall(thrown, context);
    expect(error).toMatchObject({ reason, provider: 'acme' });
    expect(error.cause).toBeUndefined();
  });

  it('names the code, who did not answer, and what to do', () => {
    expect(brokenCall(twoAddresses, context).message).toBe(
      'The connection to the model server at h failed (ECONNREFUSED). Check the network and the base URL, and retry.',
    );
    expect(brokenCall(socket('ETIMEDOUT'), context).message).toBe(
      'The model server at h did not answer in time (ETIMEDOUT). Retry later.',
    );
    expect(brokenCall(new Error('odd tenant-token-abc'), context).message).toBe(
      'The call of the model server at h failed: odd [secret]',
    );
    const advice = { network: 'Start it.' };
    expect(brokenCall(socket('ECONNREFUSED'), { ...context, advice }).message).toMatch(
      /Start it\.$/,
    );
  });

  it('leaves errors of this library alone', () => {
    const error = new UserError('no');
    expect(brokenCall(error, context)).toBe(error);
  });
});

describe('an answer that an SDK threw', () => {
  const thrown = (status: number | undefined, error: unknown, message = '') =>
    thrownAnswer({ status, error, message, headers: new Headers({ 'retry-after': '2' }) }, 0);

  it('is read by its shape', () => {
    const answer = thrown(429, { message: 'slow' });
    expect(answer).toMatchObject({ status: 429, body: { message: 'slow' }, retryAfterMs: 2_000 });
    expect(answer?.header('retry-after')).toBe('2');
    expect(answer?.header('x')).toBeNull();
  });

  it('without a body is its text, and nothing of a page', () => {
    expect(thrown(400, undefined, '400 model is required')?.body).toEqual({
      message: 'model is required',
    });
    expect(thrown(502, undefined, '502 <html>Bad gateway</html>')?.body).toEqual({ message: '' });
    expect(thrown(503, undefined, '503 status code (no body)')?.body).toEqual({ message: '' });
  });

  it('is none without a status and a body, or of another shape', () => {
    expect(thrown(undefined, undefined)).toBeUndefined();
    expect(thrownAnswer(new Error('x'), 0)).toBeUndefined();
    expect(thrownAnswer({ status: 400, error: {}, headers: undefined }, 0)).toMatchObject({
      retryAfterMs: undefined,
    });
  });
});

describe('retryAfterMs', () => {
  const now = Date.parse('2026-01-01T00:00:00Z');
  it.each([
    [{ 'retry-after-ms': '1500' }, 1_500],
    [{ 'retry-after-ms': '250.5', 'retry-after': '9' }, 251],
    [{ 'retry-after': '2' }, 2_000],
    [{ 'retry-after': '0.5' }, 500],
    [{ 'retry-after': 'Thu, 01 Jan 2026 00:00:05 GMT' }, 5_000],
    [{ 'retry-after': 'Wed, 31 Dec 2025 23:00:00 GMT' }, 0],
    [{ 'retry-after': 'soon' }, undefined],
    [{ 'retry-after': '' }, undefined],
    [{ 'retry-after': '1e999' }, undefined],
    [{ 'retry-after-ms': 'Infinity' }, undefined],
    [{}, undefined],
  ])('of %j is %s', (headers, expected) => {
    expect(retryAfterMs(new Headers(Object.entries(headers)), now)).toBe(expected);
  });
});

it('redacts keys, tokens, queries and users of URLs, and cuts what is long', () => {
  expect(
    redact('ak-other, Bearer abc.def, https://u:p@host/a?api-key=1&x=2 tenant-token-abc', context),
  ).toBe('[secret], Bearer [secret] https://host/a [secret]');
  expect(redact('x'.repeat(2_000), { secrets: [] })).toHaveLength(501);
});
