import type { Effect } from './tool.ts';
import type { CallState, FrameState } from './frame.ts';
import type { RunState } from './state.ts';
import { heir } from './frame.ts';
import { openInterruptions } from './state.ts';

/** What comes next in one frame. */
export type FrameStep =
  /** Before the first turn, agents that come first; then the model. */
  | { readonly type: 'ask-model'; readonly frame: FrameState }
  /** Calls that nobody looked at yet: validate, ask for approval, start, hand over. */
  | {
      readonly type: 'judge-calls';
      readonly frame: FrameState;
      readonly calls: readonly CallState[];
    }
  /** Calls whose approval or unknown outcome was decided. */
  | {
      readonly type: 'follow-decisions';
      readonly frame: FrameState;
      readonly calls: readonly CallState[];
    }
  /** Calls that a former holder started and did not settle. */
  | {
      readonly type: 'recover-calls';
      readonly frame: FrameState;
      readonly calls: readonly CallState[];
    }
  /** Calls with a fresh `tool-start`. */
  | { readonly type: 'run-calls'; readonly frame: FrameState; readonly calls: readonly CallState[] }
  | { readonly type: 'finish'; readonly frame: FrameState };

/** What comes next in a run: a pure function of its state. */
export type NextStep =
  /** One step of each frame that can go on; they know nothing of each other. */
  | { readonly type: 'work'; readonly steps: readonly FrameStep[] }
  | { readonly type: 'pause'; readonly interruptions: readonly string[] }
  | { readonly type: 'cancel' }
  | { readonly type: 'ended' };

export function nextStep(state: RunState): NextStep {
  if (state.end !== undefined) return { type: 'ended' };
  if (state.cancelRequested) return { type: 'cancel' };
  const open = state.interruptions.size === 0 ? [] : openInterruptions(state);
  const steps: FrameStep[] = [];
  for (const frame of state.frames.values()) {
    const step = stepOf(frame, state, open.length > 0);
    if (step !== undefined) steps.push(step);
  }
  if (steps.length > 0 || open.length === 0) return { type: 'work', steps };
  return { type: 'pause', interruptions: open.map(({ id }) => id) };
}

/** `undefined`: the frame has ended, or waits for a person or for other frames. */
function stepOf(frame: FrameState, state: RunState, open: boolean): FrameStep | undefined {
  if (frame.ended || asksOthers(frame)) return undefined;
  const due = frame.calls.length === 0 ? undefined : dueCalls(frame, state);
  switch (due?.phase) {
    case 'fresh':
      return { type: 'judge-calls', frame, calls: due.calls };
    case 'interrupted':
      return { type: 'recover-calls', frame, calls: due.calls };
    case 'started':
      return { type: 'run-calls', frame, calls: due.calls };
    case 'decided':
      // A set of answers is followed when the last one is there.
      return open ? undefined : { type: 'follow-decisions', frame, calls: due.calls };
    case 'waiting':
    case 'handed':
      return undefined;
    default:
  }
  const by = heir(frame);
  if (by?.ended === true && by.handoff?.primitive !== 'chain') return { type: 'finish', frame };
  // With calls, the turn goes back to the model; without, it was the answer.
  return frame.last !== undefined && frame.calls.length === 0
    ? { type: 'finish', frame }
    : { type: 'ask-model', frame };
}

/** Agents have the word that were given it without a call. */
function asksOthers({ children }: FrameState): boolean {
  return (
    children?.some(({ handoff, ended }) => {
      return !ended && (handoff?.callId === undefined || handoff.primitive === 'transfer');
    }) ?? false
  );
}

type CallPhase = 'fresh' | 'interrupted' | 'started' | 'waiting' | 'decided' | 'handed';

/** What comes first is done first. */
const rank: { readonly [phase in CallPhase]: number } = {
  fresh: 0,
  interrupted: 1,
  started: 2,
  waiting: 3,
  decided: 4,
  handed: 5,
};

/** The calls of a frame that come next, and what they wait for; `undefined` when all are settled. */
function dueCalls(
  frame: FrameState,
  state: RunState,
): { readonly phase: CallPhase; readonly calls: readonly CallState[] } | undefined {
  // A transfer waits for the turn's other calls.
  const others = frame.calls.some((call) => !call.settled && call.waits !== true);
  let phase: CallPhase | undefined;
  let calls: CallState[] = [];
  for (const call of frame.calls) {
    if (call.settled || (others && call.waits === true)) continue;
    const its = phaseOf(call, state);
    if (phase === undefined || rank[its] < rank[phase]) {
      phase = its;
      calls = [call];
    } else if (its === phase) calls.push(call);
  }
  return phase === undefined ? undefined : { phase, calls };
}

function phaseOf(call: CallState, state: RunState): CallPhase {
  const { start, interruption } = call;
  if (call.child !== undefined) return 'handed';
  if (interruption !== undefined && interruption.seq > (start?.seq ?? 0)) {
    return interruption.answer === undefined ? 'waiting' : 'decided';
  }
  if (start === undefined) return 'fresh';
  return start.seq < state.resumeSeq ? 'interrupted' : 'started';
}

/** What a call that was started and not settled is worth: run it again, or treat its outcome as unknown. */
export function repeatable(effect: Effect): boolean {
  return effect !== 'once';
}
