import type { AgentDefinition, Toolset } from './agent-definition.ts';
import { AgentError, ToolCallError } from './errors.ts';
import type { Settlement } from './events.ts';
import { idempotencyKeyOf } from './ids.ts';
import {
  canonicalJson,
  jsonSizeOver,
  sha256Hex,
  toJson,
  type Json,
  type JsonObject,
} from './json.ts';
import type { LiveRun } from './live-run.ts';
import type { Message, Output, Part } from './message.ts';
import { toolsOf } from './model-call.ts';
import { validate } from './schema.ts';
import type { CallState, FrameState } from './state.ts';
import { repeatable } from './step.ts';
import { ToolContent, type Effect, type RunContext, type Tool, type ToolContext } from './tool.ts';
import type { Usage } from './usage.ts';
import { orAbort } from './wait.ts';

/** One turn's calls: what the loop hands to each of the functions below. */
interface Turn<C> {
  readonly live: LiveRun<C>;
  readonly frame: FrameState;
  readonly agent: AgentDefinition<C, unknown>;
  readonly calls: readonly CallState[];
}

/**
 * Looks at calls that the model just made: unknown tools and misfit input become results the model can read, calls that
 * need an approval become interruptions, the others are started. Everything is staged before anything runs.
 */
export async function judgeCalls<C>({ live, frame, agent, calls }: Turn<C>): Promise<void> {
  const tools = await toolsOf(live, frame, agent);
  const ready: { readonly call: CallState; readonly tool: Tool<C>; readonly input: unknown }[] = [];
  for (const call of calls) {
    const tool = tools.find(call.toolName);
    if (tool === undefined) {
      settleWithError(live, frame, call, 'refused', noSuchTool(call.toolName, tools));
      continue;
    }
    const input = await validate(tool.inputSchema, call.input);
    if (input.ok) ready.push({ call, tool, input: input.value });
    else {
      settleWithError(
        live,
        frame,
        call,
        'invalid-input',
        misfitInput(call.toolName, call.input, input.issues),
      );
    }
  }
  const judged = ready.some(({ tool }) => typeof tool.needsApproval === 'function');
  if (judged) await live.journal.flush();
  const context = live.contextOf(frame);
  const verdicts = await Promise.all(
    ready.map(async ({ tool, input, call }) => {
      if (typeof tool.needsApproval === 'boolean') return tool.needsApproval;
      try {
        return await tool.needsApproval(input, context);
      } catch (error) {
        // Nobody knows whether it may run, so it does not.
        settleWithError(
          live,
          frame,
          call,
          'refused',
          `${call.toolName} was not run: its approval check failed (${textOf(error)}).`,
        );
        return undefined;
      }
    }),
  );
  live.throwIfLost();
  for (const [index, { call, tool, input }] of ready.entries()) {
    const asks = verdicts[index];
    if (asks === undefined) continue;
    if (asks) await askForApproval(live, frame, call, tool);
    else {
      live.validated.set(call.callId, input);
      startCall(live, frame, call, tool.effect, call.input);
    }
  }
}

/** Goes on with calls whose interruption was answered: starts them, or settles them. */
export async function followDecisions<C>({ live, frame, agent, calls }: Turn<C>): Promise<void> {
  const tools = await toolsOf(live, frame, agent);
  for (const call of calls) {
    const answer = call.interruption?.answer;
    if (answer === undefined) continue;
    if ('approved' in answer) {
      if (!answer.approved) {
        settleWithError(
          live,
          frame,
          call,
          'rejected',
          answer.message ?? `${call.toolName} was not run: the approval was refused.`,
        );
      } else {
        const input = answer.input ?? call.input;
        const tool = tools.find(call.toolName);
        if (tool === undefined) {
          settleWithError(live, frame, call, 'refused', noSuchTool(call.toolName, tools));
          continue;
        }
        const checked = await validate(tool.inputSchema, input);
        if (checked.ok) {
          live.validated.set(call.callId, checked.value);
          startCall(live, frame, call, tool.effect, input);
        } else {
          settleWithError(
            live,
            frame,
            call,
            'invalid-input',
            misfitInput(call.toolName, input, checked.issues),
          );
        }
      }
    } else if ('outcome' in answer) {
      if (answer.outcome === 'done')
        settle(live, frame, call, {
          output: json(answer.output),
          isError: false,
          how: 'reconciled',
        });
      else if (answer.outcome === 'failed') {
        settleWithError(
          live,
          frame,
          call,
          'reconciled',
          answer.message ?? `${call.toolName} failed.`,
        );
      } else startAgain(live, frame, call, false);
    } else settle(live, frame, call, { output: json(answer.answer), isError: false, how: 'ran' });
  }
}

