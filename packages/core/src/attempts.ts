import { Abort, type Abortable } from './abort.ts';
import { checkCapabilities } from './check-capabilities.ts';
import { AgentError, ModelError } from './errors.ts';
import type {
  Model,
  ModelCallOptions,
  ModelName,
  ModelRequest,
  ModelStreamEvent,
} from './model.ts';
import { sleep } from './wait.ts';
import { Watchdog, type TimeoutOptions } from './watchdog.ts';

/** What follows a failed attempt: another one, or the error that the call ends with. */
export type AfterFailure =
  | { readonly type: 'try'; readonly model: Model; readonly afterMs: number }
  | { readonly type: 'give-up'; readonly error: unknown };

/** How a model is asked: what, which model first, how long an attempt may take, what follows a failure. */
export interface AttemptPolicy {
  readonly request: ModelRequest;
  readonly model: Model;
  readonly limits: TimeoutOptions | undefined;
  /** `attempt` counts from 1: the one that failed. */
  afterFailure(error: ModelError, attempt: number): AfterFailure;
  readonly sleep?: ((ms: number, signal: AbortSignal) => Promise<void>) | undefined;
}

/** Whether an error is a `ModelError` of any copy of this library. */
export function isModelError(error: unknown): error is ModelError {
  return (
    AgentError.isInstance(error) &&
    (error.code === 'model_error' || error.code === 'model_timeout') &&
    'reason' in error
  );
}

/** Who a call of a model talks to. One event, or the failure, answers each `pull()`. */
export interface Reader {
  /** A `response` is the last event. */
  onEvent(event: ModelStreamEvent): void;
  /** The call failed for good. May come while nothing was asked for: the signal fired. */
  onFailure(error: unknown): void;
}

/**
 * One call of a model, in as many attempts as the policy allows. What every wrapper needs is here, once:
 * a model is not asked for what it is known not to do,
 * a stream that ends without a response is an error, nothing comes after the response, the abort and the time limits
 * reach the reader even when the model does not listen, and leaving early reaches the model.
 *
 * It pushes, so that a delta costs one hop, whatever is configured.
 */
export class Attempts {
  readonly #policy: AttemptPolicy;
  readonly #signal: Abortable;
  readonly #reader: Reader;
  readonly #onAbort = (): void => this.#fail(this.#signal.reason);
  #attempt: Attempt | undefined;
  #attempts = 0;
  #upcoming: { readonly model: Model; readonly afterMs: number };
  #state: 'new' | 'running' | 'over' = 'new';

  constructor(policy: AttemptPolicy, signal: Abortable, reader: Reader) {
    this.#policy = policy;
    this.#signal = signal;
    this.#reader = reader;
    this.#upcoming = { model: policy.model, afterMs: 0 };
  }

  /** Asks for the next event. Not to be called while an event is awaited, nor after the end. */
  pull(): void {
    if (this.#attempt === undefined) this.#begin();
    else this.#attempt.pull();
  }

  /** The reader leaves: ends the model's work and lets its iterator clean up. */
  async leave(): Promise<void> {
    const attempt = this.#attempt;
    this.#end();
    attempt?.abort(new Error('The reader left the stream.'));
    await attempt?.leave();
  }

  /** The present attempt has an event. */
  onEvent(event: ModelStreamEvent): void {
    if (event.type === 'response') {
      const attempt = this.#attempt;
      this.#end();
      // The answer is there: nothing of the call's end may fail it or hold it up.
      void attempt?.leave().catch(ignore);
    }
    this.#reader.onEvent(event);
  }

  /** The present attempt failed. */
  onFailure(error: unknown): void {
    const model = this.#attempt?.model ?? this.#policy.model;
    this.#attempt?.stop();
    this.#attempt = undefined;
    if (this.#signal.aborted) return this.#fail(this.#signal.reason);
    if (!isModelError(error)) return this.#fail(error);
    const next = this.#policy.afterFailure(error, this.#attempts);
    if (next.type === 'give-up') return this.#fail(next.error);
    this.#upcoming = next;
    this.#reader.onEvent({
      type: 'restart',
      reason: error.reason,
      attempt: this.#attempts + 1,
      afterMs: next.afterMs,
      from: nameOf(model),
      ...(next.model === model ? {} : { to: nameOf(next.model) }),
    });
  }

