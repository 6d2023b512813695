import { checkOptions, shown, type OptionKinds } from './check-options.ts';
import { UserError } from './errors.ts';
import type { Json, JsonObject } from './json.ts';
import { isJsonObject } from './json.ts';
import type { Message } from './message.ts';
import type { AgentName, Instructions, RunContext } from './run-context.ts';
import { isSchema, jsonSchema, toJsonSchema, type Schema } from './schema.ts';

// Handing the word to another agent: four primitives on the frame tree (docs/guides/handoffs.md). `transfer`: the target
// takes over. `call`: its answer returns. `route`: chosen before the first model call. `chain`: one after the other.

export type HandoffPrimitive = 'transfer' | 'call' | 'route' | 'chain';

/** One handoff of a run. */
export interface Hop {
  readonly from: string;
  readonly to: string;
  readonly primitive: HandoffPrimitive;
  readonly reason?: string | undefined;
}

/** How several agents work together (the Python README's names). */
export const HandoffMode = {
  SWARM: 'swarm',
  COORDINATOR: 'coordinator',
  SEQUENTIAL: 'sequential',
  CONDITIONAL: 'conditional',
} as const;
export type HandoffMode = (typeof HandoffMode)[keyof typeof HandoffMode];

/** Who has the word after the target's answer. */
export const ControlReturn = {
  BUBBLE_UP: 'bubble_up',
  RETURN_TO_CALLER: 'return_to_caller',
  CONTINUE_CHAIN: 'continue_chain',
  END_CONVERSATION: 'end_conversation',
} as const;
export type ControlReturn = (typeof ControlReturn)[keyof typeof ControlReturn];

/** Who chooses the target. */
export const HandoffStrategy = {
  DIRECT: 'direct',
  ROUTE: 'route',
  BROADCAST: 'broadcast',
  BEST_MATCH: 'best_match',
} as const;
export type HandoffStrategy = (typeof HandoffStrategy)[keyof typeof HandoffStrategy];

/**
 * Which of the caller's messages the target sees, before what is handed to it. Calls and their results stay together,
 * so that `{ last: 1 }` may be two; the call that hands over is not among them.
 */
export type History<C> =
  | 'full'
  | 'none'
  | { readonly last: number }
  | ((
      messages: readonly Message[],
      context: RunContext<C>,
    ) => readonly Message[] | Promise<readonly Message[]>);

/** What handoffs need to know of an agent. */
export interface AgentLike<in C = never, out O = unknown> extends AgentName {
  readonly instructions: Instructions<C> | undefined;
  readonly outputType: Schema<unknown, O> | undefined;
}

/** Who may be handed to, and how: data. Made by `handoff()`, `agent.asTool()` or from a `HandoffConfig`. */
export interface Handoff<in C = unknown, out O = unknown> {
  readonly agentName: string;
  /** `undefined`: looked up by name among the agents that the runner knows. */
  readonly agent: AgentLike<C, O> | undefined;
  /** The tool by which the model does it. */
  readonly toolName: string;
  /** `undefined`: made of the agent's own. */
  readonly description: string | undefined;
  readonly inputSchema: Schema;
  readonly inputJsonSchema: JsonObject;
  readonly primitive: HandoffPrimitive;
  /** For `call`: the target's answer is the caller's, word for word. */
  readonly verbatim: boolean;
  /** The session is closed after the answer. */
  readonly closes: boolean;
  /** Whether watchers see the target's text as it comes. */
  readonly streamEvents: boolean;
  readonly history: History<C>;
  /** Which keys of the request's context travel; `undefined`: all. */
  readonly contextKeys: readonly string[] | undefined;
  readonly transformInput?: ((input: Json) => Json) | undefined;
  onHandoff?(context: RunContext<C>, input: unknown): void | Promise<void>;
  /** Whether the model is offered it in this turn; `message` is the text of the request. */
  isEnabled?(context: RunContext<C>, message: string): boolean | Promise<boolean>;
}

/** An agent, or a `handoff()` to one. */
export type HandoffTo<C, O> = AgentLike<C, O> | Handoff<C, O>;

/** A value, or a function of it that is read on first use: how two agents hand off to each other. */
export type Lazy<T> = T | (() => T);

