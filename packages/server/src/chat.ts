import { SessionBusyError } from '@agent-functions/core';
import { agentOf } from './agent-routes.ts';
import { Answer } from './answer.ts';
import { answerAsJson } from './chat-as-json.ts';
import { answerAsStream } from './chat-as-stream.ts';
import { toChatBody } from './chat-request.ts';
import { busy, closed, isClosed, sessionFor } from './chat-session.ts';
import { lastEventId } from './follow-run.ts';
import { keyedRequest } from './idempotency.ts';
import { applied, preferencesIn, waitsFor } from './prefer.ts';
import { badRequest, Problem } from './problem.ts';
import { readJson } from './read-body.ts';
import { operations } from './operations.ts';
import type { ApiRoute, Reply } from './routes.ts';
import type { Exchange, Scope, Served } from './scope.ts';
import { stoppingProblem } from './server-stops.ts';
import { supersede } from './supersede.ts';
import { endOf, type Turn } from './turn.ts';
import { wantsStream } from './wants-stream.ts';

/** One turn of a conversation, under the agent's path and its short form. */
export function chatRoutes(scope: Scope): readonly ApiRoute[] {
  return [
    {
      method: 'POST',
      path: `${scope.prefix}/agents/{name}/chat`,
      name: 'chat',
      operation: operations.chat,
      handle: (exchange) => chat(scope, agentOf(scope, exchange), exchange),
    },
    ...[...scope.agents.values()].map((served) => ({
      method: 'POST',
      path: `${scope.prefix}/${served.name}/chat`,
      name: 'chat',
      operation: operations.chat,
      agent: served.name,
      handle: (exchange: Exchange) => chat(scope, served, exchange),
    })),
  ];
}

async function chat(scope: Scope, served: Served, exchange: Exchange): Promise<Reply> {
  const { request, host, principal } = exchange;
  const { headers } = request;
  const startedAt = Date.now();
  if (!served.agent.enableConversationalAgent) {
    throw new Problem(
      404,
      'not_conversational',
      `The agent ${served.name} has no chat: other agents reach it. Talk to one of them.`,
    );
  }
  const body = toChatBody(await readJson(request, host, scope.bodyLimitBytes), scope);
  const prefers = preferencesIn(headers);
  // Whoever says how long to wait means an answer in one piece, whatever the agent does by itself.
  const byDefault = served.agent.streaming && waitsFor(prefers) === undefined;
  const streams = wantsStream(headers, body.stream, byDefault);
  if (!streams && lastEventId(request) !== undefined) {
    throw badRequest(
      'Last-Event-ID reads on a stream: ask for text/event-stream, with the Idempotency-Key of the request.',
    );
  }
  if (scope.stopping.begun) throw stoppingProblem(scope);
  const keyed = await keyedRequest(scope, served, headers, principal);
  const sessionId = await sessionFor(scope, served, body, keyed, principal);
  const turn: Turn = {
    input: { ...body.chat, sessionId },
    sessionId,
    options: {
      principal,
      modelSettings: body.modelSettings,
      traceparent: host.traceparent,
      idempotencyKey: keyed?.key,
    },
    startedAt,
    endsAt: endOf(scope, host.deadline, startedAt),
    prefers,
    keyed,
  };
  const answer = async (): Promise<Reply> => {
    if (body.resets) await beginAnew(served, turn);
    if (streams) return answerAsStream(scope, served, exchange, turn);
    const reply = await answerAsJson(scope, served, exchange, turn);
    return reply.with(applied(prefers, reply.status));
  };
  const replayed = keyed?.replayed === true ? { 'idempotency-replayed': 'true' } : {};
  try {
    return withHeaders(await answer(), replayed);
  } catch (error) {
    if (error instanceof Problem) throw error.with(replayed);
    if (isClosed(error)) throw closed();
    if (!(error instanceof SessionBusyError)) throw error;
    if (body.ifBusy === 'reject') throw await busy(scope, exchange, error);
    await supersede(scope, error.activeRunId, exchange);
    return answer();
  }
}

/** The conversation begins anew before its message is read; once, however often the request is sent. */
async function beginAnew({ runner }: Served, { sessionId, options, keyed }: Turn): Promise<void> {
  if (keyed?.replayed === true) return;
  try {
    await runner.resetConversation(sessionId, options);
  } catch (error) {
    // The same request, sent twice at once: the other one has begun it anew.
    const ours = error instanceof SessionBusyError && error.activeRunId === keyed?.runId;
    if (!ours) throw error;
  }
}

function withHeaders(reply: Reply, headers: Readonly<Record<string, string>>): Reply {
  if (reply instanceof Answer) return reply.with(headers);
  for (const [name, value] of Object.entries(headers)) reply.headers.set(name, value);
  return reply;
}
