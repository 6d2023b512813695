import type { AgentConfig } from './agent-definition.ts';
import { Agent } from './agent.ts';
import { refuseUnknown } from './handoff.ts';
import { planReflection, type ReflectionOptions, type ReflectionPlan } from './reflection.ts';

const optionNames = [
  'maxReflectionIterations',
  'reflectionThreshold',
  'enableSelfEvaluation',
  'evaluationPrompt',
  'evaluationFunction',
  'criteria',
  'evaluationModel',
] as const satisfies readonly (keyof ReflectionOptions)[];

/**
 * An agent whose answer is judged, improved, and the best of it kept. Its text is shown when it is final; what was judged
 * and how is in `result.reflection` and in `reflection` events.
 *
 * @throws UserError at construction for everything that can be checked then.
 */
export class ReflectionAgent<in C = unknown, out O = string> extends Agent<C, O> {
  // Whatever the output is: the function is handed what this agent's own output type made.
  #options: ReflectionOptions<C, never>;
  #plan: ReflectionPlan<C>;

  constructor(config: AgentConfig<C, O> & ReflectionOptions<C, O>) {
    const { own, options } = split<C, O>(config);
    super(own);
    this.#options = options;
    this.#plan = planReflection(this.name, options);
  }

  /** Changes how answers are judged. @throws UserError for what cannot be; once the agent has run. */
  configureReflection(options: ReflectionOptions<C, O>): this {
    this.mustBeUnused('configureReflection()');
    refuseUnknown(`configureReflection() of agent ${this.name}`, options, new Set(optionNames));
    const merged = { ...this.#options, ...options };
    this.#plan = planReflection(this.name, merged);
    this.#options = merged;
    return this;
  }

  override get reflection(): ReflectionPlan<C> {
    return this.#plan;
  }

  override clone(
    patch: Partial<AgentConfig<never, never> & ReflectionOptions<never, never>>,
  ): ReflectionAgent<C, O> {
    this.mustBePlain();
    const changed = patch as Partial<AgentConfig<C, O> & ReflectionOptions<C, O>>;
    return new ReflectionAgent<C, O>({
      ...this.config,
      ...(this.#options as ReflectionOptions<C, O>),
      ...changed,
    });
  }
}

function split<C, O>(config: AgentConfig<C, O> & ReflectionOptions<C, O>) {
  const own: AgentConfig<C, O> & ReflectionOptions<C, O> = { ...config };
  const options: { -readonly [K in keyof ReflectionOptions<C, O>]: ReflectionOptions<C, O>[K] } =
    {};
  for (const name of optionNames) {
    Object.assign(options, name in config ? { [name]: config[name] } : {});
    Reflect.deleteProperty(own, name);
  }
  return { own, options };
}