/** What a run that is handed to `H` can produce. */
export type OutputOf<H> =
  H extends AgentLike<never, infer O> ? O : H extends Handoff<never, infer O> ? O : never;

export interface HandoffOptions<C, In = HandoffMessage> {
  /** Default `handoff_to_<agent>`. */
  readonly toolName?: string | undefined;
  /** What the model reads of it. Default: the agent's description. */
  readonly description?: string | undefined;
  /** What the model must say to hand off. Default: `message`, and `reason` and `context` if it likes. */
  readonly inputType?: Schema<unknown, In> | undefined;
  /** Told before the target has the word; after a crash possibly again. What it throws, the model reads. */
  readonly onHandoff?: ((context: RunContext<C>, input: In) => void | Promise<void>) | undefined;
  /** Default: `'full'`; `'none'` where control returns to the caller. */
  readonly history?: History<C> | undefined;
  /** Default `'bubble_up'`: the target's answer is the run's, and it has the session's next turn. */
  readonly controlReturn?: ControlReturn | undefined;
  /** Which keys of the request's context travel. Default: all. */
  readonly contextKeys?: readonly string[] | undefined;
  readonly transformInput?: ((input: Json) => Json) | undefined;
  /** Left out of a turn when it answers `false`. */
  readonly isEnabled?: ((context: RunContext<C>) => boolean | Promise<boolean>) | undefined;
}

/**
 * How an agent is handed to, where the defaults do not fit: `handoffs: [handoff(billing, { history: { last: 10 } })]`.
 *
 * @throws UserError for a combination that has no meaning.
 */
export function handoff<C, O, In = HandoffMessage>(
  agent: AgentLike<C, O>,
  options: HandoffOptions<C, In> = {},
): Handoff<C, O> {
  checkAgent('handoff()', agent);
  checkOptions(`handoff(${agent.name})`, options, optionKinds);
  const { controlReturn = ControlReturn.BUBBLE_UP, inputType } = options;
  if (controlReturn === ControlReturn.CONTINUE_CHAIN) {
    throw new UserError(
      `handoff(${agent.name}) has controlReturn 'continue_chain', which belongs to a chain. Write handoffConfig: { mode: 'sequential', targets: [...] }, or leave it out.`,
    );
  }
  if (!isOneOf(ControlReturn, controlReturn)) {
    throw new UserError(
      `handoff(${agent.name}) has controlReturn ${JSON.stringify(controlReturn)}. Write 'bubble_up', 'return_to_caller' or 'end_conversation'.`,
    );
  }
  const returns = controlReturn === ControlReturn.RETURN_TO_CALLER;
  return makeHandoff<C, O>(agent.name, {
    agent,
    toolName: options.toolName,
    description: options.description,
    inputType,
    primitive: returns ? 'call' : 'transfer',
    closes: controlReturn === ControlReturn.END_CONVERSATION,
    history: options.history,
    contextKeys: options.contextKeys,
    transformInput: options.transformInput,
    onHandoff: options.onHandoff,
    isEnabled: options.isEnabled,
  });
}

const optionKinds: OptionKinds<HandoffOptions<never, never>> = {
  toolName: 'any',
  description: 'text',
  inputType: 'any',
  onHandoff: 'function',
  history: 'any',
  controlReturn: 'any',
  contextKeys: 'texts',
  transformInput: 'function',
  isEnabled: 'function',
};

/** @throws UserError for what is no agent: a name, an agent that is not made yet. */
export function checkAgent(where: string, agent: AgentLike): void {
  const given: unknown = agent;
  if (typeof given === 'object' && given !== null && 'name' in given && 'outputType' in given) {
    return;
  }
  throw new UserError(
    `${where} was given ${shown(given)} instead of an agent. Give the agent itself; a function of the list (handoffs: () => [...]) is read when all agents are made, and handoffConfig takes names (agentName).`,
  );
}

