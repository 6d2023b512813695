import { checkCount } from './check-number.ts';
import { checkObject, checkOptions, type OptionKinds } from './check-options.ts';
import { UserError } from './errors.ts';
import {
  checkAgent,
  ControlReturn,
  HandoffMode,
  HandoffStrategy,
  isOneOf,
  makeHandoff,
  type AgentLike,
  type Handoff,
  type HandoffPrimitive,
  type History,
} from './handoff.ts';
import type { Json, JsonObject } from './json.ts';
import type { RunContext } from './run-context.ts';

// The declarative handoffs of the Python README, compiled to the four primitives. The table of docs/guides/handoffs.md
// is what is legal; anything else is refused here, when the agent is made.

/** What a condition is asked about. */
export interface HandoffRequest<C> {
  /** The text of the request. */
  readonly message: string;
  readonly context: C;
  readonly requestContext: JsonObject;
}

/** When a target is chosen: a function, or a sentence that the agent's model judges. */
export type HandoffCondition<C> =
  | string
  | ((request: HandoffRequest<C>) => boolean | Promise<boolean>);

export interface HandoffTarget<C = unknown> {
  /** One of the agents that the runner or the app knows. */
  readonly agentName?: string | undefined;
  /** The agent itself, instead of its name. */
  readonly agent?: AgentLike<C> | undefined;
  /** What the target is for, for whoever chooses. Default: the agent's own description. */
  readonly description?: string | undefined;
  readonly condition?: HandoffCondition<C> | undefined;
  /** Which keys of the request's context travel. Default: all. */
  readonly contextKeys?: readonly string[] | undefined;
  /** What the target is asked, made of what it would be asked. */
  readonly transformInput?: ((input: Json) => Json) | undefined;
  /** Default: `'full'`; `'none'` where control returns to the caller. */
  readonly history?: History<C> | undefined;
}

export interface HandoffConfig<C = unknown> {
  readonly mode: HandoffMode;
  readonly targets: readonly HandoffTarget<C>[];
  /** Default: the first of the mode's row. */
  readonly strategy?: HandoffStrategy | undefined;
  /** Default: the first of the mode's row. */
  readonly defaultReturn?: ControlReturn | undefined;
  /** The agent's model is asked, before the first turn, which target fits; none: the agent itself. */
  readonly enableAutoRouting?: boolean | undefined;
  /** What the routing model is told besides the targets' names, descriptions and tools. */
  readonly routingInstructions?: string | undefined;
  /** How deep handoffs may go in a run that starts here. Default 10. */
  readonly maxHops?: number | undefined;
}

/** A target that may be chosen before the first model call. */
export interface RouteTarget<C> {
  readonly handoff: Handoff<C>;
  readonly condition: HandoffCondition<C> | undefined;
}

/** What happens before an agent's first model call. */
export type Opening<C> =
  | {
      readonly type: 'route';
      readonly targets: readonly RouteTarget<C>[];
      /** The conditions are looked at, in order. */
      readonly byCondition: boolean;
      /** The model is asked which target fits, where no condition did. */
      readonly byModel: boolean;
      readonly instructions: string | undefined;
    }
  /** Each target in order. */
  | { readonly type: 'chain'; readonly targets: readonly Handoff<C>[] }
  /** All targets at once. */
  | { readonly type: 'broadcast'; readonly targets: readonly Handoff<C>[] };

/** What an agent's handoffs come to. */
export interface HandoffPlan<C> {
  /** Offered to the model as tools. */
  readonly tools: readonly Handoff<C>[];
  readonly opening: Opening<C> | undefined;
  /** Everybody who may be handed to. */
  readonly targets: readonly Handoff<C>[];
}

/** How deep handoffs go in a run that does not say. */
export const defaultMaxHops = 10;

interface Row {
  readonly strategies: readonly HandoffStrategy[];
  readonly returns: readonly ControlReturn[];
}

// First is the default. A mode may have several rows.
const table: { readonly [mode in HandoffMode]: readonly Row[] } = {
  swarm: [
    { strategies: ['direct'], returns: ['bubble_up', 'end_conversation', 'return_to_caller'] },
  ],
  coordinator: [
    { strategies: ['direct', 'best_match'], returns: ['return_to_caller', 'bubble_up'] },
    { strategies: ['broadcast'], returns: ['return_to_caller'] },
  ],
  sequential: [
    { strategies: ['direct'], returns: ['continue_chain', 'bubble_up', 'end_conversation'] },
  ],
  conditional: [
    {
      strategies: ['route', 'best_match'],
      returns: ['bubble_up', 'end_conversation', 'return_to_caller'],
    },
  ],
};

