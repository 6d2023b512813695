import { ModelError } from '@agent-functions/core';
import { jsonAnswer, type WireServer } from '@agent-functions/core/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { claude, failure, key, listen } from '../test/ask.ts';
import { wireServer } from '../test/wire-server.ts';
import { toModelError } from './errors.ts';

let server: WireServer;
beforeEach(async () => (server = await wireServer()));
afterEach(() => server.close());

function body(type: string, message: string, error_code?: string): object {
  const details = error_code === undefined ? null : { error_code };
  return { type: 'error', error: { type, message, details }, request_id: 'req_body' };
}

// https://platform.claude.com/docs/en/api/errors, and the error classes of the SDK (resources/shared.d.ts).
describe('an answer with an error', () => {
  test.each([
    [400, body('invalid_request_error', 'max_tokens: required'), 'invalid-request', false],
    [
      400,
      body('invalid_request_error', 'prompt is too long: 9 tokens > 8 maximum'),
      'context-length',
      false,
    ],
    [
      400,
      body(
        'invalid_request_error',
        'input length and `max_tokens` exceed context limit: 9 + 9 > 8',
      ),
      'context-length',
      false,
    ],
    [
      400,
      body('invalid_request_error', 'Your credit balance is too low to access the API'),
      'quota',
      false,
    ],
    [
      400,
      body('invalid_request_error', 'Output blocked by content filtering policy'),
      'content-filter',
      false,
    ],
    [
      400,
      body('invalid_request_error', 'Too wide', 'image_dimensions_too_large'),
      'invalid-request',
      false,
    ],
    [401, body('authentication_error', 'invalid x-api-key'), 'authentication', false],
    [402, body('billing_error', 'Pay'), 'quota', false],
    [402, body('billing_error', 'Stop', 'linked_organization_spend_limit_reached'), 'quota', false],
    [403, body('permission_error', 'No'), 'permission', false],
    [404, body('not_found_error', 'model: claude-nine'), 'invalid-request', false],
    [409, body('conflict_error', 'Busy'), 'overloaded', true],
    [413, body('request_too_large', 'Request exceeds the maximum size'), 'invalid-request', false],
    [422, body('invalid_request_error', 'No'), 'invalid-request', false],
    [429, body('rate_limit_error', 'Too many requests'), 'rate-limit', true],
    [429, body('rate_limit_error', 'Limit', 'enforced_spend_limit_reached'), 'quota', false],
    [429, body('rate_limit_error', 'Limit', 'contract_spend_limit_reached'), 'quota', false],
    [500, body('api_error', 'Internal server error'), 'overloaded', true],
    [503, body('overloaded_error', 'Gone', 'cmek_key_unreachable'), 'overloaded', true],
    [504, body('timeout_error', 'Too slow'), 'timeout', true],
    [529, body('overloaded_error', 'Overloaded'), 'overloaded', true],
    [307, {}, 'invalid-request', false],
  ] as const)('%i %j is %s', async (status, sent, reason, retryable) => {
    server.play(jsonAnswer(sent, status, { 'request-id': 'req_header' }));
    const error = await failure(listen(claude(server)));
    expect(error).toBeInstanceOf(ModelError);
    expect(error).toMatchObject({ reason, retryable, status, provider: 'anthropic' });
    expect(error).toMatchObject({ details: { requestId: 'req_header' } });
    expect(server.received).toHaveLength(1);
  });

  test('says what to do, and no secret', async () => {
    server.play(jsonAnswer(body('authentication_error', `invalid key ${key}`), 401));
    expect(String(await failure(listen(claude(server))))).toMatch(
      /The model server at 127\.0\.0\.1:\d+ refused the key \(401\)\. Check the apiKey given to anthropic\(\)\.$/,
    );
    server.play(jsonAnswer(body('not_found_error', 'model: claude-nine'), 404));
    expect(String(await failure(listen(claude(server, { name: 'claude-nine' }))))).toContain(
      'does not know the model claude-nine, or has no such path (404): model: claude-nine. Check the name and the base URL, which ends before /v1.',
    );
    server.play(
      jsonAnswer(body('invalid_request_error', `header x-secret: hidden-value, ${key}`), 400),
    );
    const error = await failure(
      listen(claude(server, { headers: { 'x-secret': 'hidden-value' } })),
    );
    expect(String(error)).toContain('header x-secret: [secret], [secret]');
  });
});

describe('what is not an answer', () => {
  const context = {
    provider: 'anthropic',
    who: 'Anthropic',
    model: 'm',
    keyName: 'k',
    secrets: [],
  };

  test.each([
    [
      new TypeError('terminated', {
        cause: Object.assign(new Error('x'), { code: 'UND_ERR_SOCKET' }),
      }),
      'network',
    ],
    [Object.assign(new Error('x'), { code: 'UND_ERR_BODY_TIMEOUT' }), 'timeout'],
    [new SyntaxError('Unexpected token'), 'invalid-response'],
    [new Error('Attempted to iterate over a response with no body'), 'invalid-response'],
    [new Error('what?'), 'unknown'],
    ['a text', 'unknown'],
  ])('%s is %s', (error, reason) => {
    expect(toModelError(error, context)).toMatchObject({ reason });
  });

  test('shows no key that came back as the id of a request', () => {
    const headers = new Headers({ 'request-id': 'a-key-of-mine' });
    const thrown = { status: 400, headers, error: { error: { message: 'bad' } } };
    expect(toModelError(thrown, { ...context, secrets: ['a-key-of-mine'] })).toMatchObject({
      details: { requestId: '[secret]' },
    });
  });

  test('is shown without any key', () => {
    const error = toModelError(new Error('sk-ant-api03-xyz is odd'), context);
    expect(error.message).toBe('The call of Anthropic failed: [secret] is odd');
  });
});