/**
 * Calls that a former holder started and did not settle (journal.md, Tools and repeats): `read` and `idempotent` run
 * again; a `once` call is looked up by its `reconcile`, else the model or a person is told that its outcome is unknown.
 */
export async function recoverCalls<C>({ live, frame, agent, calls }: Turn<C>): Promise<void> {
  const tools = await toolsOf(live, frame, agent);
  await live.journal.flush();
  for (const call of calls) {
    const tool = tools.find(call.toolName);
    const effect = call.start?.effect ?? 'once';
    if (tool === undefined) {
      settleWithError(
        live,
        frame,
        call,
        'unknown-outcome',
        repeatable(effect) ? noSuchTool(call.toolName, tools) : unknownOutcome(call.toolName),
      );
    } else if (repeatable(effect)) startAgain(live, frame, call, false);
    else await recoverOnce(live, frame, call, tool);
  }
}

async function recoverOnce<C>(
  live: LiveRun<C>,
  frame: FrameState,
  call: CallState,
  tool: Tool<C>,
): Promise<void> {
  if (tool.reconcile !== undefined) {
    try {
      const input = await validate(tool.inputSchema, call.start?.input ?? call.input);
      if (input.ok) {
        const context = new LiveToolContext(live, frame, call, live.signal);
        const found = await orAbort(tool.reconcile(input.value, context), live.signal);
        if (found.done)
          settle(live, frame, call, {
            ...toOutput(found.output, tool),
            isError: false,
            how: 'reconciled',
          });
        else startAgain(live, frame, call, true);
        return;
      }
    } catch (error) {
      live.throwIfLost();
      live.log('warn', 'reconcile failed', {
        tool: call.toolName,
        callId: call.callId,
        error: textOf(error),
      });
    }
  }
  if (tool.onAmbiguous === 'report') {
    settleWithError(live, frame, call, 'unknown-outcome', unknownOutcome(call.toolName));
    return;
  }
  const asked = [...live.state.interruptions.keys()].filter((id) =>
    id.startsWith(`${call.callId}.ambiguous`),
  );
  live.stage(frame, {
    type: 'interruption',
    interruption: {
      id: `${call.callId}.ambiguous${asked.length === 0 ? '' : asked.length + 1}`,
      kind: 'ambiguous',
      frame: frame.id,
      agent: frame.agent,
      callId: call.callId,
      toolName: call.toolName,
      input: call.start?.input ?? call.input,
      schema: ambiguousSchema,
      message: `${call.toolName} was interrupted and may or may not have happened. Check, then say: it happened with this result, run it again, or it failed.`,
    },
  });
}

/** Runs started calls side by side, in call order, at most `toolConcurrency` at once; each is recorded as it settles. */
export async function runCalls<C>({ live, frame, agent, calls }: Turn<C>): Promise<void> {
  const tools = await toolsOf(live, frame, agent);
  await live.journal.flush();
  await live.lease?.ensureThird();
  const limit = Math.max(1, live.state.options.toolConcurrency ?? agent.toolConcurrency);
  let next = 0;
  let thrown: ToolCallError | undefined;
  const work = async (): Promise<void> => {
    for (;;) {
      const call = calls[next];
      next += 1;
      if (call === undefined || live.failure !== undefined) return;
      if (live.signal.aborted) {
        // Its start is recorded, but this process knows that it never ran.
        settleWithError(
          live,
          frame,
          call,
          'not-run',
          `${call.toolName} was not run: the run ended before.`,
        );
        continue;
      }
      const outcome = await runCall(live, frame, agent, call, tools);
      if (live.failure !== undefined) return;
      settle(live, frame, call, outcome);
      thrown ??= outcome.thrown;
      // The last one is written with what comes next.
      if (calls.some((one) => !one.settled)) live.flushSoon();
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, calls.length) }, work));
  live.throwIfLost();
  if (thrown !== undefined) throw thrown;
}

