import { AgentError, UserError } from './errors.ts';
import { isDurable, type Watched } from './events.ts';
import { Spoken } from './spoken.ts';
import type { RunResult, RunStream } from './run-result.ts';
import type { RunHeader } from './store.ts';

type Next = IteratorResult<Watched, void>;

interface Waiting {
  readonly resolve: (next: Next) => void;
  readonly reject: (error: unknown) => void;
}

/** A run in this process as its caller sees it: a queue between the loop that pushes and the caller that pulls. */
export class RunFeed<O> implements RunStream<O> {
  /** With an idempotency key known once `started` resolves. */
  runId: string;
  readonly result: Promise<RunResult<O>>;
  readonly started: Promise<RunHeader>;
  readonly #abort: AbortController;
  #queue: Watched[] = [];
  #at = 0;
  /** Readers that wait for the next event; the queue is empty then. */
  readonly #waiting: Waiting[] = [];
  #over = false;
  #failure: unknown;
  #detached = false;
  #left = false;
  #read = false;

  constructor(
    runId: string,
    abort: AbortController,
    execute: (
      onEvent: (event: Watched) => void,
      onStart: (header: RunHeader) => void,
    ) => Promise<RunResult<O>>,
  ) {
    this.runId = runId;
    this.#abort = abort;
    let onStart: (header: RunHeader) => void = () => undefined;
    let onNoStart: (error: unknown) => void = () => undefined;
    let begun = false;
    this.started = new Promise((resolve, reject) => {
      onStart = (header) => {
        begun = true;
        this.runId = header.runId;
        resolve(header);
      };
      onNoStart = reject;
    });
    this.result = execute((event) => this.#push(event), onStart);
    this.result
      .then(
        () => {
          if (begun) return;
          onNoStart(new UserError('processRequest answered by itself: no run was started.'));
        },
        (error: unknown) => {
          this.#failure = error;
          onNoStart(error);
        },
      )
      .finally(() => {
        this.#over = true;
        for (const { resolve, reject } of this.#waiting.splice(0)) this.#end(resolve, reject);
      })
      .catch(() => undefined);
    this.started.catch(() => undefined);
  }

  // Written by hand: an async generator would cost three hops for each delta.
  [Symbol.asyncIterator](): AsyncIterator<Watched, void> {
    if (this.#read) {
      throw new UserError('The events of this run are read already. Read them in one place.');
    }
    this.#read = true;
    return {
      next: () => this.#next(),
      return: () => {
        this.#left = true;
        if (!this.#over && !this.#detached) this.cancel('the reader left');
        return Promise.resolve({ done: true, value: undefined });
      },
    };
  }

  #next(): Promise<Next> {
    const value = this.#queue[this.#at];
    if (value !== undefined) {
      this.#at += 1;
      if (this.#at === this.#queue.length) {
        this.#queue.length = 0;
        this.#at = 0;
      }
      return Promise.resolve({ done: false, value });
    }
    return new Promise((resolve, reject) => {
      if (this.#over) this.#end(resolve, reject);
      else this.#waiting.push({ resolve, reject });
    });
  }

  #end(resolve: (next: Next) => void, reject: (error: unknown) => void): void {
    if (this.#failure === undefined) resolve({ done: true, value: undefined });
    else reject(this.#failure);
  }

  async *textStream(
    options: { readonly onRestart?: (() => void) | undefined } = {},
  ): AsyncGenerator<string, void> {
    const spoken = new Spoken();
    const restart = (withdrawn: boolean): void => {
      if (!withdrawn) return;
      if (options.onRestart !== undefined) options.onRestart();
      else {
        throw new AgentError(
          'text_withdrawn',
          'The model was asked again, and text that was already given is void. Pass onRestart to handle it.',
          { runId: this.runId },
        );
      }
    };
    for await (const event of this) {
      const { withdrawn, text } = spoken.take(event);
      restart(withdrawn);
      if (text !== '') yield text;
      if (isDurable(event) && event.type === 'run-end' && event.status === 'failed') {
        throw new AgentError(
          event.error?.code ?? 'internal',
          event.error?.message ?? 'The run failed.',
          { runId: this.runId },
        );
      }
    }
  }

  detach(): void {
    this.#detached = true;
  }

  cancel(reason?: string): void {
    this.#abort.abort(
      new AgentError('aborted', reason ?? 'The run was cancelled.', { runId: this.runId }),
    );
  }

  #push(event: Watched): void {
    if (this.#left) return;
    const reader = this.#waiting.shift();
    if (reader === undefined) this.#queue.push(event);
    else reader.resolve({ done: false, value: event });
  }
}
