import { AgentError, type Principal, type SessionBusyError } from '@agent-functions/core';
import { activeRun } from './active-run.ts';
import type { ChatBody } from './chat-request.ts';
import { keyedSessionId, type Keyed } from './idempotency.ts';
import { Problem } from './problem.ts';
import { runLinks, type Exchange, type Scope, type Served } from './scope.ts';

/**
 * The session of a chat: the caller's, or a new id of 160 random bits; with an idempotency key one that every repeat
 * finds. Without a principal an id is a capability, so only one that was given out is taken back.
 */
export async function sessionFor(
  scope: Scope,
  served: Served,
  { chat }: ChatBody,
  keyed: Keyed | undefined,
  principal: Principal | undefined,
): Promise<string> {
  const { sessionId } = chat;
  if (sessionId === undefined) {
    return keyed === undefined ? newSessionId() : keyedSessionId(served, keyed, principal);
  }
  // Whose it is, core checks when the run claims it.
  if (principal !== undefined) return sessionId;
  const { version, owner } = await scope.store.sessions.load(sessionId);
  const isNew = version === '0';
  if (owner === undefined && (!isNew || scope.allowClientSessionIds)) return sessionId;
  throw new Problem(
    404,
    'not_found',
    'The session_id is unknown. Leave it out to begin a conversation, and send back the session_id of the answer. ' +
      'To choose ids, authenticate, or set allowClientSessionIds on the server.',
  );
}

function newSessionId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(20));
  let id = '';
  for (const byte of bytes) id += byte.toString(16).padStart(2, '0');
  return id;
}

/** 409, with the run that has the session and what it waits for. */
export async function busy(
  scope: Scope,
  exchange: Exchange,
  { activeRunId }: SessionBusyError,
  whatToDo?: string,
): Promise<Problem> {
  const run = await activeRun(scope, activeRunId, exchange);
  const waits = run?.status === 'interrupted';
  return new Problem(
    409,
    'session_busy',
    waits
      ? `The session waits for an answer${whatToDo === undefined ? ': post it to the decisions of active_run, or send "if_busy": "supersede".' : `. ${whatToDo}`}`
      : `The session has a run at work. ${whatToDo ?? 'Wait for it, cancel it, or send "if_busy": "supersede".'}`,
    {
      more: {
        active_run: run ?? {
          run_id: activeRunId,
          status: 'running',
          links: runLinks(scope, activeRunId),
        },
      },
    },
  );
}

export function isClosed(error: unknown): boolean {
  return AgentError.isInstance(error) && error.code === 'session_closed';
}

/** 409: an agent ended the conversation (`end_conversation`). */
export function closed(): Problem {
  return new Problem(
    409,
    'session_closed',
    'The conversation is closed. Leave session_id out to begin another, or send "reset_conversation": true to begin this one anew.',
  );
}
