import { JournalVersionError, type RunFailure } from './errors.ts';
import {
  journalVersion,
  type RecordedOptions,
  type Principal,
  type RunEvent,
  type ReflectionStep,
  type RunEventOf,
} from './events.ts';
import type { GuardrailResult } from './guardrail.ts';
import type { Hop } from './handoff.ts';
import type { Decision, Interruption } from './interruption.ts';
import { toJson, type Json, type JsonObject } from './json.ts';
import {
  outputText,
  textOf,
  type Message,
  type Output,
  type ToolCallPart,
  type ToolResultPart,
} from './message.ts';
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
  /** What guardrails made of `input`. */
  rewritten?: Json;
  /** The last interruption about this call. */
  interruption?: { readonly seq: number; readonly asked: Interruption; answer?: Decision };
  /** The frame that was given this call. */
  child?: FrameState;
  /** Waits until the turn's other calls are settled: a transfer is the last thing that a turn does. */
  waits?: boolean;
  settled: boolean;
}

/** One agent at work: who it is, on whose behalf, and how far it got. */
export interface FrameState {
  readonly id: string;
  readonly parent: FrameState | undefined;
  readonly agent: string;
  /** How it was given the word; the root was not. */
  readonly handoff: RunEventOf<'handoff'> | undefined;
  /** The request's context as this agent has it. */
  readonly context: JsonObject;
  /** The last messages of what it was given: what it is asked. */
  request: readonly Message[];
  /** Its messages are the conversation. */
  readonly main: boolean;
  children: FrameState[] | undefined;
  /** Who gets the request was decided. */
  routed: boolean;
  /** Turns answered so far: the next one is `turn + 1`. */
  turn: number;
  /** What the next model call of this frame sees. */
  readonly messages: Message[];
  /** The calls of the last turn, in order. */
  calls: readonly CallState[];
  /** Results of the last turn, by place in `calls`; they become one message when all are there. */
  results: (ToolResultPart | undefined)[];
  last: { readonly message: Message; readonly finishReason: FinishReason } | undefined;
  /** The text of `last` is not shown before the frame has ended. */
  held: boolean;
  /** What guardrails decided; made when there is something. */
  verdicts: Map<string, GuardrailResult> | undefined;
  reflection: ReflectionState | undefined;
  /** Drafts that were held, and what was said of them: other agents are not told. Made when there is something. */
  aside: Set<Message> | undefined;
  /** Misfit answers in a row. */
  outputRetries: number;
  /** It used a tool, or another agent answered it: something is new since it was given the word. */
  worked: boolean;
  ended: boolean;
  output: Output | undefined;
  error: RunFailure | undefined;
}

