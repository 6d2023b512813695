import { checkCount } from './check-number.ts';
import { checkObject, shown } from './check-options.ts';
import { UserError } from './errors.ts';
import type { JsonObject } from './json.ts';
import type { Message, Output } from './message.ts';
import type { LLMConfig, Model, ModelSettings, OutputSpec, ToolSpec } from './model.ts';
import type { ChatRequest, RunResult } from './run-result.ts';
import { isSchema, toJsonSchema, type Schema } from './schema.ts';
import { checkGuardrails, type Guardrail } from './guardrail.ts';
import { toHandoff, type HandoffTo, type Lazy } from './handoff.ts';
import {
  compileHandoffs,
  planOf,
  type HandoffConfig,
  type HandoffPlan,
  type HandoffTarget,
} from './handoff-config.ts';
import { agentTool, type AgentToolOptions } from './agent-tool.ts';
import { checkMiddleware, type Middleware } from './middleware.ts';
import type { ReflectionPlan } from './reflection.ts';
import type { Instructions, RunContext } from './run-context.ts';
import { tool, type Tool, type ToolOptions, type ToolSource } from './tool.ts';

/** What `beforeRun` may change, before anything is recorded. */
export interface RunRequest {
  readonly messages: readonly Message[];
  readonly requestContext: JsonObject;
}

/** What `afterRun` may change, before `run-end` is recorded. */
export interface RunAnswer {
  readonly response: string;
  readonly output: Output;
}

export interface AgentConfig<C, O> {
  /** `^[A-Za-z][A-Za-z0-9_-]{0,52}$`; some names are taken by routes. */
  readonly name: string;
  readonly description?: string | undefined;
  /** Text, or a function of the run that is asked for each turn. */
  readonly instructions?: Instructions<C> | undefined;
  /** A model, or `'provider/model'` for the runner's registry. */
  readonly model?: Model | string | undefined;
  /** The Python README's spelling of the same; resolved by the runner's registry. */
  readonly llmConfig?: LLMConfig | undefined;
  readonly modelSettings?: ModelSettings | undefined;
  readonly tools?: readonly Tool<C>[] | undefined;
  /** Tools that are not written in this process. */
  readonly mcpServers?: readonly ToolSource[] | undefined;
  /** Agents that the model may hand the conversation to; a function of the list lets two agents name each other. */
  readonly handoffs?: Lazy<readonly HandoffTo<C, NoInfer<O>>[]> | undefined;
  /** The Python README's declarative form of the same, with every mode. */
  readonly handoffConfig?: HandoffConfig<C> | undefined;
  /** Checks on what the agent is asked. */
  readonly inputGuardrails?: readonly Guardrail<C>[] | undefined;
  /** Checks on what the agent answers; nothing is shown before they passed. */
  readonly outputGuardrails?: readonly Guardrail<C>[] | undefined;
  /** Around model calls and tool calls of this agent. */
  readonly middleware?: readonly Middleware<C>[] | undefined;
  /**
   * What callers in code send instead of a message (an MCP tool, another agent's tool): an object schema. The agent reads
   * it as JSON.
   */
  readonly inputType?: Schema<unknown, unknown> | undefined;
  /** The form of the answer. It is asked for again with the validation errors before the run fails. */
  readonly outputType?: Schema<unknown, O> | undefined;
  /** How often a misfit answer is asked for again. Default 2. */
  readonly maxOutputRetries?: number | undefined;
  /** Turns of one frame before the run ends `stopped`. Default 10. */
  readonly maxTurns?: number | undefined;
  /** The Python README's name for `maxTurns`. */
  readonly maxToolRounds?: number | undefined;
  /** Whether the model may call several tools in one turn. Default: the model's own. */
  readonly parallelToolCalls?: boolean | undefined;
  /** The Python README's name for `parallelToolCalls`. */
  readonly enableParallelToolCalls?: boolean | undefined;
  /** How many tools of one turn run at once. Default 8. */
  readonly toolConcurrency?: number | undefined;
  /** The largest result of a tool, in bytes of JSON, before the model gets an error instead. Default 262,144. */
  readonly maxToolResultBytes?: number | undefined;
  /** What a chat that asks for nothing gets: an event stream, or JSON (default). */
  readonly streaming?: boolean | undefined;
  /** `false`: no chat route; reached by other agents only. Default `true`. */
  readonly enableConversationalAgent?: boolean | undefined;
  /** Applied once, before the run is recorded. */
  readonly beforeRun?:
    | ((
        request: RunRequest,
        context: RunContext<C>,
      ) => Partial<RunRequest> | undefined | Promise<Partial<RunRequest> | undefined>)
    | undefined;
  /** Applied once, before the answer is recorded. */
  readonly afterRun?:
    | ((
        answer: RunAnswer,
        context: RunContext<C>,
      ) => Partial<RunAnswer> | undefined | Promise<Partial<RunAnswer> | undefined>)
    | undefined;
  /**
   * Told when a run ends (cancelled, stopped, failed) before this agent has answered, with the conversation that it saw:
   * what it began elsewhere can be called off. It comes before the end is recorded, after a crash possibly again; the end
   * waits 5 s for it at most, and what it throws is logged.
   */
  readonly onAbandoned?:
    | ((messages: readonly Message[], context: RunContext<C>) => void | Promise<void>)
    | undefined;
  readonly version?: string | undefined;
  /** Earlier names: runs that were recorded under them go on. */
  readonly aliases?: readonly string[] | undefined;
  /** Whether `/info` shows more than the name. Default `true`. */
  readonly exposeAgentInfo?: boolean | undefined;
  /** Default `false`. */
  readonly exposeInstructions?: boolean | undefined;
  /** Default `false`. */
  readonly exposeTools?: boolean | undefined;
}

