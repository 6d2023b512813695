import { describe, expect, it, vi } from 'vitest';
import {
  AgentError,
  httpStatusOfFailure,
  ModelError,
  RunConflictError,
  SessionBusyError,
  toFailure,
  ToolCallError,
  UserError,
  type ModelErrorReason,
} from './errors.ts';

describe('AgentError', () => {
  it('is told by its brand, also when another copy of the library made it', async () => {
    vi.resetModules();
    const copy = await import('./errors.ts');
    const foreign = new copy.UserError('from the other copy');
    expect(foreign).not.toBeInstanceOf(AgentError);
    expect(AgentError.isInstance(foreign)).toBe(true);
    expect(toFailure(foreign)).toEqual({ code: 'user_error', message: 'from the other copy' });
  });

  it.each([undefined, null, 'user_error', new Error('x'), { code: 'user_error' }])(
    'is not %j',
    (value) => {
      expect(AgentError.isInstance(value)).toBe(false);
    },
  );

  it('has the name of its class, its cause, and what a program can use', () => {
    const cause = new Error('below');
    const error = new SessionBusyError('busy', { activeRunId: 'r1', runId: 'r2', cause });
    expect(error).toMatchObject({ name: 'SessionBusyError', code: 'session_busy', cause });
    expect(error.toJSON()).toEqual({
      code: 'session_busy',
      message: 'busy',
      retryable: false,
      runId: 'r2',
      details: { activeRunId: 'r1' },
    });
    expect(String(error)).toBe('SessionBusyError: busy');
    expect('cause' in new UserError('x')).toBe(false);
  });

  it('answers over HTTP with the status of its code', () => {
    expect(new UserError('x').httpStatus).toBe(400);
    expect(new RunConflictError('x', { reason: 'lease' }).httpStatus).toBe(409);
    const late = { toolName: 't', callId: 'c', code: 'tool_timeout' } as const;
    expect(new ToolCallError('x', late)).toMatchObject({ code: 'tool_timeout', httpStatus: 504 });
  });
});

describe('ModelError', () => {
  it.each<[ModelErrorReason, boolean, number]>([
    ['rate-limit', true, 429],
    ['overloaded', true, 503],
    ['network', true, 502],
    ['timeout', true, 504],
    ['invalid-response', true, 502],
    ['authentication', false, 502],
    ['permission', false, 502],
    ['quota', false, 429],
    ['invalid-request', false, 502],
    ['context-length', false, 502],
    ['content-filter', false, 422],
    ['unknown', false, 502],
  ])('%s: retryable %s, HTTP %i', (reason, retryable, httpStatus) => {
    const error = new ModelError('x', { reason });
    expect(error).toMatchObject({ retryable, httpStatus });
    expect(error.code).toBe(reason === 'timeout' ? 'model_timeout' : 'model_error');
    expect(httpStatusOfFailure(error.toFailure())).toBe(httpStatus);
  });

  it('may say that the same call must not, or may, be tried again', () => {
    expect(new ModelError('x', { reason: 'network', retryable: false }).retryable).toBe(false);
    expect(new ModelError('x', { reason: 'unknown', retryable: true }).retryable).toBe(true);
  });

  it('records its reason and the wait, and not its cause', () => {
    const cause = new Error('Bearer sk-secret');
    const error = new ModelError('slow down', { reason: 'rate-limit', retryAfterMs: 7_000, cause });
    const failure = {
      code: 'model_error',
      message: 'slow down',
      reason: 'rate-limit',
      retryAfterMs: 7_000,
    };
    expect(toFailure(error)).toEqual(failure);
    expect(JSON.stringify([error, toFailure(error)])).not.toContain('sk-secret');
  });
});

describe('toFailure', () => {
  it('makes internal of anything else', () => {
    expect(toFailure(new TypeError('bug'))).toEqual({ code: 'internal', message: 'bug' });
    expect(toFailure('thrown text')).toEqual({ code: 'internal', message: 'thrown text' });
  });
});
