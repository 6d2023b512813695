import { isModelError } from '../attempts.ts';
import type { ModelError, ModelErrorReason } from '../errors.ts';
import { sleep } from '../wait.ts';
import { equal, eventually, ok } from './assert.ts';
import { gate } from './gate.ts';
import { contractRequest, type ModelCase, type ModelFixture } from './model-fixture.ts';
import {
  contractSecret,
  type ModelScenarioName,
  type ServerAnswer,
  type ServerFailure,
} from './model-scenario.ts';

interface FailureCase extends Omit<ServerFailure, 'type' | 'message'> {
  readonly name: ModelScenarioName;
  readonly retryable: boolean;
  readonly message?: string;
}

const failures: readonly FailureCase[] = [
  {
    name: 'authentication',
    status: 401,
    reason: 'authentication',
    retryable: false,
    message: `Incorrect API key provided: ${contractSecret}.`,
  },
  { name: 'permission', status: 403, reason: 'permission', retryable: false },
  { name: 'invalid-request', status: 400, reason: 'invalid-request', retryable: false },
  { name: 'context-length', status: 400, reason: 'context-length', retryable: false },
  { name: 'filtered-request', status: 400, reason: 'content-filter', retryable: false },
  { name: 'quota', status: 429, reason: 'quota', retryable: false },
  {
    name: 'rate-limit',
    status: 429,
    reason: 'rate-limit',
    retryable: true,
    retryAfterSeconds: 7,
  },
  { name: 'server-error', status: 500, reason: 'overloaded', retryable: true },
  { name: 'overloaded', status: 503, reason: 'overloaded', retryable: true },
];

const long: ServerAnswer = {
  type: 'answer',
  text: ['one ', 'two ', 'three ', 'four'],
  finish: 'stop',
};

/** What a model makes of failures, and of readers who stop. */
export function failureContract(it: ModelCase): void {
  for (const { name, retryable, message = 'The server says no.', ...failure } of failures) {
    it(
      `fails with ${failure.reason} on ${failure.status} (${name}), after one request`,
      { name, replies: [{ type: 'failure', message, ...failure }] },
      async (test) => {
        const { error } = await test.fail();
        checkModelError(error, failure.reason, test);
        equal(error.retryable, retryable, 'retryable');
        equal(error.status, failure.status, 'status');
        const { retryAfterSeconds } = failure;
        if (retryAfterSeconds !== undefined) {
          equal(error.retryAfterMs, retryAfterSeconds * 1000, 'retryAfterMs');
        }
        equal(test.requests().length, 1, 'retrying is left to retry()');
      },
    );
  }

  it(
    'fails with network when the connection is cut, with what came before',
    { name: 'cut', replies: [{ ...long, cutAfterChunks: 2 }] },
    async (test) => {
      const { error } = await test.fail();
      ok(isModelError(error), `a ModelError: ${String(error)}`);
      const { reason } = error;
      ok(reason === 'network' || reason === 'invalid-response', `the reason: ${reason}`);
      equal(error.retryable, true, 'retryable');
    },
  );

  it(
    'fails with invalid-response, or ends without a response, when the stream is empty',
    { name: 'empty', replies: [{ ...long, empty: true }] },
    async (test) => {
      const { signal } = new AbortController();
      try {
        // Core makes an invalid-response of a stream that ends without one.
        for await (const { type } of test.model.stream(contractRequest(), { signal })) {
          ok(type === 'warning', `nothing but warnings: ${type}`);
        }
      } catch (error) {
        checkModelError(error, 'invalid-response', test);
      }
    },
  );

  it('fails with network when nobody listens', { name: 'no-server', replies: [] }, async (test) => {
    await test.dispose();
    const { error } = await test.fail();
    checkModelError(error, 'network', test);
    equal(error.retryable, true, 'retryable');
  });

  const never = gate();
  it(
    'ends within a second of an abort before the first byte, with its reason',
    {
      name: 'slow-first-byte',
      replies: [{ ...long, pause: { afterChunks: 0, until: never.wait() } }],
    },
    async (test) => {
      const abort = new AbortController();
      const failing = test.fail({}, abort.signal);
      await eventually(() => test.requests().length === 1, 'the request arrives');
      await endsWith(failing, abort);
      await soon(test.hungUp, 'the server sees the client hang up');
    },
  );

  it(
    'ends within a second of an abort between deltas, with its reason',
    { name: 'abort', replies: [{ ...long, pause: { afterChunks: 2, until: never.wait() } }] },
    async (test) => {
      const abort = new AbortController();
      const stream = test.model.stream(contractRequest(), { signal: abort.signal });
      const events = stream[Symbol.asyncIterator]();
      let next = await events.next();
      while (next.done !== true && next.value.type !== 'text-delta') next = await events.next();
      const failing = (async () => {
        for (;;) if ((await events.next()).done === true) throw new Error('it ended quietly');
      })();
      await endsWith(
        failing.catch((error: unknown) => ({ error })),
        abort,
      );
      await soon(test.hungUp, 'the server sees the client hang up');
    },
  );

  it(
    'hangs up when its reader leaves',
    { name: 'leave', replies: [{ ...long, pause: { afterChunks: 2, until: never.wait() } }] },
    async (test) => {
      const { signal } = new AbortController();
      for await (const { type } of test.model.stream(contractRequest(), { signal })) {
        if (type === 'text-delta') break;
      }
      await soon(test.hungUp, 'the server sees the client hang up');
    },
  );

  it(
    'asks nothing when the signal has fired before',
    { name: 'aborted-before', replies: [long] },
    async (test) => {
      const reason = new Error('stopped before');
      const { error } = await test.fail({}, AbortSignal.abort(reason));
      ok(error === reason, `the abort reason: ${String(error)}`);
      equal(test.requests().length, 0, 'no request');
    },
  );
}

function checkModelError(
  error: unknown,
  reason: ModelErrorReason,
  { model }: ModelFixture,
): asserts error is ModelError {
  ok(isModelError(error), `a ModelError, not ${String(error)}`);
  equal(error.reason, reason, `the reason of "${error.message}"`);
  equal(error.provider, model.provider, 'the provider');
  for (const text of texts(error)) {
    ok(!text.includes(contractSecret), 'the key is not in the error');
  }
  ok(!JSON.stringify(model).includes(contractSecret), 'the key is not in the model as JSON');
}

/** Every text of an error, its causes and fields. */
function texts(value: unknown, depth = 0): readonly string[] {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null || depth > 6) return [];
  const fields = Object.getOwnPropertyNames(value).flatMap((name) => {
    const field: unknown = Reflect.get(value, name);
    return texts(field, depth + 1);
  });
  return fields;
}

async function endsWith(failing: Promise<{ error: unknown }>, abort: AbortController) {
  const reason = new Error('stopped by the test');
  const aborted = performance.now();
  abort.abort(reason);
  const { error } = await failing;
  ok(performance.now() - aborted < 1_000, 'within a second');
  ok(error === reason, `the abort reason, not ${String(error)}`);
}

async function soon(promise: Promise<unknown> | undefined, what: string): Promise<void> {
  if (promise === undefined) return;
  const stop = new AbortController();
  const late = sleep(2_000, stop.signal).then(
    () => what,
    () => undefined,
  );
  const missed = await Promise.race([promise.then(() => undefined), late]);
  stop.abort();
  ok(missed === undefined, `not within 2 s: ${what}`);
}
