import { checkOptions, type OptionKinds } from './check-options.ts';
import { UserError } from './errors.ts';
import type { Json, JsonObject } from './json.ts';

/** What a tool asks before it can go on; see `askForInput()` and `waitForCallback()`. */
export interface QuestionOptions {
  /** What whoever answers reads. */
  readonly message: string;
  /** JSON Schema of the answer, for whoever shows a form; the tool checks what it gets. */
  readonly schema?: JsonObject | undefined;
  /** How long the answer may take; then the call is refused. Default: no limit. */
  readonly timeoutMs?: number | undefined;
  /** What the tool wants to find in `context.lastCheckpoint` when it goes on; recorded with the question. */
  readonly checkpoint?: Json | undefined;
}

const questionKinds: OptionKinds<QuestionOptions> = {
  message: 'text',
  schema: 'any',
  timeoutMs: 'any',
  checkpoint: 'any',
};

/** What a tool returns instead of a result: the run waits for an answer, for days if need be. */
export class Question {
  readonly kind: 'input' | 'callback';
  readonly options: QuestionOptions;

  constructor(kind: 'input' | 'callback', options: QuestionOptions) {
    const what = kind === 'input' ? 'askForInput()' : 'waitForCallback()';
    checkOptions(what, options, questionKinds);
    const { message, timeoutMs } = options;
    if (typeof message !== 'string' || message === '') {
      throw new UserError(`${what} has no message. Write what whoever answers reads.`);
    }
    if (timeoutMs !== undefined && !(timeoutMs > 0)) {
      throw new UserError(`timeoutMs of ${what} is ${timeoutMs}; it must be above 0.`);
    }
    this.kind = kind;
    this.options = options;
  }
}

/**
 * Asks a person: `return askForInput({ message: 'Which account?' })`. The run waits with an interruption of kind `input`;
 * when it is answered, the tool runs again with the answer in `context.answer`. It may ask again.
 */
export function askForInput(options: QuestionOptions): Question {
  return new Question('input', options);
}

/**
 * Waits for a system that answers later: `return waitForCallback({ message: 'Job 7 runs' })`. The run waits with an
 * interruption of kind `callback`; its answer is the tool's result.
 */
export function waitForCallback(options: QuestionOptions): Question {
  return new Question('callback', options);
}
