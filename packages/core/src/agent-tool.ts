import { checkOptions, type OptionKinds } from './check-options.ts';
import { UserError } from './errors.ts';
import { handoffToolName, makeHandoff, type AgentLike, type Handoff } from './handoff.ts';
import { isJsonObject, type Json } from './json.ts';
import type { RunContext } from './run-context.ts';
import { jsonSchema, type Schema } from './schema.ts';
import type { Tool } from './tool.ts';

export interface AgentToolOptions<C, In = { readonly message: string }> {
  /** Default: the agent's name. */
  readonly toolName?: string | undefined;
  /** What the model reads of it. Default: the agent's description. */
  readonly toolDescription?: string | undefined;
  /** What the model must send. Default: the agent's `inputType`, else `message`, a text. Anything else is put before the agent as JSON. */
  readonly parameters?: Schema<unknown, In> | undefined;
  /** Whether the agent sees the caller's conversation. Default `'none'`: only what it is asked. */
  readonly history?: 'none' | 'full' | undefined;
  /** The run pauses and asks a person before the agent is asked. */
  readonly needsApproval?:
    | boolean
    | ((input: In, context: RunContext<C>) => boolean | Promise<boolean>)
    | undefined;
  /** The agent's answer is the caller's, word for word, when it was the only call of the turn. Default `false`. */
  readonly delegate?: boolean | undefined;
  /** Whether watchers see the agent's text as it comes. Default `true`. */
  readonly streamEvents?: boolean | undefined;
}

const optionKinds: OptionKinds<AgentToolOptions<never, never>> = {
  toolName: 'any',
  toolDescription: 'text',
  parameters: 'any',
  history: 'any',
  needsApproval: 'condition',
  delegate: 'flag',
  streamEvents: 'flag',
};

/** An agent as a tool of another. @throws UserError for a bad tool name or schema. */
export function agentTool<C, In>(
  agent: AgentLike<C> & { readonly inputType?: Schema<unknown, unknown> | undefined },
  options: AgentToolOptions<C, In>,
): Tool<C> {
  checkOptions(`${agent.name}.asTool()`, options, optionKinds);
  const target = makeHandoff<C, unknown>(agent.name, {
    agent,
    toolName: options.toolName ?? agent.name,
    description: options.toolDescription,
    inputType: options.parameters ?? agent.inputType ?? messageOnly,
    primitive: 'call',
    verbatim: options.delegate ?? false,
    streamEvents: options.streamEvents ?? true,
    history: options.history,
  });
  return toTool(target, 'agent', {
    description: options.toolDescription ?? agent.description,
    // The function sees the schema's own type; the engine hands it what the schema validated.
    needsApproval: (options.needsApproval ?? false) as Tool<C>['needsApproval'],
  });
}

/** The tool by which a model hands off. */
export function handoffTool<C>(target: Handoff<C>, description: string): Tool<C> {
  return toTool(target, 'handoff', {
    description:
      target.toolName === handoffToolName(target.agentName)
        ? `Hands over to ${target.agentName}.${description === '' ? '' : ` ${description}`}`
        : description,
    needsApproval: false,
  });
}

function toTool<C>(
  target: Handoff<C>,
  kind: 'agent' | 'handoff',
  given: Pick<Tool<C>, 'description' | 'needsApproval'>,
): Tool<C> {
  return Object.freeze({
    kind,
    name: target.toolName,
    ...given,
    inputSchema: target.inputSchema,
    inputJsonSchema: target.inputJsonSchema,
    // What it does is recorded step by step in a frame of its own; the call itself does nothing.
    effect: 'read',
    effectDeclared: true,
    strict: true,
    onAmbiguous: 'report',
    maxRetries: 0,
    onError: 'return',
    execute() {
      throw new UserError(
        `${target.toolName} stands for agent ${target.agentName}, which only a run can ask. Use agent.chat() or run().`,
      );
    },
    handoff: target,
  } satisfies Tool<C>);
}

const messageOnly: Schema<unknown, { readonly message: string }> = jsonSchema(
  {
    type: 'object',
    properties: {
      message: {
        type: 'string',
        description: 'What the agent is asked, with everything it needs to know.',
      },
    },
    required: ['message'],
    additionalProperties: false,
  },
  {
    validate: (value) => {
      const message = isJsonObject(value as Json)
        ? (value as { message?: unknown }).message
        : value;
      if (typeof message !== 'string') throw new Error('message: it must be a text');
      return { message };
    },
  },
);
