import type { AgentDefinition } from './agent-definition.ts';
import { askAside, type AsideAnswer } from './ask-aside.ts';
import { AgentError, toFailure, type RunFailure } from './errors.ts';
import { requestText } from './hand-over.ts';
import { isJsonObject, type Json } from './json.ts';
import type { LiveRun } from './live-run.ts';
import type { ModelSettings } from './model.ts';
import { isScore, type Evaluation, type ReflectionPlan } from './reflection.ts';
import type { FrameState } from './frame.ts';
import { orAbort } from './wait.ts';

/** A draft as it is judged. */
export interface Draft {
  readonly response: string;
  /** As its output type made it. */
  readonly value: unknown;
}

interface Judgement {
  readonly score: number;
  readonly scores?: { readonly [criterion: string]: number } | undefined;
  readonly feedback?: string | undefined;
}

/** Judges the frame's present draft and records what comes of it: it is improved, or the best so far is the answer. */
export async function reflect<C>(
  live: LiveRun<C>,
  frame: FrameState,
  agent: AgentDefinition<C, unknown>,
  plan: ReflectionPlan<C>,
  draft: Draft,
): Promise<void> {
  const asked: AsideAnswer[] = [];
  let judgement: Judgement | undefined;
  let error: RunFailure | undefined;
  try {
    judgement = await judge(live, frame, agent, plan, draft, asked);
  } catch (failure) {
    // Then nothing was judged: the run cannot be written.
    if (live.journal.failure !== undefined) throw failure;
    error = toFailure(failure);
  }
  // Whatever came of it: what was asked was paid for.
  for (const { event } of asked) live.stage(frame, event);
  // A judge that is missing is no judge that fails: the message says what to set.
  if (error?.code === 'not_configured') throw new AgentError('not_configured', error.message);
  if (error !== undefined) {
    live.throwIfLost();
    live.abort.throwIfAborted();
  }
  const before = frame.reflection?.best;
  const iteration = frame.reflection?.history.length ?? 0;
  const score = judgement?.score;
  const better = before === undefined || (score ?? -1) > (before.score ?? -1);
  const best = better ? score : before?.score;
  const done =
    error !== undefined || iteration >= plan.maxIterations || (best ?? 0) >= plan.threshold;
  live.stage(frame, {
    type: 'reflection',
    iteration,
    ...judgement,
    accepted: better,
    ...(error === undefined ? {} : { error }),
    ...heldIn(live, frame),
    done,
  });
  log(live, frame, { iteration, accepted: better, done, score, error });
}

/** A rewrite that came to nothing: the best draft so far is the answer. `false` when there is none. */
export function keepBest<C>(live: LiveRun<C>, frame: FrameState, error: RunFailure): boolean {
  return drop(live, frame, { error, done: true });
}

/**
 * A rewrite that does not fit is dropped like one that was judged worse: it has had its iteration. `false` when it is no
 * rewrite, and has to be asked for again.
 */
export function dropMisfit<C>(
  live: LiveRun<C>,
  frame: FrameState,
  { outputType, reflection: plan }: AgentDefinition<C, unknown>,
  issues: string,
): boolean {
  if (plan === undefined) return false;
  const code = outputType === undefined ? 'model_behavior' : 'invalid_output';
  const error = { code, message: `A rewrite of ${frame.agent} was no answer: ${issues}` } as const;
  const done = (frame.reflection?.history.length ?? 0) >= plan.maxIterations;
  return drop(live, frame, { error, done, feedback: issues });
}

function drop<C>(
  live: LiveRun<C>,
  frame: FrameState,
  why: {
    readonly error: RunFailure;
    readonly done: boolean;
    readonly feedback?: string | undefined;
  },
): boolean {
  const { reflection } = frame;
  if (reflection?.best === undefined || reflection.done) return false;
  const iteration = reflection.history.length;
  live.stage(frame, {
    type: 'reflection',
    iteration,
    accepted: false,
    ...why,
    ...heldIn(live, frame),
  });
  log(live, frame, { iteration, accepted: false, ...why });
  return true;
}

function heldIn<C>(live: LiveRun<C>, frame: FrameState): { readonly held?: true } {
  const guarded = live.around.agent(frame.agent)?.outputGuardrails.length !== 0;
  return guarded ? { held: true } : {};
}

function log<C>(
  live: LiveRun<C>,
  { agent }: FrameState,
  step: {
    readonly iteration: number;
    readonly accepted: boolean;
    readonly done: boolean;
    readonly score?: number | undefined;
    readonly error?: RunFailure | undefined;
  },
): void {
  if (!live.logs) return;
  const { iteration, accepted, done, score, error } = step;
  live.log(error === undefined ? 'info' : 'warn', 'reflection', {
    agent,
    iteration,
    accepted,
    done,
    ...(score === undefined ? {} : { score }),
    ...(error === undefined ? {} : { code: error.code, error: error.message }),
  });
}