/** Settles whatever a cancel, a limit or a failure left open: what was started may have happened, the rest was not run. */
export function settleRest<C>(live: LiveRun<C>): void {
  for (const frame of live.state.frames.values()) {
    for (const call of frame.calls) {
      if (call.settled) continue;
      if (call.start !== undefined && !repeatable(call.start.effect)) {
        settleWithError(live, frame, call, 'unknown-outcome', unknownOutcome(call.toolName));
      } else
        settleWithError(
          live,
          frame,
          call,
          'not-run',
          `${call.toolName} was not run: the run ended before.`,
        );
    }
  }
}

interface Outcome {
  readonly output: Output;
  readonly modelOutput?: Output | undefined;
  readonly isError: boolean;
  readonly how: Settlement;
  /** Ends the run (`onError: 'throw'`). */
  readonly thrown?: ToolCallError | undefined;
}

async function runCall<C>(
  live: LiveRun<C>,
  frame: FrameState,
  agent: AgentDefinition<C, unknown>,
  call: CallState,
  tools: Toolset<C>,
): Promise<Outcome> {
  const tool = tools.find(call.toolName);
  if (tool === undefined) return errorOutcome('refused', noSuchTool(call.toolName, tools));
  const input = await inputOf(live, call, tool);
  if (!input.ok) {
    return errorOutcome(
      'invalid-input',
      misfitInput(call.toolName, call.start?.input ?? null, input.issues),
    );
  }
  const started = performance.now();
  const span = live.span?.child('tool', { tool: tool.name, callId: call.callId });
  let outcome: Outcome | undefined;
  for (let attempt = 0; outcome === undefined; attempt += 1) {
    outcome = await tryCall(live, frame, call, tool, input.value, attempt < tool.maxRetries);
  }
  const size = jsonSizeOver(outcome.output, agent.maxToolResultBytes);
  if (size !== undefined) {
    outcome = errorOutcome(
      outcome.how,
      `The result of ${tool.name} is larger than ${agent.maxToolResultBytes} bytes. Ask for less at once.`,
    );
  }
  const edited = call.interruption?.answer;
  if (
    edited !== undefined &&
    'approved' in edited &&
    edited.approved &&
    edited.input !== undefined
  ) {
    outcome = { ...outcome, modelOutput: withNote(outcome, edited.input) };
  }
  span?.end(outcome.isError ? { error: outcome.how } : undefined);
  live.log('debug', 'tool', {
    agent: frame.agent,
    turn: frame.turn,
    tool: tool.name,
    callId: call.callId,
    ms: Math.round(performance.now() - started),
    ...(outcome.isError ? { isError: true } : {}),
  });
  return outcome;
}

async function inputOf<C>(live: LiveRun<C>, call: CallState, tool: Tool<C>) {
  if (live.validated.has(call.callId)) {
    const value = live.validated.get(call.callId);
    live.validated.delete(call.callId);
    return { ok: true, value } as const;
  }
  return validate(tool.inputSchema, call.start?.input ?? call.input);
}

/** One try; `undefined` asks for another. */
async function tryCall<C>(
  live: LiveRun<C>,
  frame: FrameState,
  call: CallState,
  tool: Tool<C>,
  input: unknown,
  mayRetry: boolean,
): Promise<Outcome | undefined> {
  const clock = tool.timeoutMs === undefined ? undefined : deadline(live.signal, tool.timeoutMs);
  const signal = clock?.signal ?? live.signal;
  const context = new LiveToolContext(live, frame, call, signal);
  try {
    const returned = tool.execute(input, context);
    const value = isAsyncGenerator(returned)
      ? await orAbort(drive(returned, context), signal)
      : isPromiseLike(returned)
        ? await orAbort(returned, signal)
        : returned;
    const made = toOutput(value, tool);
    if (tool.outputSchema !== undefined) {
      const checked = await validate(tool.outputSchema, value);
      if (!checked.ok) {
        return errorOutcome(
          'ran',
          `${tool.name} returned something that does not fit its outputSchema: ${checked.issues}.`,
        );
      }
    }
    return { ...made, isError: false, how: 'ran' };
  } catch (error) {
    if (live.failure !== undefined) return errorOutcome('not-run', 'lost');
    const timedOut = clock?.expired === true;
    if (timedOut || live.signal.aborted) {
      const what = timedOut
        ? `${tool.name} took longer than ${tool.timeoutMs} ms.`
        : `${tool.name} was stopped.`;
      return tool.effect === 'once'
        ? errorOutcome('unknown-outcome', `${what} ${unknownOutcome(tool.name)}`)
        : timedOut && mayRetry
          ? undefined
          : errorOutcome('ran', what);
    }
    if (mayRetry) return undefined;
    return failedOutcome(error, tool, call, context);
  } finally {
    clock?.clear();
  }
}

