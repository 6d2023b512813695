import type { AgentConfig } from './agent-definition.ts';
import { Agent } from './agent.ts';
import { checkObject, checkOptions } from './check-options.ts';
import {
  planReflection,
  reflectionKinds,
  type ReflectionOptions,
  type ReflectionPlan,
} from './reflection.ts';

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
    checkOptions(`configureReflection() of agent ${this.name}`, options, reflectionKinds);
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
  checkObject('new ReflectionAgent()', config, 'a name and a model');
  const entries = Object.entries(config);
  const isOwn = ([name]: readonly [string, unknown]) => !Object.hasOwn(reflectionKinds, name);
  const own = Object.fromEntries(entries.filter(isOwn)) as unknown as AgentConfig<C, O>;
  const options: ReflectionOptions<C, O> = Object.fromEntries(entries.filter((one) => !isOwn(one)));
  return { own, options };
}
