import { AgentError, ModelError, UserError } from '@agent-functions/core';
import { WireError, type ErrorContext } from '@agent-functions/core/provider';
import { APIConnectionError, APIError } from 'openai';
import { describe, expect, it } from 'vitest';
import { toModelError } from './errors.ts';

const context: ErrorContext = {
  provider: 'openai',
  who: 'OpenAI',
  model: 'gpt-5-mini',
  keyName: 'OPENAI_API_KEY',
  secrets: ['sk-canary-0123456789', 'tenant-token-abc'],
};

/** The SDK's own error for an answer, as it makes it. */
function answered(status: number, body: object | undefined, headers: Record<string, string> = {}) {
  return APIError.generate(status, body, undefined, new Headers(headers));
}

function vendor(status: number, error: object, headers?: Record<string, string>): ModelError {
  return asModelError(toModelError(answered(status, { error }, headers), context));
}

function asModelError(error: AgentError): ModelError {
  if (error instanceof ModelError) return error;
  throw new Error(`not a ModelError: ${String(error)}`);
}

describe('the reason of an answer', () => {
  it.each<[number, object, ModelError['reason']]>([
    [400, { message: 'bad', type: 'invalid_request_error' }, 'invalid-request'],
    [400, { message: 'long', code: 'context_length_exceeded' }, 'context-length'],
    [400, { message: "This model's maximum context length is 8192 tokens." }, 'context-length'],
    [400, { message: 'filtered', code: 'content_filter' }, 'content-filter'],
    [
      400,
      { message: 'x', code: null, innererror: { code: 'ResponsibleAIPolicyViolation' } },
      'content-filter',
    ],
    [401, { message: 'no', code: 'invalid_api_key' }, 'authentication'],
    [402, { message: 'credits' }, 'quota'],
    [403, { message: 'region' }, 'permission'],
    [403, { message: 'odd', type: 'server_error' }, 'permission'],
    [404, { message: 'none', code: 'model_not_found' }, 'invalid-request'],
    [404, { message: 'none', code: 'DeploymentNotFound' }, 'invalid-request'],
    [408, { message: 'slow' }, 'timeout'],
    [409, { message: 'locked' }, 'overloaded'],
    [413, { message: 'too much' }, 'invalid-request'],
    [422, { message: 'bad' }, 'invalid-request'],
    [429, { message: 'slow down', code: 'rate_limit_exceeded' }, 'rate-limit'],
    [429, { message: 'slow down', code: '429' }, 'rate-limit'],
    [429, { message: 'pay', code: 'insufficient_quota' }, 'quota'],
    [429, { message: 'pay', type: 'insufficient_quota' }, 'quota'],
    [500, { message: 'oops', type: 'server_error' }, 'overloaded'],
    [502, { message: 'oops' }, 'overloaded'],
    [503, { message: 'busy' }, 'overloaded'],
    [504, { message: 'late' }, 'timeout'],
    [529, { message: 'busy' }, 'overloaded'],
    [307, { message: 'moved' }, 'invalid-request'],
  ])('%i %j is %s', (status, body, reason) => {
    const error = vendor(status, body);
    expect(error.reason).toBe(reason);
    expect(error.status).toBe(status);
    expect(error.provider).toBe('openai');
  });

  it('is found without a body', () => {
    const error = asModelError(toModelError(answered(503, undefined), context));
    expect(error.message).toBe('OpenAI failed to answer (503). Retry later.');
  });

  it('is found when the body is a bare text', () => {
    const raw = APIError.generate(400, undefined, 'model is required', new Headers());
    expect(toModelError(raw, context).message).toBe(
      'OpenAI refused the request (400): model is required.',
    );
    const page = APIError.generate(502, undefined, '<html>Bad gateway</html>', new Headers());
    expect(toModelError(page, context).message).toBe('OpenAI failed to answer (502). Retry later.');
  });
});

