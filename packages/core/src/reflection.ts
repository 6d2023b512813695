import { checkCount } from './check-number.ts';
import { checkOptions, shown, type OptionKinds } from './check-options.ts';
import { UserError } from './errors.ts';
import type { JsonObject } from './json.ts';
import type { Message } from './message.ts';
import type { Model } from './model.ts';
import type { RunContext } from './run-context.ts';

/** What an `evaluationFunction` judges. */
export interface Evaluated<C = unknown, O = unknown> {
  /** The text of what the agent is asked, and its messages. */
  readonly message: string;
  readonly messages: readonly Message[];
  readonly requestContext: JsonObject;
  /** The draft as text, and as its output type. */
  readonly response: string;
  readonly output: O;
  readonly context: RunContext<C>;
}

/** A score from 0 to 1, with what is to be improved. */
export type Evaluation =
  | number
  | {
      readonly score: number;
      readonly feedback?: string | undefined;
      readonly scores?: { readonly [criterion: string]: number } | undefined;
    };

/** How an answer is judged and rewritten. */
export interface ReflectionOptions<C = unknown, O = unknown> {
  /** How often the answer is rewritten at most. Default 3; 0: it is judged only. */
  readonly maxReflectionIterations?: number | undefined;
  /** From this score on, 0 to 1, an answer is good enough. Default 0.8. */
  readonly reflectionThreshold?: number | undefined;
  /**
   * Whether a model judges. Default: unless there is an `evaluationFunction`. With both, the lower score counts, and the
   * rewrite is told what both would improve.
   */
  readonly enableSelfEvaluation?: boolean | undefined;
  /** What the judging model is told instead of the default. */
  readonly evaluationPrompt?: string | undefined;
  /** Judges instead of a model. If it throws, or its score is out of range, the best draft so far is the answer. */
  readonly evaluationFunction?:
    | ((draft: Evaluated<C, O>) => Evaluation | Promise<Evaluation>)
    | undefined;
  /** What the judging model scores, each from 0 to 1; the mean is the score. Default: accuracy, completeness, clarity, relevance. */
  readonly criteria?: readonly string[] | undefined;
  /** The model that judges. Default: the agent's own. */
  readonly evaluationModel?: Model | string | undefined;
}

/** The same with what was left out filled in. */
export interface ReflectionPlan<C> {
  readonly maxIterations: number;
  readonly threshold: number;
  readonly judge:
    | {
        readonly prompt: string | undefined;
        readonly criteria: readonly string[];
        readonly model: Model | string | undefined;
      }
    | undefined;
  evaluate?(draft: Evaluated<C>): Evaluation | Promise<Evaluation>;
}

export const reflectionKinds: OptionKinds<ReflectionOptions<never, never>> = {
  maxReflectionIterations: 'any',
  reflectionThreshold: 'any',
  enableSelfEvaluation: 'flag',
  evaluationPrompt: 'text',
  evaluationFunction: 'any',
  criteria: 'any',
  evaluationModel: 'any',
};

const defaultCriteria = ['accuracy', 'completeness', 'clarity', 'relevance'];

/** @throws UserError for what cannot be: numbers out of range, and where nobody would judge. */
export function planReflection<C, O>(
  agent: string,
  options: ReflectionOptions<C, O>,
): ReflectionPlan<C> {
  checkOptions(`Agent ${agent}`, options, reflectionKinds);
  const { evaluationFunction, reflectionThreshold: threshold = 0.8, evaluationPrompt } = options;
  const { criteria = defaultCriteria, evaluationModel } = options;
  checkCount(`maxReflectionIterations of agent ${agent}`, options.maxReflectionIterations, 0);
  if (!isScore(threshold)) {
    throw new UserError(
      `reflectionThreshold of agent ${agent} is ${shown(threshold)}; it must be a number from 0 to 1.`,
    );
  }
  if (evaluationFunction !== undefined && typeof evaluationFunction !== 'function') {
    throw new UserError(
      `evaluationFunction of agent ${agent} is ${shown(evaluationFunction)}; it must be a function that answers a score from 0 to 1.`,
    );
  }
  const judge: unknown = evaluationModel;
  const isModel = typeof judge === 'object' && judge !== null && 'stream' in judge;
  if (judge !== undefined && typeof judge !== 'string' && !isModel) {
    throw new UserError(
      `evaluationModel of agent ${agent} is ${shown(judge)}; it must be a model, or 'provider/model'.`,
    );
  }
  const judges = options.enableSelfEvaluation ?? evaluationFunction === undefined;
  if (!judges && evaluationFunction === undefined) {
    throw new UserError(
      `Agent ${agent} reflects, but nobody judges: enableSelfEvaluation is false and there is no evaluationFunction. Give one, or use new Agent({...}).`,
    );
  }
  const named = Array.isArray(criteria) && criteria.every((one) => typeof one === 'string' && one);
  if (!named || criteria.length === 0 || new Set(criteria).size < criteria.length) {
    throw new UserError(`criteria of agent ${agent} must be different names, at least one.`);
  }
  const unused = [
    ...(evaluationPrompt === undefined ? [] : ['evaluationPrompt']),
    ...(options.criteria === undefined ? [] : ['criteria']),
    ...(evaluationModel === undefined ? [] : ['evaluationModel']),
  ];
  if (!judges && unused.length > 0) {
    throw new UserError(
      `Agent ${agent} has ${unused.join(' and ')}, but no model judges its answers. Write enableSelfEvaluation: true beside the evaluationFunction, or leave ${unused.length === 1 ? 'it' : 'them'} out.`,
    );
  }
  return Object.freeze({
    maxIterations: options.maxReflectionIterations ?? 3,
    threshold,
    judge: judges
      ? { prompt: evaluationPrompt, criteria: [...criteria], model: evaluationModel }
      : undefined,
    ...(evaluationFunction === undefined ? {} : { evaluate: evaluationFunction }),
  });
}

/** A number from 0 to 1, whatever plain JavaScript gives. */
export function isScore(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= 1;
}
