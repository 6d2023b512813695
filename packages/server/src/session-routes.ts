import {
  publicMessage,
  SessionBusyError,
  UserError,
  type Message,
  type SessionSnapshot,
} from '@agent-functions/core';
import { activeRun } from './active-run.ts';
import { Answer } from './answer.ts';
import { idPattern } from './chat-request.ts';
import { busy } from './chat-session.ts';
import { cursorIn, limitIn, noCursor } from './page.ts';
import { Problem } from './problem.ts';
import { operations } from './operations.ts';
import type { ApiRoute } from './routes.ts';
import { json, maySee, runnerOf, sessionLinks, type Exchange, type Scope } from './scope.ts';

/** Conversations: whose they are, what was said, and their removal. */
export function sessionRoutes(scope: Scope): readonly ApiRoute[] {
  const session = `${scope.prefix}/sessions/{id}`;
  return [
    {
      method: 'GET',
      path: `${scope.prefix}/sessions`,
      name: 'sessions',
      operation: operations.sessions,
      handle: (exchange) => list(scope, exchange),
    },
    {
      method: 'GET',
      path: session,
      name: 'session',
      operation: operations.session,
      handle: (exchange) => read(scope, exchange),
    },
    {
      method: 'DELETE',
      path: session,
      name: 'session',
      operation: operations.deleteSession,
      handle: (exchange) => remove(scope, exchange),
    },
  ];
}

/** The caller's own, newest first. Nobody's are listed: their ids are all that protects them. */
async function list(scope: Scope, { request, principal }: Exchange): Promise<Answer> {
  if (principal === undefined) {
    throw new Problem(
      404,
      'not_found',
      'Sessions are listed for callers whom the server knows: authenticate. Without it, keep the session_id of the answers.',
    );
  }
  const { searchParams } = new URL(request.url);
  const page = await scope.store.sessions
    .list({
      owner: principal.id,
      limit: limitIn(searchParams),
      cursor: cursorIn(searchParams),
    })
    .catch((error: unknown) => {
      throw error instanceof UserError ? noCursor() : error;
    });
  return json({
    sessions: page.sessions.map(({ sessionId, updatedAt }) => ({
      session_id: sessionId,
      updated_at: new Date(updatedAt).toISOString(),
      links: sessionLinks(scope, sessionId),
    })),
    ...(page.cursor === undefined ? {} : { cursor: page.cursor }),
  });
}

async function read(scope: Scope, exchange: Exchange): Promise<Answer> {
  const session = await settledSession(scope, await visibleSession(scope, exchange));
  const { sessionId, entryAgent, activeAgent, activeRunId, updatedAt } = session;
  const run = activeRunId === undefined ? undefined : await activeRun(scope, activeRunId, exchange);
  return json({
    session_id: sessionId,
    conversation_id: sessionId,
    ...(entryAgent === undefined ? {} : { entry_agent: entryAgent }),
    ...(activeAgent === undefined ? {} : { active_agent: activeAgent }),
    closed: session.closed === true,
    messages: session.messages.map(shown),
    ...(run === undefined ? {} : { active_run: run }),
    updated_at: new Date(updatedAt ?? 0).toISOString(),
    links: sessionLinks(scope, sessionId),
  });
}

/** Call ids are unique in their run only, so the run is named beside them. */
function shown(message: Message) {
  const { runId } = message;
  return { ...publicMessage(message), ...(runId === undefined ? {} : { run_id: runId }) };
}

async function remove(scope: Scope, exchange: Exchange): Promise<Answer> {
  const { sessionId } = await visibleSession(scope, exchange);
  try {
    await runnerOf(scope, { agent: '' }).deleteSession(sessionId, {
      principal: exchange.principal,
    });
  } catch (error) {
    if (!(error instanceof SessionBusyError)) throw error;
    throw await busy(
      scope,
      exchange,
      error,
      'Answer, cancel or wait for active_run, then delete the session.',
    );
  }
  return new Answer(null, { status: 204, headers: { 'cache-control': 'no-store' } });
}

/** @throws Problem 404, the same for a stranger's session and for none. */
async function visibleSession(
  { store }: Scope,
  { params, principal }: Exchange,
): Promise<SessionSnapshot> {
  const id = params['id'] ?? '';
  const session = idPattern.test(id) ? await store.sessions.load(id) : undefined;
  if (session === undefined || session.version === '0' || !maySee(session.owner, principal)) {
    throw new Problem(404, 'not_found', 'There is no such session, or it is not yours.');
  }
  return session;
}

/** Nobody reads a session that lacks a finished run: whoever finds one puts it there first. */
async function settledSession(scope: Scope, session: SessionSnapshot): Promise<SessionSnapshot> {
  const { sessionId, activeRunId } = session;
  if (activeRunId === undefined) return session;
  const { runs, sessions } = scope.store;
  if ((await runs.peek(activeRunId))?.ended !== true) return session;
  const header = await runs.header(activeRunId);
  if (header !== undefined) await runnerOf(scope, header).resume(activeRunId);
  return sessions.load(sessionId);
}
