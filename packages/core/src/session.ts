import { AgentError, NotFoundError, SessionBusyError, SessionConflictError } from './errors.ts';
import { randomId } from './ids.ts';
import type { Message } from './message.ts';
import { fold } from './fold.ts';
import { activeAgent, closesSession, type RunState } from './state.ts';
import type { Lease, RunHeader, SessionBase, SessionSnapshot, Store } from './store.ts';
import { isTransient, surely } from './surely.ts';

// The start and end protocol of sessions (journal.md, Sessions): one active run at a time, no finished run missing.

/** A run that was claimed and does not exist counts as starting for this long. */
const startingMs = 60_000;
export const tries = 20;

export interface Claim {
  /** What the session has at the version that the claim made. */
  readonly base: SessionBase;
  readonly version: string;
  readonly entryAgent: string | undefined;
  readonly activeAgent: string | undefined;
}

/**
 * Claims a session for a run. An active run that has ended is committed first. `undefined`: a run with this idempotency
 * key was recorded meanwhile.
 *
 * @throws SessionBusyError with the active run. AgentError `session_closed`, or whatever `admit` throws. NotFoundError for somebody else's session.
 */
export async function claimSession(
  store: Store,
  sessionId: string,
  run: {
    readonly runId: string;
    readonly owner: string | undefined;
    readonly keyed: boolean;
    /** Looks at a session that is free, before it is claimed; what it throws leaves it as it is. */
    readonly admit: (session: SessionSnapshot) => void;
  },
): Promise<Claim | undefined> {
  for (let attempt = 0; attempt < tries; attempt += 1) {
    const session = await surely(() => store.sessions.load(sessionId));
    checkUsable(session, run.owner);
    const { activeRunId } = session;
    if (activeRunId === run.runId) return claimOf(session, session.version);
    // Looked at after the session: a run that is recorded later has claimed it first, and the commit below fails.
    if (run.keyed && (await store.runs.header(run.runId)) !== undefined) return undefined;
    if (!(await isFree(store, session))) continue;
    run.admit(session);
    try {
      const { version } = await store.sessions.commit(
        sessionId,
        {
          activeRunId: run.runId,
          activeConfirmed: false,
          ...(run.owner === undefined ? {} : { owner: run.owner }),
        },
        { expectedVersion: session.version, operationId: `claim:${run.runId}:${randomId()}` },
      );
      return claimOf(session, version);
    } catch (error) {
      await again(error, attempt);
    }
  }
  throw changedAllTheTime(sessionId);
}

/**
 * Whether no run has the session: none is active, or one that will never be. `false`: one has ended, and its commit was
 * made here; load the session again.
 *
 * @throws SessionBusyError with the active run.
 */
export async function isFree(store: Store, session: SessionSnapshot): Promise<boolean> {
  const { sessionId, activeRunId } = session;
  if (activeRunId === undefined) return true;
  if (!(await canReplace(store, session, activeRunId))) throw busy(sessionId, activeRunId);
  return (await store.runs.header(activeRunId)) === undefined;
}

/** Whether an active run is out of the way: ended (then its commit is made here), or never begun for a minute. */
async function canReplace(
  store: Store,
  session: SessionSnapshot,
  activeRunId: string,
): Promise<boolean> {
  const end = await store.runs.peek(activeRunId);
  if (end === undefined) {
    return (await store.now()) - (session.activeSince ?? 0) >= startingMs;
  }
  if (!end.ended) return false;
  await commitEnd(store, activeRunId);
  return true;
}

/**
 * Confirms the claim; after a crash by whoever takes the run up.
 *
 * @throws SessionBusyError when the session names another run: the claim was lost.
 */
export async function confirmSession(
  store: Store,
  sessionId: string,
  runId: string,
): Promise<SessionSnapshot> {
  for (let attempt = 0; attempt < tries; attempt += 1) {
    const session = await surely(() => store.sessions.load(sessionId));
    if (session.activeRunId !== runId) throw busy(sessionId, session.activeRunId ?? 'none');
    if (session.activeConfirmed === true) return session;
    try {
      const { version } = await store.sessions.commit(
        sessionId,
        { activeConfirmed: true },
        { expectedVersion: session.version, operationId: `confirm:${runId}:${randomId()}` },
      );
      return { ...session, version, activeConfirmed: true };
    } catch (error) {
      await again(error, attempt);
    }
  }
  throw changedAllTheTime(sessionId);
}

/** Deletes a run whose session went to another before it had begun; one that somebody else took, or began, stays. */
export async function deleteUnbegun(
  { runs }: Store,
  runId: string,
  { lease, leaseMs }: { readonly lease: Lease; readonly leaseMs: number },
): Promise<'deleted' | 'taken' | 'begun'> {
  // While the lease is ours nobody can begin it.
  const held = await surely(() => runs.renew(runId, lease, leaseMs));
  if (held === undefined) return 'taken';
  if ((await surely(() => runs.peek(runId)))?.seq !== 1) return 'begun';
  await runs.delete(runId);
  return 'deleted';
}

/** Takes a claim back whose run was never created in that session. */
export async function unclaimSession(
  store: Store,
  sessionId: string,
  runId: string,
): Promise<void> {
  const session = await surely(() => store.sessions.load(sessionId));
  if (session.activeRunId !== runId) return;
  const header = await store.runs.header(runId);
  if (header?.sessionId === sessionId) return;
  await store.sessions.commit(
    sessionId,
    { activeRunId: null },
    { expectedVersion: session.version, operationId: `unclaim:${runId}:${randomId()}` },
  );
}