/** A handoff with what it leaves out filled in, frozen. @throws UserError for a bad tool name, schema or history. */
export function makeHandoff<C, O>(
  agentName: string,
  given: Pick<Handoff<C, O>, 'primitive'> & {
    readonly [K in Exclude<keyof Handoff<C, O>, 'primitive' | 'agentName' | 'inputSchema'>]?:
      | Handoff<C, O>[K]
      | undefined;
  } & { readonly inputType?: Schema<unknown, unknown> | undefined },
): Handoff<C, O> {
  const { inputType = messageInput, history } = given;
  const toolName = given.toolName ?? handoffToolName(agentName);
  if (!/^[A-Za-z][A-Za-z0-9_-]{0,63}$/.test(toolName)) {
    throw new UserError(
      `The tool name ${JSON.stringify(toolName)} of the handoff to ${agentName} is not usable: start with a letter, then letters, digits, _ or -, at most 64 characters.`,
    );
  }
  if (!isSchema(inputType)) {
    throw new UserError(
      `The inputType of the handoff to ${agentName} is not a Standard Schema that prints JSON Schema. Use zod >= 4.2, arktype, valibot with toStandardJsonSchema(), or jsonSchema().`,
    );
  }
  if (history !== undefined && !isHistory(history)) {
    throw new UserError(
      `The history of the handoff to ${agentName} is ${JSON.stringify(history)}. Write 'full', 'none', { last: 10 }, or a function of the messages.`,
    );
  }
  const { transformInput, onHandoff, isEnabled } = given;
  return Object.freeze({
    agentName,
    agent: given.agent,
    toolName,
    description: given.description,
    inputSchema: inputType,
    inputJsonSchema:
      given.inputJsonSchema ??
      toJsonSchema(inputType, `The inputType of the handoff to ${agentName}`),
    primitive: given.primitive,
    verbatim: given.verbatim ?? false,
    closes: given.closes ?? false,
    streamEvents: given.streamEvents ?? true,
    history: history ?? (given.primitive === 'call' ? 'none' : 'full'),
    contextKeys: given.contextKeys,
    ...(transformInput === undefined ? {} : { transformInput }),
    ...(onHandoff === undefined ? {} : { onHandoff }),
    ...(isEnabled === undefined ? {} : { isEnabled }),
  });
}

/** What one item of a `handoffs` list stands for. */
export function toHandoff<C, O>(item: HandoffTo<C, O>): Handoff<C, O> {
  if (isHandoff(item)) return item;
  checkAgent('A list of handoffs', item);
  return handoff<C, O>(item);
}

export function isHandoff<C, O>(item: HandoffTo<C, O>): item is Handoff<C, O> {
  return Object(item) === item && 'agentName' in item && 'primitive' in item;
}

export function handoffToolName(agentName: string): string {
  return `handoff_to_${agentName}`;
}

export function isOneOf<T extends string>(
  names: { readonly [key: string]: T },
  value: unknown,
): value is T {
  return Object.values<unknown>(names).includes(value);
}

function isHistory<C>(history: History<C>): boolean {
  if (typeof history === 'function' || history === 'full' || history === 'none') return true;
  return (
    typeof history === 'object' &&
    history !== null &&
    Number.isSafeInteger(history.last) &&
    history.last >= 0
  );
}

/** What a model says to hand off, unless `inputType` asks for something else. */
export interface HandoffMessage {
  readonly message: string;
  readonly reason?: string | undefined;
  readonly context?: JsonObject | undefined;
}

const messageInput: Schema<unknown, HandoffMessage> = jsonSchema<HandoffMessage>(
  {
    type: 'object',
    properties: {
      message: {
        type: 'string',
        description: 'What the agent must do, with everything it needs to know.',
      },
      reason: { type: 'string', description: 'Why this agent.' },
      context: { type: 'object', description: 'Facts that it needs, by name.' },
    },
    required: ['message'],
    additionalProperties: false,
  },
  { validate: toHandoffMessage },
);

function toHandoffMessage(value: unknown): HandoffMessage {
  if (!isJsonObject(value as Json)) throw new Error('it must be an object with a message');
  const { message, reason, context, ...rest } = value as JsonObject;
  if (typeof message !== 'string') throw new Error('message: it must be a text');
  if (reason !== undefined && reason !== null && typeof reason !== 'string') {
    throw new Error('reason: it must be a text');
  }
  if (context !== undefined && context !== null && !isJsonObject(context)) {
    throw new Error('context: it must be an object');
  }
  const [unknown] = Object.keys(rest);
  if (unknown !== undefined) throw new Error(`${unknown}: there is no such field`);
  return {
    message,
    ...(typeof reason === 'string' ? { reason } : {}),
    ...(isJsonObject(context ?? null) ? { context: context as JsonObject } : {}),
  };
}
