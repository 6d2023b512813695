import { saysTo, type Says } from './crew.ts';
import {
  answerText,
  counter,
  input,
  pieces,
  seen,
  usage,
  wait,
  type Workload,
} from './workloads.ts';

type Json = Readonly<Record<string, string>>;

// The double of a model that the loop by hand and ours share: zero latency, every event made beforehand.

export type Part =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'tool-call'; readonly toolName: string; readonly input: Json };

export interface Response {
  readonly parts: readonly Part[];
  readonly usage: typeof usage;
  readonly finishReason: 'stop' | 'tool-calls';
}

export type Event =
  | { readonly type: 'text-delta'; readonly delta: string }
  | { readonly type: 'response'; readonly response: Response };

interface Request {
  readonly instructions?: string | undefined;
  readonly messages: readonly unknown[];
  readonly tools: readonly unknown[];
}

export interface Model {
  stream(request: Request): AsyncIterable<Event>;
}

export function modelFor(workload: Workload): Model {
  if (workload.kind === 'deltas') {
    const words = pieces(workload.count);
    const events: Event[] = words.map((delta) => ({ type: 'text-delta', delta }));
    events.push(answer(words.join('')));
    return playing(() => events, 0);
  }
  const call: Event = {
    type: 'response',
    response: {
      parts: [{ type: 'tool-call', toolName: 'get_weather', input }],
      usage,
      finishReason: 'tool-calls',
    },
  };
  const last = [answer(answerText)];
  const rest = [call];
  const turn = counter(workload.turns);
  return playing(() => (turn().last ? last : rest), workload.delayMs);
}

function answer(text: string): Event {
  return {
    type: 'response',
    response: { parts: [{ type: 'text', text }], usage, finishReason: 'stop' },
  };
}

function playing(next: () => readonly Event[], delayMs: number): Model {
  return {
    stream: (request) => {
      seen.request(request.messages.length, request.tools.length);
      return played(next(), delayMs);
    },
  };
}

/** Speaks for each agent of a crew. */
export function crewModel(delayMs: number): Model {
  const events = new Map<Says, readonly Event[]>();
  return {
    stream: ({ instructions, messages, tools }) => {
      const says = saysTo(instructions, messages, tools.length);
      let made = events.get(says);
      if (made === undefined) events.set(says, (made = [said(says)]));
      return played(made, delayMs);
    },
  };
}

function said(says: Says): Event {
  if (says.type === 'answer') return answer(says.text);
  const parts = says.asks.map(({ toolName, message }) => ({
    type: 'tool-call' as const,
    toolName,
    input: { message },
  }));
  return { type: 'response', response: { parts, usage, finishReason: 'tool-calls' } };
}

function played(events: readonly Event[], delayMs: number): AsyncIterable<Event> {
  return { [Symbol.asyncIterator]: () => new Playing(events, delayMs) };
}

class Playing implements AsyncIterator<Event> {
  readonly #events: readonly Event[];
  #delayMs: number;
  #at = 0;

  constructor(events: readonly Event[], delayMs: number) {
    this.#events = events;
    this.#delayMs = delayMs;
  }

  next(): Promise<IteratorResult<Event>> {
    if (this.#delayMs > 0) {
      const delayMs = this.#delayMs;
      this.#delayMs = 0;
      return wait(delayMs).then(() => this.next());
    }
    const value = this.#events[this.#at];
    this.#at += 1;
    return Promise.resolve(
      value === undefined ? { done: true, value: undefined } : { done: false, value },
    );
  }
}
