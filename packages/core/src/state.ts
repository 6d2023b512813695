import { JournalVersionError } from './errors.ts';
import {
  journalVersion,
  type RecordedOptions,
  type Principal,
  type RunEvent,
  type RunEventOf,
} from './events.ts';
import type { Decision, Interruption } from './interruption.ts';
import { toJson, type Json, type JsonObject } from './json.ts';
import type { Message, ToolCallPart, ToolResultPart } from './message.ts';
import type { FinishReason } from './model.ts';
import type { ToolCallResult } from './run-result.ts';
import type { Effect } from './tool.ts';
import { sumUsage, type PerRequestUsage, type Usage } from './usage.ts';

/** One tool call of the present turn of a frame. */
export interface CallState {
  readonly callId: string;
  readonly toolName: string;
  /** What the model wrote. */
  readonly input: Json;
  /** The last `tool-start`, if any. */
  start?: { readonly seq: number; readonly input: Json; readonly effect: Effect };
  checkpoint?: Json;
  /** The last interruption about this call. */
  interruption?: { readonly seq: number; readonly asked: Interruption; answer?: Decision };
  settled: boolean;
}

export interface FrameState {
  readonly id: string;
  readonly parent: string | undefined;
  readonly agent: string;
  /** Turns answered so far: the next one is `turn + 1`. */
  turn: number;
  /** What the next model call of this frame sees. */
  readonly messages: Message[];
  /** The calls of the last turn, in order. */
  calls: readonly CallState[];
  /** Results of the last turn, by place in `calls`; they become one message when all are there. */
  results: (ToolResultPart | undefined)[];
  last: { readonly message: Message; readonly finishReason: FinishReason } | undefined;
  /** Misfit answers in a row. */
  outputRetries: number;
  ended: boolean;
}

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
  /** What the run adds to the conversation, in order. */
  readonly newMessages: Message[];
  readonly frames: Map<string, FrameState>;
  readonly interruptions: Map<string, { readonly asked: Interruption; answer?: Decision }>;
  readonly toolResults: ToolCallResult[];
  readonly perRequest: PerRequestUsage[];
  readonly handoffPath: string[];
  inputTokens: number;
  outputTokens: number;
  costUsd: number;
  cancelRequested: boolean;
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

/** The state of a run from its events; `base` is the session's messages at the version that `run-start` names. */
export function fold(events: Iterable<RunEvent>, base: readonly Message[] = []): RunState {
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
export function initialState(event: RunEvent, base: readonly Message[]): RunState {
  checkVersion(event);
  if (event.type !== 'run-start') {
    throw new JournalVersionError(
      `The journal of run ${event.runId} begins with ${event.type}, not run-start.`,
    );
  }
  const root: FrameState = {
    id: event.frame,
    parent: undefined,
    agent: event.agent,
    turn: 0,
    messages: base.concat(event.input),
    calls: [],
    results: [],
    last: undefined,
    outputRetries: 0,
    ended: false,
  };
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
    base,
    newMessages: event.input.slice(),
    frames: new Map([[root.id, root]]),
    interruptions: new Map(),
    toolResults: [],
    perRequest: [],
    handoffPath: [event.agent],
    inputTokens: 0,
    outputTokens: 0,
    costUsd: 0,
    cancelRequested: false,
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
    case 'frame-end': {
      const frame = state.frames.get(event.frame);
      if (frame !== undefined) frame.ended = true;
      break;
    }
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
      break;
    case 'run-end':
      state.end = event;
      state.paused = false;
      break;
    case 'run-start':
    case 'handoff':
    case 'guardrail-result':
    case 'compaction':
    case 'reflection':
    case 'route':
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

function applyResponse(state: RunState, event: RunEventOf<'model-response'>): void {
  const { usage } = event;
  state.perRequest.push({
    provider: event.provider,
    modelId: event.modelId,
    agent: event.agent,
    ...usage,
  });
  state.inputTokens += usage.inputTokens;
  state.outputTokens += usage.outputTokens;
  state.costUsd += usage.costUsd ?? 0;
  const frame = state.frames.get(event.frame);
  if (event.purpose !== 'turn' || frame === undefined) return;
  frame.turn += 1;
  frame.messages.push(event.message);
  state.newMessages.push(event.message);
  frame.last = { message: event.message, finishReason: event.finishReason };
  const parts = event.message.parts.filter(
    (part): part is ToolCallPart => part.type === 'tool-call',
  );
  frame.calls = parts.map(({ callId, toolName, input }) => ({
    callId,
    toolName,
    input,
    settled: false,
  }));
  frame.results = [];
  if (parts.length > 0) frame.outputRetries = 0;
}

function applyResult(state: RunState, event: RunEventOf<'tool-result'>): void {
  const frame = state.frames.get(event.frame);
  const index = frame?.calls.findIndex((one) => one.callId === event.callId) ?? -1;
  const call = frame?.calls[index];
  if (frame === undefined || call === undefined) return;
  call.settled = true;
  const { callId, toolName } = event;
  frame.results[index] = {
    type: 'tool-result',
    callId,
    toolName,
    output: event.modelOutput ?? event.output,
    ...(event.isError ? { isError: true } : {}),
  };
  // In the order of the calls, whichever settled first.
  let place = state.toolResults.length;
  while (place > 0 && comesAfter(frame, state.toolResults[place - 1]?.callId, index)) place -= 1;
  state.toolResults.splice(place, 0, {
    callId,
    tool: toolName,
    arguments: call.start?.input ?? call.input,
    result: event.output.type === 'json' ? event.output.value : toJson(event.output.parts),
    isError: event.isError,
  });
  if (frame.calls.every((one) => one.settled)) {
    const message: Message = {
      id: `${frame.id}.t${frame.turn}.r`,
      runId: state.runId,
      role: 'tool',
      parts: frame.results.filter((part) => part !== undefined),
      agent: frame.agent,
    };
    frame.messages.push(message);
    state.newMessages.push(message);
  }
}

function comesAfter(frame: FrameState, callId: string | undefined, index: number): boolean {
  return frame.calls.findIndex((call) => call.callId === callId) > index;
}

function applyMisfit(state: RunState, event: RunEventOf<'warning'>): void {
  const frame = state.frames.get(event.frame);
  if (frame === undefined) return;
  frame.outputRetries += 1;
  frame.last = undefined;
  const message: Message = {
    id: `${frame.id}.t${frame.turn}.v`,
    runId: state.runId,
    role: 'user',
    parts: [{ type: 'text', text: event.message }],
  };
  frame.messages.push(message);
  state.newMessages.push(message);
}

function callOf(state: RunState, frame: string, callId: string): CallState | undefined {
  return state.frames.get(frame)?.calls.find((call) => call.callId === callId);
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