/** A list of handoffs as a plan: tools for the model. @throws UserError for two of one tool name, or one to itself. */
export function planOf<C>(agentName: string, handoffs: readonly Handoff<C>[]): HandoffPlan<C> {
  const names = new Set<string>();
  for (const one of handoffs) {
    refuseSelf(agentName, one.agentName);
    if (names.has(one.toolName)) {
      throw new UserError(
        `Agent ${agentName} has two handoffs with the tool name ${one.toolName}. Give one of them another: handoff(agent, { toolName }).`,
      );
    }
    names.add(one.toolName);
  }
  return { tools: handoffs, opening: undefined, targets: handoffs };
}

/**
 * The plan of a declarative config.
 *
 * @throws UserError for every combination that is not in the table, with the sentence that says what to write.
 */
export function compileHandoffs<C>(agentName: string, config: HandoffConfig<C>): HandoffPlan<C> {
  const where = `The handoffConfig of agent ${agentName}`;
  checkObject(where, config, 'mode and targets');
  const { mode, targets } = config;
  checkOptions(where, config, configKinds);
  if (!isOneOf(HandoffMode, mode)) {
    throw new UserError(
      `${where} has mode ${JSON.stringify(mode)}. Write one of ${listed(Object.values(HandoffMode))}.`,
    );
  }
  checkCount(`maxHops of agent ${agentName}`, config.maxHops, 1);
  const rows = table[mode];
  const strategies = rows.flatMap((row) => row.strategies);
  const strategy = config.strategy ?? strategies[0] ?? 'direct';
  const row = rows.find((one) => one.strategies.includes(strategy));
  if (row === undefined) {
    throw new UserError(
      `${where} has mode '${mode}' with strategy ${JSON.stringify(strategy)}. Write strategy: ${listed(strategies)}, or leave it out.`,
    );
  }
  const returns = config.defaultReturn ?? row.returns[0] ?? 'bubble_up';
  if (!row.returns.includes(returns)) {
    throw new UserError(
      `${where} has mode '${mode}', strategy '${strategy}' with defaultReturn ${JSON.stringify(returns)}. Write defaultReturn: ${listed(row.returns)}, or leave it out.`,
    );
  }
  if (!Array.isArray(targets) || targets.length === 0) {
    throw new UserError(`${where} has no targets. Write targets: [{ agentName: '…' }].`);
  }
  const auto = config.enableAutoRouting === true;
  const opens = mode === 'sequential' || strategy === 'broadcast';
  if (auto && opens) {
    throw new UserError(
      `${where} has enableAutoRouting with ${mode === 'sequential' ? "mode 'sequential'" : "strategy 'broadcast'"}, where every target gets the request. Leave it out, or write mode: 'conditional'.`,
    );
  }
  if (config.routingInstructions !== undefined && !auto && strategy !== 'best_match') {
    throw new UserError(
      `${where} has routingInstructions, but nothing asks a routing model. Write strategy: 'best_match' or enableAutoRouting: true, or leave them out.`,
    );
  }
  const handoffs = targets.map((target) => {
    checkTarget(where, target, opens ? (mode === 'sequential' ? mode : strategy) : undefined);
    return targetHandoff(agentName, target, {
      primitive: primitiveOf(mode, returns),
      verbatim: mode === 'coordinator' && returns === 'bubble_up',
      closes: returns === 'end_conversation',
      gated: strategy === 'direct',
    });
  });
  if (mode === 'sequential') {
    const maxHops = config.maxHops ?? defaultMaxHops;
    if (handoffs.length > maxHops) {
      throw new UserError(
        `${where} has ${handoffs.length} targets in a chain, but maxHops is ${maxHops}. Write maxHops: ${handoffs.length}, or fewer targets.`,
      );
    }
    return { tools: [], opening: { type: 'chain', targets: handoffs }, targets: handoffs };
  }
  refuseTwice(where, handoffs);
  if (strategy === 'broadcast') {
    return { tools: [], opening: { type: 'broadcast', targets: handoffs }, targets: handoffs };
  }
  const byCondition = strategy === 'route';
  const byModel = strategy === 'best_match' || auto;
  if (byCondition) checkOrder(where, targets, byModel);
  if (!byCondition && !byModel) return { tools: handoffs, opening: undefined, targets: handoffs };
  const opening: Opening<C> = {
    type: 'route',
    byCondition,
    byModel,
    instructions: config.routingInstructions,
    targets: handoffs.map((one, index) => ({ handoff: one, condition: targets[index]?.condition })),
  };
  // Where the model may hand off by itself, it still may.
  return { tools: strategy === 'direct' ? handoffs : [], opening, targets: handoffs };
}

