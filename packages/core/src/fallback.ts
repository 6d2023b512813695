import { attemptsOf } from './attempt-stream.ts';
import type { AfterFailure } from './attempts.ts';
import { ModelError, UserError } from './errors.ts';
import type { Model, ModelCapabilities } from './model.ts';
import { withDefaults } from './retry.ts';
import { wrapModel } from './wrap-model.ts';

/**
 * Asks the first model, and the next one when a call failed for good: each model has its own retries and time limits
 * first (`retry(model, { maxRetries: 0 })` for none). Every `ModelError` moves on, whatever its reason, because what one
 * vendor refuses (a key, a filter, a context too long, a parameter) another may take; each step is a `restart` with
 * `to`, and recorded. An abort, and errors that are not a `ModelError`, end the call.
 *
 * The model that answers is named by the last `restart`. Capabilities are what all models have in common, except
 * `tools` and `images`: one model that has them is enough, because those that have not are passed over, not asked.
 *
 * @throws UserError without a model; from the stream a `ModelError` that lists every model and why it failed.
 */
export function fallback(...models: readonly Model[]): Model {
  const [first, ...others] = models.map(withDefaults);
  if (first === undefined) throw new UserError('fallback() needs at least one model.');
  const stream = attemptsOf((request) => {
    const failures: { readonly model: Model; readonly error: ModelError }[] = [];
    let present = first;
    const afterFailure = (error: ModelError, attempt: number): AfterFailure => {
      failures.push({ model: present, error });
      const next = others[attempt - 1];
      if (next === undefined) return { type: 'give-up', error: allFailed(failures) };
      present = next;
      return { type: 'try', model: next, afterMs: 0 };
    };
    return { request, model: first, limits: undefined, afterFailure };
  });
  return {
    ...wrapModel(first, stream, { retried: true, timed: true }),
    capabilities: common(models),
    ready: () => notReady(models),
  };
}

function allFailed(
  failures: readonly { readonly model: Model; readonly error: ModelError }[],
): ModelError {
  const last = failures.at(-1)?.error;
  if (failures.length === 1 && last !== undefined) return last;
  const each = failures.map(
    ({ model, error }) => `${model.provider}/${model.modelId} (${error.reason}): ${error.message}`,
  );
  return new ModelError(`All ${failures.length} models failed. ${each.join(' | ')}`, {
    reason: last?.reason ?? 'unknown',
    retryable: failures.some(({ error }) => error.retryable),
    provider: last?.provider,
    status: last?.status,
    retryAfterMs: last?.retryAfterMs,
    cause: new AggregateError(failures.map(({ error }) => error)),
  });
}

/**
 * True where all are known to. False where one is known not to; where models that cannot are passed over, only if none
 * can. Else unknown.
 */
function common(models: readonly Model[]): ModelCapabilities {
  const known = (name: keyof ModelCapabilities): readonly (boolean | undefined)[] =>
    models.map((model) => model.capabilities?.[name]);
  const of = (name: keyof ModelCapabilities): boolean | undefined => {
    const each = known(name);
    if (each.includes(false)) return false;
    return each.includes(undefined) ? undefined : true;
  };
  const some = (name: 'tools' | 'images'): boolean | undefined => {
    const each = known(name);
    if (each.every((can) => can === false)) return false;
    return each.every((can) => can === true) ? true : undefined;
  };
  return {
    parallelToolCalls: of('parallelToolCalls'),
    strictSchemas: of('strictSchemas'),
    toolsWithStructuredOutput: of('toolsWithStructuredOutput'),
    tools: some('tools'),
    images: some('images'),
  };
}

/** One model that is ready is enough. */
function notReady(models: readonly Model[]): string | undefined {
  const missing: string[] = [];
  for (const model of models) {
    const reason = model.ready?.();
    if (reason === undefined) return undefined;
    missing.push(reason);
  }
  return missing.join(' ');
}
