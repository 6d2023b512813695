import type { AgentDefinition } from './agent-definition.ts';
import { readJson } from './ask-aside.ts';
import { endFrame, endRun, failFrame, worksForAnother } from './ending.ts';
import type { RunFailure } from './errors.ts';
import type { LiveRun } from './live-run.ts';
import { outputText, textOf, type Message, type Output } from './message.ts';
import { validate } from './schema.ts';
import { answerer, heir, type FrameState } from './state.ts';
import { orAbort } from './wait.ts';

/** A frame's answer: its output, and how it reads. */
interface Answer {
  readonly response: string;
  readonly output: Output;
}

/** Ends a frame with its answer, its heir's or its own last message, or has it asked again; `true` when the run has ended. */
export async function answer<C>(
  live: LiveRun<C>,
  frame: FrameState,
  agent: AgentDefinition<C, unknown>,
): Promise<boolean> {
  const child = heir(frame);
  if (child !== undefined) return conclude(live, frame, child);
  const { last } = frame;
  if (last === undefined) return false;
  const failure = answerFailure(last.message, last.finishReason);
  if (failure !== undefined) return fail(live, frame, failure);
  const read = await readOutput(last.message, agent);
  if (!read.ok) return askAgain(live, frame, agent, 'invalid-output', read.issues);
  return give(live, frame, { response: textOf(last.message), output: read.output });
}

/** Ends a frame as the one that answered for it ended. */
export async function conclude<C>(
  live: LiveRun<C>,
  frame: FrameState,
  { output, error }: Pick<FrameState, 'output' | 'error'>,
): Promise<boolean> {
  if (output === undefined) {
    const none: RunFailure = { code: 'model_behavior', message: `${frame.agent} has no answer.` };
    return fail(live, frame, error ?? none);
  }
  const { last } = answerer(frame);
  const response = last === undefined ? outputText(output) : textOf(last.message);
  return give(live, frame, { response: response === '' ? outputText(output) : response, output });
}

/** The frame gave no answer; `true` when that ends the run. */
export async function fail<C>(
  live: LiveRun<C>,
  frame: FrameState,
  error: RunFailure,
): Promise<boolean> {
  if (worksForAnother(frame)) {
    failFrame(live, frame, error);
    return false;
  }
  await endRun(live, { status: 'failed', error });
  return true;
}

/** Has the model answer again, told what was wrong; too often, and the frame fails. */
async function askAgain<C>(
  live: LiveRun<C>,
  frame: FrameState,
  agent: AgentDefinition<C, unknown>,
  code: 'invalid-output',
  issues: string,
): Promise<boolean> {
  if (frame.outputRetries >= agent.maxOutputRetries) {
    return fail(live, frame, {
      code: agent.outputType === undefined ? 'model_behavior' : 'invalid_output',
      message: `${frame.agent} gave no usable answer in ${frame.outputRetries + 1} tries: ${issues}`,
    });
  }
  live.stage(frame, { type: 'warning', code, message: issues });
  return false;
}

async function give<C>(live: LiveRun<C>, frame: FrameState, given: Answer): Promise<boolean> {
  if (frame.parent !== undefined) {
    endFrame(live, frame, given.output);
    return false;
  }
  let answered = given;
  const { afterRun } = live.around.agent(live.state.entryAgent) ?? {};
  if (afterRun !== undefined) {
    const changed = Promise.resolve(afterRun(answered, live.contextOf(frame)));
    answered = { ...answered, ...(await orAbort(changed, live.abort)) };
  }
  live.abort.throwIfAborted(); // A cancel that came meanwhile wins.
  live.stage(frame, { type: 'frame-end', output: answered.output });
  await endRun(live, { status: 'completed', ...answered });
  return true;
}

function answerFailure(message: Message, finishReason: string): RunFailure | undefined {
  const refusal = message.parts.find((part) => part.type === 'refusal');
  if (refusal !== undefined || finishReason === 'refusal') {
    const said = refusal === undefined ? textOf(message) : refusal.text;
    return { code: 'model_refusal', message: `The model refused to answer: ${said}` };
  }
  if (finishReason === 'content-filter') {
    return {
      code: 'model_error',
      reason: 'content-filter',
      message: "The provider's content filter stopped the answer.",
    };
  }
  return undefined;
}

type ReadOutput =
  | { readonly ok: true; readonly output: Output }
  | { readonly ok: false; readonly issues: string };

/** What the last message answers: text, or JSON that fits the output type. */
async function readOutput<C>(
  message: Message,
  agent: AgentDefinition<C, unknown>,
): Promise<ReadOutput> {
  const text = textOf(message);
  if (agent.outputType === undefined) {
    const files = message.parts.filter((part) => part.type === 'file');
    if (text === '' && files.length === 0) {
      return {
        ok: false,
        issues: 'Your last message was empty. Answer the request, or call a tool.',
      };
    }
    return files.length === 0
      ? { ok: true, output: { type: 'json', value: text } }
      : { ok: true, output: { type: 'content', parts: message.parts } };
  }
  const value = readJson(text);
  if (value === undefined) {
    return {
      ok: false,
      issues: `Your answer is not valid JSON. Answer with one JSON value that fits the schema, and nothing else.`,
    };
  }
  const checked = await validate(agent.outputType, value);
  return checked.ok
    ? { ok: true, output: { type: 'json', value } }
    : {
        ok: false,
        issues: `Your answer does not fit the schema: ${checked.issues}. Answer again with corrected JSON, and nothing else.`,
      };
}