const agentName = /^[A-Za-z][A-Za-z0-9_-]{0,52}$/;
const takenNames = new Set(['runs', 'sessions', 'agents', 'health', 'openapi', 'admin', 'mcp']);

const knownKeys: ReadonlySet<string> = new Set([
  'name',
  'description',
  'instructions',
  'model',
  'llmConfig',
  'modelSettings',
  'tools',
  'mcpServers',
  'handoffs',
  'handoffConfig',
  'inputGuardrails',
  'outputGuardrails',
  'middleware',
  'inputType',
  'outputType',
  'maxOutputRetries',
  'maxTurns',
  'maxToolRounds',
  'parallelToolCalls',
  'enableParallelToolCalls',
  'toolConcurrency',
  'maxToolResultBytes',
  'streaming',
  'enableConversationalAgent',
  'beforeRun',
  'afterRun',
  'onAbandoned',
  'version',
  'aliases',
  'exposeAgentInfo',
  'exposeInstructions',
  'exposeTools',
] satisfies (keyof AgentConfig<unknown, unknown>)[]);

/**
 * An agent: data. Instructions, a model, tools. Runs share it; it holds nothing of any run, and changing it after its
 * first run throws. `O` is what a run that starts here can produce.
 *
 * @throws UserError at construction for everything that can be checked then.
 */
export abstract class AgentDefinition<in C = unknown, out O = string> {
  readonly name: string;
  readonly description: string;
  readonly version: string;
  readonly instructions: Instructions<C> | undefined;
  readonly model: Model | string | undefined;
  readonly llmConfig: LLMConfig | undefined;
  readonly modelSettings: ModelSettings;
  readonly inputType: Schema<unknown, unknown> | undefined;
  /** `inputType` as JSON Schema, printed once. */
  readonly inputJsonSchema: JsonObject | undefined;
  readonly outputType: Schema<unknown, O> | undefined;
  readonly outputSpec: OutputSpec | undefined;
  readonly maxOutputRetries: number;
  readonly maxTurns: number | undefined;
  readonly toolConcurrency: number;
  readonly maxToolResultBytes: number;
  readonly streaming: boolean;
  readonly enableConversationalAgent: boolean;
  readonly beforeRun: AgentConfig<C, O>['beforeRun'];
  readonly afterRun: AgentConfig<C, O>['afterRun'];
  readonly onAbandoned: AgentConfig<C, O>['onAbandoned'];
  readonly aliases: readonly string[];
  readonly inputGuardrails: readonly Guardrail<C>[];
  readonly outputGuardrails: readonly Guardrail<C>[];
  readonly middleware: readonly Middleware<C>[];
  #handoffs: Lazy<readonly HandoffTo<C, O>[]>;
  #handoffConfig: HandoffConfig<C> | undefined;
  #plan: HandoffPlan<C> | undefined;
  #tools: readonly Tool<C>[];
  #toolSources: readonly ToolSource[];
  #exposed: { readonly info: boolean; readonly instructions: boolean; readonly tools: boolean };
  #used = false;
  readonly #config: AgentConfig<C, O>;

