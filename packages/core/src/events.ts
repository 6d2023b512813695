import type { RunFailure } from './errors.ts';
import type { ControlReturn, HandoffPrimitive } from './handoff.ts';
import type { Interruption, Decision } from './interruption.ts';
import type { Json, JsonObject } from './json.ts';
import type { Message, Output } from './message.ts';
import type { FinishReason } from './model.ts';
import type { Effect } from './tool.ts';
import type { RequestUsage, Usage } from './usage.ts';

// The journal (docs/journal.md is its specification). Durable events are numbered, stored and the truth; deltas are for
// watchers only.

/** The version of the journal's schema that this code writes. */
export const journalVersion = 1;

export type RunStatus = 'completed' | 'interrupted' | 'stopped' | 'cancelled' | 'failed';

/** Which limit ended a run. */
export type StopReason =
  | 'max_turns'
  | 'max_hops'
  | 'max_events'
  | 'total_tokens'
  | 'output_tokens'
  | 'cost'
  | 'wall_clock'
  | 'handoff_loop';

/** Who asks: made by the host's `authenticate`; `claims` are the ones it selected, kept with the run. */
export interface Principal {
  readonly id: string;
  readonly claims?: JsonObject | undefined;
}

/** What every durable event carries. `seq` counts from 1 without a gap; `at` is milliseconds since 1970. */
export interface EventBase {
  readonly v: number;
  readonly seq: number;
  readonly at: number;
  readonly runId: string;
  readonly frame: string;
  readonly agent: string;
}

/** The serialisable options of a run: what a process that takes it up must know. */
export interface RecordedOptions {
  readonly maxTurns?: number | undefined;
  readonly limits?: RunLimits | undefined;
  readonly toolConcurrency?: number | undefined;
  readonly modelSettings?: JsonObject | undefined;
  readonly compaction?: Compaction | undefined;
  /** The run was given a `context` by its caller, not by a factory. */
  readonly context?: 'given' | undefined;
  /** The run begins with a handoff by its first agent (`Runner.handoffTo`). */
  readonly handoff?:
    | {
        readonly to: string;
        readonly input: Json;
        readonly reason?: string | undefined;
        readonly expectedReturn?: ControlReturn | undefined;
      }
    | undefined;
}

/**
 * Keeps what models are shown of a long conversation short; the session keeps no more, the journal everything. At least
 * one of `keepLast` and `clearToolResults`.
 */
export interface Compaction {
  /**
   * When: there are more messages than this before a turn, or a model reported that it read more tokens than this
   * (before the next turn, then).
   */
  readonly trigger: {
    readonly messages?: number | undefined;
    readonly tokens?: number | undefined;
  };
  /** So many of the last messages stay, with the request that the first of them belongs to; older ones are left out. */
  readonly keepLast?: number | undefined;
  /** Older results of tools (before the last `keepLast` messages, or 6) become a short note; their calls stay. */
  readonly clearToolResults?: boolean | undefined;
}

/** Limits of a run; reaching one ends it `stopped` with a `stopReason`. */
export interface RunLimits {
  readonly totalTokens?: number | undefined;
  readonly outputTokens?: number | undefined;
  readonly costUsd?: number | undefined;
  /** Time at work, pauses left out. */
  readonly wallClockMs?: number | undefined;
  /** How deep handoffs may go. Default: the first agent's `handoffConfig.maxHops`, else 10. */
  readonly maxHops?: number | undefined;
  /** Durable events of the run. Default 10,000. */
  readonly events?: number | undefined;
}

/** How a tool call came to its result. */
export type Settlement =
  | 'ran'
  | 'refused'
  | 'rejected'
  | 'invalid-input'
  | 'reconciled'
  | 'unknown-outcome'
  | 'not-run'
  | 'handoff';

