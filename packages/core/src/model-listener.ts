import type { ModelAttempt } from './events.ts';
import type { LiveRun } from './live-run.ts';
import type { ModelName, ModelStreamEvent } from './model.ts';
import { callIdOf, messageIdOf, type FrameState } from './state.ts';

/** Shows what a model says, and notes who answers after how many attempts. */
export class ModelListener<C> {
  readonly attempts: ModelAttempt[] = [];
  answeredBy: ModelName;
  readonly #live: LiveRun<C>;
  readonly #frame: FrameState;
  readonly #messageId: string;
  readonly #quiet: boolean;

  /** `quiet`: what the model says is not shown, because nobody asked to see it or it must pass a check first. */
  constructor(
    live: LiveRun<C>,
    frame: FrameState,
    model: ModelName,
    options: { readonly quiet: boolean },
  ) {
    this.answeredBy = model;
    this.#live = live;
    this.#frame = frame;
    this.#messageId = messageIdOf(frame);
    this.#quiet = options.quiet;
  }

  readonly onEvent = (event: Exclude<ModelStreamEvent, { readonly type: 'response' }>): void => {
    const live = this.#live;
    const frame = this.#frame;
    switch (event.type) {
      case 'text-delta':
      case 'reasoning-delta':
        if (!this.#quiet) live.emitPiece(frame, event.type, this.#messageId, event.delta);
        break;
      case 'tool-input-delta':
        if (live.watched && !this.#quiet) {
          live.emit(frame, {
            type: 'tool-input-delta',
            callId: callIdOf(frame, event.index),
            toolName: event.toolName,
            delta: event.delta,
          });
        }
        break;
      case 'restart': {
        const { from, to, reason } = event;
        this.attempts.push({ provider: from.provider, modelId: from.modelId, reason });
        if (to !== undefined) this.answeredBy = to;
        live.beginAttempt(frame);
        live.emit(frame, { type: 'void' });
        live.emit(
          frame,
          to === undefined
            ? { type: 'model-retry', reason, attempt: event.attempt, afterMs: event.afterMs }
            : {
                type: 'model-fallback',
                from: `${from.provider}/${from.modelId}`,
                to: `${to.provider}/${to.modelId}`,
                reason,
              },
        );
        live.log('warn', to === undefined ? 'model retry' : 'model fallback', {
          agent: frame.agent,
          reason,
          attempt: event.attempt,
        });
        break;
      }
      case 'warning':
        live.stage(frame, { type: 'warning', code: event.code, message: event.message });
        break;
      default:
        event satisfies never;
    }
  };
}
