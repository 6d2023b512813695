import { AgentError } from './errors.ts';
import { isDurable, type Watched } from './events.ts';
import { textOf } from './message.ts';
import type { RunResult, RunStream } from './run-result.ts';
import type { RunHeader } from './store.ts';

/** A run in this process as its caller sees it: a queue between the loop that pushes and the caller that pulls. */
export class RunFeed<O> implements RunStream<O> {
  readonly runId: string;
  readonly result: Promise<RunResult<O>>;
  readonly started: Promise<RunHeader>;
  readonly #abort: AbortController;
  #queue: Watched[] = [];
  #wake: (() => void) | undefined;
  #over = false;
  #failure: unknown;
  #detached = false;
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
    this.started = new Promise((resolve, reject) => {
      onStart = resolve;
      onNoStart = reject;
    });
    this.result = execute((event) => this.#push(event), onStart);
    this.result
      .catch((error: unknown) => {
        this.#failure = error;
        onNoStart(error);
      })
      .finally(() => {
        this.#over = true;
        this.#wake?.();
      })
      .catch(() => undefined);
    this.started.catch(() => undefined);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Watched, void> {
    if (this.#read) {
      throw new AgentError(
        'user_error',
        'The events of this run are read already. Read them in one place.',
      );
    }
    this.#read = true;
    try {
      for (;;) {
        const queue = this.#queue;
        if (queue.length > 0) {
          this.#queue = [];
          yield* queue;
        } else if (this.#over) {
          if (this.#failure !== undefined) throw this.#failure;
          return;
        } else {
          await new Promise<void>((resolve) => {
            this.#wake = resolve;
          });
          this.#wake = undefined;
        }
      }
    } finally {
      if (!this.#over && !this.#detached) this.cancel('the reader left');
    }
  }

  async *textStream(
    options: { readonly onRestart?: (() => void) | undefined } = {},
  ): AsyncGenerator<string, void> {
    // By frame: the text of the turn in progress that was given.
    let given = '';
    let epoch: string | undefined;
    const restart = (): void => {
      if (given === '') return;
      given = '';
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
      if (isDurable(event)) {
        if (event.type === 'run-resume') restart();
        else if (event.type === 'model-response') {
          const text = textOf(event.message);
          if (text.startsWith(given)) {
            if (text.length > given.length) yield text.slice(given.length);
          } else {
            restart();
            yield text;
          }
          given = '';
          epoch = undefined;
        } else if (event.type === 'run-end' && event.status === 'failed') {
          throw new AgentError(
            event.error?.code ?? 'internal',
            event.error?.message ?? 'The run failed.',
            {
              runId: this.runId,
            },
          );
        }
      } else if (event.type === 'void') restart();
      else if (event.type === 'text-delta') {
        if (epoch !== undefined && epoch !== event.epoch) restart();
        epoch = event.epoch;
        given += event.delta;
        yield event.delta;
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
    // Nobody reads a detached feed to its end; what was pushed before stays readable.
    this.#queue.push(event);
    this.#wake?.();
  }
}
