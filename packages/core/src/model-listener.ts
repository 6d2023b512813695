import type { ModelAttempt } from './events.ts';
import type { LiveRun } from './live-run.ts';
import type { ModelName, ModelResponse, ModelStreamEvent } from './model.ts';
import { callIdOf, messageIdOf, type FrameState } from './frame.ts';

type Said = Extract<
  ModelStreamEvent,
  { readonly type: 'text-delta' | 'reasoning-delta' | 'tool-input-delta' }
>;

/** Shows what a model says, and notes who answers after how many attempts. */
export class ModelListener<C> {
  readonly attempts: ModelAttempt[] = [];
  answeredBy: ModelName;
  readonly #live: LiveRun<C>;
  readonly #frame: FrameState;
  readonly #messageId: string;
  readonly #quiet: boolean;
  /** What waits to be shown, while something beside the call must pass first. */
  #waiting: Said[] | undefined;

  /**
   * `quiet`: what the model says is not shown at all. `waits`: it is shown when `release()` is called, and as it comes
   * from then on.
   */
  constructor(
    live: LiveRun<C>,
    frame: FrameState,
    model: ModelName,
    options: { readonly quiet: boolean; readonly waits?: boolean | undefined },
  ) {
    this.answeredBy = model;
    this.#live = live;
    this.#frame = frame;
    this.#messageId = messageIdOf(frame);
    this.#quiet = options.quiet;
    if (options.waits === true) this.#waiting = [];
  }

  /** What is recorded of a response besides its message. */
  facts(response: ModelResponse) {
    const { provider, modelId } = this.answeredBy;
    return {
      usage: response.usage,
      finishReason: response.finishReason,
      provider,
      modelId: response.modelId ?? modelId,
      ...(response.responseId === undefined ? {} : { responseId: response.responseId }),
      attempts: this.attempts,
    };
  }

  /** What waited is shown. */
  release(): void {
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    for (const event of waiting) this.#show(event);
  }

  readonly onEvent = (event: Exclude<ModelStreamEvent, { readonly type: 'response' }>): void => {
    const live = this.#live;
    const frame = this.#frame;
    switch (event.type) {
      case 'text-delta':
      case 'reasoning-delta':
      case 'tool-input-delta':
        if (this.#waiting === undefined) this.#show(event);
        else this.#waiting.push(event);
        break;
      case 'restart': {
        const { from, to, reason } = event;
        this.attempts.push({ provider: from.provider, modelId: from.modelId, reason });
        if (to !== undefined) this.answeredBy = to;
        if (this.#waiting !== undefined) this.#waiting = [];
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

  #show(event: Said): void {
    const live = this.#live;
    const frame = this.#frame;
    if (this.#quiet || !live.watched) return;
    if (event.type !== 'tool-input-delta') {
      live.emitPiece(frame, event.type, this.#messageId, event.delta);
      return;
    }
    live.emit(frame, {
      type: 'tool-input-delta',
      callId: callIdOf(frame, event.index),
      toolName: event.toolName,
      delta: event.delta,
    });
  }
}