const configKinds: OptionKinds<HandoffConfig> = {
  mode: 'any',
  targets: 'any',
  strategy: 'any',
  defaultReturn: 'any',
  enableAutoRouting: 'flag',
  routingInstructions: 'text',
  maxHops: 'any',
};

const targetKinds: OptionKinds<HandoffTarget> = {
  agentName: 'text',
  agent: 'any',
  description: 'text',
  condition: 'any',
  contextKeys: 'texts',
  transformInput: 'function',
  history: 'any',
};

function primitiveOf(mode: HandoffMode, returns: ControlReturn): HandoffPrimitive {
  if (mode === 'sequential') return 'chain';
  if (mode === 'coordinator' || returns === 'return_to_caller') return 'call';
  return mode === 'conditional' ? 'route' : 'transfer';
}

function targetHandoff<C>(
  agentName: string,
  target: HandoffTarget<C>,
  how: {
    readonly primitive: HandoffPrimitive;
    readonly verbatim: boolean;
    readonly closes: boolean;
    /** The model chooses: a condition decides what it may choose. */
    readonly gated: boolean;
  },
): Handoff<C> {
  const name = target.agent?.name ?? target.agentName ?? '';
  refuseSelf(agentName, name);
  const { condition } = target;
  const when = typeof condition === 'string' && how.gated ? `Use it when: ${condition}` : undefined;
  const gate =
    typeof condition === 'function' && how.gated
      ? async ({ context, requestContext }: RunContext<C>, message: string) => {
          const holds: unknown = await condition({ message, context, requestContext });
          return Boolean(holds); // Plain JavaScript may answer anything; nothing does not hold.
        }
      : undefined;
  return makeHandoff<C, unknown>(name, {
    agent: target.agent,
    description: when === undefined ? target.description : joined(target.description, when),
    primitive: how.primitive,
    verbatim: how.verbatim,
    closes: how.closes,
    history: target.history,
    contextKeys: target.contextKeys,
    transformInput: target.transformInput,
    isEnabled: gate,
  });
}

function joined(description: string | undefined, when: string): string {
  return description === undefined ? when : `${description} ${when}`;
}

function checkTarget<C>(
  where: string,
  target: HandoffTarget<C>,
  toAll: 'sequential' | HandoffStrategy | undefined,
): void {
  const which = `A target of ${where.replace(/^The/, 'the')}`;
  checkObject(which, target, 'agent or agentName');
  checkOptions(which, target, targetKinds);
  if (target.agent !== undefined) checkAgent(which, target.agent);
  if ((target.agentName === undefined) === (target.agent === undefined)) {
    throw new UserError(`${where} has a target without exactly one of agentName and agent.`);
  }
  const name = target.agent?.name ?? target.agentName ?? '';
  if (target.condition !== undefined && toAll !== undefined) {
    throw new UserError(
      `${where} has a condition on target ${name}, but with '${toAll}' every target gets the request. Leave it out, or write mode: 'conditional'.`,
    );
  }
  const { condition } = target;
  if (typeof condition === 'string' && condition.trim() === '') {
    throw new UserError(`${where} has an empty condition on target ${name}. Write when it fits.`);
  }
  if (condition !== undefined && !['string', 'function'].includes(typeof condition)) {
    throw new UserError(
      `${where} has the condition ${JSON.stringify(condition)} on target ${name}. Write a function of the request, or a sentence.`,
    );
  }
}

// A target without a condition takes whatever comes to it.
function checkOrder<C>(
  where: string,
  targets: readonly HandoffTarget<C>[],
  byModel: boolean,
): void {
  const open = targets.findIndex(({ condition }) => condition === undefined);
  if (open === -1 || byModel) return;
  const name = targets[open]?.agent?.name ?? targets[open]?.agentName ?? '';
  if (open < targets.length - 1) {
    throw new UserError(
      `${where} has target ${name} without a condition before others, which would never be reached. Give it a condition, or put it last.`,
    );
  }
}

// Only a chain can ask an agent again, with what was answered since.
function refuseTwice<C>(where: string, handoffs: readonly Handoff<C>[]): void {
  const names = handoffs.map(({ agentName }) => agentName);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice === undefined) return;
  throw new UserError(
    `${where} has target ${twice} twice. List it once; its condition may be a function of several.`,
  );
}

function refuseSelf(agentName: string, target: string): void {
  if (agentName !== target) return;
  throw new UserError(`Agent ${agentName} hands off to itself. Name another agent.`);
}

function listed(values: readonly string[]): string {
  return values.map((value) => `'${value}'`).join(' or ');
}
