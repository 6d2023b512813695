import {
  SessionBusyError,
  toJson,
  validate,
  type AgentDefinition,
  type ChatRequest,
} from '@agent-functions/core';
import type { CallToolResult } from '@modelcontextprotocol/server';
import { agentInputSchema, listed, runOutputSchema } from './agent-schemas.ts';
import { ask, sessionFor } from './ask.ts';
import { fieldsOf, refused } from './call.ts';
import type { Published } from './published.ts';
import type { ServedTool } from './served-tool.ts';
import { refusedFor, type Serving } from './serving.ts';

/** An agent as a tool: its caller sends a message and gets the answer, the run and the conversation. */
export function agentTool(serving: Serving, published: Published): ServedTool {
  const { name, agent } = published;
  return {
    name,
    config: {
      description: agent.description === '' ? `Asks the agent ${name}.` : agent.description,
      inputSchema: listed(agentInputSchema(agent)),
      outputSchema: listed(runOutputSchema(agent)),
      // What it may do its tools decide: nothing is promised.
    },
    run: async (input, call) => {
      try {
        const asked = await toRequest(agent, input);
        if (typeof asked === 'string') return refused(asked);
        const sessionId = await sessionFor(serving, asked.sessionId, call);
        return await ask(serving, published, { ...asked, sessionId }, call);
      } catch (error) {
        if (error instanceof SessionBusyError) return busy(error);
        return refusedFor(error, call);
      }
    },
  };
}

/** What is asked, or what is wrong with it. */
async function toRequest(
  agent: AgentDefinition<never, unknown>,
  input: unknown,
): Promise<ChatRequest | string> {
  const { session_id: sessionId, ...fields } = fieldsOf(input);
  if (sessionId !== undefined && !isSessionId(sessionId)) {
    return 'session_id must be the session_id of an earlier answer: a text of at most 128 characters. Leave it out to begin a conversation.';
  }
  const message = agent.inputType === undefined ? plain(fields) : await typed(agent, fields);
  if ('problem' in message) return message.problem;
  return { message: message.text, ...(sessionId === undefined ? {} : { sessionId }) };
}

type Message = { readonly text: string } | { readonly problem: string };

function plain(fields: { readonly [name: string]: unknown }): Message {
  const { message, ...unknown } = fields;
  const [first] = Object.keys(unknown);
  if (first !== undefined) {
    return { problem: `There is no argument ${first}. Send message, and perhaps session_id.` };
  }
  return typeof message === 'string' && message !== ''
    ? { text: message }
    : { problem: 'message must be a text that is not empty.' };
}

async function typed(
  agent: AgentDefinition<never, unknown>,
  fields: { readonly [name: string]: unknown },
): Promise<Message> {
  const { inputType, inputJsonSchema } = agent;
  const { message, ...rest } = fields;
  const ownMessage = Object.hasOwn(Object(inputJsonSchema?.['properties']), 'message');
  const own = ownMessage ? fields : rest;
  const checked = inputType === undefined ? undefined : await validate(inputType, own);
  if (checked?.ok === false) return { problem: `The input does not fit. ${checked.issues}` };
  if (ownMessage && typeof message === 'string' && Object.keys(rest).length === 0) {
    return { text: message };
  }
  const json = JSON.stringify(toJson(own));
  if (ownMessage || message === undefined) return { text: json };
  return typeof message === 'string'
    ? { text: `${message}\n${json}` }
    : { problem: 'message must be a text.' };
}

function isSessionId(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= 128;
}

function busy({ activeRunId }: SessionBusyError): CallToolResult {
  const run = `{"run_id": ${JSON.stringify(activeRunId)}}`;
  return refused(
    `The conversation has a run that works or waits: ${activeRunId}. Call get_run with ${run} to see what it waits for, cancel_run to stop it, or leave session_id out to begin another conversation.`,
  );
}
