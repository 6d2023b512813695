import { checkKind, checkOptions, type OptionKinds } from './check-options.ts';
import { UserError } from './errors.ts';
import { checkGuardrails, type Guardrail } from './guardrail.ts';
import type { Handoff } from './handoff.ts';
import type { Json, JsonObject } from './json.ts';
import type { Message, Part } from './message.ts';
import type { Question } from './question.ts';
import type { RunContext } from './run-context.ts';
import { isSchema, toJsonSchema, type Schema } from './schema.ts';

/** What a repeat of a tool does: nothing but reading, the same thing again (by its key), or a second time. */
export type Effect = 'read' | 'idempotent' | 'once';

export interface ToolContext<C = unknown> extends RunContext<C> {
  readonly callId: string;
  readonly toolName: string;
  /** The conversation that the model saw when it made this call. */
  readonly messages: readonly Message[];
  /** Stable across retries and resumes of the same call: hand it to the backend as its idempotency key. */
  readonly idempotencyKey: string;
  /** Shows progress to watchers; not recorded. */
  readonly progress: (data: unknown) => void;
  /** Records a `warning` event with the run: the same words once. Not shown to the model. */
  readonly warn: (code: string, message: string) => void;
  /** Records data with the call; a call that is resumed finds it in `lastCheckpoint`. Resolves when it is stored. */
  readonly checkpoint: (data: unknown) => Promise<void>;
  readonly lastCheckpoint?: Json | undefined;
  /**
   * Sets fields of `sessionState`; `null` removes one. It counts when the tool has returned, and is recorded with its
   * result: a tool that throws, takes too long, is cancelled or asks first changes nothing.
   *
   * @throws UserError for what is no object or no JSON, and above 32,000 bytes for the whole state.
   */
  readonly updateSessionState: (patch: object) => void;
  /** What was answered to the question that this tool asked (`askForInput()`): it runs again with it. */
  readonly answer?: Json | undefined;
}

/** Content for the model instead of JSON: `content([{ type: 'text', text }, { type: 'file', … }])`. */
export class ToolContent {
  readonly parts: readonly Part[];

  constructor(parts: readonly Part[]) {
    this.parts = parts;
  }
}

/** Returns parts (text, images, files) from a tool instead of JSON. */
export function content(parts: readonly Part[]): ToolContent {
  return new ToolContent(parts);
}

export type ToolKind = 'tool' | 'agent' | 'handoff' | 'remote';

export type Reconciliation<Out> =
  | { readonly done: true; readonly output: Out }
  | { readonly done: false };

/**
 * A tool an agent can call. Made by `tool()`; data and functions, shared by all runs. Unset options are `undefined`.
 * `C` is contravariant: a tool that needs no context fits any agent.
 */
export interface Tool<in C = unknown> {
  readonly kind: ToolKind;
  readonly name: string;
  readonly description: string;
  readonly inputSchema: Schema;
  /** `inputSchema` as JSON Schema, printed once. */
  readonly inputJsonSchema: JsonObject;
  readonly outputSchema?: Schema | undefined;
  readonly effect: Effect;
  /** `false` where nobody said which: it counts as `once`, and the development server lists it. */
  readonly effectDeclared: boolean;
  readonly strict: boolean;
  readonly onAmbiguous: 'report' | 'ask';
  readonly timeoutMs?: number | undefined;
  readonly maxRetries: number;
  /** How long an approval of this tool may wait, in milliseconds. */
  readonly approvalTimeoutMs?: number | undefined;
  readonly needsApproval:
    | boolean
    | ((input: unknown, context: RunContext<C>) => boolean | Promise<boolean>);
  isEnabled?(context: RunContext<C>): boolean | Promise<boolean>;
  reconcile?(input: unknown, context: ToolContext<C>): Promise<Reconciliation<unknown>>;
  readonly onError: 'return' | 'throw' | ((error: unknown, context: ToolContext<C>) => string);
  /**
   * Runs the tool on validated input. A generator's yields are progress, its return value the result. An `AgentError`
   * with code `outcome_unknown` says that nobody knows whether the call happened: what a lost connection leaves.
   */
  execute(input: unknown, context: ToolContext<C>): unknown;
  toModelOutput?(output: unknown): string | readonly Part[];
  /** For kinds `agent` and `handoff`: who is given the word, instead of `execute`. */
  readonly handoff?: Handoff<C> | undefined;
  /** What is checked before the tool runs, and of what it returned. */
  readonly guardrails?: ToolGuardrails<C> | undefined;
}

