import type { AgentDefinition } from './agent-definition.ts';
import { RunIncompleteError } from './errors.ts';
import type { Interruption } from './interruption.ts';
import type { JsonObject } from './json.ts';
import { outputText, type Output } from './message.ts';
import {
  publicFailure,
  publicInterruption,
  publicReflection,
  publicUsage,
} from './public-event.ts';
import type { Reflection, RunResult } from './run-result.ts';
import { validate } from './schema.ts';
import { answerer } from './frame.ts';
import { openInterruptions, usageOf, type RunState } from './state.ts';

/** The result of a run that has ended or waits, from its state alone. */
export async function toResult<O>(
  state: RunState,
  agent: AgentDefinition<never, O> | undefined,
): Promise<RunResult<O>> {
  const { end } = state;
  const status = end?.status ?? 'interrupted';
  const finalOutput =
    end?.status === 'completed' ? await readFinal<O>(end.output, agent) : undefined;
  return new Result<O>(state, finalOutput, status) as unknown as RunResult<O>;
}

// The journal holds what the model wrote; the schema makes the typed value of it, as it did when the run ended.
async function readFinal<O>(
  output: Output | undefined,
  agent: AgentDefinition<never, O> | undefined,
): Promise<unknown> {
  if (output === undefined) return undefined;
  if (output.type === 'content') return outputText(output);
  if (agent?.outputType === undefined) return output.value;
  const checked = await validate(agent.outputType, output.value);
  return checked.ok ? checked.value : output.value;
}

class Result<O> {
  readonly status: RunResult<O>['status'];
  readonly finalOutput: unknown;
  readonly interruptions: readonly Interruption[];
  readonly #state: RunState;

  constructor(state: RunState, finalOutput: unknown, status: RunResult<O>['status']) {
    this.#state = state;
    this.status = status;
    this.finalOutput = finalOutput;
    this.interruptions = openInterruptions(state);
  }

  get runId() {
    return this.#state.runId;
  }
  get sessionId() {
    return this.#state.sessionId;
  }
  get conversationId() {
    return this.#state.sessionId;
  }
  get agent() {
    return this.#state.handoffPath[0] ?? '';
  }
  get lastAgent() {
    const root = this.#state.frames.values().next().value;
    return root === undefined ? '' : answerer(root).agent;
  }
  get response() {
    return this.#state.end?.response ?? '';
  }
  get handoffPath() {
    return this.#state.end?.handoffPath ?? this.#state.handoffPath;
  }
  get hops() {
    return this.#state.hops;
  }
  get reflection(): Reflection | undefined {
    const root = this.#state.frames.values().next().value;
    const reflection = root === undefined ? undefined : answerer(root).reflection;
    if (reflection === undefined) return undefined;
    const { history, best } = reflection;
    const error = history.at(-1)?.error;
    return {
      score: best?.score,
      iterations: history.length - 1,
      history: history.slice(),
      ...(error === undefined ? {} : { error }),
    };
  }
  get newMessages() {
    return this.#state.newMessages;
  }
  get messages() {
    return [...(this.#state.keptBase ?? this.#state.base), ...this.#state.newMessages];
  }
  get toolResults() {
    return this.#state.toolResults;
  }
  get usage() {
    return this.#state.end?.usage ?? usageOf(this.#state);
  }
  get finishReason() {
    return this.#state.end?.finishReason;
  }
  get stopReason() {
    return this.#state.end?.stopReason;
  }
  get error() {
    return this.#state.end?.error;
  }
  get context() {
    return this.#state.requestContext;
  }
  get at() {
    return this.#state.lastAt;
  }

  orThrow(): O {
    if (this.status === 'completed') return this.finalOutput as O;
    const { status, error, stopReason } = this;
    throw new RunIncompleteError(
      status === 'interrupted'
        ? `Run ${this.runId} waits for ${this.interruptions.length} answer(s): resume it with decisions.`
        : `Run ${this.runId} ended ${status}${error === undefined ? '' : ` (${error.code}): ${error.message}`}${stopReason === undefined ? '' : ` (${stopReason})`}`,
      { status, stopReason, failure: error, runId: this.runId },
    );
  }

  toJSON(): JsonObject {
    return {
      status: this.status,
      agent: this.agent,
      response: this.response,
      ...(this.#state.end?.output?.type === 'json' && this.response !== this.#state.end.output.value
        ? { output: this.#state.end.output.value }
        : {}),
      ...(this.interruptions.length === 0
        ? {}
        : { interruptions: this.interruptions.map(publicInterruption) }),
      ...(this.stopReason === undefined ? {} : { stop_reason: this.stopReason }),
      ...(this.error === undefined ? {} : { error: publicFailure(this.error) }),
      handoff_path: [...this.handoffPath],
      hops: this.hops.map(({ from, to, primitive, reason }) => ({
        from,
        to,
        primitive,
        ...(reason === undefined ? {} : { reason }),
      })),
      ...(this.sessionId === undefined
        ? {}
        : { session_id: this.sessionId, conversation_id: this.sessionId }),
      run_id: this.runId,
      tool_results: this.toolResults.map((one) => ({
        call_id: one.callId,
        tool: one.tool,
        arguments: one.arguments,
        result: one.result,
        is_error: one.isError,
      })),
      usage: publicUsage(this.usage),
      ...(this.reflection === undefined ? {} : { reflection: publicReflection(this.reflection) }),
      ...(this.finishReason === undefined ? {} : { finish_reason: this.finishReason }),
      context: this.context,
      timestamp: new Date(this.at).toISOString(),
    };
  }
}
