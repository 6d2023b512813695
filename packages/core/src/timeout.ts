import { attemptsOf, giveUp } from './attempt-stream.ts';
import { UserError } from './errors.ts';
import type { Model, ModelSettings } from './model.ts';
import type { TimeoutOptions } from './watchdog.ts';
import { wrapModel } from './wrap-model.ts';

/** What holds where nothing else is said: two minutes of silence, ten for an answer, as vendors' SDKs have it. */
const defaults: TimeoutOptions = { firstEventMs: 120_000, gapMs: 120_000, totalMs: 600_000 };
/** An answer in one piece is silent until it is there. */
const defaultsInOnePiece: TimeoutOptions = { totalMs: 600_000 };

/**
 * Limits how long a model may take. A call that takes longer is aborted, down to its socket, and fails with a
 * `ModelError` of reason `timeout`, which is retryable: put `retry()` outside, as in `retry(timeout(model, …))`.
 *
 * @throws UserError for a limit that is not above 0.
 */
export function timeout(model: Model, limits: TimeoutOptions): Model {
  for (const [option, ms] of Object.entries(limits)) {
    if (ms !== undefined && !(ms > 0)) {
      throw new UserError(`timeout(): ${option} is ${ms}; it must be above 0, or left out.`);
    }
  }
  return wrapModel(
    model,
    attemptsOf((request) => ({ request, model, limits, afterFailure: giveUp })),
    {
      timed: true,
    },
  );
}

/** The limits of a call whose model has none of its own: `timeoutMs` of the settings replaces all defaults. */
export function limitsOf(settings: ModelSettings): TimeoutOptions {
  if (settings.timeoutMs !== undefined) return { totalMs: settings.timeoutMs };
  return settings.streaming === false ? defaultsInOnePiece : defaults;
}