/** Guardrails of one tool: on its validated input, and on what the model would read of its result. */
export interface ToolGuardrails<in C = unknown> {
  readonly input?: readonly Guardrail<C>[] | undefined;
  readonly output?: readonly Guardrail<C>[] | undefined;
}

export interface ToolOptions<C, In, Out> {
  /** `^[A-Za-z][A-Za-z0-9_-]{0,63}$`: what every model vendor accepts. */
  readonly name: string;
  readonly description: string;
  /** What the model must send: any Standard Schema (zod, valibot, arktype) or `jsonSchema()`. */
  readonly parameters: Schema<unknown, In>;
  /** Checks what `execute` returns; a mismatch is an error result. */
  readonly outputSchema?: Schema<unknown, Out> | undefined;
  readonly execute: (
    input: In,
    context: ToolContext<C>,
  ) =>
    | Out
    | Promise<Out>
    | AsyncGenerator<unknown, Out>
    | ToolContent
    | Promise<ToolContent>
    | Question
    | Promise<Out | Question>;
  /** The run pauses and asks a person before the call runs. */
  readonly needsApproval?:
    | boolean
    | ((input: In, context: RunContext<C>) => boolean | Promise<boolean>)
    | undefined;
  /** How long an approval may wait before only a refusal counts. Default: no limit. */
  readonly approvalTimeoutMs?: number | undefined;
  /** Left out of a turn when it answers `false`. */
  readonly isEnabled?: ((context: RunContext<C>) => boolean | Promise<boolean>) | undefined;
  /** What a repeat does. Undeclared counts as `'once'`: never repeated without a decision (journal.md, Tools and repeats). */
  readonly effect?: Effect | undefined;
  /** For `once`: what to do when nobody knows whether the call happened. Default `'report'`: tell the model. */
  readonly onAmbiguous?: 'report' | 'ask' | undefined;
  /** Asks the outside whether an interrupted `once` call happened. */
  readonly reconcile?:
    | ((input: In, context: ToolContext<C>) => Promise<Reconciliation<Out>>)
    | undefined;
  /** Aborts the call's signal; the result is an error (`once`: an unknown outcome). Default: none. */
  readonly timeoutMs?: number | undefined;
  /** Tries a failed call again at once. Refused for `once`. */
  readonly retry?: { readonly maxRetries: number } | undefined;
  /** Default `'return'`: the model reads the error. `'throw'` ends the run `failed`. A function words it. */
  readonly onError?:
    | 'return'
    | 'throw'
    | ((error: unknown, context: ToolContext<C>) => string)
    | undefined;
  /** What the model reads of the result, where that differs from its JSON. */
  readonly toModelOutput?: ((output: Out) => string | readonly Part[]) | undefined;
  /** Checks on the input before the tool runs, and on its result before the model reads it. */
  readonly guardrails?: ToolGuardrails<C> | undefined;
  /** Vendors' strict mode. Default `true` (a provider falls back where the schema does not allow it). */
  readonly strict?: boolean | undefined;
}

const guardrailKinds: OptionKinds<ToolGuardrails> = { input: 'any', output: 'any' };

const toolName = /^[A-Za-z][A-Za-z0-9_-]{0,63}$/;

/**
 * Makes a tool. Its schema is printed once, here.
 *
 * @throws UserError at once for a bad name, a schema that cannot be printed, `retry` on a `once` tool.
 */