describe('the sentence', () => {
  it('says how long to wait', () => {
    const error = vendor(429, { message: 'Rate limit reached.' }, { 'retry-after': '20' });
    expect(error.message).toBe(
      'OpenAI limits the rate of gpt-5-mini (429): Rate limit reached. Retry in 20 s.',
    );
    expect(error.retryAfterMs).toBe(20_000);
  });

  it('names the setting of a refused key, and repeats nothing of it', () => {
    const error = vendor(401, { message: 'Incorrect API key provided: sk-cana*****6789.' });
    expect(error.message).toBe('OpenAI refused the key (401). Check OPENAI_API_KEY.');
  });

  it('says what an unknown model can be', () => {
    expect(vendor(404, { message: 'The model does not exist' }).message).toBe(
      "OpenAI does not know the model gpt-5-mini, or has no such path (404): The model does not exist. Check the name and the base URL; a server without the Responses API needs api: 'chat'.",
    );
  });

  it('carries facts for programs', () => {
    const error = vendor(
      400,
      { message: 'bad', code: 'unsupported_value', param: 'temperature' },
      { 'x-request-id': 'req_7' },
    );
    expect(error.details).toEqual({
      vendorCode: 'unsupported_value',
      param: 'temperature',
      requestId: 'req_7',
    });
  });

  it('keeps nothing of the SDK’s error', () => {
    const error = vendor(400, { message: 'bad' }, { 'x-secret': 'sk-canary-0123456789' });
    expect(error.cause).toBeUndefined();
  });
});

describe('no answer', () => {
  const socket = (code: string): Error =>
    new TypeError('fetch failed', { cause: Object.assign(new Error(`connect ${code}`), { code }) });

  it.each([
    ['ECONNREFUSED', 'network'],
    ['ECONNRESET', 'network'],
    ['ENOTFOUND', 'network'],
    ['UND_ERR_SOCKET', 'network'],
    ['UND_ERR_CONNECT_TIMEOUT', 'timeout'],
    ['UND_ERR_HEADERS_TIMEOUT', 'timeout'],
    ['UND_ERR_BODY_TIMEOUT', 'timeout'],
  ])('with %s is %s', (code, reason) => {
    const error = toModelError(
      new APIConnectionError({ message: 'Connection error.', cause: socket(code) }),
      context,
    );
    expect(error).toMatchObject({ reason, retryable: true });
    expect(error.message).toContain(code);
  });

  it('names the server of a compatible address', () => {
    const local = { ...context, who: 'The model server at localhost:11434' };
    expect(toModelError(socket('ECONNREFUSED'), local).message).toBe(
      'The connection to the model server at localhost:11434 failed (ECONNREFUSED). Check the network and the base URL, and retry.',
    );
  });

  it('with a stream that was cut is network', () => {
    const error = new TypeError('terminated', { cause: new Error('other side closed') });
    expect(toModelError(error, context)).toMatchObject({ reason: 'network' });
  });
});

it('leaves errors of this library alone', () => {
  const error = new UserError('no');
  expect(toModelError(error, context)).toBe(error);
});

it('calls what it does not know unknown, and does not retry it', () => {
  for (const thrown of [new RangeError('tenant-token-abc is odd'), 'text', 7, null]) {
    const error = toModelError(thrown, context);
    expect(error).toMatchObject({ reason: 'unknown', retryable: false });
    expect(error.message).not.toContain('tenant-token');
  }
});

it('reads an HTTP status that a stream gives as the code', () => {
  const error = toModelError(new WireError('x', { code: 429, message: 'busy' }), context);
  expect(error).toMatchObject({ reason: 'rate-limit' });
});

it('shows no other key either', () => {
  expect(vendor(400, { message: 'key sk-other***xyz' }).message).toBe(
    'OpenAI refused the request (400): key [secret].',
  );
});

it('shows no key that came back as the id of a request', () => {
  const headers = { 'x-request-id': 'sk-canary-0123456789' };
  expect(vendor(400, { message: 'bad' }, headers).details).toEqual({ requestId: '[secret]' });
});

it('reads an answer without a body as none', () => {
  const error = toModelError(
    new Error('Attempted to iterate over a response with no body'),
    context,
  );
  expect(error).toMatchObject({ reason: 'invalid-response', retryable: true });
});
