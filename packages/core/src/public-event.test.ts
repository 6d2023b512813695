import { expect, test } from 'vitest';
import type { Delta, RunEvent, Watched } from './events.ts';
import type { Message } from './message.ts';
import { publicFailure, toPublicEvent } from './public-event.ts';

const canary = 'canary-5d1';
const base = { v: 1, seq: 3, at: 5, runId: 'r', frame: 'f0', agent: 'a' } as const;
const deltaBase = { runId: 'r', frame: 'f0', agent: 'a', after: 1, epoch: 'e', n: 2 } as const;
const usage = { inputTokens: 1, outputTokens: 2, totalTokens: 3 } as const;

const message: Message = {
  id: 'm',
  runId: 'r',
  role: 'assistant',
  agent: 'a',
  parts: [
    { type: 'text', text: 'Hi', providerData: { vendor: canary } },
    { type: 'reasoning', text: 'Hm', providerData: { vendor: canary } },
    { type: 'tool-call', callId: 'c', toolName: 't', input: { keyOfUser: 1 } },
  ],
};

/** One of each type, with something private wherever an event can hold it. */
const events: { readonly [T in Watched['type']]: Extract<Watched, { readonly type: T }> } = {
  'run-start': {
    ...base,
    type: 'run-start',
    input: [message],
    sessionId: 's',
    sessionVersion: canary,
    userId: 'u',
    principal: { id: canary, claims: { secret: canary } },
    requestContext: { camelCase: { inside: true } },
    options: { modelSettings: { secret: canary } },
  },
  'model-response': {
    ...base,
    type: 'model-response',
    purpose: 'turn',
    message,
    usage,
    finishReason: 'stop',
    provider: 'p',
    modelId: 'm',
    responseId: canary,
    attempts: [{ provider: 'p', modelId: 'm', reason: canary }],
  },
  'tool-start': {
    ...base,
    type: 'tool-start',
    callId: 'c',
    toolName: 't',
    input: { camelCase: 1 },
    effect: 'once',
    idempotencyKey: canary,
  },
  'session-state': { ...base, type: 'session-state', callId: 'c', patch: { key: canary } },
  'tool-checkpoint': { ...base, type: 'tool-checkpoint', callId: 'c', data: canary },
  'tool-result': {
    ...base,
    type: 'tool-result',
    callId: 'c',
    toolName: 't',
    output: { type: 'json', value: { camelCase: 1 } },
    isError: false,
    how: 'ran',
    modelOutput: { type: 'json', value: canary },
  },
  interruption: {
    ...base,
    type: 'interruption',
    interruption: { id: 'i', kind: 'approval', frame: 'f0', agent: 'a', input: { camelCase: 1 } },
  },
  decision: {
    ...base,
    type: 'decision',
    decision: { interruptionId: 'i', approved: true, input: { camelCase: 1 } },
    by: 'alice',
  },
  handoff: {
    ...base,
    type: 'handoff',
    to: 'b',
    childFrame: 'f0.1',
    primitive: 'call',
    messages: [{ id: 'm', role: 'user', parts: [{ type: 'text', text: canary }] }],
    asked: 1,
    context: { secret: canary },
  },
  'frame-end': { ...base, type: 'frame-end', error: { code: 'internal', message: canary } },
  'guardrail-result': {
    ...base,
    type: 'guardrail-result',
    name: 'g',
    on: 'output',
    action: 'reject',
    value: canary,
  },
  compaction: {
    ...base,
    type: 'compaction',
    removed: 2,
    from: { runId: canary, id: canary },
    cleared: 1,
    clearedBefore: { id: canary },
  },
  reflection: { ...base, type: 'reflection', iteration: 1, score: 0.5, accepted: true, done: true },
  route: { ...base, type: 'route', to: 'b' },
  warning: { ...base, type: 'warning', code: 'w', message: canary },
  'cancel-request': { ...base, type: 'cancel-request', by: 'alice', reason: 'Enough' },
  'run-pause': { ...base, type: 'run-pause', interruptions: ['i'] },
  'run-resume': { ...base, type: 'run-resume', attempt: 1 },
  'run-end': {
    ...base,
    type: 'run-end',
    status: 'failed',
    error: { code: 'model_error', reason: 'authentication', message: canary },
    usage: {
      ...usage,
      requests: 1,
      perRequest: [{ ...usage, provider: canary, modelId: 'm', agent: 'a' }],
    },
    handoffPath: ['a'],
  },
  'turn-start': { ...deltaBase, type: 'turn-start', turn: 1 },
  'text-delta': { ...deltaBase, type: 'text-delta', messageId: 'm', delta: 'H' },
  'reasoning-delta': { ...deltaBase, type: 'reasoning-delta', messageId: 'm', delta: 'H' },
  'tool-input-delta': {
    ...deltaBase,
    type: 'tool-input-delta',
    callId: 'c',
    toolName: 't',
    delta: '{',
  },
  'tool-progress': { ...deltaBase, type: 'tool-progress', callId: 'c', data: { camelCase: 1 } },
  void: { ...deltaBase, type: 'void' },
  'model-retry': { ...deltaBase, type: 'model-retry', reason: 'timeout', attempt: 1, afterMs: 5 },
  'model-fallback': { ...deltaBase, type: 'model-fallback', from: 'a', to: 'b', reason: 'timeout' },
};

