import { NotFoundError } from './errors.ts';
import { randomId } from './ids.ts';
import { again, changedAllTheTime, checkOwner, commitEnd, isFree, tries } from './session.ts';
import type { SessionSnapshot, Store } from './store.ts';
import { surely } from './surely.ts';

/** How many runs or sessions are removed between two looks at what is left. */
const pageSize = 100;

/**
 * Deletes a session with the journals of its runs. It is closed first, so that no run claims it any more; repeated, the
 * deletion goes on where it stopped.
 *
 * @throws SessionBusyError while a run works or waits in it. NotFoundError for an unknown session, or somebody else's.
 */
export async function deleteSession(
  store: Store,
  sessionId: string,
  owner: string | undefined,
): Promise<void> {
  const found = await close(store, sessionId, (session) => {
    checkOwner(session, owner);
    return true;
  });
  if (!found) throw new NotFoundError(`There is no session ${sessionId}.`);
  await remove(store, sessionId);
}

/** What a clean-up removed. */
export interface CleanedUp {
  readonly runs: number;
  readonly sessions: number;
}

/**
 * Removes what the store need not keep any longer: runs long after their end, sessions long after their last use. What is
 * in use stays. Every process may do so at any time.
 */
export async function cleanUp(store: Store): Promise<CleanedUp> {
  const removed = { runs: 0, sessions: 0 };
  for (;;) {
    const askedAt = await store.now();
    const { runs, sessions } = await store.expired({ limit: pageSize });
    for (const runId of runs) {
      // Its session must not lack it.
      await commitEnd(store, runId);
      await store.runs.delete(runId);
    }
    let went = runs.length;
    removed.runs += runs.length;
    for (const sessionId of sessions) {
      const unused = (session: SessionSnapshot) => (session.updatedAt ?? 0) < askedAt;
      if (!(await close(store, sessionId, unused).catch(() => false))) continue;
      await remove(store, sessionId);
      removed.sessions += 1;
      went += 1;
    }
    if (went === 0 || runs.length + sessions.length < pageSize) return removed;
  }
}

/** `false` for an unknown session, and for one that `may` does not want closed. */
async function close(
  store: Store,
  sessionId: string,
  may: (session: SessionSnapshot) => boolean,
): Promise<boolean> {
  for (let attempt = 0; attempt < tries; attempt += 1) {
    const session = await surely(() => store.sessions.load(sessionId));
    if (session.version === '0' || !may(session)) return false;
    if (!(await isFree(store, session))) continue;
    if (session.closed === true && session.activeRunId === undefined) return true;
    try {
      await store.sessions.commit(
        sessionId,
        { closed: true, activeRunId: null },
        { expectedVersion: session.version, operationId: `close:${randomId()}` },
      );
      return true;
    } catch (error) {
      await again(error, attempt);
    }
  }
  throw changedAllTheTime(sessionId);
}

async function remove(store: Store, sessionId: string): Promise<void> {
  for (;;) {
    const { runs } = await store.runs.list({ sessionId, limit: pageSize });
    for (const { runId } of runs) await store.runs.delete(runId);
    if (runs.length < pageSize) break;
  }
  await store.sessions.delete(sessionId);
}
