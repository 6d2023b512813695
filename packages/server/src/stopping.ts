/** Whether the server stops, for the answers in flight: each ends with a sentence instead of a cut. */
export class Stopping {
  #begun = false;
  readonly #answers = new Set<() => void>();
  #whenIdle: (() => void) | undefined;

  get begun(): boolean {
    return this.#begun;
  }

  /** Calls back when it stops, or at once where it has. Answers what to call when the answer has ended. */
  once(callback: () => void): () => void {
    if (this.#begun) {
      callback();
      return () => undefined;
    }
    this.#answers.add(callback);
    return () => {
      this.#answers.delete(callback);
      if (this.#answers.size === 0) this.#whenIdle?.();
    };
  }

  /** Resolves when no answer is in flight. */
  async idle(): Promise<void> {
    while (this.#answers.size > 0) {
      await new Promise<void>((resolve) => {
        this.#whenIdle = resolve;
      });
    }
  }

  begin(): void {
    this.#begun = true;
    for (const callback of this.#answers) callback();
    this.#answers.clear();
    this.#whenIdle?.();
  }
}