export function tool<In, Out, C = unknown>(options: ToolOptions<C, In, Out>): Tool<C> {
  const { name, effect = 'once' } = options;
  if (!toolName.test(name)) {
    throw new UserError(
      `The tool name ${JSON.stringify(name)} is not usable: start with a letter, then letters, digits, _ or -, at most 64 characters.`,
    );
  }
  if (!isSchema(options.parameters)) {
    throw new UserError(
      `The parameters of tool ${name} are not a Standard Schema that prints JSON Schema. Use zod >= 4.2, arktype, valibot with toStandardJsonSchema(), or jsonSchema({...}, { validate }).`,
    );
  }
  if (typeof options.execute !== 'function') {
    throw new UserError(`The tool ${name} has no execute function.`);
  }
  checkKind(`needsApproval of tool ${name} is`, options.needsApproval, 'condition');
  const maxRetries = options.retry?.maxRetries ?? 0;
  if (maxRetries > 0 && effect === 'once') {
    throw new UserError(
      `The tool ${name} has retry but its effect is 'once'${options.effect === undefined ? ' (the default)' : ''}: a repeat could do it twice. Declare effect: 'read' or 'idempotent', or leave retry out.`,
    );
  }
  if (options.timeoutMs !== undefined && !(options.timeoutMs > 0)) {
    throw new UserError(`timeoutMs of tool ${name} is ${options.timeoutMs}; it must be above 0.`);
  }
  const inputJsonSchema = toJsonSchema(options.parameters, `The parameters of tool ${name}`);
  if (inputJsonSchema['type'] !== 'object') {
    throw new UserError(
      `The parameters of tool ${name} must be an object schema; they print type ${JSON.stringify(inputJsonSchema['type'] ?? null)}.`,
    );
  }
  checkOptions(`guardrails of tool ${name}`, options.guardrails ?? {}, guardrailKinds);
  checkGuardrails(`The tool ${name}`, 'input guardrails', options.guardrails?.input);
  checkGuardrails(`The tool ${name}`, 'output guardrails', options.guardrails?.output);
  // The functions see the schema's own types; the engine hands them what the schema validated.
  const typed = options as unknown as ErasedToolOptions<C>;
  return Object.freeze({
    kind: 'tool',
    name,
    description: options.description,
    inputSchema: options.parameters,
    inputJsonSchema,
    outputSchema: options.outputSchema,
    effect,
    effectDeclared: options.effect !== undefined,
    strict: options.strict ?? true,
    onAmbiguous: options.onAmbiguous ?? 'report',
    timeoutMs: options.timeoutMs,
    maxRetries,
    approvalTimeoutMs: options.approvalTimeoutMs,
    needsApproval: typed.needsApproval ?? false,
    ...(typed.isEnabled === undefined ? {} : { isEnabled: typed.isEnabled }),
    ...(typed.reconcile === undefined ? {} : { reconcile: typed.reconcile }),
    onError: typed.onError ?? 'return',
    execute: typed.execute,
    ...(typed.toModelOutput === undefined ? {} : { toModelOutput: typed.toModelOutput }),
    ...(typed.guardrails === undefined ? {} : { guardrails: typed.guardrails }),
  } satisfies Tool<C>);
}

type ErasedToolOptions<C> = ToolOptions<C, unknown, unknown> & {
  readonly execute: (input: unknown, context: ToolContext<C>) => unknown;
};

/**
 * Where tools that are not written in this process come from: an MCP server, a remote agent. Listed when a turn needs
 * them; a source that is down costs its own tools and a `warning` event, not the run, unless it is `required`.
 */
export interface ToolSource {
  readonly name: string;
  /** A failure ends the run `failed` instead of leaving the source's tools out. Default `false`. */
  readonly required?: boolean | undefined;
  listTools(options: {
    readonly signal: AbortSignal;
    readonly agent: string;
    /** Records a `warning` event with the run, for what does not cost all tools: the same words once. */
    readonly warn?: ((code: string, message: string) => void) | undefined;
  }): Promise<readonly Tool[]>;
  close?(): Promise<void>;
}
