import type { Effect } from './tool.ts';
import type { CallState, FrameState, RunState } from './state.ts';
import { openInterruptions } from './state.ts';

/** What comes next in a run: a pure function of its state. */
export type NextStep =
  | { readonly type: 'ask-model'; readonly frame: FrameState }
  /** Calls that nobody looked at yet: validate, ask for approval, start. */
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
  | { readonly type: 'pause'; readonly interruptions: readonly string[] }
  | { readonly type: 'finish'; readonly frame: FrameState }
  | { readonly type: 'cancel' }
  | { readonly type: 'ended' };

export function nextStep(state: RunState): NextStep {
  if (state.end !== undefined) return { type: 'ended' };
  if (state.cancelRequested) return { type: 'cancel' };
  const frame = activeFrame(state);
  const { fresh, interrupted, started, decided } = phasesOf(frame, state);
  if (fresh.length > 0) return { type: 'judge-calls', frame, calls: fresh };
  if (interrupted.length > 0) return { type: 'recover-calls', frame, calls: interrupted };
  if (started.length > 0) return { type: 'run-calls', frame, calls: started };
  const open = openInterruptions(state);
  if (open.length > 0) return { type: 'pause', interruptions: open.map(({ id }) => id) };
  if (decided.length > 0) return { type: 'follow-decisions', frame, calls: decided };
  // With calls, the turn goes back to the model; without, it was the answer.
  return frame.last !== undefined && frame.calls.length === 0
    ? { type: 'finish', frame }
    : { type: 'ask-model', frame };
}

type CallPhase = 'fresh' | 'started' | 'interrupted' | 'waiting' | 'decided';

/** The calls of a frame that are not settled, by what they wait for. */
function phasesOf(
  frame: FrameState,
  state: RunState,
): Readonly<Record<CallPhase, readonly CallState[]>> {
  if (frame.calls.length === 0) return noCalls;
  const phases: Record<CallPhase, CallState[]> = {
    fresh: [],
    started: [],
    interrupted: [],
    waiting: [],
    decided: [],
  };
  for (const call of frame.calls) if (!call.settled) phases[phaseOf(call, state)].push(call);
  return phases;
}

const noCalls = { fresh: [], started: [], interrupted: [], waiting: [], decided: [] };

function phaseOf(call: CallState, state: RunState): CallPhase {
  const { start, interruption } = call;
  if (interruption !== undefined && interruption.seq > (start?.seq ?? 0)) {
    return interruption.answer === undefined ? 'waiting' : 'decided';
  }
  if (start === undefined) return 'fresh';
  return start.seq < state.resumeSeq ? 'interrupted' : 'started';
}

function activeFrame(state: RunState): FrameState {
  let active: FrameState | undefined;
  for (const frame of state.frames.values()) if (!frame.ended) active = frame;
  if (active === undefined) throw new Error(`Run ${state.runId} has no open frame and no run-end.`);
  return active;
}

/** What a call that was started and not settled is worth: run it again, or treat its outcome as unknown. */
export function repeatable(effect: Effect): boolean {
  return effect !== 'once';
}
