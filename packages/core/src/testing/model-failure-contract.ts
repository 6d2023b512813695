import { isModelError } from '../attempts.ts';
import { equal, ok } from './assert.ts';
import { checkModelError } from './model-checks.ts';
import type { ModelCase } from './model-fixture.ts';
import { hello, helloText } from './model-replies.ts';
import { contractSecret, type ModelScenarioName, type ServerFailure } from './model-scenario.ts';

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
  { name: 'not-found', status: 404, reason: 'invalid-request', retryable: false },
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
  { name: 'rate-limit-silent', status: 429, reason: 'rate-limit', retryable: true },
  { name: 'server-error', status: 500, reason: 'overloaded', retryable: true },
  { name: 'overloaded', status: 503, reason: 'overloaded', retryable: true },
];

/** What a model makes of answers that are failures. */
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
        const ms = retryAfterSeconds === undefined ? undefined : retryAfterSeconds * 1000;
        equal(error.retryAfterMs, ms, 'retryAfterMs');
        equal(test.requests().length, 1, 'retrying is left to retry()');
      },
    );
  }

  const inTenMinutes = new Date(Date.now() + 600_000).toUTCString();
  it(
    'reads a Retry-After that is a date',
    {
      name: 'rate-limit-date',
      replies: [
        {
          type: 'failure',
          status: 429,
          reason: 'rate-limit',
          message: 'The server says later.',
          retryAfterDate: inTenMinutes,
        },
      ],
    },
    async (test) => {
      const { error } = await test.fail();
      checkModelError(error, 'rate-limit', test);
      const { retryAfterMs = 0 } = error;
      ok(retryAfterMs > 120_000 && retryAfterMs <= 601_000, `retryAfterMs: ${retryAfterMs}`);
    },
  );

  it(
    'does not try a request again that is too large',
    {
      name: 'too-large',
      replies: [
        { type: 'failure', status: 413, reason: 'invalid-request', message: 'Request too large.' },
      ],
    },
    async (test) => {
      const { error } = await test.fail();
      ok(isModelError(error), `a ModelError, not ${String(error)}`);
      ok(/^(invalid-request|context-length)$/.test(error.reason), `the reason: ${error.reason}`);
      equal([error.retryable, error.status], [false, 413], 'retryable and status');
    },
  );

  for (const [name, status, reasons] of [
    ['bad-gateway', 502, ['overloaded', 'network']],
    ['gateway-timeout', 504, ['timeout', 'overloaded']],
  ] as const) {
    it(
      `reads ${status} from a page of a proxy`,
      {
        name,
        replies: [{ type: 'failure', status, reason: reasons[0], message: '', page: true }],
      },
      async (test) => {
        const { error } = await test.fail();
        ok(isModelError(error), `a ModelError, not ${String(error)}`);
        ok(
          reasons.some((one) => one === error.reason),
          `the reason: ${error.reason}`,
        );
        equal([error.retryable, error.status], [true, status], 'retryable and status');
        ok(!error.message.includes('<html>'), `no page in the message: ${error.message}`);
      },
    );
  }

  it(
    'fails the same where the answer was asked for in one piece',
    {
      name: 'failure-one-piece',
      replies: [{ type: 'failure', status: 503, reason: 'overloaded', message: 'Too many.' }],
    },
    async (test) => {
      const { error } = await test.fail({ settings: { streaming: false } });
      checkModelError(error, 'overloaded', test);
      equal([error.retryable, error.status], [true, 503], 'retryable and status');
    },
  );

  it(
    'is as good as new after a failure',
    {
      name: 'after-failure',
      replies: [
        { type: 'failure', status: 500, reason: 'overloaded', message: 'Not now.' },
        { ...hello, cutAfterChunks: 1 },
        hello,
      ],
    },
    async (test) => {
      await test.fail();
      await test.fail();
      equal((await test.ask()).text, helloText, 'the text');
    },
  );
}