function failedOutcome<C>(
  error: unknown,
  tool: Tool<C>,
  call: CallState,
  context: ToolContext<C>,
): Outcome {
  if (typeof tool.onError === 'function') {
    try {
      return errorOutcome('ran', tool.onError(error, context));
    } catch (worse) {
      return errorOutcome('ran', `${tool.name} failed: ${textOf(worse)}`);
    }
  }
  const message = `${tool.name} failed: ${textOf(error)}`;
  return {
    ...errorOutcome('ran', message),
    ...(tool.onError === 'throw'
      ? {
          thrown: new ToolCallError(message, {
            toolName: tool.name,
            callId: call.callId,
            cause: error,
          }),
        }
      : {}),
  };
}

function toOutput<C>(value: unknown, tool: Tool<C>): Pick<Outcome, 'output' | 'modelOutput'> {
  const output: Output =
    value instanceof ToolContent ? { type: 'content', parts: value.parts } : json(toJson(value));
  if (tool.toModelOutput === undefined) return { output };
  const shown = tool.toModelOutput(value);
  return {
    output,
    modelOutput: typeof shown === 'string' ? json(shown) : { type: 'content', parts: shown },
  };
}

function withNote(outcome: Outcome, input: Json): Output {
  const shown = outcome.modelOutput ?? outcome.output;
  const note: Part = {
    type: 'text',
    text: `(The input was edited before it ran: ${JSON.stringify(input)})`,
  };
  const parts: readonly Part[] =
    shown.type === 'content'
      ? shown.parts
      : [
          {
            type: 'text',
            text: typeof shown.value === 'string' ? shown.value : JSON.stringify(shown.value),
          },
        ];
  return { type: 'content', parts: [note, ...parts] };
}

async function drive<C>(
  generator: AsyncGenerator<unknown, unknown>,
  context: ToolContext<C>,
): Promise<unknown> {
  for (;;) {
    const step = await generator.next();
    if (step.done === true) return step.value;
    context.progress(step.value);
  }
}

async function askForApproval<C>(
  live: LiveRun<C>,
  frame: FrameState,
  call: CallState,
  tool: Tool<C>,
): Promise<void> {
  const expiresAt =
    tool.approvalTimeoutMs === undefined || live.store === undefined
      ? undefined
      : (await live.store.now()) + tool.approvalTimeoutMs;
  live.stage(frame, {
    type: 'interruption',
    interruption: {
      id: `${call.callId}.approval`,
      kind: 'approval',
      frame: frame.id,
      agent: frame.agent,
      callId: call.callId,
      toolName: call.toolName,
      input: call.input,
      inputHash: await sha256Hex(canonicalJson(call.input)),
      schema: approvalSchema,
      ...(expiresAt === undefined ? {} : { expiresAt }),
    },
  });
}

function startCall<C>(
  live: LiveRun<C>,
  frame: FrameState,
  call: CallState,
  effect: Effect,
  input: Json,
): void {
  live.stage(frame, {
    type: 'tool-start',
    callId: call.callId,
    toolName: call.toolName,
    input,
    effect,
    idempotencyKey: idempotencyKeyOf(live.state.runId, call.callId),
  });
}

function startAgain<C>(
  live: LiveRun<C>,
  frame: FrameState,
  call: CallState,
  reconciled: boolean,
): void {
  live.stage(frame, {
    type: 'tool-start',
    callId: call.callId,
    toolName: call.toolName,
    input: call.start?.input ?? call.input,
    effect: call.start?.effect ?? 'once',
    idempotencyKey: idempotencyKeyOf(live.state.runId, call.callId),
    ...(reconciled ? { reconciled } : {}),
  });
}

function settle<C>(live: LiveRun<C>, frame: FrameState, call: CallState, outcome: Outcome): void {
  if (call.settled) return;
  live.stage(frame, {
    type: 'tool-result',
    callId: call.callId,
    toolName: call.toolName,
    output: outcome.output,
    isError: outcome.isError,
    how: outcome.how,
    ...(outcome.modelOutput === undefined ? {} : { modelOutput: outcome.modelOutput }),
  });
}