test.each(Object.values<Watched>(events))(
  '$type has a public form without its private fields',
  (event) => {
    const shown = toPublicEvent(event);
    expect(shown).toMatchObject({ type: event.type, run_id: 'r', frame: 'f0', agent: 'a' });
    expect(JSON.stringify(shown)).not.toContain(canary);
    expect(JSON.parse(JSON.stringify(shown))).toEqual(shown);
    expect([shown['seq'], shown['at']]).toEqual('seq' in event ? [3, 5] : [undefined, undefined]);
  },
);

test('keys are snake_case and the JSON of users is passed on as it is', () => {
  expect(toPublicEvent(events['run-start'])).toMatchObject({
    session_id: 's',
    user_id: 'u',
    context: { camelCase: { inside: true } },
  });
  expect(toPublicEvent(events['tool-result'])).toMatchObject({
    call_id: 'c',
    tool_name: 't',
    output: { camelCase: 1 },
    is_error: false,
  });
  expect(toPublicEvent(events.decision)).toMatchObject({
    interruption_id: 'i',
    approved: true,
    input: { camelCase: 1 },
    by: 'alice',
  });
});

test('held text, and what a judge or a guardrail said, is not shown', () => {
  const response: RunEvent = events['model-response'];
  expect(toPublicEvent(response)).toHaveProperty('message');
  for (const hidden of [{ held: true as const }, { purpose: 'guard' as const }])
    expect(toPublicEvent({ ...events['model-response'], ...hidden })).not.toHaveProperty('message');
});

test('a rewritten input is shown; a rejected one, and an answer that may yet be rejected, is not', () => {
  const result = events['guardrail-result'];
  const rewrite = { ...result, action: 'rewrite', value: 'clean' } as const;
  for (const on of ['input', 'tool-input'] as const)
    expect(toPublicEvent({ ...rewrite, on })).toMatchObject({ value: 'clean' });
  for (const on of ['output', 'tool-output'] as const)
    expect(toPublicEvent({ ...rewrite, on })).not.toHaveProperty('value');
  expect(toPublicEvent(result)).not.toHaveProperty('value');
});

test('content of a tool is told apart from JSON that looks like it', () => {
  const parts = [{ type: 'text', text: 'x' }] as const;
  const result = events['tool-result'];
  expect(toPublicEvent({ ...result, output: { type: 'content', parts } })).toMatchObject({
    content: parts,
  });
  expect(toPublicEvent({ ...result, output: { type: 'json', value: parts } })).toMatchObject({
    output: parts,
  });
});

test('a delta says what its cursor needs in its id, not in its data', () => {
  const delta: Delta = events['text-delta'];
  expect(toPublicEvent(delta)).toEqual({
    type: 'text-delta',
    run_id: 'r',
    frame: 'f0',
    agent: 'a',
    message_id: 'm',
    delta: 'H',
  });
});

test('a failure has its code always and its message where this library wrote it', () => {
  expect(publicFailure({ code: 'not_configured', message: 'Set OPENAI_API_KEY.' })).toEqual({
    code: 'not_configured',
    message: 'Set OPENAI_API_KEY.',
  });
  expect(
    publicFailure({
      code: 'model_error',
      reason: 'rate-limit',
      message: 'Too many.',
      retryAfterMs: 1_500,
    }),
  ).toEqual({
    code: 'model_error',
    reason: 'rate-limit',
    message: 'The model limits how often it is asked. Try again later.',
    retry_after: 1.5,
  });
  for (const failure of [
    { code: 'internal', message: canary },
    { code: 'tool_error', message: canary },
    { code: 'model_error', reason: 'permission', message: canary },
    { code: 'model_error', reason: 'invalid-request', message: canary },
    { code: 'store_unavailable', message: canary },
  ] as const) {
    expect(publicFailure(failure).code).toBe(failure.code);
    expect(JSON.stringify(publicFailure(failure))).not.toContain(canary);
  }
});
