import type { RunFailure } from './errors.ts';
import type {
  Compaction,
  Principal,
  ReflectionStep,
  RunLimits,
  RunStatus,
  StopReason,
  Watched,
} from './events.ts';
import type { Interruption } from './interruption.ts';
import type { Json, JsonObject } from './json.ts';
import type { Message, Part } from './message.ts';
import type { FinishReason, ModelSettings } from './model.ts';
import type { Middleware } from './middleware.ts';
import type { Hop } from './handoff.ts';
import type { HandOver } from './leaving.ts';
import type { RunHeader } from './store.ts';
import type { Usage } from './usage.ts';

/** A message as a caller writes it: ids are made by us. */
export interface InputMessage {
  readonly role: 'user' | 'assistant';
  readonly content?: string | readonly Part[] | undefined;
  readonly parts?: readonly Part[] | undefined;
  readonly id?: string | undefined;
}

/** The Python README's request object. Exactly one of `message` and `messages`. */
export interface ChatRequest {
  readonly message?: string | readonly Part[] | undefined;
  readonly messages?: readonly (InputMessage | Message)[] | undefined;
  readonly userId?: string | undefined;
  readonly sessionId?: string | undefined;
  /** Another name for `sessionId`. */
  readonly conversationId?: string | undefined;
  /** Given to instructions and tools as `requestContext`. */
  readonly context?: JsonObject | undefined;
  readonly stream?: boolean | undefined;
}

export type RunInput = string | readonly (InputMessage | Message)[] | ChatRequest;

/** Options of one run. */
export interface RunOptions<C = unknown> {
  /** The app's own context, for this process; a run that is taken up elsewhere gets the `ContextFactory`'s. */
  readonly context?: C | undefined;
  /** Cancels the run: its model call and tools are aborted and it ends `cancelled`. */
  readonly signal?: AbortSignal | undefined;
  /** When this process must let go of the run: then `run()` and `stream()` reject with code `handed_over`. */
  readonly handOver?: HandOver | undefined;
  readonly sessionId?: string | undefined;
  readonly userId?: string | undefined;
  readonly principal?: Principal | undefined;
  /** The same key and request find the same run (needs a store). Without a principal at least 32 characters. */
  readonly idempotencyKey?: string | undefined;
  readonly maxTurns?: number | undefined;
  readonly limits?: RunLimits | undefined;
  readonly toolConcurrency?: number | undefined;
  readonly modelSettings?: ModelSettings | undefined;
  /** Instead of the runner's. */
  readonly compaction?: Compaction | undefined;
  /** Around the model calls and tool calls of this run, in this process. */
  readonly middleware?: readonly Middleware<C>[] | undefined;
  readonly traceparent?: string | undefined;
}

/** Options that are required exactly when a context is. */
export type ContextArgument<C, Options> = unknown extends C
  ? [options?: Options]
  : [options: Options & { readonly context: C }];

/** The settled call of a tool, as an answer lists it. */
export interface ToolCallResult {
  readonly callId: string;
  readonly tool: string;
  readonly arguments: Json;
  readonly result: Json;
  readonly isError: boolean;
}

/** The drafts of an answer, and which was kept. */
export interface Reflection {
  /** Of the answer that was kept, 0 to 1; `undefined` where nobody could judge it. */
  readonly score: number | undefined;
  /** Rewrites. */
  readonly iterations: number;
  readonly history: readonly ReflectionStep[];
  /** Why judging or rewriting stopped early. */
  readonly error?: RunFailure | undefined;
}

interface RunResultBase<O> {
  readonly runId: string;
  readonly sessionId: string | undefined;
  /** Another name for `sessionId`. */
  readonly conversationId: string | undefined;
  /** The agent the run started with. */
  readonly agent: string;
  readonly lastAgent: string;
  /** The answer as text; empty where there is none. */
  readonly response: string;
  /** Every agent that had the word, in order. */
  readonly handoffPath: readonly string[];
  /** The handoffs, with their reasons. */
  readonly hops: readonly Hop[];
  /** How the answer was judged and rewritten, where a `ReflectionAgent` gave it. */
  readonly reflection: Reflection | undefined;
  /** What this run added to the conversation, its input included. */
  readonly newMessages: readonly Message[];
  /** The conversation with what this run added. */
  readonly messages: readonly Message[];
  readonly toolResults: readonly ToolCallResult[];
  readonly usage: Usage;
  readonly finishReason: FinishReason | undefined;
  readonly error: RunFailure | undefined;
  /** The request's `context` object. */
  readonly context: JsonObject;
  /** When the result was made, milliseconds since 1970: the time of the last durable event. */
  readonly at: number;
  /** The output, or a `RunIncompleteError`: for scripts that want one line. */
  orThrow(): O;
  /** The answer as the HTTP API words it (snake_case). */
  toJSON(): JsonObject;
}

/** How a run ended, or where it waits. `finalOutput` is there after the check of `status`. */
export type RunResult<O = string> =
  | (RunResultBase<O> & {
      readonly status: 'completed';
      readonly finalOutput: O;
      readonly interruptions: readonly [];
      readonly stopReason?: undefined;
    })
  | (RunResultBase<O> & {
      readonly status: 'interrupted';
      readonly finalOutput: undefined;
      readonly interruptions: readonly Interruption[];
      readonly stopReason?: undefined;
    })
  | (RunResultBase<O> & {
      readonly status: 'stopped';
      readonly finalOutput: undefined;
      readonly stopReason: StopReason;
      readonly interruptions: readonly [];
    })
  | (RunResultBase<O> & {
      readonly status: 'cancelled' | 'failed';
      readonly finalOutput: undefined;
      readonly interruptions: readonly [];
      readonly stopReason?: undefined;
    });

/** A run as it happens: iterate it for events, await `result`. Leaving the loop cancels the run. */
export interface RunStream<O = string> extends AsyncIterable<Watched> {
  /** Of a run with an idempotency key: its id once `started` has resolved. */
  readonly runId: string;
  /** Settles when the run ends or pauses. Observed from the start: an unread failure harms nobody. */
  readonly result: Promise<RunResult<O>>;
  /** The text as it is produced. @throws AgentError `text_withdrawn` when text it gave is voided and no `onRestart` was passed. */
  textStream(options?: { readonly onRestart?: (() => void) | undefined }): AsyncIterable<string>;
  /** Resolves when the run is recorded and will run; rejects, with nothing started, when it cannot be (a busy session …). */
  readonly started: Promise<RunHeader>;
  /** From now on, leaving the loop leaves the run running. */
  detach(): void;
  cancel(reason?: string): void;
}

/** What one `step()` did. */
export interface StepResult {
  readonly status: 'running' | RunStatus;
  readonly interruptions: readonly Interruption[];
  /** The last durable event's number. */
  readonly seq: number;
}
