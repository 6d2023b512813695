import type { RecordedOptions, Principal, RunEventOf } from './events.ts';
import type { CallState, FrameState } from './frame.ts';
import type { Hop } from './handoff.ts';
import type { Decision, Interruption } from './interruption.ts';
import type { JsonObject } from './json.ts';
import type { Message } from './message.ts';
import type { ToolCallResult } from './run-result.ts';
import { sumUsage, type PerRequestUsage, type Usage } from './usage.ts';

/** Everything that is known of a run: a fold over its journal. */
export interface RunState {
  readonly runId: string;
  seq: number;
  readonly input: readonly Message[];
  readonly sessionId: string | undefined;
  readonly sessionVersion: string | undefined;
  readonly userId: string | undefined;
  readonly principal: Principal | undefined;
  readonly requestContext: JsonObject;
  readonly options: RecordedOptions;
  readonly base: readonly Message[];
  /** What the session keeps of `base`, where that was compacted. */
  keptBase: readonly Message[] | undefined;
  readonly baseState: JsonObject;
  /** What the app keeps with the session. */
  sessionState: JsonObject;
  /** What the run adds to the conversation, in order. */
  readonly newMessages: Message[];
  readonly frames: Map<string, FrameState>;
  readonly interruptions: Map<string, { readonly asked: Interruption; answer?: Decision }>;
  readonly toolResults: ToolCallResult[];
  readonly perRequest: PerRequestUsage[];
  readonly handoffPath: string[];
  readonly hops: Hop[];
  /** The agent that was asked. */
  readonly entryAgent: string;
  inputTokens: number;
  outputTokens: number;
  costUsd: number;
  cancelRequested: boolean;
  /** The guardrail that ended the run, or will. */
  tripped: string | undefined;
  /** What was warned of, so that it is said once; made when there is something. */
  warnings: Set<string> | undefined;
  paused: boolean;
  /** The `seq` of the last `run-resume`; calls started before it were interrupted. */
  resumeSeq: number;
  /** Milliseconds at work before `activeSince`. */
  activeMs: number;
  activeSince: number;
  lastAt: number;
  end: RunEventOf<'run-end'> | undefined;
}

/** The interruptions that wait for an answer, oldest first. */
export function openInterruptions(state: RunState): Interruption[] {
  const open: Interruption[] = [];
  for (const { asked, answer } of state.interruptions.values()) {
    if (answer === undefined) open.push(asked);
  }
  return state.end === undefined ? open : [];
}

/** Tokens and requests so far. */
export function usageOf(state: RunState): Usage {
  return sumUsage(state.perRequest.slice());
}

/** Milliseconds at work until `now`, pauses and crashes left out. */
export function workedMs(state: RunState, now: number): number {
  return state.paused ? state.activeMs : state.activeMs + Math.max(0, now - state.activeSince);
}

/** The agent that has the conversation's next turn: the first, or whom the word was transferred to. */
export function activeAgent(state: RunState): string {
  let frame = state.frames.values().next().value;
  for (;;) {
    const last: FrameState | undefined = frame?.children?.at(-1);
    if (last?.handoff?.primitive !== 'transfer') break;
    frame = last;
  }
  return frame?.agent ?? state.entryAgent;
}

/** Whether the answer closes the session. */
export function closesSession(state: RunState): boolean {
  for (const { handoff, main, parent } of state.frames.values()) {
    if (handoff?.closes !== true) continue;
    if (main || (handoff.primitive === 'chain' && parent?.main === true)) return true;
  }
  return false;
}

export function callOf(state: RunState, frame: string, callId: string): CallState | undefined {
  return state.frames.get(frame)?.calls.find((call) => call.callId === callId);
}
