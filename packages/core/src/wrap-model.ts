import type { Model } from './model.ts';

/** What already watches over the calls of a model, so that nothing is retried or timed twice. */
export interface Guards {
  readonly retried: boolean;
  readonly timed: boolean;
}

// An ordinary property, so that `{ ...model, stream }` keeps it; registered, so that two copies of core agree.
const guards = Symbol.for('@agent-functions/model-guards');
const none: Guards = { retried: false, timed: false };

interface GuardedModel extends Model {
  readonly [guards]?: Guards;
}

export function guardsOf(model: GuardedModel): Guards {
  return model[guards] ?? none;
}

/** The same model with another `stream`: name, capabilities, `ready()` and guards pass through. */
export function wrapModel(
  model: Model,
  stream: Model['stream'],
  added: Partial<Guards> = {},
): Model {
  const wrapped: GuardedModel = {
    provider: model.provider,
    modelId: model.modelId,
    capabilities: model.capabilities,
    ...(model.ready === undefined ? {} : { ready: () => model.ready?.() }),
    stream,
    [guards]: { ...guardsOf(model), ...added },
  };
  return wrapped;
}
