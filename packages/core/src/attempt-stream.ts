import { Attempts, type AfterFailure, type AttemptPolicy, type Reader } from './attempts.ts';
import type { Model, ModelRequest, ModelStreamEvent } from './model.ts';

type Result = IteratorResult<ModelStreamEvent>;

/** What a wrapped model's `stream()` returns: a call by a policy, to be pulled as an iterator or pushed to a sink. */
export class AttemptStream implements AsyncIterableIterator<ModelStreamEvent>, Reader {
  readonly #attempts: Attempts;
  #resolve: ((result: Result) => void) | undefined;
  #reject: ((error: unknown) => void) | undefined;
  readonly #wait = (resolve: (result: Result) => void, reject: (error: unknown) => void): void => {
    this.#resolve = resolve;
    this.#reject = reject;
  };
  #over = false;
  /** An abort that came while nobody waited: the next `next()` tells it. */
  #untold: { readonly error: unknown } | undefined;

  constructor(policy: AttemptPolicy, signal: AbortSignal) {
    this.#attempts = new Attempts(policy, signal, this);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<Result> {
    if (this.#over) return this.#afterEnd();
    const result = new Promise<Result>(this.#wait);
    this.#attempts.pull();
    return result;
  }

  async return(): Promise<Result> {
    this.#over = true;
    this.#untold = undefined;
    this.#resolve?.(ended);
    await this.#attempts.leave();
    return ended;
  }

  onEvent(value: ModelStreamEvent): void {
    if (value.type === 'response') this.#over = true;
    const resolve = this.#resolve;
    this.#resolve = undefined;
    resolve?.({ done: false, value });
  }

  onFailure(error: unknown): void {
    this.#over = true;
    if (this.#resolve === undefined) this.#untold = { error };
    else this.#reject?.(error);
    this.#resolve = undefined;
  }

  async #afterEnd(): Promise<Result> {
    const untold = this.#untold;
    this.#untold = undefined;
    if (untold !== undefined) throw untold.error;
    return ended;
  }
}

const ended: Result = { done: true, value: undefined };

const policyOf = Symbol('policy');

type PolicyStream = Model['stream'] & {
  readonly [policyOf]?: (request: ModelRequest) => AttemptPolicy;
};

/** `stream` of a model that is asked by a policy made for each request. */
export function attemptsOf(policy: (request: ModelRequest) => AttemptPolicy): Model['stream'] {
  const stream: PolicyStream = (request, { signal }) => new AttemptStream(policy(request), signal);
  return Object.assign(stream, { [policyOf]: policy });
}

/** The policy by which a model is asked: its own, or one attempt without limits. */
export function policyFor(model: Model, request: ModelRequest): AttemptPolicy {
  // Only a property of the function is read.
  // oxlint-disable-next-line typescript/unbound-method
  const stream: PolicyStream = model.stream;
  return stream[policyOf]?.(request) ?? { request, model, limits: undefined, afterFailure: giveUp };
}

/** No further attempt. */
export function giveUp(error: unknown): AfterFailure {
  return { type: 'give-up', error };
}