  constructor(config: AgentConfig<C, O>) {
    const { name } = config;
    if (typeof name !== 'string' || !agentName.test(name)) {
      throw new UserError(
        `The agent name ${JSON.stringify(name)} is not usable: start with a letter, then letters, digits, _ or -, at most 53 characters.`,
      );
    }
    if (takenNames.has(name.toLowerCase())) {
      throw new UserError(`The agent name "${name}" is taken by a route. Choose another.`);
    }
    for (const key of Object.keys(config)) {
      if (!knownKeys.has(key)) {
        throw new UserError(
          `Agent ${name} has an unknown option ${JSON.stringify(key)}. Options: ${[...knownKeys].join(', ')}.`,
        );
      }
    }
    if (config.model !== undefined && config.llmConfig !== undefined) {
      throw new UserError(`Agent ${name} has both model and llmConfig. Keep one.`);
    }
    if (config.outputType !== undefined && !isSchema(config.outputType)) {
      throw new UserError(
        `The outputType of agent ${name} is not a Standard Schema that prints JSON Schema. Use zod >= 4.2, arktype, valibot with toStandardJsonSchema(), or jsonSchema().`,
      );
    }
    const { inputType } = config;
    this.inputType = inputType;
    this.inputJsonSchema = inputType === undefined ? undefined : inputSchemaOf(name, inputType);
    const maxTurns = config.maxTurns ?? config.maxToolRounds;
    checkCount(`maxTurns of agent ${name}`, maxTurns, 1);
    checkCount(`toolConcurrency of agent ${name}`, config.toolConcurrency, 1);
    checkCount(`maxOutputRetries of agent ${name}`, config.maxOutputRetries, 0);
    checkCount(`maxToolResultBytes of agent ${name}`, config.maxToolResultBytes, 1);
    this.#config = config;
    this.name = name;
    this.description = config.description ?? '';
    this.version = config.version ?? '1.0.0';
    this.instructions = config.instructions;
    this.model = config.model;
    this.llmConfig = config.llmConfig;
    const parallelToolCalls = config.parallelToolCalls ?? config.enableParallelToolCalls;
    this.modelSettings = Object.freeze({
      ...(parallelToolCalls === undefined ? {} : { parallelToolCalls }),
      ...config.modelSettings,
    });
    this.outputType = config.outputType;
    this.outputSpec =
      config.outputType === undefined
        ? undefined
        : Object.freeze({
            name: `${name.replaceAll('-', '_')}_output`,
            schema: toJsonSchema(config.outputType, `The outputType of agent ${name}`),
            strict: true,
          });
    this.maxOutputRetries = config.maxOutputRetries ?? 2;
    this.maxTurns = maxTurns;
    this.toolConcurrency = config.toolConcurrency ?? 8;
    this.maxToolResultBytes = config.maxToolResultBytes ?? 262_144;
    this.streaming = config.streaming ?? false;
    this.enableConversationalAgent = config.enableConversationalAgent ?? true;
    this.beforeRun = config.beforeRun;
    this.afterRun = config.afterRun;
    this.onAbandoned = config.onAbandoned;
    this.aliases = config.aliases ?? [];
    this.#toolSources = config.mcpServers ?? [];
    this.#exposed = {
      info: config.exposeAgentInfo ?? true,
      instructions: config.exposeInstructions ?? false,
      tools: config.exposeTools ?? false,
    };
    this.inputGuardrails = config.inputGuardrails ?? [];
    this.outputGuardrails = config.outputGuardrails ?? [];
    this.middleware = config.middleware ?? [];
    this.#tools = [];
    for (const one of config.tools ?? []) this.#addTool(one);
    checkGuardrails(`Agent ${name}`, 'input guardrails', this.inputGuardrails);
    checkGuardrails(`Agent ${name}`, 'output guardrails', this.outputGuardrails);
    checkMiddleware(`Agent ${name}`, this.middleware);
    this.#handoffs = config.handoffs ?? [];
    this.#handoffConfig = config.handoffConfig;
    this.#checkHandoffs(config.handoffConfig);
  }

  /** The tools written in this process, in order. */
  get tools(): readonly Tool<C>[] {
    return this.#tools;
  }

  /** Where further tools come from. */
  get toolSources(): readonly ToolSource[] {
    return this.#toolSources;
  }

  /** What the agent chose to show of itself. */
  get exposed(): {
    readonly info: boolean;
    readonly instructions: boolean;
    readonly tools: boolean;
  } {
    return this.#exposed;
  }

  /** Adds a tool (the Python README's `@agent.tool`). @throws UserError once the agent has run. */
  tool<In, Out>(options: ToolOptions<C, In, Out>): this {
    this.mustBeUnused('tool()');
    this.#addTool(tool<In, Out, C>(options));
    return this;
  }

  /** Adds a source of tools. @throws UserError once the agent has run. */
  addMcpServer(source: ToolSource): this {
    this.mustBeUnused('addMcpServer()');
    this.#toolSources = [...this.#toolSources, source];
    return this;
  }

  /** Changes what the agent shows of itself. @throws UserError once the agent has run. */
  configurePrivacy(options: {
    readonly exposeAgentInfo?: boolean | undefined;
    readonly exposeInstructions?: boolean | undefined;
    readonly exposeTools?: boolean | undefined;
  }): this {
    this.mustBeUnused('configurePrivacy()');
    this.#exposed = {
      info: options.exposeAgentInfo ?? this.#exposed.info,
      instructions: options.exposeInstructions ?? this.#exposed.instructions,
      tools: options.exposeTools ?? this.#exposed.tools,
    };
    return this;
  }

  /** Sets how several agents work together from here. @throws UserError for what is not in the table; once the agent has run. */
  configureHandoffs(config: HandoffConfig<C>): this {
    this.mustBeUnused('configureHandoffs()');
    checkObject(`configureHandoffs() of agent ${this.name}`, config, 'mode and targets');
    this.#checkHandoffs(config);
    this.#handoffConfig = config;
    return this;
  }

  /** Adds a target to the `handoffConfig`. @throws UserError without one; once the agent has run. */
  addHandoffTarget(target: HandoffTarget<C>): this {
    this.mustBeUnused('addHandoffTarget()');
    if (this.#handoffConfig === undefined) {
      throw new UserError(
        `Agent ${this.name} has no handoffConfig to add a target to. Write configureHandoffs({ mode: 'swarm', targets: [...] }) first.`,
      );
    }
    const config = { ...this.#handoffConfig, targets: [...this.#handoffConfig.targets, target] };
    this.#checkHandoffs(config);
    this.#handoffConfig = config;
    return this;
  }

  /**
   * This agent as a tool of another: it works in a frame of its own, and what it asks of people it asks in the same run.
   * What it answers is the tool's result; if it fails, the other agent's model reads why.
   */
  asTool<In = { readonly message: string }>(options: AgentToolOptions<C, In> = {}): Tool<C> {
    return agentTool<C, In>(this, options);
  }

  /** What a run of this agent does: `Agent` runs it, a subclass may work around it. */
  abstract processRequest(request: ChatRequest): Promise<RunResult<O>>;

  /** Whether a subclass overrides `processRequest`. */
  abstract get overridesProcessRequest(): boolean;

  /** The options as they are now, for a copy. */
  protected get config(): AgentConfig<C, O> {
    const { info, instructions, tools } = this.#exposed;
    return {
      ...this.#config,
      tools: this.#tools,
      mcpServers: this.#toolSources,
      handoffs: this.#handoffs,
      handoffConfig: this.#handoffConfig,
      exposeAgentInfo: info,
      exposeInstructions: instructions,
      exposeTools: tools,
    };
  }

  /** Who may be handed to, and how: read on first use. @throws UserError for a handoff that cannot be. @internal */
  get handoffPlan(): HandoffPlan<C> {
    this.#plan ??=
      this.#handoffConfig === undefined
        ? this.#listed()
        : compileHandoffs(this.name, this.#handoffConfig);
    return this.#plan;
  }

  /** How its answers are judged and rewritten, if they are. @internal */
  get reflection(): ReflectionPlan<C> | undefined {
    return undefined;
  }

  /** How deep handoffs may go in a run that starts here, if the agent says. @internal */
  get maxHops(): number | undefined {
    return this.#handoffConfig?.maxHops;
  }

  /** From now on the agent cannot be changed. @internal */
  markUsed(): void {
    this.#used = true;
  }

  #addTool(one: Tool<C>): void {
    if (typeof Object(one).execute !== 'function') {
      throw new UserError(
        one instanceof AgentDefinition
          ? `Agent ${this.name} has agent ${one.name} among its tools. Write tools: [agent.asTool()], or handoffs: [agent].`
          : `Agent ${this.name} has ${shown(one)} among its tools. Make tools with tool({...}).`,
      );
    }
    if (this.#tools.some((other) => other.name === one.name)) {
      throw new UserError(`Agent ${this.name} has two tools named ${one.name}. Rename one.`);
    }
    this.#tools = [...this.#tools, one];
  }

  // What needs no other agent is refused at once.
  #checkHandoffs(config: HandoffConfig<C> | undefined): void {
    if (typeof this.#handoffs !== 'function' && !Array.isArray(this.#handoffs)) {
      throw new UserError(
        `Agent ${this.name} has ${shown(this.#handoffs)} as handoffs. Write handoffs: [agent, …], or a function of such a list.`,
      );
    }
    if (config !== undefined) {
      if (typeof this.#handoffs === 'function' || this.#handoffs.length > 0) {
        throw new UserError(
          `Agent ${this.name} has both handoffs and handoffConfig. Keep one: handoffs lists agents, handoffConfig says how they work together.`,
        );
      }
      this.#plan = compileHandoffs(this.name, config);
    } else if (typeof this.#handoffs !== 'function') this.#plan = this.#listed();
  }

  #listed(): HandoffPlan<C> {
    const listed = typeof this.#handoffs === 'function' ? this.#handoffs() : this.#handoffs;
    if (!Array.isArray(listed)) {
      throw new UserError(
        `The handoffs function of agent ${this.name} answered ${shown(listed)}. Write handoffs: () => [agent, …].`,
      );
    }
    return planOf<C>(
      this.name,
      listed.map((item) => toHandoff<C, unknown>(item)),
    );
  }

  protected mustBeUnused(what: string): void {
    if (this.#used) {
      throw new UserError(
        `${what} came after the first run of agent ${this.name}: an agent is shared by its runs and does not change. Add it before, or use agent.clone({...}).`,
      );
    }
  }
}

