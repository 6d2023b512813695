import {
  textOf,
  type RunInput,
  type RunOptions,
  type RunResult,
  type RunStream,
} from '@agent-functions/core';

/** One draft of an answer, as it was judged. */
export interface Draft {
  readonly text: string;
  readonly score?: number | undefined;
  readonly scores?: Readonly<Record<string, number>> | undefined;
  readonly feedback?: string | undefined;
  /** Better than those before it. One that is not is dropped. */
  readonly better: boolean;
}

interface Asked {
  stream(input: RunInput, options: RunOptions): RunStream<unknown>;
}

/** Runs an agent and keeps the drafts too. Clients never see their texts; in this process they are in the events. */
export async function withDrafts(
  runner: Asked,
  message: string,
  options: RunOptions = {},
): Promise<{ readonly result: RunResult<unknown>; readonly drafts: readonly Draft[] }> {
  const stream = runner.stream(message, options);
  const drafts: Draft[] = [];
  let text = '';
  for await (const event of stream) {
    if (event.type === 'model-response' && event.purpose === 'turn') text = textOf(event.message);
    if (event.type !== 'reflection') continue;
    const { score, scores, feedback, accepted } = event;
    drafts.push({ text, score, scores, feedback, better: accepted });
  }
  return { result: await stream.result, drafts };
}