/** The durable events without what every event carries. */
export type RunEventBody =
  | {
      readonly type: 'run-start';
      readonly input: readonly Message[];
      readonly sessionId?: string | undefined;
      readonly sessionVersion?: string | undefined;
      readonly userId?: string | undefined;
      readonly principal?: Principal | undefined;
      readonly requestContext?: JsonObject | undefined;
      /** The agent that was asked, where the session's active agent answers for it. */
      readonly entryAgent?: string | undefined;
      readonly options: RecordedOptions;
    }
  | {
      readonly type: 'model-response';
      readonly purpose: 'turn' | 'judge' | 'route' | 'guard';
      readonly message: Message;
      readonly usage: RequestUsage;
      readonly finishReason: FinishReason;
      readonly provider: string;
      readonly modelId: string;
      readonly responseId?: string | undefined;
      readonly attempts: readonly ModelAttempt[];
      /** Its text is not shown before it has passed what holds it: guardrails, a reflection. */
      readonly held?: true | undefined;
    }
  | {
      readonly type: 'tool-start';
      readonly callId: string;
      readonly toolName: string;
      readonly input: Json;
      readonly effect: Effect;
      readonly idempotencyKey: string;
      readonly reconciled?: true | undefined;
    }
  | { readonly type: 'tool-checkpoint'; readonly callId: string; readonly data: Json }
  | {
      readonly type: 'tool-result';
      readonly callId: string;
      readonly toolName: string;
      readonly output: Output;
      readonly isError: boolean;
      readonly how: Settlement;
      /** What the model reads instead of `output` (`toModelOutput`). */
      readonly modelOutput?: Output | undefined;
    }
  /** What a call that ran changed of the session's state; `null` removes a field. */
  | { readonly type: 'session-state'; readonly callId: string; readonly patch: JsonObject }
  | { readonly type: 'interruption'; readonly interruption: Interruption }
  | { readonly type: 'decision'; readonly decision: Decision; readonly by?: string | undefined }
  | {
      readonly type: 'handoff';
      readonly to: string;
      readonly childFrame: string;
      readonly callId?: string | undefined;
      readonly primitive: HandoffPrimitive;
      /** What the caller said: the arguments of its call, or what `transformInput` made of the request. */
      readonly input?: Json | undefined;
      /** Exactly what the target sees before its first turn; the last `asked` of them are the request. */
      readonly messages: readonly Message[];
      readonly asked: number;
      /** The request's context as the target has it. */
      readonly context: JsonObject;
      readonly reason?: string | undefined;
      /** The target's answer is the caller's, word for word. */
      readonly verbatim?: true | undefined;
      /** The session is closed after the answer. */
      readonly closes?: true | undefined;
      /** Watchers do not see the target's text as it comes. */
      readonly quiet?: true | undefined;
    }
  | {
      readonly type: 'frame-end';
      readonly output?: Output | undefined;
      readonly error?: RunFailure | undefined;
    }
  | {
      readonly type: 'guardrail-result';
      readonly name: string;
      readonly on: 'input' | 'output' | 'tool-input' | 'tool-output';
      readonly callId?: string | undefined;
      readonly action: 'allow' | 'rewrite' | 'reject' | 'tripwire';
      /** `rewrite`: what goes on instead. `tripwire`: its `info`. */
      readonly value?: Json | undefined;
      /** `reject`: what whoever is refused reads. */
      readonly message?: string | undefined;
    }
  | {
      readonly type: 'compaction';
      /** How many messages are left out from now on: those before `from`. */
      readonly removed: number;
      readonly from?: Pick<Message, 'id' | 'runId'> | undefined;
      /** How many results became a note: those in messages before `clearedBefore`. */
      readonly cleared: number;
      readonly clearedBefore?: Pick<Message, 'id' | 'runId'> | undefined;
    }
  | {
      readonly type: 'reflection';
      /** 0: the first draft; then each rewrite. */
      readonly iteration: number;
      /** From 0 to 1. Absent where nobody could judge. */
      readonly score?: number | undefined;
      /** By criterion. */
      readonly scores?: { readonly [criterion: string]: number } | undefined;
      /** Whether this draft is the best so far. */
      readonly accepted: boolean;
      /** What is to be improved. */
      readonly feedback?: string | undefined;
      /** Why the draft was not judged. */
      readonly error?: RunFailure | undefined;
      /** No guardrail has looked at the draft: what may quote it, feedback and error, is not for clients. */
      readonly held?: true | undefined;
      /** The best so far is the answer: nothing is written again. */
      readonly done: boolean;
    }
  /** What was decided before the first turn of a frame: who gets the request; none: the agent itself. */
  | {
      readonly type: 'route';
      readonly to?: string | undefined;
      readonly reason?: string | undefined;
    }
  /** `invalid-output`: the answer did not fit the output type; its message is what the model is told in the next turn. */
  | { readonly type: 'warning'; readonly code: string; readonly message: string }
  | {
      readonly type: 'cancel-request';
      readonly by?: string | undefined;
      readonly reason?: string | undefined;
    }
  | { readonly type: 'run-pause'; readonly interruptions: readonly string[] }
  | { readonly type: 'run-resume'; readonly attempt: number }
  | {
      readonly type: 'run-end';
      readonly status: Exclude<RunStatus, 'interrupted'>;
      readonly output?: Output | undefined;
      readonly response?: string | undefined;
      readonly finishReason?: FinishReason | undefined;
      readonly stopReason?: StopReason | undefined;
      readonly error?: RunFailure | undefined;
      readonly usage: Usage;
      readonly handoffPath: readonly string[];
    };