/** The tools that a turn may call. */
export interface Toolset<in C> {
  readonly tools: readonly Tool<C>[];
  readonly specs: readonly ToolSpec[];
  find(name: string): Tool<C> | undefined;
  readonly names: readonly string[];
  /** Some tools answer `isEnabled` for each turn. */
  readonly conditional: boolean;
}

export function toToolset<C>(tools: readonly Tool<C>[]): Toolset<C> {
  const byName = new Map(tools.map((one) => [one.name, one]));
  return {
    tools,
    specs: Object.freeze(
      tools.map(({ name, description, inputJsonSchema, strict }) =>
        Object.freeze({ name, description, inputSchema: inputJsonSchema, strict }),
      ),
    ),
    find: (name) => byName.get(name),
    names: [...byName.keys()],
    conditional: tools.some(
      (one) => one.isEnabled !== undefined || one.handoff?.isEnabled !== undefined,
    ),
  };
}

/** @throws UserError for what is no schema of an object. */
function inputSchemaOf(name: string, inputType: Schema<unknown, unknown>): JsonObject {
  if (!isSchema(inputType)) {
    throw new UserError(
      `The inputType of agent ${name} is not a Standard Schema that prints JSON Schema. Use zod >= 4.2, arktype, valibot with toStandardJsonSchema(), or jsonSchema().`,
    );
  }
  const schema = toJsonSchema(inputType, `The inputType of agent ${name}`);
  if (schema['type'] === 'object') return schema;
  throw new UserError(
    `The inputType of agent ${name} prints type ${JSON.stringify(schema['type'] ?? null)}. Callers send an object: write z.object({ … }).`,
  );
}
