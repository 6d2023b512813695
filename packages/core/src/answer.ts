import type { AgentDefinition } from './agent-definition.ts';
import { readJson } from './ask-aside.ts';
import { endFrame, endRun, failFrame, worksForAnother } from './ending.ts';
import type { RunFailure } from './errors.ts';
import { guard, rejected } from './guard.ts';
import type { Json } from './json.ts';
import type { LiveRun } from './live-run.ts';
import { outputText, textOf, type Message, type Output } from './message.ts';
import { dropMisfit, keepBest, reflect } from './reflect.ts';
import { validate } from './schema.ts';
import { answerer, heir, isQuiet, type FrameState } from './state.ts';
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
  const failure = answerFailure(last.message, last.finishReason, agent);
  if (failure !== undefined)
    return keepBest(live, frame, failure) ? false : fail(live, frame, failure);
  const read = await readOutput(last.message, agent);
  if (!read.ok) {
    if (dropMisfit(live, frame, agent, read.issues)) return false;
    return askAgain(live, frame, agent, read.issues);
  }
  const { reflection } = agent;
  if (reflection !== undefined && frame.reflection?.done !== true) {
    const draft = { response: textOf(last.message), value: read.value };
    await reflect(live, frame, agent, reflection, draft);
    return false;
  }
  const given = { response: textOf(last.message), output: read.output };
  if (agent.outputGuardrails.length > 0) return guarded(live, frame, agent, given);
  return give(live, frame, given);
}

/** Has the output guardrails look at an answer; what they rewrote is in the state, and looked at again. */
async function guarded<C>(
  live: LiveRun<C>,
  frame: FrameState,
  agent: AgentDefinition<C, unknown>,
  { output, response }: Answer,
): Promise<boolean> {
  await live.journal.flush();
  const fits = async (value: Json, name: string): Promise<void> => {
    if (agent.outputType === undefined && typeof value === 'string') return;
    const checked =
      agent.outputType === undefined ? undefined : await validate(agent.outputType, value);
    if (checked?.ok === true) return;
    throw new Error(
      `${name} rewrote the answer as something that ${checked?.issues ?? 'is no text'}`,
    );
  };
  const value = output.type === 'json' ? output.value : outputText(output);
  const what = { live, frame, agent, on: 'output', fits } as const;
  const verdict = await guard(what, agent.outputGuardrails, value);
  if (!verdict.passed) {
    if (frame.outputRetries >= agent.maxOutputRetries) {
      return fail(live, frame, rejected(verdict.message));
    }
    return askAgain(live, frame, agent, `Your answer was not accepted: ${verdict.message}`);
  }
  if (!verdict.rewritten) return give(live, frame, { output, response });
  const rewritten: Output = { type: 'json', value: verdict.value };
  const kept = frame.last?.message.parts.filter(({ type }) => type === 'text' || type === 'file');
  return give(live, frame, {
    response: outputText(rewritten),
    output:
      output.type === 'content' && kept !== undefined
        ? { type: 'content', parts: kept }
        : rewritten,
  });
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
  issues: string,
): Promise<boolean> {
  if (frame.outputRetries >= agent.maxOutputRetries) {
    const failure: RunFailure = {
      code: agent.outputType === undefined ? 'model_behavior' : 'invalid_output',
      message: `${frame.agent} gave no usable answer in ${frame.outputRetries + 1} tries${
        // It may quote what no guardrail has seen.
        agent.outputGuardrails.length === 0 ? `: ${issues}` : '.'
      }`,
    };
    return keepBest(live, frame, failure) ? false : fail(live, frame, failure);
  }
  live.stage(frame, { type: 'warning', code: 'invalid-output', message: issues });
  return false;
}

async function give<C>(live: LiveRun<C>, frame: FrameState, given: Answer): Promise<boolean> {
  if (frame.held && heir(frame) === undefined) await showHeld(live, frame, given.response);
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

/** An answer that was held back streams when it has passed. */
async function showHeld<C>(live: LiveRun<C>, frame: FrameState, response: string): Promise<void> {
  const { last } = frame;
  if (!live.watched || last === undefined || isQuiet(frame)) return;
  // What is shown comes after what it is of.
  await live.journal.flush();
  live.beginAttempt(frame);
  for (let at = 0; at < response.length;) {
    // A surrogate pair is not cut.
    const whole = (response.codePointAt(at + shownAtOnce - 1) ?? 0) > 0xffff ? 1 : 0;
    const delta = response.slice(at, at + shownAtOnce + whole);
    live.emitPiece(frame, 'text-delta', last.message.id, delta);
    at += delta.length;
  }
}

const shownAtOnce = 1_024;

function answerFailure<C>(
  message: Message,
  finishReason: string,
  agent: AgentDefinition<C, unknown>,
): RunFailure | undefined {
  const refusal = message.parts.find((part) => part.type === 'refusal');
  if (refusal !== undefined || finishReason === 'refusal') {
    const said = refusal === undefined ? textOf(message) : refusal.text;
    // Guardrails look at answers; in what words it refused, nobody has looked at.
    const shown = agent.outputGuardrails.length === 0 ? `: ${said}` : '.';
    return { code: 'model_refusal', message: `The model refused to answer${shown}` };
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
  | { readonly ok: true; readonly output: Output; readonly value: unknown }
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
      ? { ok: true, output: { type: 'json', value: text }, value: text }
      : { ok: true, output: { type: 'content', parts: message.parts }, value: message.parts };
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
    ? { ok: true, output: { type: 'json', value }, value: checked.value }
    : {
        ok: false,
        issues: `Your answer does not fit the schema: ${checked.issues}. Answer again with corrected JSON, and nothing else.`,
      };
}