/** A retry or a fallback inside one model call. */
export interface ModelAttempt {
  readonly provider: string;
  readonly modelId: string;
  readonly reason: string;
}

/** A durable event of the journal. */
export type RunEvent = EventBase & RunEventBody;

export type RunEventOf<T extends RunEvent['type']> = Extract<RunEvent, { readonly type: T }>;

/** One draft of an answer that is judged and rewritten. */
export type ReflectionStep = Omit<RunEventOf<'reflection'>, keyof EventBase | 'type' | 'done'>;

/**
 * Whether an event shows that a run gets further. A process that takes a run up and dies over the same call again writes
 * `run-resume` and `tool-start` each time, and no more: that is a crash loop, not progress.
 */
export function isProgress({ type }: RunEvent): boolean {
  return type !== 'run-resume' && type !== 'tool-start' && type !== 'warning';
}

/** What every delta carries: after durable event `after`, in attempt `epoch` at the present model call, the `n`th. */
export interface DeltaBase {
  readonly runId: string;
  readonly frame: string;
  readonly agent: string;
  readonly after: number;
  readonly epoch: string;
  readonly n: number;
}

export type DeltaBody =
  | { readonly type: 'turn-start'; readonly turn: number }
  | { readonly type: 'text-delta'; readonly messageId: string; readonly delta: string }
  | { readonly type: 'reasoning-delta'; readonly messageId: string; readonly delta: string }
  | {
      readonly type: 'tool-input-delta';
      readonly callId: string;
      readonly toolName: string;
      readonly delta: string;
    }
  | { readonly type: 'tool-progress'; readonly callId: string; readonly data: Json }
  /** Drops that frame's deltas of the turn in progress. */
  | { readonly type: 'void' }
  | {
      readonly type: 'model-retry';
      readonly reason: string;
      readonly attempt: number;
      readonly afterMs: number;
    }
  | {
      readonly type: 'model-fallback';
      readonly from: string;
      readonly to: string;
      readonly reason: string;
    };

/** For watchers only; never stored as an event. */
export type Delta = DeltaBase & DeltaBody;

/** What a watcher sees: durable events, and deltas between them. */
export type Watched = RunEvent | Delta;

/** Durable events have a `seq`; deltas have an `epoch`. */
export function isDurable(event: Watched): event is RunEvent {
  return 'seq' in event;
}

/** A place in what a watcher sees: after a durable event, or after the `n`th delta of an attempt behind it. */
export interface Cursor {
  readonly seq: number;
  readonly epoch?: string | undefined;
  readonly n?: number | undefined;
}

/** The cursor of an event: `<seq>` of a durable one, `<after>.<epoch>.<n>` of a delta (the id of an SSE message). */
export function cursorOf(event: Watched): string {
  return isDurable(event) ? String(event.seq) : `${event.after}.${event.epoch}.${event.n}`;
}

/** Reads a cursor; `undefined` when the text is none. */
export function parseCursor(text: string): Cursor | undefined {
  const match = /^(\d{1,15})(?:\.([A-Za-z0-9]{1,40})\.(\d{1,15}))?$/.exec(text);
  if (match === null) return undefined;
  const seq = Number(match[1]);
  return match[2] === undefined ? { seq } : { seq, epoch: match[2], n: Number(match[3]) };
}
