import { z } from 'zod';

/** So many model calls in one run; every call but the last asks for one tool. */
export interface Turns {
  readonly kind: 'turns';
  readonly turns: number;
  /** How many tools the agent has. */
  readonly tools: number;
  /** Messages that are there before the run. */
  readonly history: number;
  /** How long the model thinks: 0 for every measure of the loop itself. */
  readonly delayMs: number;
}

/** One answer in so many pieces, each shown to the caller. */
export interface Deltas {
  readonly kind: 'deltas';
  readonly count: number;
  /** Only the time until the first piece counts; the model waits a little before the second. */
  readonly first?: true | undefined;
}

export type Workload = Turns | Deltas;

/** A library (or the loop by hand) as the benchmark drives it. */
export interface Adapter {
  /** Prepares a workload: what an app does once. The function does it once and resolves with the answer. */
  prepare(workload: Workload): () => Promise<string>;
}

export function turns(options: Partial<Omit<Turns, 'kind'>> = {}): Turns {
  return { kind: 'turns', turns: 1, tools: 0, history: 0, delayMs: 0, ...options };
}

/** What a double of a model saw and what a tool did since `reset()`: the proof that a workload was really done. */
export const seen = {
  modelCalls: 0,
  toolRuns: 0,
  messages: 0,
  tools: 0,
  /** Of the last request, as the library puts it to its model. */
  lastMessages: [] as readonly unknown[],
  /** When the first piece of an answer was seen, by `performance.now()`. */
  firstPieceAt: 0,
  reset(): void {
    Object.assign(seen, { modelCalls: 0, toolRuns: 0, messages: 0, tools: 0, lastMessages: [] });
  },
  /** Called by each double with the request that it got. */
  request(messages: number, tools: number): void {
    seen.modelCalls += 1;
    seen.messages = messages;
    seen.tools = tools;
  },
};

export const instructions = 'You answer questions about the weather.';
export const question = 'What is the weather in Seattle?';
export const answerText = 'It is sunny in Seattle, 21 degrees.';
export const input = { city: 'Seattle' } as const;
export const usage = { inputTokens: 20, outputTokens: 10, totalTokens: 30 } as const;

/** Which turn of a run the nth call of a model is: runs of several turns come one after the other. */
export function counter(turnsOfRun: number): () => { readonly last: boolean } {
  let calls = 0;
  return () => {
    calls += 1;
    return { last: calls % turnsOfRun === 0 };
  };
}

export const pieces = (count: number): readonly string[] =>
  Array.from({ length: count }, (_, index) => `word${index} `);

export interface HistoryMessage {
  readonly role: 'user' | 'assistant';
  readonly text: string;
}

export const history = (count: number): readonly HistoryMessage[] =>
  Array.from({ length: count }, (_, index) => ({
    role: index % 2 === 0 ? 'user' : 'assistant',
    text: `Message ${index} of a long talk about the weather.`,
  }));

/** The tools of an agent; the first one is the one that is called. */
export const toolNames = (count: number): readonly string[] =>
  Array.from({ length: count }, (_, index) => (index === 0 ? 'get_weather' : `tool_${index}`));

export const parameters = () => z.object({ city: z.string() });

export async function execute({ city }: { readonly city: string }) {
  seen.toolRuns += 1;
  return { city, temperature: 21 };
}

export function wait(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

/** @throws Error when the workload was not done as it should be. */
export async function verify(workload: Workload, once: () => Promise<string>): Promise<void> {
  for (let pass = 0; pass < 2; pass += 1) {
    seen.reset();
    const answer = await once();
    const expected = workload.kind === 'deltas' ? pieces(workload.count).join('') : answerText;
    const calls = workload.kind === 'deltas' ? 1 : workload.turns;
    const rounds = calls - 1;
    const checks = {
      answer: answer === expected,
      modelCalls: seen.modelCalls === calls,
      toolRuns: seen.toolRuns === rounds,
      messages: workload.kind === 'deltas' || seen.messages >= workload.history + 1 + 2 * rounds,
      tools: workload.kind === 'deltas' || seen.tools === workload.tools,
    };
    for (const [what, holds] of Object.entries(checks)) {
      if (!holds) {
        throw new Error(
          `${JSON.stringify(workload)}: ${what} is wrong. Answer ${JSON.stringify(answer.slice(0, 200))}, seen ${JSON.stringify(seen)}.`,
        );
      }
    }
  }
}
