import type { AgentDefinition } from './agent-definition.ts';
import { readJson } from './ask-aside.ts';
import { endFrame, endRun, failFrame, worksForAnother } from './ending.ts';
import type { RunFailure } from './errors.ts';
import { guard, rejected } from './guard.ts';
import type { Json } from './json.ts';
import type { LiveRun } from './live-run.ts';
import { outputText, textOf, type Message, type Output, type Part } from './message.ts';
import { dropMisfit, keepBest, reflect } from './reflect.ts';
import { validate } from './schema.ts';
import { answerer, heir, isQuiet, type FrameState } from './frame.ts';
import { orAbort } from './wait.ts';

/** A frame's answer: its output, and how it reads. */
interface Answer {
  readonly response: string;
  readonly output: Output;
}

/** Ends a frame with its answer, its heir's or its own last message, or has it asked again. */
export async function answer<C>(
  live: LiveRun<C>,
  frame: FrameState,
  agent: AgentDefinition<C, unknown>,
): Promise<void> {
  const child = heir(frame);
  if (child !== undefined) return conclude(live, frame, agent, child);
  const { last } = frame;
  if (last === undefined) return undefined;
  const failure = answerFailure(last.message, last.finishReason, agent);
  if (failure !== undefined) return failOrKeep(live, frame, failure);
  const read = await readOutput(last.message, agent);
  if (!read.ok) {
    if (dropMisfit(live, frame, agent, read.issues)) return undefined;
    return askAgain(live, frame, agent, read.issues);
  }
  const { reflection } = agent;
  if (reflection !== undefined && frame.reflection?.done !== true) {
    const draft = { response: textOf(last.message), value: read.value };
    return reflect(live, frame, agent, reflection, draft);
  }
  const given = { response: textOf(last.message), output: read.output };
  if (agent.outputGuardrails.length === 0) return give(live, frame, given);
  const verdict = await guardAnswer(live, frame, agent, given);
  if (verdict.passed) return give(live, frame, verdict.answer);
  return frame.outputRetries >= agent.maxOutputRetries
    ? fail(live, frame, rejected(verdict.message))
    : askAgain(live, frame, agent, `Your answer was not accepted: ${verdict.message}`);
}

type GuardedAnswer =
  | { readonly passed: true; readonly answer: Answer }
  | { readonly passed: false; readonly message: string };

/** Has the output guardrails look at an answer; what they rewrote is in the state, too. */
async function guardAnswer<C>(
  live: LiveRun<C>,
  frame: FrameState,
  agent: AgentDefinition<C, unknown>,
  { output, response }: Answer,
): Promise<GuardedAnswer> {
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
  if (!verdict.passed) return verdict;
  if (!verdict.rewritten) return { passed: true, answer: { output, response } };
  const rewritten: Output = { type: 'json', value: verdict.value };
  const text = outputText(rewritten);
  if (output.type === 'json')
    return { passed: true, answer: { response: text, output: rewritten } };
  const files = output.parts.filter(({ type }) => type === 'file');
  const parts: readonly Part[] = [{ type: 'text', text }, ...files];
  return { passed: true, answer: { response: text, output: { type: 'content', parts } } };
}

/**
 * Ends a frame as the one that answered for it ended. Who took over answers for itself; where the answer is passed on
 * (word for word, or the last of a chain), it must pass this agent's guardrails, too.
 */
export async function conclude<C>(
  live: LiveRun<C>,
  frame: FrameState,
  agent: AgentDefinition<C, unknown>,
  { output, error }: Pick<FrameState, 'output' | 'error'>,
): Promise<void> {
  if (output === undefined) {
    const none: RunFailure = { code: 'model_behavior', message: `${frame.agent} has no answer.` };
    return fail(live, frame, error ?? none);
  }
  const { last } = answerer(frame);
  const said = last === undefined ? '' : textOf(last.message);
  const given = { response: said === '' ? outputText(output) : said, output };
  if (agent.outputGuardrails.length === 0 || tookOver(frame)) return give(live, frame, given);
  const verdict = await guardAnswer(live, frame, agent, given);
  if (verdict.passed) return give(live, frame, verdict.answer);
  return fail(live, frame, rejected(verdict.message));
}

function tookOver({ children }: FrameState): boolean {
  const primitive = children?.at(-1)?.handoff?.primitive;
  return primitive === 'transfer' || primitive === 'route';
}

/** The frame gave no answer: its caller reads why, or the run ends. */
export async function fail<C>(
  live: LiveRun<C>,
  frame: FrameState,
  error: RunFailure,
): Promise<void> {
  if (worksForAnother(frame)) failFrame(live, frame, error);
  else await endRun(live, { status: 'failed', error });
}

async function failOrKeep<C>(
  live: LiveRun<C>,
  frame: FrameState,
  error: RunFailure,
): Promise<void> {
  if (!keepBest(live, frame, error)) await fail(live, frame, error);
}

/** Has the model answer again, told what was wrong; too often, and the frame fails. */
async function askAgain<C>(
  live: LiveRun<C>,
  frame: FrameState,
  agent: AgentDefinition<C, unknown>,
  issues: string,
): Promise<void> {
  if (frame.outputRetries >= agent.maxOutputRetries) {
    // It may quote what no guardrail has seen.
    const why = agent.outputGuardrails.length === 0 ? `: ${issues}` : '.';
    return failOrKeep(live, frame, {
      code: agent.outputType === undefined ? 'model_behavior' : 'invalid_output',
      message: `${frame.agent} gave no usable answer in ${frame.outputRetries + 1} tries${why}`,
    });
  }
  live.stage(frame, { type: 'warning', code: 'invalid-output', message: issues });
}

async function give<C>(live: LiveRun<C>, frame: FrameState, given: Answer): Promise<void> {
  if (frame.held && heir(frame) === undefined) await showHeld(live, frame, given.response);
  if (frame.parent !== undefined) return endFrame(live, frame, given.output);
  let answered = given;
  const { afterRun } = live.around.agent(live.state.entryAgent) ?? {};
  if (afterRun !== undefined) {
    const changed = Promise.resolve(afterRun(answered, live.contextOf(frame)));
    answered = { ...answered, ...(await orAbort(changed, live.abort)) };
  }
  live.abort.throwIfAborted(); // A cancel that came meanwhile wins.
  live.stage(frame, { type: 'frame-end', output: answered.output });
  return endRun(live, { status: 'completed', ...answered });
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
