import type { Settlement } from './events.ts';
import type { Json } from './json.ts';
import type { LiveRun } from './live-run.ts';
import type { Output } from './message.ts';
import type { CallState, FrameState } from './frame.ts';
import type { Question } from './question.ts';

/** What a call came to. */
export interface Outcome {
  readonly output: Output;
  readonly modelOutput?: Output | undefined;
  readonly isError: boolean;
  readonly how: Settlement;
  /** Ends the run: what the tool threw (`onError: 'throw'`), or a guardrail. */
  readonly thrown?: unknown;
  /** There is no result yet: the tool asks. */
  readonly asks?: Question | undefined;
}

/** Stages the result of a call, once. */
export function settle<C>(
  live: LiveRun<C>,
  frame: FrameState,
  call: CallState,
  outcome: Outcome,
): void {
  if (call.settled) return;
  const { callId } = call;
  const patch = live.patches?.get(callId);
  if (patch !== undefined) {
    live.patches?.delete(callId);
    live.stage(frame, { type: 'session-state', callId, patch });
  }
  live.stage(frame, {
    type: 'tool-result',
    callId,
    toolName: call.toolName,
    output: outcome.output,
    isError: outcome.isError,
    how: outcome.how,
    ...(outcome.modelOutput === undefined ? {} : { modelOutput: outcome.modelOutput }),
  });
}

export function settleWithError<C>(
  live: LiveRun<C>,
  frame: FrameState,
  call: CallState,
  how: Settlement,
  message: string,
): void {
  settle(live, frame, call, errorOutcome(how, message));
}

export function errorOutcome(how: Settlement, message: string): Outcome {
  return { output: json(message), isError: true, how };
}

export function json(value: Json): Output {
  return { type: 'json', value };
}

// What the model reads of a call that gave no result: what happened, and what to do.

export function noSuchTool(name: string, tools: { readonly names: readonly string[] }): string {
  return `There is no tool named ${JSON.stringify(name)}. ${tools.names.length === 0 ? 'There are no tools; answer without.' : `Tools: ${tools.names.join(', ')}.`}`;
}

export function misfitInput(name: string, input: Json, issues: string): string {
  return typeof input === 'string'
    ? `The arguments of ${name} are not valid JSON: ${JSON.stringify(input.slice(0, 200))}. Send one JSON object.`
    : `The arguments of ${name} do not fit: ${issues}. Correct them and call again.`;
}

export function unknownOutcome(name: string): string {
  return `Nobody knows whether ${name} happened: it was interrupted. Check before you call it again; do not simply repeat it.`;
}

export function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
