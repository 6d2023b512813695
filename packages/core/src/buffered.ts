import type { Model } from './model.ts';
import { wrapModel } from './wrap-model.ts';

/** Asks for answers in one piece (`settings.streaming: false`), for deployments that refuse to stream. */
export function buffered(model: Model): Model {
  return wrapModel(model, (request, options) =>
    model.stream({ ...request, settings: { ...request.settings, streaming: false } }, options),
  );
}
