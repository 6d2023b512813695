import {
  tool,
  type Effect,
  type Question,
  type RunContext,
  type Schema,
  type Tool,
  type ToolContent,
  type ToolContext,
} from '@agent-functions/core';
import type { ToolDefinition } from './definition.ts';
import type { Approval, ToolChoiceOptions } from './options.ts';
import type { Settings } from './settings.ts';

/** What runs a call: its result, or what is asked before it can have one. */
export type RunCall = (
  input: unknown,
  context: ToolContext,
) => Promise<unknown> | Promise<ToolContent> | Promise<Question>;

/** A server's tool as one of core. Its hints count only where its owner is trusted. */
export function toTool(
  definition: ToolDefinition,
  name: string,
  options: {
    readonly settings: Settings;
    readonly choice: ToolChoiceOptions;
    readonly schema: Schema<unknown, { readonly [name: string]: unknown }>;
    readonly run: RunCall;
  },
): Tool {
  const { settings, choice } = options;
  const effect = effectOf(definition, settings);
  const made = tool({
    name,
    description: definition.description || (definition.title ?? definition.name),
    parameters: options.schema,
    onAmbiguous: settings.onAmbiguous,
    ...(effect === undefined ? {} : { effect }),
    needsApproval: approvalOf(definition.name, choice.needsApproval),
    execute: (input, context: ToolContext) => options.run(input, context),
  });
  return Object.freeze({ ...made, kind: 'remote' as const });
}

/** `undefined`: nobody who is trusted said. */
function effectOf({ name, annotations }: ToolDefinition, settings: Settings): Effect | undefined {
  const own = Object.hasOwn(settings.effects, name) ? settings.effects[name] : undefined;
  if (own !== undefined || !settings.trusted) return own;
  if (annotations['readOnlyHint'] === true) return 'read';
  if (annotations['idempotentHint'] === true) return 'idempotent';
  return undefined;
}

function approvalOf(
  toolName: string,
  given: ToolChoiceOptions['needsApproval'],
): boolean | ((input: unknown, context: RunContext) => boolean | Promise<boolean>) {
  const approval = typeof given === 'object' ? named(given, toolName) : given;
  return typeof approval === 'function'
    ? (input, context) => approval({ toolName, input }, context)
    : approval === 'always';
}

function named(
  approvals: { readonly [toolName: string]: Approval },
  toolName: string,
): Approval | undefined {
  return Object.hasOwn(approvals, toolName) ? approvals[toolName] : approvals['*'];
}