// Somebody else was faster: look again at once. The store did not answer: a little later, a few times; what was written
// all the same shows in the session.
export async function again(error: unknown, attempt: number): Promise<void> {
  if (SessionConflictError.isInstance(error) && error.code === 'session_conflict') return;
  if (!isTransient(error) || attempt >= 4) throw error;
  await new Promise<void>((resolve) => {
    setTimeout(resolve, 10 * 3 ** attempt);
  });
}

/** Puts an ended run into its session, once, whoever does it. A run that is no longer the active one was put before. */
export async function commitEnd(store: Store, runId: string, known?: RunState): Promise<void> {
  const header = await headerOf(store, runId, known);
  const sessionId = header?.sessionId;
  if (sessionId === undefined) return;
  for (let attempt = 0; attempt < tries; attempt += 1) {
    const session = await surely(() => store.sessions.load(sessionId));
    if (session.activeRunId !== runId) return;
    const state = known ?? (await readState(store, runId, session));
    if (state?.end === undefined) return;
    try {
      await store.sessions.commit(
        sessionId,
        {
          ...(state.keptBase === undefined ? {} : { replaceWith: state.keptBase }),
          append: [...state.newMessages, ...closingNote(state)],
          ...(state.sessionState === state.baseState ? {} : { state: state.sessionState }),
          entryAgent: state.entryAgent,
          activeAgent: activeAgent(state),
          ...(state.end.status === 'completed' && closesSession(state) ? { closed: true } : {}),
          activeRunId: null,
        },
        { expectedVersion: session.version, operationId: `end:${runId}` },
      );
      return;
    } catch (error) {
      await again(error, attempt);
    }
  }
  throw changedAllTheTime(sessionId);
}

/**
 * Begins a conversation anew under its id: no messages, the entry agent has the next turn, a closed one is open again.
 * Owner, app state and the journals of its runs stay.
 *
 * @throws SessionBusyError while a run works or waits in it. NotFoundError for somebody else's session.
 */
export async function resetSession(
  store: Store,
  sessionId: string,
  owner: string | undefined,
): Promise<void> {
  for (let attempt = 0; attempt < tries; attempt += 1) {
    const session = await surely(() => store.sessions.load(sessionId));
    if (session.version === '0') return;
    checkOwner(session, owner);
    const { entryAgent } = session;
    if (!(await isFree(store, session))) continue;
    try {
      await store.sessions.commit(
        sessionId,
        { replaceWith: [], activeAgent: entryAgent, activeRunId: null, closed: false },
        { expectedVersion: session.version, operationId: `reset:${randomId()}` },
      );
      return;
    } catch (error) {
      await again(error, attempt);
    }
  }
  throw changedAllTheTime(sessionId);
}

/** The state of a stored run; `undefined` when there is none. */
export async function readState(
  store: Store,
  runId: string,
  base: SessionBase | undefined,
): Promise<RunState | undefined> {
  const events = [];
  for await (const event of store.runs.read(runId)) events.push(event);
  return events.length === 0 ? undefined : fold(events, base);
}

async function headerOf(
  store: Store,
  runId: string,
  known: RunState | undefined,
): Promise<Pick<RunHeader, 'sessionId'> | undefined> {
  return known ?? store.runs.header(runId);
}

function claimOf(session: SessionSnapshot, version: string): Claim {
  const { entryAgent, activeAgent: active } = session;
  return { base: session, version, entryAgent, activeAgent: active };
}

export function checkOwner(session: SessionSnapshot, owner: string | undefined): void {
  if (session.owner !== undefined && session.owner !== owner) {
    throw new NotFoundError(`There is no session ${session.sessionId}.`);
  }
}

function checkUsable(session: SessionSnapshot, owner: string | undefined): void {
  checkOwner(session, owner);
  if (session.closed === true) {
    throw new AgentError(
      'session_closed',
      `Session ${session.sessionId} is closed. Start a new conversation, or reset it (Runner.resetConversation).`,
    );
  }
}

/** What is left when the tries are used up. */
export function changedAllTheTime(sessionId: string): SessionConflictError {
  return new SessionConflictError(
    `Session ${sessionId} is changed by others all the time. Try again.`,
  );
}

function busy(sessionId: string, activeRunId: string): SessionBusyError {
  return new SessionBusyError(
    `Session ${sessionId} works on run ${activeRunId}. Wait for it, answer it, or cancel it.`,
    { activeRunId },
  );
}

/** After a run that gave no answer, the conversation says so: the next turn knows what was done. */
function closingNote(state: RunState): readonly Message[] {
  const { end } = state;
  if (end === undefined || end.status === 'completed') return [];
  // A request that was refused leaves nothing.
  if (state.newMessages.length === 0) return [];
  // A cancel that came behind the answer takes nothing from it.
  if (end.status === 'cancelled' && isAnswer(state.newMessages.at(-1))) return [];
  const why =
    end.status === 'stopped' ? `a limit was reached (${end.stopReason ?? 'limit'})` : end.status;
  return [
    {
      id: 'end',
      runId: state.runId,
      role: 'assistant',
      parts: [{ type: 'text', text: `(This answer was not finished: ${why}.)` }],
      agent: activeAgent(state),
    },
  ];
}

function isAnswer(message: Message | undefined): boolean {
  return (
    message?.role === 'assistant' && message.parts.every(({ type }) => type !== 'tool-call')
  );
}
