import { attemptsOf } from './attempt-stream.ts';
import type { AfterFailure } from './attempts.ts';
import { UserError, type ModelError } from './errors.ts';
import type { Model, RetryOptions } from './model.ts';
import { limitsOf } from './timeout.ts';
import { guardsOf, wrapModel } from './wrap-model.ts';

/** `RetryOptions` and what a test replaces. */
export interface RetryModelOptions extends RetryOptions {
  /** A number from 0 to below 1. Default `Math.random`. */
  readonly random?: (() => number) | undefined;
  /** Must reject with the abort reason when the signal fires. Default: a timer. */
  readonly sleep?: ((ms: number, signal: AbortSignal) => Promise<void>) | undefined;
}

/**
 * Asks a model again when a call failed with a `retryable` `ModelError`. The wait is random between 0 and
 * `initialDelayMs`, doubled with each attempt ("full jitter"); a server that says how long to wait gets exactly that,
 * and no retry when it is more than `maxDelayMs`. Before each attempt the stream says `restart`: what it showed is void.
 * Nothing is tried after an abort, and a wait ends with it.
 *
 * Options win over the request's `settings.retry`. Each attempt has the time limits of `settings.timeoutMs` (default:
 * 120 s of silence, 600 s in all), unless the model has its own by `timeout()`.
 *
 * @throws UserError for options that cannot be meant.
 */
export function retry(model: Model, options: RetryModelOptions = {}): Model {
  check(options);
  const { random = Math.random, sleep } = options;
  const timed = guardsOf(model).timed;
  return wrapModel(
    model,
    attemptsOf((request) => {
      const { settings } = request;
      const limits = timed ? undefined : limitsOf(settings);
      const afterFailure = (error: ModelError, attempt: number): AfterFailure => {
        const afterMs = delayOf(error, attempt, { ...settings.retry, ...defined(options) }, random);
        return afterMs === undefined ? { type: 'give-up', error } : { type: 'try', model, afterMs };
      };
      return { request, model, limits, afterFailure, sleep };
    }),
    { retried: true, timed: true },
  );
}

const hardened = new WeakMap<Model, Model>();

/**
 * A model as the runner asks it: with time limits and retries by the request's settings, unless it has its own. Made
 * once for each model.
 */
export function withDefaults(model: Model): Model {
  if (guardsOf(model).retried) return model;
  let made = hardened.get(model);
  if (made === undefined) {
    made = retry(model);
    hardened.set(model, made);
  }
  return made;
}

/** The wait before the next attempt, or `undefined`: give up. */
function delayOf(
  error: ModelError,
  attempt: number,
  options: RetryOptions,
  random: () => number,
): number | undefined {
  const { maxRetries = 2, initialDelayMs = 500, maxDelayMs = 30_000 } = options;
  if (!error.retryable || attempt > maxRetries) return undefined;
  if (error.retryAfterMs !== undefined) {
    return error.retryAfterMs <= maxDelayMs ? error.retryAfterMs : undefined;
  }
  return Math.round(random() * Math.min(maxDelayMs, initialDelayMs * 2 ** (attempt - 1)));
}

function defined({ maxRetries, initialDelayMs, maxDelayMs }: RetryOptions): RetryOptions {
  return {
    ...(maxRetries === undefined ? {} : { maxRetries }),
    ...(initialDelayMs === undefined ? {} : { initialDelayMs }),
    ...(maxDelayMs === undefined ? {} : { maxDelayMs }),
  };
}

function check({ maxRetries, initialDelayMs, maxDelayMs }: RetryOptions): void {
  if (maxRetries !== undefined && !(Number.isInteger(maxRetries) && maxRetries >= 0)) {
    throw new UserError(`retry(): maxRetries is ${maxRetries}; it must be a whole number from 0.`);
  }
  for (const [option, ms] of Object.entries({ initialDelayMs, maxDelayMs })) {
    if (ms !== undefined && !(ms >= 0)) {
      throw new UserError(`retry(): ${option} is ${ms}; it must be 0 or more milliseconds.`);
    }
  }
}
