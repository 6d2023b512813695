import { JournalVersionError } from './errors.ts';
import { journalVersion, type RunEvent } from './events.ts';
import { applyCompaction } from './compaction.ts';
import { applyVerdict, forgetResults, wasRefused } from './fold-guardrail.ts';
import { applyHandoff, applyFrameEnd } from './fold-handoff.ts';
import { applyReflection, keepDraft } from './fold-reflection.ts';
import { applyResponse, applyResult, applyMisfit } from './fold-turn.ts';
import { newFrame } from './frame.ts';
import { patched } from './session-state.ts';
import { type RunState, callOf } from './state.ts';
import type { SessionBase } from './store.ts';

const noSession: SessionBase = { messages: [], state: {} };

/** The state of a run from its events; `base` is what the session has at the version that `run-start` names. */
export function fold(events: Iterable<RunEvent>, base: SessionBase = noSession): RunState {
  let state: RunState | undefined;
  for (const event of events) {
    if (state === undefined) state = initialState(event, base);
    else apply(state, event);
  }
  if (state === undefined)
    throw new JournalVersionError('The journal is empty: it has no run-start.');
  return state;
}

/** The state after the first event of a journal. @throws JournalVersionError when that is no `run-start` of a known version. */
export function initialState(event: RunEvent, base: SessionBase = noSession): RunState {
  checkVersion(event);
  if (event.type !== 'run-start') {
    throw new JournalVersionError(
      `The journal of run ${event.runId} begins with ${event.type}, not run-start.`,
    );
  }
  const root = newFrame(event.frame, event.agent, {
    parent: undefined,
    handoff: undefined,
    context: event.requestContext ?? {},
    request: event.input,
    messages: base.messages.concat(event.input),
    main: true,
  });
  return {
    runId: event.runId,
    seq: event.seq,
    input: event.input,
    sessionId: event.sessionId,
    sessionVersion: event.sessionVersion,
    userId: event.userId,
    principal: event.principal,
    requestContext: event.requestContext ?? {},
    options: event.options,
    base: base.messages,
    keptBase: undefined,
    baseState: base.state,
    sessionState: base.state,
    newMessages: event.input.slice(),
    frames: new Map([[root.id, root]]),
    interruptions: new Map(),
    toolResults: [],
    perRequest: [],
    handoffPath: [event.agent],
    hops: [],
    entryAgent: event.entryAgent ?? event.agent,
    inputTokens: 0,
    outputTokens: 0,
    costUsd: 0,
    cancelRequested: false,
    tripped: undefined,
    warnings: undefined,
    paused: false,
    resumeSeq: 0,
    activeMs: 0,
    activeSince: event.at,
    lastAt: event.at,
    end: undefined,
  };
}

/** Takes one more event into the state. Messages and outputs are shared with the event, never copied. */
export function apply(state: RunState, event: RunEvent): void {
  checkVersion(event);
  state.seq = event.seq;
  switch (event.type) {
    case 'model-response':
      applyResponse(state, event);
      break;
    case 'tool-start': {
      const call = callOf(state, event.frame, event.callId);
      if (call !== undefined) {
        call.start = { seq: event.seq, input: event.input, effect: event.effect };
      }
      break;
    }
    case 'tool-checkpoint': {
      const call = callOf(state, event.frame, event.callId);
      if (call !== undefined) call.checkpoint = event.data;
      break;
    }
    case 'tool-result':
      applyResult(state, event);
      break;
    case 'interruption': {
      const entry = { seq: event.seq, asked: event.interruption };
      state.interruptions.set(event.interruption.id, entry);
      const { callId } = event.interruption;
      const call = callId === undefined ? undefined : callOf(state, event.frame, callId);
      if (call !== undefined) call.interruption = entry;
      break;
    }
    case 'decision': {
      const entry = state.interruptions.get(event.decision.interruptionId);
      if (entry !== undefined) entry.answer = event.decision;
      break;
    }
    case 'warning':
      if (event.code === 'invalid-output') applyMisfit(state, event);
      else (state.warnings ??= new Set()).add(event.message);
      break;
    case 'cancel-request':
      state.cancelRequested = true;
      break;
    case 'handoff':
      applyHandoff(state, event);
      break;
    case 'route': {
      const frame = state.frames.get(event.frame);
      if (frame !== undefined) frame.routed = true;
      break;
    }
    case 'frame-end':
      applyFrameEnd(state, event);
      break;
    case 'run-pause':
      state.paused = true;
      state.activeMs += event.at - state.activeSince;
      break;
    case 'run-resume':
      // A pause was counted when it began; after a crash the run was at work until its last event.
      if (!state.paused) state.activeMs += state.lastAt - state.activeSince;
      state.activeSince = event.at;
      state.paused = false;
      state.resumeSeq = event.seq;
      forgetResults(state);
      break;
    case 'run-end':
      state.end = event;
      state.paused = false;
      // What did not pass is nothing that a later turn may read.
      if (wasRefused(state)) state.newMessages.length = 0;
      keepDraft(state, event);
      break;
    case 'guardrail-result':
      applyVerdict(state, event);
      break;
    case 'reflection':
      applyReflection(state, event);
      break;
    case 'session-state':
      state.sessionState = patched(state.sessionState, event.patch);
      break;
    case 'compaction':
      applyCompaction(state, event);
      break;
    case 'run-start':
      break;
    default:
      event satisfies never;
  }
  state.lastAt = event.at;
}

function checkVersion(event: RunEvent): void {
  if (event.v !== journalVersion) {
    throw new JournalVersionError(
      `Event ${event.seq} of run ${event.runId} has journal version ${event.v}; this code reads version ${journalVersion}. Finish the run with the version that wrote it.`,
      { runId: event.runId },
    );
  }
}
