/** What can be watched for an abort. */
export type Abortable = AbortSignal | Abort;

/**
 * An `AbortController` that makes its signal for whoever asks. A signal costs as much as the rest of a turn, and the
 * engine itself needs none: most runs end without one.
 */
export class Abort {
  #aborted = false;
  #reason: unknown;
  #listeners: (() => void)[] | undefined;
  #controller: AbortController | undefined;

  get aborted(): boolean {
    return this.#aborted;
  }

  get reason(): unknown {
    return this.#reason;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#aborted) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  abort(reason: unknown): void {
    if (this.#aborted) return;
    this.#aborted = true;
    this.#reason = reason;
    this.#controller?.abort(reason);
    const listeners = this.#listeners ?? [];
    this.#listeners = undefined;
    for (const listener of listeners) listener();
  }

  throwIfAborted(): void {
    if (this.#aborted) throw this.#reason;
  }

  /** Called once, when it is aborted; not at all when it was aborted before, as with a signal. */
  addEventListener(_type: 'abort', listener: () => void, _options?: { once: boolean }): void {
    if (this.#aborted) return;
    // Mostly there is one: a list that is pushed to has room for seventeen.
    if (this.#listeners === undefined) this.#listeners = [listener];
    else this.#listeners.push(listener);
  }

  removeEventListener(_type: 'abort', listener: () => void): void {
    const listeners = this.#listeners;
    // Mostly the one that came last.
    if (listeners?.at(-1) === listener) listeners.pop();
    else this.#listeners = listeners?.filter((other) => other !== listener);
  }
}
