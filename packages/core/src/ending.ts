import { tellAbandoned } from './abandoned.ts';
import { errorOutcome, json, settle, settleWithError, unknownOutcome } from './call-outcome.ts';
import type { RunFailure } from './errors.ts';
import type { StopReason } from './events.ts';
import type { LiveRun } from './live-run.ts';
import { textOf, type Output } from './message.ts';
import { publicReason } from './public-event.ts';
import { answerer, bestDraft, type FrameState } from './frame.ts';
import { usageOf, workedMs } from './state.ts';
import { editNote } from './tool-call.ts';

/** How a run ends. */
export type Ending =
  | { readonly status: 'completed'; readonly response: string; readonly output: Output }
  | { readonly status: 'stopped'; readonly stopReason: StopReason }
  | { readonly status: 'cancelled' }
  | { readonly status: 'failed'; readonly error: RunFailure };

/** Settles what is open, records `run-end`, and writes everything. */
export async function endRun<C>(live: LiveRun<C>, ending: Ending): Promise<void> {
  if (ending.status !== 'completed') {
    const telling = tellAbandoned(live);
    if (telling !== undefined) await telling;
  }
  settleRest(live);
  const { state } = live;
  const { last } = answerer(live.root);
  live.stage(live.root, {
    type: 'run-end',
    status: ending.status,
    response: ending.status === 'completed' ? ending.response : workSoFar(live),
    ...(ending.status === 'completed' ? { output: ending.output } : {}),
    ...(last === undefined ? {} : { finishReason: last.finishReason }),
    ...(ending.status === 'stopped' ? { stopReason: ending.stopReason } : {}),
    ...(ending.status === 'failed' ? { error: ending.error } : {}),
    usage: usageOf(state),
    handoffPath: state.handoffPath.slice(),
  });
  const writing = live.journal.flush();
  if (writing !== undefined) await writing;
  live.span?.set({ status: ending.status });
  if (!live.logs) return;
  live.log(ending.status === 'failed' ? 'error' : 'info', `run ${ending.status}`, {
    agent: live.root.agent,
    turns: live.root.turn,
    inputTokens: state.inputTokens,
    outputTokens: state.outputTokens,
    ms: workedMs(state, Date.now()),
    ...(state.hops.length === 0 ? {} : { handoffPath: state.handoffPath.slice() }),
    ...(ending.status === 'failed' ? { code: ending.error.code, error: ending.error.message } : {}),
    ...(ending.status === 'stopped' ? { stopReason: ending.stopReason } : {}),
  });
}

/** Settles whatever a cancel, a limit or a failure left open: what was started may have happened, the rest was not run. */
function settleRest<C>(live: LiveRun<C>): void {
  for (const frame of live.state.frames.values()) {
    for (const call of frame.calls) {
      if (call.settled) continue;
      if (call.child !== undefined) {
        const message = `${call.child.agent} did not finish: the run ended before.`;
        settleWithError(live, frame, call, 'unknown-outcome', message);
      } else if (call.start !== undefined && call.start.effect !== 'read') {
        settleWithError(live, frame, call, 'unknown-outcome', unknownOutcome(call.toolName));
      } else {
        const message = `${call.toolName} gave no result: the run ended before.`;
        settleWithError(live, frame, call, 'not-run', message);
      }
    }
  }
}

/** The last thing that was said in the conversation and shown; of an answer that was being improved, the best draft. */
function workSoFar<C>(live: LiveRun<C>): string {
  for (
    let frame: FrameState | undefined = answerer(live.root);
    frame !== undefined;
    frame = frame.parent
  ) {
    if (mustPass(live, frame)) continue;
    const said = frame.held ? draftOf(live, frame) : frame.last;
    const text = said === undefined ? '' : textOf(said.message);
    if (text !== '') return text;
  }
  return '';
}

// Who passes an answer on has it looked at; it was not, or was refused.
function mustPass<C>(live: LiveRun<C>, frame: FrameState): boolean {
  for (let at = frame; at.parent !== undefined; at = at.parent) {
    const primitive = at.handoff?.primitive;
    if (primitive === 'transfer' || primitive === 'route') continue;
    if (live.around.agent(at.parent.agent)?.outputGuardrails.length !== 0) return true;
  }
  return false;
}

// A draft was held because a better one might come: none comes any more. What guardrails did not look at stays held.
function draftOf<C>(live: LiveRun<C>, frame: FrameState): FrameState['last'] {
  const unguarded = live.around.agent(frame.agent)?.outputGuardrails.length === 0;
  return unguarded ? bestDraft(frame) : undefined;
}

/** A frame below the root has its answer; the call that it was given, if it was, has its result. */
export function endFrame<C>(live: LiveRun<C>, frame: FrameState, output: Output): void {
  const { parent } = frame;
  live.stage(frame, { type: 'frame-end', output });
  const call = callGiven(frame);
  if (parent === undefined || call === undefined) return;
  const noted = editNote(call, output);
  live.stage(parent, {
    type: 'tool-result',
    callId: call.callId,
    toolName: call.toolName,
    output,
    isError: false,
    how: 'handoff',
    ...(noted === undefined ? {} : { modelOutput: noted }),
  });
}

/** A frame that works for another gave no answer: whoever asked reads why, and goes on. */
export function failFrame<C>(live: LiveRun<C>, frame: FrameState, error: RunFailure): void {
  for (const call of frame.calls) {
    const message = `${call.toolName} gave no result: ${frame.agent} failed before.`;
    settleWithError(live, frame, call, 'not-run', message);
  }
  live.stage(frame, { type: 'frame-end', error });
  live.log('warn', 'agent failed', {
    agent: frame.agent,
    frame: frame.id,
    code: error.code,
    error: error.message,
  });
  const { parent } = frame;
  const call = callGiven(frame);
  if (parent === undefined || call === undefined) return;
  // The caller's model reads the reason; clients, who see `output`, read it as they may.
  settle(live, parent, call, {
    ...errorOutcome('handoff', `${frame.agent} failed: ${publicReason(error)}`),
    modelOutput: json(`${frame.agent} failed: ${error.message}`),
  });
}

/** Whether an agent waits for what comes of this frame: then its failure is a result, not the end of the run. */
export function worksForAnother(frame: FrameState): boolean {
  for (let at: FrameState | undefined = frame; at !== undefined; at = at.parent) {
    if (at.handoff?.primitive === 'call') return true;
  }
  return false;
}

function callGiven({ parent, handoff }: FrameState) {
  return handoff?.primitive === 'call'
    ? parent?.calls.find(({ callId }) => callId === handoff.callId)
    : undefined;
}
