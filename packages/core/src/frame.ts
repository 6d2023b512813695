import type { RunFailure } from './errors.ts';
import type { ReflectionStep, RunEventOf } from './events.ts';
import type { GuardrailResult } from './guardrail.ts';
import type { Decision, Interruption } from './interruption.ts';
import type { Json, JsonObject } from './json.ts';
import { outputText, type Message, type Output, type ToolResultPart } from './message.ts';
import type { FinishReason } from './model.ts';
import type { Effect } from './tool.ts';

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
  messages: Message[];
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

export function newFrame(
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

/** How many handoffs led to this frame; the targets of a chain count one after the other. */
export function hopsOf(frame: FrameState): number {
  const { parent, handoff } = frame;
  if (parent === undefined) return 0;
  const place = handoff?.primitive === 'chain' ? (parent.children?.indexOf(frame) ?? 0) : 0;
  return hopsOf(parent) + place + 1;
}

/** The best draft of an answer that is not there yet; the one that waits to be judged where none was. */
export function bestDraft({ reflection, calls, last }: FrameState): FrameState['last'] {
  return reflection?.best ?? (calls.length === 0 ? last : undefined);
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

/** The input of a call as it goes on: what the model wrote, or what guardrails made of it. */
export function inputOf(call: CallState): Json {
  return call.rewritten ?? call.input;
}

type VerdictOn = Pick<RunEventOf<'guardrail-result'>, 'on' | 'callId' | 'name'>;

export function verdictKey({ turn }: FrameState, { on, callId, name }: VerdictOn): string {
  return `${on} ${on === 'output' ? turn : (callId ?? '')} ${name}`;
}

/** What a guardrail decided before, if it was asked. */
export function verdictOf(frame: FrameState, about: VerdictOn): GuardrailResult | undefined {
  return frame.verdicts?.get(verdictKey(frame, about));
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
