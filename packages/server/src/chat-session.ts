import {
  AgentError,
  publicInterruption,
  type JsonObject,
  type Principal,
  type SessionBusyError,
} from '@agent-functions/core';
import type { ChatBody } from './chat-request.ts';
import { keyedSessionId, type Keyed } from './idempotency.ts';
import { badRequest, Problem } from './problem.ts';
import { runLinks, wakeIfAbandoned, type Exchange, type Scope, type Served } from './scope.ts';

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
  throw badRequest(
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
  served: Served,
  exchange: Exchange,
  error: SessionBusyError,
): Promise<Problem> {
  const runId = error.activeRunId;
  const header = await scope.store.runs.header(runId);
  if (header !== undefined) await wakeIfAbandoned(scope, header, exchange);
  const active = await served.runner.get(runId).catch(() => undefined);
  const waits = active?.status === 'interrupted';
  const shown: JsonObject = {
    run_id: runId,
    status: active?.status ?? 'running',
    ...(waits ? { interruptions: active.interruptions.map(publicInterruption) } : {}),
    links: runLinks(scope, runId),
  };
  return new Problem(
    409,
    'session_busy',
    waits
      ? 'The session waits for an answer: post it to the decisions of active_run, or send "if_busy": "supersede".'
      : 'The session has a run at work. Wait for it, cancel it, or send "if_busy": "supersede".',
    { more: { active_run: shown } },
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