/** @throws AgentError when nobody gave a usable judgement. */
async function judge<C>(
  live: LiveRun<C>,
  frame: FrameState,
  agent: AgentDefinition<C, unknown>,
  plan: ReflectionPlan<C>,
  draft: Draft,
  asked: AsideAnswer[],
): Promise<Judgement> {
  const judgements: Judgement[] = [];
  if (plan.evaluate !== undefined) {
    const evaluated = plan.evaluate({
      message: requestText(frame),
      messages: frame.request,
      requestContext: frame.context,
      response: draft.response,
      output: draft.value,
      context: live.contextOf(frame),
    });
    judgements.push(toJudgement(agent.name, await orAbort(Promise.resolve(evaluated), live.abort)));
  }
  if (plan.judge !== undefined) {
    judgements.push(await askJudge(live, frame, agent, plan.judge, draft, asked));
  }
  return strictest(judgements);
}

/** With two judges the lower score counts; what each said of the draft is kept. */
function strictest(judgements: readonly Judgement[]): Judgement {
  const byScore = judgements.toSorted((a, b) => a.score - b.score);
  const [first] = byScore;
  if (first === undefined) throw new Error('A reflection has a judge.');
  if (byScore.length === 1) return first;
  const scores = byScore.reduce((all, one) => ({ ...one.scores, ...all }), {});
  const feedback = byScore.flatMap((one) => (one.feedback === undefined ? [] : [one.feedback]));
  return {
    score: first.score,
    ...(Object.keys(scores).length === 0 ? {} : { scores }),
    ...(feedback.length === 0 ? {} : { feedback: feedback.join('\n') }),
  };
}

// Plain JavaScript may answer anything, and may change it afterwards: what is recorded is a copy that was looked at.
function toJudgement(agent: string, evaluation: Evaluation): Judgement {
  const given = typeof evaluation === 'number' ? { score: evaluation } : evaluation;
  const { scores, feedback } = given ?? {};
  const score: unknown = given?.score;
  const refuse = (what: string): never => {
    throw new AgentError('model_behavior', `The evaluationFunction of agent ${agent} ${what}`);
  };
  if (!isScore(score)) {
    return refuse(
      `answered ${typeof score === 'number' ? `the score ${String(score)}` : 'no score'}; it must be a number from 0 to 1, or { score, feedback }.`,
    );
  }
  for (const [criterion, one] of Object.entries(scores ?? {})) {
    if (!isScore(one)) refuse(`answered no score from 0 to 1 for ${criterion}.`);
  }
  if (feedback !== undefined && typeof feedback !== 'string') {
    refuse('answered feedback that is no text.');
  }
  return {
    score,
    ...(scores === undefined ? {} : { scores: { ...scores } }),
    ...(feedback === undefined || feedback === '' ? {} : { feedback }),
  };
}

/** Asks the judging model; nonsense is asked about once more. */
async function askJudge<C>(
  live: LiveRun<C>,
  frame: FrameState,
  agent: AgentDefinition<C, unknown>,
  { prompt, criteria, model }: NonNullable<ReflectionPlan<C>['judge']>,
  draft: Draft,
  asked: AsideAnswer[],
): Promise<Judgement> {
  for (let tries = 0; tries < 2; tries += 1) {
    const answer = await askAside(live, frame, {
      purpose: 'judge',
      model: live.modelFor(frame, agent, model),
      instructions: prompt ?? defaultPrompt,
      question: `Request:\n${requestText(frame)}\n\nAnswer:\n${draft.response}\n\nScore each from 0 (bad) to 1 (perfect): ${criteria.join(', ')}. Say in feedback what would make the answer better.`,
      output: {
        name: 'judgement',
        strict: true,
        schema: {
          type: 'object',
          properties: {
            scores: {
              type: 'object',
              properties: Object.fromEntries(criteria.map((one) => [one, { type: 'number' }])),
              required: [...criteria],
              additionalProperties: false,
            },
            feedback: { type: 'string' },
          },
          required: ['scores', 'feedback'],
          additionalProperties: false,
        },
      },
      settings: model === undefined ? agent.modelSettings : settingsForAny(agent.modelSettings),
      unrecorded: asked.length,
    });
    asked.push(answer);
    const judgement = readJudgement(answer.value, criteria);
    if (judgement !== undefined) return judgement;
  }
  throw new AgentError(
    'model_behavior',
    'The judge gave no usable scores, twice. The answer is returned as it is.',
  );
}

// What one model takes, another may refuse.
function settingsForAny({ timeoutMs, retry, providerOptions }: ModelSettings): ModelSettings {
  return {
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...(retry === undefined ? {} : { retry }),
    ...(providerOptions === undefined ? {} : { providerOptions }),
  };
}

const defaultPrompt =
  'You judge answers, strictly and without kindness. You do not answer the request yourself. Answer with the scores and the feedback as JSON.';

function readJudgement(
  value: Json | undefined,
  criteria: readonly string[],
): Judgement | undefined {
  const given = isJsonObject(value) ? value['scores'] : undefined;
  if (!isJsonObject(value) || !isJsonObject(given)) return undefined;
  const scores: { [criterion: string]: number } = {};
  let sum = 0;
  for (const criterion of criteria) {
    const score = given[criterion];
    if (!isScore(score)) return undefined;
    scores[criterion] = score;
    sum += score;
  }
  const { feedback } = value;
  return {
    // 0.7, 0.8 and 0.9 are 0.8 on average, not a little less.
    score: Math.round((sum / criteria.length) * 1e9) / 1e9,
    scores,
    ...(typeof feedback === 'string' && feedback !== '' ? { feedback } : {}),
  };
}
