import { outputText, type Message } from '../message.ts';
import type { Model, ModelCapabilities, ModelRequest, ModelStreamEvent } from '../model.ts';
import { orAbort } from '../wait.ts';
import { toPlan, type Plan, type ScriptedTurn, type Wait } from './scripted-turn.ts';

/** Makes a turn of the request and its index (see `by`). */
export type ScriptedTurnFunction = (
  request: ModelRequest,
  index: number,
) => ScriptedTurn | Promise<ScriptedTurn>;

/** The turns in order, or one function for all. */
export type Script = readonly (ScriptedTurn | ScriptedTurnFunction)[] | ScriptedTurnFunction;

export interface ScriptedModelOptions {
  /** Default `'scripted'`. */
  readonly provider?: string | undefined;
  /** Default `'script'`. */
  readonly modelId?: string | undefined;
  readonly capabilities?: ModelCapabilities | undefined;
  /** Characters of a delta. Default 8; a surrogate pair is not cut. */
  readonly chunkSize?: number | undefined;
  /**
   * What picks the turn. `'call'` (default): how often the model was called. `'conversation'`: the number of assistant
   * messages after the last user message, so that a run which is taken up in another process finds its place.
   */
  readonly by?: 'call' | 'conversation' | undefined;
  /** `false`: `requests` stays empty, for benchmarks of memory. */
  readonly record?: boolean | undefined;
  /** What `ready()` answers. */
  readonly ready?: string | undefined;
}

export interface ScriptedModel extends Model {
  /** The requests so far, by reference: they are immutable. */
  readonly requests: readonly ModelRequest[];
  /** How often it was called. */
  readonly calls: number;
  /** Streams that were begun and neither read to their end nor left. */
  readonly running: number;
}

/** A scripted model was asked for a turn that is not in its script. Not a `ModelError`: nothing retries it. */
export class UnscriptedCallError extends Error {
  override readonly name = 'UnscriptedCallError';
}

/**
 * A model that plays a script, for tests, demos and benchmarks: no network, no delay, no randomness.
 *
 * @example
 *   scriptedModel([{ calls: [['get_weather', { city: 'Seattle' }]] }, 'It rains.']);
 *
 * @throws UnscriptedCallError from the stream, for a call after the last turn.
 */
export function scriptedModel(script: Script, options: ScriptedModelOptions = {}): ScriptedModel {
  const { provider = 'scripted', modelId = 'script', chunkSize = 8, by = 'call' } = options;
  const requests: ModelRequest[] = [];
  const plans = new Map<ScriptedTurn, Plan>();
  let calls = 0;
  const open = { streams: 0 };

  function planOf(turn: ScriptedTurn, streaming: boolean): Plan {
    if (!streaming) return toPlan(turn, undefined);
    let plan = plans.get(turn);
    if (plan === undefined) {
      plan = toPlan(turn, Math.max(1, chunkSize));
      // Turns of a function are new each time; only those of a list come again.
      if (typeof script !== 'function') plans.set(turn, plan);
    }
    return plan;
  }

  function start(request: ModelRequest): Plan | Promise<Plan> {
    const call = calls++;
    if (options.record !== false) requests.push(request);
    const index = by === 'call' ? call : turnsSinceUser(request.messages);
    const scripted = typeof script === 'function' ? script : script[index];
    if (scripted === undefined) {
      throw new UnscriptedCallError(unscripted(provider, modelId, script.length, index, request));
    }
    const turn = typeof scripted === 'function' ? scripted(request, index) : scripted;
    const streaming = request.settings.streaming !== false;
    return turn instanceof Promise
      ? turn.then((made) => planOf(made, streaming))
      : planOf(turn, streaming);
  }

  return {
    provider,
    modelId,
    capabilities: options.capabilities,
    ready: () => options.ready,
    stream: (request, { signal }) => ({
      [Symbol.asyncIterator]: () => new ScriptedStream(() => start(request), signal, open),
    }),
    requests,
    get calls() {
      return calls;
    },
    get running() {
      return open.streams;
    },
  };
}

/** Written by hand: an event costs one promise and no generator step. */
class ScriptedStream implements AsyncIterator<ModelStreamEvent> {
  readonly #start: () => Plan | Promise<Plan>;
  readonly #signal: AbortSignal;
  readonly #open: { streams: number };
  #plan: Plan | undefined;
  #at = 0;
  #state: 'new' | 'running' | 'ended' = 'new';

  constructor(start: () => Plan | Promise<Plan>, signal: AbortSignal, open: { streams: number }) {
    this.#start = start;
    this.#signal = signal;
    this.#open = open;
  }

  next(): Promise<IteratorResult<ModelStreamEvent>> {
    if (this.#state === 'ended') return Promise.resolve({ done: true, value: undefined });
    if (this.#signal.aborted) return this.#fail(this.#signal.reason);
    if (this.#plan === undefined) return this.#begin();
    const step = this.#plan.steps[this.#at];
    if (step === undefined) return this.#finish(this.#plan.ending);
    this.#at += 1;
    return step.type === 'pause'
      ? this.#pause(step.until)
      : Promise.resolve({ done: false, value: step });
  }

  return(): Promise<IteratorResult<ModelStreamEvent>> {
    this.#end();
    return Promise.resolve({ done: true, value: undefined });
  }

  #begin(): Promise<IteratorResult<ModelStreamEvent>> {
    this.#state = 'running';
    this.#open.streams += 1;
    try {
      const plan = this.#start();
      if (plan instanceof Promise) {
        return orAbort(plan, this.#signal).then(
          (made) => {
            this.#plan = made;
            return this.next();
          },
          (error: unknown) => this.#fail(error),
        );
      }
      this.#plan = plan;
    } catch (error) {
      return this.#fail(error);
    }
    return this.next();
  }

  #pause(until: Wait): Promise<IteratorResult<ModelStreamEvent>> {
    const waiting = typeof until === 'function' ? until() : 'then' in until ? until : until.wait();
    return orAbort(waiting, this.#signal).then(
      () => this.next(),
      (error: unknown) => this.#fail(error),
    );
  }

  #finish(ending: Plan['ending']): Promise<IteratorResult<ModelStreamEvent>> {
    switch (ending.type) {
      case 'end':
        return this.return();
      case 'throw':
        return this.#fail(ending.error);
      case 'hang':
        return orAbort(new Promise<never>(() => undefined), this.#signal).catch((error: unknown) =>
          this.#fail(error),
        );
      default:
        return ending satisfies never;
    }
  }

  #fail(error: unknown): Promise<never> {
    this.#end();
    // A script may throw anything, as a vendor's library may.
    // oxlint-disable-next-line prefer-promise-reject-errors
    return Promise.reject(error);
  }

  #end(): void {
    if (this.#state === 'running') this.#open.streams -= 1;
    this.#state = 'ended';
  }
}

function turnsSinceUser(messages: readonly Message[]): number {
  let turns = 0;
  for (let at = messages.length - 1; at >= 0; at -= 1) {
    const role = messages[at]?.role;
    if (role === 'user') break;
    if (role === 'assistant') turns += 1;
  }
  return turns;
}

function unscripted(
  provider: string,
  modelId: string,
  turns: number,
  index: number,
  request: ModelRequest,
): string {
  const last = request.messages.at(-1);
  return (
    `The scripted model ${provider}/${modelId} was asked for turn ${index + 1}, but its script has ${turns}. ` +
    `The last message of the request: ${last === undefined ? 'none' : `${last.role}: ${outputText({ type: 'content', parts: last.parts }) || JSON.stringify(last.parts)}`}. ` +
    'Add a turn to the script, or find out why the agent asks again.'
  );
}