/** How far a frame got with judging and rewriting its answer. */
export interface ReflectionState {
  /** The drafts so far, judged or not, in order. */
  readonly history: ReflectionStep[];
  best:
    | {
        readonly message: Message;
        readonly finishReason: FinishReason;
        readonly score: number | undefined;
      }
    | undefined;
  /** `best` is the answer. */
  done: boolean;
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
  const root = newFrame(event.frame, event.agent, {
    parent: undefined,
    handoff: undefined,
    context: event.requestContext ?? {},
    request: event.input,
    messages: base.concat(event.input),
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
    base,
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

function newFrame(
  id: string,
  agent: string,
  given: Pick<FrameState, 'parent' | 'handoff' | 'context' | 'request' | 'messages' | 'main'>,
): FrameState {
  return {
    id,
    agent,
    ...given,
    children: undefined,
    routed: false,
    turn: 0,
    calls: [],
    results: [],
    last: undefined,
    held: false,
    verdicts: undefined,
    reflection: undefined,
    aside: undefined,
    outputRetries: 0,
    worked: false,
    ended: false,
    output: undefined,
    error: undefined,
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
    case 'run-start':
    case 'compaction':
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
  // What is held may never be shown: an answer waits for the end of its frame, and with calls only these count.
  if (frame.main && event.held !== true) state.newMessages.push(event.message);
  frame.last = { message: event.message, finishReason: event.finishReason };
  frame.held = event.held === true;
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
  if (parts.length === 0) return;
  frame.outputRetries = 0;
  if (frame.main && event.held === true) state.newMessages.push({ ...event.message, parts });
}

function applyVerdict(state: RunState, event: RunEventOf<'guardrail-result'>): void {
  const frame = state.frames.get(event.frame);
  if (frame === undefined) return;
  const { on, callId, action, value } = event;
  const result = toVerdict(event);
  (frame.verdicts ??= new Map()).set(verdictKey(frame, event), result);
  if (action === 'tripwire') state.tripped ??= event.name;
  if (action !== 'rewrite' || value === undefined) return;
  if (on === 'input') rewriteRequest(state, frame, value);
  else if (on === 'output') rewriteAnswer(frame, value);
  else if (on === 'tool-input' && callId !== undefined) {
    const call = frame.calls.find((one) => one.callId === callId);
    if (call !== undefined) call.rewritten = value;
  }
}

// What a tool returned to a holder that is gone is gone, and with it what was decided of it.
function forgetResults(state: RunState): void {
  for (const { verdicts } of state.frames.values()) {
    if (verdicts === undefined) continue;
    for (const key of verdicts.keys()) if (key.startsWith('tool-output ')) verdicts.delete(key);
  }
}

function toVerdict({ action, value, message }: RunEventOf<'guardrail-result'>): GuardrailResult {
  switch (action) {
    case 'rewrite':
      return { action, value: value ?? null };
    case 'reject':
      return { action, message: message ?? '' };
    case 'tripwire':
      return { action, info: value };
    default:
      return { action };
  }
}

type VerdictOn = Pick<RunEventOf<'guardrail-result'>, 'on' | 'callId' | 'name'>;

function verdictKey({ turn }: FrameState, { on, callId, name }: VerdictOn): string {
  return `${on} ${on === 'output' ? turn : (callId ?? '')} ${name}`;
}

/** The input of a call as it goes on: what the model wrote, or what guardrails made of it. */
export function inputOf(call: CallState): Json {
  return call.rewritten ?? call.input;
}

/** What a guardrail decided before, if it was asked. */
export function verdictOf(frame: FrameState, about: VerdictOn): GuardrailResult | undefined {
  return frame.verdicts?.get(verdictKey(frame, about));
}

/** Whether input guardrails refused what the conversation asked: of the first agent, or of whom it was routed to. */
function wasRefused({ frames, end }: RunState): boolean {
  let frame = frames.values().next().value;
  for (;;) {
    for (const [key, { action }] of frame?.verdicts ?? []) {
      if (key.startsWith('input ') && (action === 'reject' || action === 'tripwire')) return true;
    }
    const next: FrameState | undefined = frame?.children?.at(-1);
    if (next === undefined) return end?.error?.code === 'guardrail_error' && frame?.turn === 0;
    if (next.handoff?.primitive !== 'route') return false;
    frame = next;
  }
}

// The request is that text from now on, with its files.
function rewriteRequest(state: RunState, frame: FrameState, value: Json): void {
  const last = frame.request.at(-1);
  if (last === undefined || typeof value !== 'string') return;
  const files = frame.request.flatMap(({ parts }) => parts.filter(({ type }) => type === 'file'));
  const message: Message = { ...last, parts: [{ type: 'text', text: value }, ...files] };
  const { length } = frame.request;
  if (frame.messages.at(-1) === last) frame.messages.splice(-length, length, message);
  if (frame.main) {
    // The request of the conversation, or what a router passed on of it; what a transfer says is no part of it.
    const place = state.newMessages.findLastIndex(
      ({ id, role }) => id === last.id && role === 'user',
    );
    if (place !== -1) state.newMessages.splice(place - length + 1, length, message);
  }
  frame.request = [message];
}

function rewriteAnswer(frame: FrameState, value: Json): void {
  const { last } = frame;
  // With calls, it was somebody else's answer that is passed on.
  if (last === undefined || frame.calls.length > 0) return;
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  const rest = last.message.parts.filter(({ type }) => type !== 'text' && type !== 'reasoning');
  const message: Message = { ...last.message, parts: [{ type: 'text', text }, ...rest] };
  const place = frame.messages.lastIndexOf(last.message);
  if (place !== -1) frame.messages[place] = message;
  frame.last = { ...last, message };
}

function applyReflection(state: RunState, event: RunEventOf<'reflection'>): void {
  const frame = state.frames.get(event.frame);
  if (frame === undefined) return;
  const { v: _v, seq: _seq, at: _at, runId, frame: _frame, agent: _agent, ...step } = event;
  const { type: _type, done, ...draft } = step;
  const reflection = (frame.reflection ??= { history: [], best: undefined, done: false });
  reflection.history.push(draft);
  const { last } = frame;
  if (event.accepted && last !== undefined) reflection.best = { ...last, score: event.score };
  else if (last !== undefined) {
    // A worse draft is forgotten: the next one improves the best.
    const place = frame.messages.lastIndexOf(last.message);
    if (place !== -1) frame.messages.splice(place, 1);
  }
  frame.outputRetries = 0;
  if (done) {
    reflection.done = true;
    frame.last = reflection.best;
    frame.calls = [];
    return;
  }
  const feedback: Message = {
    id: `${frame.id}.t${frame.turn}.f`,
    runId,
    role: 'user',
    parts: [{ type: 'text', text: feedbackText(event) }],
  };
  putAside(frame, feedback);
  frame.messages.push(feedback);
  frame.last = undefined;
}

// The draft and what was said of it.
function putAside(frame: FrameState, said: Message): void {
  frame.aside ??= new Set();
  frame.aside.add(said);
  if (frame.last !== undefined) frame.aside.add(frame.last.message);
}

/** The best draft of an answer that is not there yet; the one that waits to be judged where none was. */
export function bestDraft({ reflection, calls, last }: FrameState): FrameState['last'] {
  return reflection?.best ?? (calls.length === 0 ? last : undefined);
}

// A run that ended while its answer was improved answered with a draft: then the draft is part of the conversation.
function keepDraft(state: RunState, { status, response = '' }: RunEventOf<'run-end'>): void {
  const [root] = state.frames.values();
  if (status === 'completed' || root === undefined) return;
  const frame = answerer(root);
  const draft = frame.main && frame.held && !frame.ended ? bestDraft(frame) : undefined;
  if (draft === undefined || response === '' || textOf(draft.message) !== response) return;
  state.newMessages.push(draft.message);
}

function feedbackText({ accepted, score, feedback = '', error }: RunEventOf<'reflection'>): string {
  const scored = score === undefined ? '' : ` (score ${score.toFixed(2)} of 1)`;
  return accepted
    ? `Improve your answer${scored}. ${feedback}\n\nAnswer again in full: the new answer replaces the old one.`
    : `Your rewrite was ${error === undefined ? `no better${scored}` : 'no answer'} and is dropped. ${feedback}\n\nImprove the answer before it, in full.`;
}

function applyResult(state: RunState, event: RunEventOf<'tool-result'>): void {
  const frame = state.frames.get(event.frame);
  const index = frame?.calls.findIndex((one) => one.callId === event.callId) ?? -1;
  const call = frame?.calls[index];
  if (frame === undefined || call === undefined) return;
  call.settled = true;
  if (event.how === 'ran' || call.child?.handoff?.primitive === 'call') frame.worked = true;
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
    arguments: call.start?.input ?? call.child?.handoff?.input ?? inputOf(call),
    result: event.output.type === 'json' ? event.output.value : toJson(event.output.parts),
    isError: event.isError,
  });
  if (frame.calls.every((one) => one.settled)) {
    const message = resultsMessage(state.runId, frame, frame.results);
    frame.messages.push(message);
    if (frame.main) state.newMessages.push(message);
  }
}

/** The results of a turn as one message, in the order of its calls. */
export function resultsMessage(
  runId: string,
  frame: FrameState,
  results: FrameState['results'],
): Message {
  return {
    id: `${frame.id}.t${frame.turn}.r`,
    runId,
    role: 'tool',
    parts: results.filter((part) => part !== undefined),
    agent: frame.agent,
  };
}

function applyHandoff(state: RunState, event: RunEventOf<'handoff'>): void {
  const parent = state.frames.get(event.frame);
  if (parent === undefined) return;
  const { primitive, callId } = event;
  const child = newFrame(event.childFrame, event.to, {
    parent,
    handoff: event,
    context: event.context,
    request: event.messages.slice(event.messages.length - event.asked),
    messages: event.messages.slice(),
    main: parent.main && (primitive === 'transfer' || primitive === 'route'),
  });
  state.frames.set(child.id, child);
  (parent.children ??= []).push(child);
  parent.routed = true;
  const call = callId === undefined ? undefined : callOf(state, event.frame, callId);
  if (call !== undefined) call.child = child;
  state.handoffPath.push(event.to);
  state.hops.push({
    from: event.agent,
    to: event.to,
    primitive,
    ...(event.reason === undefined ? {} : { reason: event.reason }),
  });
}

function applyFrameEnd(state: RunState, event: RunEventOf<'frame-end'>): void {
  const frame = state.frames.get(event.frame);
  if (frame === undefined) return;
  frame.ended = true;
  frame.output = event.output;
  frame.error = event.error;
  const { parent, handoff } = frame;
  if (parent !== undefined) parent.worked = true;
  if (parent !== undefined && handoff?.primitive === 'call' && handoff.callId === undefined) {
    tellAnswers(state, parent);
  }
  if (!frame.main || event.output === undefined) return;
  const by = answerer(frame);
  if (by === frame && frame.held && frame.last !== undefined) {
    // What it thought was not looked at.
    const { message } = frame.last;
    const parts = message.parts.filter(({ type }) => type !== 'reasoning');
    state.newMessages.push({ ...message, parts });
  }
  if (by.main) return;
  // Somebody answered whose messages are not the conversation: the answer is.
  state.newMessages.push({
    id: `${frame.id}.answer`,
    runId: state.runId,
    role: 'assistant',
    parts:
      event.output.type === 'content'
        ? event.output.parts
        : [{ type: 'text', text: outputText(event.output) }],
    agent: by.agent,
  });
}

// The agents that were asked before the first turn have all answered: the one that asked reads it.
function tellAnswers(state: RunState, frame: FrameState): void {
  const asked = (frame.children ?? []).filter(
    ({ handoff }) => handoff?.primitive === 'call' && handoff.callId === undefined,
  );
  if (asked.some(({ ended }) => !ended)) return;
  frame.messages.push(answersNote(`${frame.id}.a`, state.runId, asked));
}

/** What agents answered, or why they did not, as a message for another. */
export function answersNote(
  id: string,
  runId: string,
  answered: readonly Pick<FrameState, 'agent' | 'output' | 'error'>[],
): Message {
  const text = answered
    .map(({ agent, output, error }) =>
      output === undefined
        ? `${agent} failed: ${error?.message ?? 'it gave no answer'}`
        : `${agent} answered:\n${outputText(output)}`,
    )
    .join('\n\n');
  return { id, runId, role: 'user', parts: [{ type: 'text', text }] };
}

/** The frame whose answer is, or will be, the answer of this one: itself, or whom it handed to for good. */
export function answerer(frame: FrameState): FrameState {
  const child = heir(frame);
  return child === undefined ? frame : answerer(child);
}

/** The child whose answer is this frame's own. */
export function heir(frame: FrameState): FrameState | undefined {
  const last = frame.children?.at(-1);
  switch (last?.handoff?.primitive) {
    case undefined:
      return undefined;
    case 'call':
      return verbatimChild(frame);
    default:
      return last;
  }
}

// One answer can be passed on word for word. Several, or none, the caller puts together.
function verbatimChild(frame: FrameState): FrameState | undefined {
  const { calls, children = [] } = frame;
  const asked =
    calls.length === 0 && frame.turn === 0
      ? children
      : calls.flatMap((call) => (call.child === undefined ? [] : [call.child]));
  const [only] = asked;
  if (only?.handoff?.verbatim !== true || asked.length > 1 || only.error !== undefined) {
    return undefined;
  }
  return calls.length > 1 ? undefined : only;
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

/** How many handoffs led to this frame; the targets of a chain count one after the other. */
export function hopsOf(frame: FrameState): number {
  const { parent, handoff } = frame;
  if (parent === undefined) return 0;
  const place = handoff?.primitive === 'chain' ? (parent.children?.indexOf(frame) ?? 0) : 0;
  return hopsOf(parent) + place + 1;
}

function comesAfter(frame: FrameState, callId: string | undefined, index: number): boolean {
  return frame.calls.findIndex((call) => call.callId === callId) > index;
}

function applyMisfit(state: RunState, event: RunEventOf<'warning'>): void {
  const frame = state.frames.get(event.frame);
  if (frame === undefined) return;
  frame.outputRetries += 1;
  const message: Message = {
    id: `${frame.id}.t${frame.turn}.v`,
    runId: state.runId,
    role: 'user',
    parts: [{ type: 'text', text: event.message }],
  };
  frame.messages.push(message);
  if (frame.held) putAside(frame, message);
  frame.last = undefined;
  if (frame.main && !frame.held) state.newMessages.push(message);
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

/** The id of a frame's next assistant message. */
export function messageIdOf(frame: FrameState): string {
  return `${frame.id}.t${frame.turn + 1}`;
}

/** The id of a call of the frame's next turn. */
export function callIdOf(frame: FrameState, index: number): string {
  return `${frame.id}.t${frame.turn + 1}.c${index + 1}`;
}

/** Whether watchers see this frame's text as it comes; one that was handed to quietly hands on quietly. */
export function isQuiet(frame: FrameState): boolean {
  for (let at: FrameState | undefined = frame; at !== undefined; at = at.parent) {
    if (at.handoff?.quiet === true) return true;
  }
  return false;
}
