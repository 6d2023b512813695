import type { Abortable } from './abort.ts';
import { policyFor } from './attempt-stream.ts';
import { Attempts } from './attempts.ts';
import type { Model, ModelRequest, ModelResponse, ModelStreamEvent } from './model.ts';
import { withDefaults } from './retry.ts';

/**
 * Asks a model as the runner does, with `withDefaults()`, and pushes what it says to `onEvent`, all but the response,
 * which is the result. The fold of `stream()` at half its cost for a delta. `onEvent` must not wait; if it throws, the
 * call is left and fails with that error.
 *
 * @throws ModelError, or the reason when it is aborted, even while the model does not listen.
 */
export function readResponse(
  model: Model,
  request: ModelRequest,
  options: {
    readonly signal: Abortable;
    readonly onEvent: (event: Exclude<ModelStreamEvent, { readonly type: 'response' }>) => void;
  },
): Promise<ModelResponse> {
  const { signal, onEvent } = options;
  const policy = policyFor(withDefaults(model), request);
  return new Promise((resolve, reject) => {
    const attempts: Attempts = new Attempts(policy, signal, {
      onEvent(event) {
        if (event.type === 'response') return resolve(event.response);
        try {
          onEvent(event);
        } catch (error) {
          reject(error);
          attempts.leave().catch(() => undefined);
          return;
        }
        attempts.pull();
      },
      onFailure: reject,
    });
    attempts.pull();
  });
}
