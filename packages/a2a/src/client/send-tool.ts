import {
  AgentError,
  jsonSchema,
  tool,
  type JsonObject,
  type Message,
  type RunContext,
  type Tool,
  type ToolContext,
} from '@agent-functions/core';
import { recordOf, stringOf } from '@agent-functions/core/provider';
import type { Task } from '@a2a-js/sdk';
import { filesToSend, turnsOf, type RemoteToolNames } from './conversation.ts';
import { fateOf, told } from './errors.ts';
import { textPart, toRemotePart } from './parts.ts';
import { idsOf, type Remote, type Sent } from './remote.ts';
import type { RemoteTurn } from './turn.ts';

/**
 * The tool that sends a message to a remote agent, once: its result names the task that came of it. Interrupted, it looks
 * for that task by the ids that are made of its idempotency key.
 */
export function sendTool<C>(
  remote: Remote,
  names: RemoteToolNames,
  options: {
    readonly json: boolean;
    readonly contextKeys: readonly string[];
    readonly needsApproval:
      | boolean
      | ((
          input: { readonly message: string },
          context: RunContext<C>,
        ) => boolean | Promise<boolean>);
  },
): Tool<C> {
  const made = tool<{ readonly message: string }, RemoteTurn, C>({
    name: names.send,
    description: `Sends a message to the remote agent ${remote.name}.`,
    parameters: messageInput,
    effect: 'once',
    needsApproval: options.needsApproval,
    onError: (error) => told(remote.name, error),
    async execute({ message }, context) {
      const sent = await sentBy(context, names);
      const files = filesToSend(context.messages, names).flatMap((part) => {
        const file = toRemotePart(part);
        return file === undefined ? [] : [file];
      });
      const parts = [...(message === '' && files.length > 0 ? [] : [textPart(message)]), ...files];
      try {
        const metadata = selected(context.requestContext, options.contextKeys);
        return await remote.send({ ...sent, parts, metadata }, options.json, context.signal);
      } catch (error) {
        return await settled(remote, sent, error, context.signal);
      }
    },
    async reconcile(_input, context) {
      const found = await remote.find(await sentBy(context, names), context.signal);
      return found === undefined ? { done: false } : { done: true, output: begun(found) };
    },
  });
  return Object.freeze({ ...made, kind: 'remote' as const });
}

function selected(context: JsonObject, keys: readonly string[]): JsonObject | undefined {
  const chosen = Object.entries(context).filter(([key]) => keys.includes(key));
  return chosen.length === 0 ? undefined : Object.fromEntries(chosen);
}

/** What is known of a message whose sending failed. @throws AgentError for one that did nothing, or nobody knows. */
async function settled(
  remote: Remote,
  sent: Sent,
  error: unknown,
  signal: AbortSignal,
): Promise<RemoteTurn> {
  if (signal.aborted) {
    // The run was cancelled: what came of the message is, too. A process that only lets go says otherwise.
    if (isCancel(signal.reason)) void remote.cancelSent(sent);
    throw error;
  }
  if (fateOf(error) === 'not-done') throw error;
  const found = await remote.find(sent, signal).catch(() => undefined);
  if (found !== undefined) return begun(found);
  throw new AgentError('outcome_unknown', told(remote.name, error), { cause: error });
}

function isCancel(reason: unknown): boolean {
  return AgentError.isInstance(reason) && reason.code === 'aborted';
}

/** A task that was found: how far it is, whoever follows it sees. */
function begun({ id, contextId }: Task): RemoteTurn {
  return { state: 'submitted', taskId: id, contextId };
}

/** A conversation goes on under its context; a new one has the one that is made of the call. */
async function sentBy<C>(
  { idempotencyKey, messages }: ToolContext<C>,
  names: RemoteToolNames,
): Promise<Sent> {
  const ids = await idsOf(idempotencyKey);
  const known = knownContext(messages, names);
  return { ...ids, contextId: known ?? ids.contextId, fresh: known === undefined };
}

function knownContext(messages: readonly Message[], names: RemoteToolNames): string | undefined {
  return turnsOf(messages, names).findLast(({ contextId }) => contextId !== undefined)?.contextId;
}

const messageInput = jsonSchema<{ readonly message: string }>(
  {
    type: 'object',
    properties: { message: { type: 'string' } },
    required: ['message'],
    additionalProperties: false,
  },
  {
    validate(value) {
      const message = stringOf(recordOf(value)['message']);
      if (message === undefined) throw new Error('message: it must be a text');
      return { message };
    },
  },
);
