import { Abort, type Abortable } from './abort.ts';
import type { AgentDefinition, Toolset } from './agent-definition.ts';
import {
  errorOutcome,
  errorText,
  json,
  misfitInput,
  noSuchTool,
  unknownOutcome,
  type Outcome,
} from './call-outcome.ts';
import { AgentError, ToolCallError } from './errors.ts';
import { jsonSizeOver, toJson, wellFormed } from './json.ts';
import type { LiveRun } from './live-run.ts';
import { wellFormedParts, type Output, type Part } from './message.ts';
import { callThrough, type Middleware } from './middleware.ts';
import { validate, type Schema } from './schema.ts';
import type { CallState, FrameState } from './frame.ts';
import { ToolContent, type Tool, type ToolContext } from './tool.ts';
import { Question } from './question.ts';
import { LiveToolContext } from './tool-context.ts';
import { orAbort } from './wait.ts';

/** Runs one started call: validated input, timeout, retries, a result of bounded size. A failing tool is a result. */
export async function runCall<C>(
  live: LiveRun<C>,
  frame: FrameState,
  agent: AgentDefinition<C, unknown>,
  call: CallState,
  tools: Toolset<C>,
): Promise<Outcome> {
  const tool = tools.find(call.toolName);
  if (tool === undefined) return errorOutcome('refused', noSuchTool(call.toolName, tools));
  const known = live.validated?.get(call.callId);
  if (known !== undefined) live.validated?.delete(call.callId);
  const input = known ?? (await validate(tool.inputSchema, call.start?.input ?? call.input));
  if (!input.ok) {
    return errorOutcome(
      'invalid-input',
      misfitInput(call.toolName, call.start?.input ?? null, input.issues),
    );
  }
  const started = live.logs ? performance.now() : 0;
  const span = live.span?.child('tool', { tool: tool.name, callId: call.callId });
  let outcome: Outcome | undefined;
  for (let attempt = 0; outcome === undefined; attempt += 1) {
    const middleware = live.middlewareOf(agent);
    const mayRetry = attempt < tool.maxRetries;
    outcome = await tryCall(live, frame, call, tool, input.value, { middleware, mayRetry });
  }
  if (outcome.asks !== undefined) {
    span?.end();
    return outcome;
  }
  const { how, output, modelOutput, thrown } = outcome;
  const limit = agent.maxToolResultBytes;
  if ((jsonSizeOver(output, limit) ?? jsonSizeOver(modelOutput, limit)) !== undefined) {
    outcome = {
      ...errorOutcome(
        how,
        `${tool.name} ran, but its result is larger than ${limit} bytes and is not shown. Do not repeat it for that; ask for less at once.`,
      ),
      thrown,
    };
  }
  span?.end(outcome.isError ? { error: outcome.how } : undefined);
  if (!live.logs) return outcome;
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

/** One try; `undefined` asks for another. */
async function tryCall<C>(
  live: LiveRun<C>,
  frame: FrameState,
  call: CallState,
  tool: Tool<C>,
  input: unknown,
  {
    middleware,
    mayRetry,
  }: { readonly middleware: readonly Middleware<C>[]; readonly mayRetry: boolean },
): Promise<Outcome | undefined> {
  const clock = tool.timeoutMs === undefined ? undefined : deadline(live.abort, tool.timeoutMs);
  const abort = clock?.abort ?? live.abort;
  const context = new LiveToolContext(live, frame, call, abort);
  let value: unknown;
  try {
    const execute = (given: unknown): unknown => {
      const returned = tool.execute(given, context);
      return isAsyncGenerator(returned) ? drive(returned, context, abort) : returned;
    };
    const returned =
      middleware.length === 0
        ? execute(input)
        : callThrough(middleware, { tool, input }, context, execute);
    value = isPromiseLike(returned) ? await orAbort(returned, abort) : returned;
  } catch (error) {
    if (live.failure !== undefined) return errorOutcome('not-run', 'lost');
    const timedOut = clock?.expired === true;
    if (timedOut || live.abort.aborted) {
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
    if (
      tool.effect === 'once' &&
      AgentError.isInstance(error) &&
      error.code === 'outcome_unknown'
    ) {
      return errorOutcome('unknown-outcome', `${error.message} ${unknownOutcome(tool.name)}`);
    }
    return failedOutcome(error, tool, call, context);
  } finally {
    clock?.clear();
  }
  if (value instanceof Question) return { ...errorOutcome('not-run', 'asked'), asks: value };
  // From here on nothing is tried again.
  context.keepPatch();
  const outcome = shown(value, tool);
  return tool.outputSchema === undefined || outcome.isError
    ? outcome
    : await fitting(outcome, value, tool.outputSchema, tool);
}

/** The result of a call that ran. */
function shown<C>(value: unknown, tool: Tool<C>): Outcome {
  try {
    const { output, modelOutput } = toOutput(value, tool);
    return { output, modelOutput, isError: false, how: 'ran' };
  } catch (error) {
    return unshowable(error, tool);
  }
}

/** The same, if the value fits the tool's `outputSchema`. */
export async function fitting<C>(
  outcome: Outcome,
  value: unknown,
  schema: Schema<unknown, unknown>,
  tool: Tool<C>,
): Promise<Outcome> {
  try {
    const checked = await validate(schema, value);
    return checked.ok
      ? outcome
      : errorOutcome(
          'ran',
          `${tool.name} returned something that does not fit its outputSchema: ${checked.issues}.`,
        );
  } catch (error) {
    return unshowable(error, tool);
  }
}

function unshowable<C>(error: unknown, tool: Tool<C>): Outcome {
  return errorOutcome(
    'ran',
    `${tool.name} ran, but what it returned cannot be shown: ${errorText(error)}`,
  );
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
      return errorOutcome('ran', `${tool.name} failed: ${errorText(worse)}`);
    }
  }
  const message = `${tool.name} failed: ${errorText(error)}`;
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

/** A returned value as the journal records it, and as the model reads it. */
export function toOutput<C>(
  value: unknown,
  tool: Tool<C>,
): Pick<Outcome, 'output' | 'modelOutput'> {
  const output: Output =
    value instanceof ToolContent
      ? { type: 'content', parts: wellFormedParts(value.parts) }
      : json(toJson(value));
  if (tool.toModelOutput === undefined) return { output };
  const shown = tool.toModelOutput(value);
  return {
    output,
    modelOutput:
      typeof shown === 'string'
        ? json(wellFormed(shown))
        : { type: 'content', parts: wellFormedParts(shown) },
  };
}

/** An outcome as the model reads it: told where a person edited the input. */
export function withEditNote(call: CallState, outcome: Outcome): Outcome {
  const noted = editNote(call, outcome.modelOutput ?? outcome.output);
  return noted === undefined ? outcome : { ...outcome, modelOutput: noted };
}

/** What the model reads of a call whose input a person edited; `undefined` where nobody did. */
export function editNote(call: CallState, shown: Output): Output | undefined {
  const answer = call.interruption?.answer;
  if (answer === undefined || !('approved' in answer) || !answer.approved) return undefined;
  const { input } = answer;
  if (input === undefined) return undefined;
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
  abort: Abortable,
): Promise<unknown> {
  for (;;) {
    const step = await generator.next();
    if (step.done === true) return step.value;
    if (abort.aborted) return generator.return(undefined); // Nobody waits for it any more.
    context.progress(step.value);
  }
}

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

/** An abort that comes with `parent`'s or after `ms`. */
function deadline(parent: Abortable, ms: number) {
  const abort = new Abort();
  const onParent = () => abort.abort(parent.reason);
  if (parent.aborted) onParent();
  else parent.addEventListener('abort', onParent, { once: true });
  const clock = {
    abort,
    expired: false,
    clear() {
      clearTimeout(timer);
      parent.removeEventListener('abort', onParent);
    },
  };
  const timer = setTimeout(() => {
    clock.expired = true;
    abort.abort(new AgentError('tool_timeout', `The tool took longer than ${ms} ms.`));
  }, ms);
  return clock;
}
