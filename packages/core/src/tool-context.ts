import type { Abort } from './abort.ts';
import { UserError } from './errors.ts';
import { idempotencyKeyOf } from './ids.ts';
import { toJson, type Json, type JsonObject } from './json.ts';
import type { LiveRun } from './live-run.ts';
import type { Message } from './message.ts';
import type { CallState, FrameState } from './frame.ts';
import type { RunContext } from './run-context.ts';
import { checkPatch, patched } from './session-state.ts';
import type { ToolContext } from './tool.ts';
import type { Usage } from './usage.ts';

/** What one call of a tool knows of its run. */
export class LiveToolContext<C> implements ToolContext<C> {
  readonly context: C;
  readonly callId: string;
  readonly toolName: string;
  readonly idempotencyKey: string;
  readonly lastCheckpoint: Json | undefined;
  readonly answer: Json | undefined;
  readonly #abort: Abort;
  readonly #live: LiveRun<C>;
  readonly #frame: FrameState;
  readonly #call: CallState;
  readonly #run: RunContext<C>;
  #patch: JsonObject | undefined;

  constructor(live: LiveRun<C>, frame: FrameState, call: CallState, abort: Abort) {
    this.context = live.context;
    this.callId = call.callId;
    this.toolName = call.toolName;
    this.idempotencyKey = idempotencyKeyOf(live.state.runId, call.callId);
    this.#abort = abort;
    this.lastCheckpoint = call.checkpoint;
    const { interruption } = call;
    const answer = interruption?.asked.kind === 'input' ? interruption.answer : undefined;
    this.answer = answer !== undefined && 'answer' in answer ? answer.answer : undefined;
    this.#live = live;
    this.#frame = frame;
    this.#call = call;
    this.#run = live.contextOf(frame);
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }
  get runId(): string {
    return this.#run.runId;
  }
  get sessionId(): string | undefined {
    return this.#run.sessionId;
  }
  get userId(): string | undefined {
    return this.#run.userId;
  }
  get requestContext(): JsonObject {
    return this.#run.requestContext;
  }
  get sessionState(): JsonObject {
    const { sessionState } = this.#run;
    return this.#patch === undefined ? sessionState : patched(sessionState, this.#patch);
  }
  get usage(): Usage {
    return this.#run.usage;
  }
  get agentPath(): readonly string[] {
    return this.#run.agentPath;
  }
  get messages(): readonly Message[] {
    return this.#frame.messages.slice();
  }

  // Fields, so that `({ progress }) => progress(…)` works.
  readonly progress = (data: unknown): void => {
    if (this.#abort.aborted || this.#call.settled) return;
    this.#live.emit(this.#frame, {
      type: 'tool-progress',
      callId: this.callId,
      data: toJson(data),
    });
  };
  readonly warn = (code: string, message: string): void => {
    if (!this.#call.settled) this.#live.warn(this.#frame, code, message);
  };
  readonly checkpoint = async (data: unknown): Promise<void> => {
    this.#abort.throwIfAborted();
    if (this.#call.settled) {
      throw new UserError(
        `${this.toolName} records a checkpoint after its result. Await checkpoint() before you return.`,
      );
    }
    this.#live.stage(this.#frame, {
      type: 'tool-checkpoint',
      callId: this.callId,
      data: toJson(data),
    });
    await this.#live.journal.flush();
  };
  readonly updateSessionState = (patch: object): void => {
    this.#abort.throwIfAborted();
    if (this.#call.settled) {
      throw new UserError(
        `${this.toolName} changes the session's state after its result. Do so before you return.`,
      );
    }
    this.#patch = { ...this.#patch, ...checkPatch(patch, this.sessionState) };
  };

  /** The tool has returned: what it set counts with its result. */
  keepPatch(): void {
    if (this.#patch === undefined) return;
    (this.#live.patches ??= new Map()).set(this.callId, this.#patch);
  }
}
