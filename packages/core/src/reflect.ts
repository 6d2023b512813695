import type { AgentDefinition } from './agent-definition.ts';
import { askAside, type AsideAnswer } from './ask-aside.ts';
import { AgentError, toFailure, type RunFailure } from './errors.ts';
import { requestText } from './hand-over.ts';
import { isJsonObject, type Json } from './json.ts';
import type { LiveRun } from './live-run.ts';
import type { Evaluation, ReflectionPlan } from './reflection.ts';
import type { FrameState } from './state.ts';
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
    live.throwIfLost();
    live.abort.throwIfAborted();
    error = toFailure(failure);
  }
  for (const { event } of asked) live.stage(frame, event);
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
    done,
  });
  live.log('info', 'reflection', {
    agent: frame.agent,
    iteration,
    accepted: better,
    done,
    ...(score === undefined ? {} : { score }),
    ...(error === undefined ? {} : { error: error.message }),
  });
}

/** A rewrite that came to nothing: the best draft so far is the answer. `false` when there is none. */
export function keepBest<C>(live: LiveRun<C>, frame: FrameState, error: RunFailure): boolean {
  const { reflection } = frame;
  if (reflection?.best === undefined || reflection.done) return false;
  const iteration = reflection.history.length;
  live.stage(frame, { type: 'reflection', iteration, accepted: false, error, done: true });
  return true;
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
    judgements.push(toJudgement(await orAbort(Promise.resolve(evaluated), live.abort)));
  }
  if (plan.judge !== undefined) {
    judgements.push(await askJudge(live, frame, agent, plan.judge, draft, asked));
  }
  // With two judges the stricter one counts.
  const [strictest] = judgements.toSorted((a, b) => a.score - b.score);
  if (strictest === undefined) throw new Error('A reflection has a judge.');
  return strictest;
}

function toJudgement(evaluation: Evaluation): Judgement {
  const given = typeof evaluation === 'number' ? { score: evaluation } : evaluation;
  if (typeof given?.score !== 'number' || !(given.score >= 0 && given.score <= 1)) {
    throw new AgentError(
      'model_behavior',
      `The evaluationFunction answered ${JSON.stringify(evaluation)}; it must be a number from 0 to 1, or { score, feedback }.`,
    );
  }
  const { score, scores, feedback } = given;
  return {
    score,
    ...(scores === undefined ? {} : { scores }),
    ...(feedback === undefined ? {} : { feedback }),
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
      settings: agent.modelSettings,
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
    if (typeof score !== 'number' || !(score >= 0 && score <= 1)) return undefined;
    scores[criterion] = score;
    sum += score;
  }
  const { feedback } = value;
  return {
    score: sum / criteria.length,
    scores,
    ...(typeof feedback === 'string' && feedback !== '' ? { feedback } : {}),
  };
}