  #begin(): void {
    if (this.#state === 'new') {
      this.#state = 'running';
      this.#signal.addEventListener('abort', this.#onAbort, { once: true });
    }
    if (this.#signal.aborted) return this.#fail(this.#signal.reason);
    const { model, afterMs } = this.#upcoming;
    if (afterMs > 0) {
      this.#upcoming = { model, afterMs: 0 };
      (this.#policy.sleep ?? sleep)(afterMs, optionsOf(this.#signal).signal).then(
        () => (this.#state === 'over' ? undefined : this.#begin()),
        (error: unknown) => this.#fail(error),
      );
      return;
    }
    this.#attempts += 1;
    this.#attempt = new Attempt(this, model, this.#policy, this.#signal);
    this.#attempt.pull();
  }

  #fail(reason: unknown): void {
    if (this.#state === 'over') return;
    const attempt = this.#attempt;
    this.#end();
    this.#reader.onFailure(reason);
    attempt?.abort(reason);
    void attempt?.leave().catch(ignore);
  }

  #end(): void {
    if (this.#state === 'running') this.#signal.removeEventListener('abort', this.#onAbort);
    this.#attempt?.stop();
    this.#attempt = undefined;
    this.#state = 'over';
  }
}

/** One attempt: the model's stream, its time limits, and the signal that ends it. */
class Attempt {
  readonly model: Model;
  readonly #owner: Attempts;
  /** Ours, where there are limits; else the caller's. */
  readonly #abort: Abort | undefined;
  readonly #limits: TimeoutOptions | undefined;
  readonly #watchdog: Watchdog | undefined;
  readonly #request: ModelRequest;
  readonly #signal: Abortable;
  #events: AsyncIterator<ModelStreamEvent> | undefined;
  #stopped = false;

  constructor(
    owner: Attempts,
    model: Model,
    { request, limits }: AttemptPolicy,
    signal: Abortable,
  ) {
    this.#owner = owner;
    this.model = model;
    this.#request = request;
    this.#signal = signal;
    this.#limits = limits;
    if (limits !== undefined) {
      this.#abort = new Abort();
      this.#signal = this.#abort;
      this.#watchdog = new Watchdog(limits, this.#onTimeout);
    }
  }

  pull(): void {
    this.#watchdog?.asked();
    try {
      this.#events ??= this.#start();
      this.#events.next().then(this.#onResult, this.#onError);
    } catch (error) {
      this.#onError(error);
    }
  }

  #start(): AsyncIterator<ModelStreamEvent> {
    const lack = checkCapabilities(this.model, this.#request);
    if (lack !== undefined) throw lack;
    const stream = this.model.stream(this.#request, optionsOf(this.#signal));
    return stream[Symbol.asyncIterator]();
  }

  /** From now on nothing of this attempt is heard. */
  stop(): void {
    this.#stopped = true;
    this.#watchdog?.stop();
  }

  /** Reaches the model where the signal is ours; the caller's own has fired by itself. */
  abort(reason: unknown): void {
    this.#abort?.abort(reason);
  }

  /** Lets the model's iterator clean up. */
  async leave(): Promise<void> {
    await this.#events?.return?.();
  }

  readonly #onResult = (result: IteratorResult<ModelStreamEvent>): void => {
    if (this.#stopped) return;
    this.#watchdog?.answered();
    if (result.done !== true) return this.#owner.onEvent(result.value);
    const { provider, modelId } = this.model;
    this.#owner.onFailure(
      new ModelError(
        `${provider}/${modelId} ended its stream without a response: the connection was cut or the answer was empty.`,
        { reason: 'invalid-response', provider },
      ),
    );
  };

  readonly #onError = (error: unknown): void => {
    if (!this.#stopped) this.#owner.onFailure(error);
  };

  readonly #onTimeout = (option: keyof TimeoutOptions): void => {
    const { provider, modelId } = this.model;
    const what =
      option === 'totalMs'
        ? 'did not finish'
        : option === 'gapMs'
          ? 'fell silent'
          : 'did not answer';
    const error = new ModelError(
      `${provider}/${modelId} ${what} within ${this.#limits?.[option]} ms (${option}). Raise timeoutMs in the model settings, or wrap the model in timeout().`,
      { reason: 'timeout', provider },
    );
    this.#owner.onFailure(error);
    this.abort(error);
    void this.leave().catch(ignore);
  };
}

/** What a model is given: the signal is made when it is looked at. */
function optionsOf(signal: Abortable): ModelCallOptions {
  if (!(signal instanceof Abort)) return { signal };
  // A field of the object itself, so that a wrapper may write `{ ...options }`; the signal is made when it is read.
  return {
    get signal() {
      return signal.signal;
    },
  };
}

function nameOf({ provider, modelId }: ModelName): ModelName {
  return { provider, modelId };
}

function ignore(): void {}