function settleWithError<C>(
  live: LiveRun<C>,
  frame: FrameState,
  call: CallState,
  how: Settlement,
  message: string,
): void {
  settle(live, frame, call, errorOutcome(how, message));
}

function errorOutcome(how: Settlement, message: string): Outcome {
  return { output: json(message), isError: true, how };
}

function json(value: Json): Output {
  return { type: 'json', value };
}

function noSuchTool(name: string, tools: { readonly names: readonly string[] }): string {
  return `There is no tool named ${JSON.stringify(name)}. ${tools.names.length === 0 ? 'There are no tools; answer without.' : `Tools: ${tools.names.join(', ')}.`}`;
}

function misfitInput(name: string, input: Json, issues: string): string {
  return typeof input === 'string'
    ? `The arguments of ${name} are not valid JSON: ${JSON.stringify(input.slice(0, 200))}. Send one JSON object.`
    : `The arguments of ${name} do not fit: ${issues}. Correct them and call again.`;
}

function unknownOutcome(name: string): string {
  return `Nobody knows whether ${name} happened: it was interrupted. Check before you call it again; do not simply repeat it.`;
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

const approvalSchema: JsonObject = {
  oneOf: [
    {
      type: 'object',
      properties: { approved: { const: true }, input: { type: 'object' } },
      required: ['approved'],
    },
    {
      type: 'object',
      properties: { approved: { const: false }, message: { type: 'string' } },
      required: ['approved'],
    },
  ],
};

const ambiguousSchema: JsonObject = {
  oneOf: [
    {
      type: 'object',
      properties: { outcome: { const: 'done' }, output: {} },
      required: ['outcome', 'output'],
    },
    { type: 'object', properties: { outcome: { const: 'not-done' } }, required: ['outcome'] },
    {
      type: 'object',
      properties: { outcome: { const: 'failed' }, message: { type: 'string' } },
      required: ['outcome'],
    },
  ],
};

function isAsyncGenerator(value: unknown): value is AsyncGenerator<unknown, unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    Symbol.asyncIterator in value &&
    'next' in value &&
    typeof value.next === 'function'
  );
}

function isPromiseLike(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    'then' in value &&
    typeof value.then === 'function'
  );
}

/** A signal that fires with `parent` or after `ms`. */
function deadline(parent: AbortSignal, ms: number) {
  const controller = new AbortController();
  const onParent = () => controller.abort(parent.reason);
  if (parent.aborted) onParent();
  else parent.addEventListener('abort', onParent, { once: true });
  const clock = {
    signal: controller.signal,
    expired: false,
    clear() {
      clearTimeout(timer);
      parent.removeEventListener('abort', onParent);
    },
  };
  const timer = setTimeout(() => {
    clock.expired = true;
    controller.abort(new AgentError('tool_timeout', `The tool took longer than ${ms} ms.`));
  }, ms);
  return clock;
}

class LiveToolContext<C> implements ToolContext<C> {
  readonly context: C;
  readonly callId: string;
  readonly toolName: string;
  readonly idempotencyKey: string;
  readonly signal: AbortSignal;
  readonly lastCheckpoint: Json | undefined;
  readonly #live: LiveRun<C>;
  readonly #frame: FrameState;
  readonly #run: RunContext<C>;

  constructor(live: LiveRun<C>, frame: FrameState, call: CallState, signal: AbortSignal) {
    this.context = live.context;
    this.callId = call.callId;
    this.toolName = call.toolName;
    this.idempotencyKey = idempotencyKeyOf(live.state.runId, call.callId);
    this.signal = signal;
    this.lastCheckpoint = call.checkpoint;
    this.#live = live;
    this.#frame = frame;
    this.#run = live.contextOf(frame);
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
    if (this.signal.aborted) return;
    this.#live.emit(this.#frame, {
      type: 'tool-progress',
      callId: this.callId,
      data: toJson(data),
    });
  };
  readonly checkpoint = async (data: unknown): Promise<void> => {
    this.signal.throwIfAborted();
    this.#live.stage(this.#frame, {
      type: 'tool-checkpoint',
      callId: this.callId,
      data: toJson(data),
    });
    await this.#live.journal.flush();
  };
}
