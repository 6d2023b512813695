import { randomUUID } from 'node:crypto';
import type { AgentFunctionAppOptions } from '@agent-functions/azure-functions';
import type { ChatRequest, Principal, RunOptions, RunResult } from '@agent-functions/core';
import { z } from 'zod';
import { spelledOut, type Saying } from './saying.ts';

type AppRoute = NonNullable<AgentFunctionAppOptions['routes']>[number];

interface Asked {
  run(request: ChatRequest, options: RunOptions): Promise<RunResult<unknown>>;
}

/**
 * Routes of the app's own, for a quick look: `GET` has the sample conversation with an agent, `POST` with
 * `{"messages": ["…", "…"]}` (and a `context`, if you like) another one. Both answer who said what, and the path that each turn took.
 */
export function demoRoutes(
  path: string,
  agent: string,
  conversation: readonly Saying[],
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
        const sayings = sayingsOf(await request.json().catch(() => undefined));
        if (sayings === undefined) {
          const detail =
            'Send {"messages": ["…"]}, with one to ten texts, and a context object if you like.';
          return Response.json({ code: 'invalid_request', detail }, { status: 400 });
        }
        return Response.json(await converse(runners[agent], sayings, principal));
      },
    },
  ];
}

async function converse(
  runner: Asked | undefined,
  conversation: readonly Saying[],
  principal: Principal | undefined,
): Promise<unknown> {
  const sessions = new Map<string, string>();
  const turns = [];
  for (const saying of conversation) {
    const { user, message, context } = spelledOut(saying);
    const sessionId = sessions.get(user) ?? randomUUID();
    sessions.set(user, sessionId);
    const result = await runner?.run({ message, context }, { sessionId, principal });
    turns.push({
      message,
      session_id: sessionId,
      status: result?.status,
      agent: result?.lastAgent,
      response: result?.response,
      handoff_path: result?.handoffPath,
      hops: result?.hops,
    });
  }
  return { turns };
}

function sayingsOf(body: unknown): readonly Saying[] | undefined {
  const { success, data } = asked.safeParse(body);
  if (!success) return undefined;
  const { messages, context } = data;
  return messages.map((message) => ({ user: 'user', message, context }));
}

const asked = z.object({
  messages: z.array(z.string().min(1)).min(1).max(10),
  context: z.record(z.string(), z.json()).optional(),
});
