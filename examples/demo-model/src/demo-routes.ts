import { randomUUID } from 'node:crypto';
import type { AgentFunctionAppOptions } from '@agent-functions/azure-functions';
import type { Principal, RunOptions, RunResult } from '@agent-functions/core';

type AppRoute = NonNullable<AgentFunctionAppOptions['routes']>[number];

interface Asked {
  run(message: string, options: RunOptions): Promise<RunResult<unknown>>;
}

/**
 * Routes of the app's own, for a quick look: `GET` has the sample conversation with an agent, `POST` with
 * `{"messages": ["…", "…"]}` another one. Both answer who said what, and the path that each turn took.
 */
export function demoRoutes(
  path: string,
  agent: string,
  conversation: readonly string[],
): readonly AppRoute[] {
  return [
    {
      method: 'GET',
      path,
      handler: async (_, { runners, principal }) =>
        Response.json(await converse(runners[agent], conversation, principal)),
    },
    {
      method: 'POST',
      path,
      handler: async (request, { runners, principal }) => {
        const messages = messagesOf(await request.json().catch(() => undefined));
        if (messages === undefined) {
          const detail = 'Send {"messages": ["…"]}, with one to ten texts.';
          return Response.json({ code: 'invalid_request', detail }, { status: 400 });
        }
        return Response.json(await converse(runners[agent], messages, principal));
      },
    },
  ];
}

async function converse(
  runner: Asked | undefined,
  messages: readonly string[],
  principal: Principal | undefined,
): Promise<unknown> {
  const sessionId = randomUUID();
  const turns = [];
  for (const message of messages) {
    const result = await runner?.run(message, { sessionId, principal });
    turns.push({
      message,
      status: result?.status,
      agent: result?.lastAgent,
      response: result?.response,
      handoff_path: result?.handoffPath,
      hops: result?.hops,
    });
  }
  return { session_id: sessionId, turns };
}

function messagesOf(body: unknown): readonly string[] | undefined {
  if (typeof body !== 'object' || body === null || !('messages' in body)) return undefined;
  const { messages } = body;
  if (!Array.isArray(messages) || messages.length === 0 || messages.length > 10) return undefined;
  return messages.every((each) => typeof each === 'string' && each !== '') ? messages : undefined;
}
