import { SessionConflictError, StoreFullError } from './errors.ts';
import { estimateBytes, placeOf, type MemoryRoom } from './memory-room.ts';
import type { SessionSnapshot, SessionStore } from './store.ts';

interface Session {
  snapshot: SessionSnapshot;
  /** Of the last commit, across all sessions: the version, and the place in the list. */
  order: number;
  bytes: number;
  /** The versions that the last operations made. */
  readonly operations: Map<string, string>;
}

/** A repeat comes soon after its operation; older ids are forgotten. */
const operationsKept = 100;

export function memorySessions(
  room: MemoryRoom,
  {
    now,
    maxSessions,
    keepSessionsMs,
  }: {
    readonly now: () => number;
    readonly maxSessions: number;
    readonly keepSessionsMs: number;
  },
): SessionStore {
  const sessions = new Map<string, Session>();
  /** Sessions without an active run, longest idle first. */
  const idle = new Map<string, Session>();
  let commits = 0;

  const forget = (session: Session): void => {
    const { sessionId } = session.snapshot;
    sessions.delete(sessionId);
    idle.delete(sessionId);
    room.free(session.bytes);
  };
  const dropOldest = (except?: string): boolean => {
    for (const [sessionId, session] of idle) {
      if (sessionId === except) continue;
      forget(session);
      return true;
    }
    return false;
  };
  room.droppable(() => dropOldest());

  /** Forgets the sessions whose time is over; looks at the longest idle end only. */
  const sweep = (): void => {
    for (const [, session] of idle) {
      if ((session.snapshot.updatedAt ?? 0) + keepSessionsMs > now()) return;
      forget(session);
    }
  };

  return {
    async load(sessionId) {
      sweep();
      return sessions.get(sessionId)?.snapshot ?? empty(sessionId);
    },

    async commit(sessionId, change, { expectedVersion, operationId }) {
      sweep();
      const present = sessions.get(sessionId);
      const made = present?.operations.get(operationId);
      if (made !== undefined) return { version: made };
      const before = present?.snapshot ?? empty(sessionId);
      if (before.version !== expectedVersion) {
        throw new SessionConflictError(
          `Session '${sessionId}' is at version ${before.version}, not ${expectedVersion}: it was changed meanwhile. Load it again and repeat.`,
        );
      }
      if (present === undefined && sessions.size >= maxSessions && !dropOldest()) {
        throw new StoreFullError(
          `The memory store is full: each of its ${maxSessions} sessions has an active run. Try again later, raise maxSessions, or use a durable store.`,
        );
      }
      const { append, replaceWith, activeRunId } = change;
      let bytes = present === undefined ? estimateBytes(before) : 0;
      if (replaceWith !== undefined) {
        bytes += estimateBytes(replaceWith) - estimateBytes(before.messages);
      }
      if (append !== undefined) bytes += estimateBytes(append);
      if (change.state !== undefined) {
        bytes += estimateBytes(change.state) - estimateBytes(before.state);
      }
      // Out of what may be dropped while it is written. The end of a run is always taken: it is what makes room.
      idle.delete(sessionId);
      if (activeRunId === null) room.free(-bytes);
      else if (!room.reserve(bytes)) {
        if (present !== undefined && before.activeRunId === undefined) idle.set(sessionId, present);
        throw new StoreFullError(
          `The memory store has no room for session '${sessionId}' (maxBytes is ${room.maxBytes}). Try again later, raise maxBytes, or use a durable store.`,
        );
      }
      const order = ++commits;
      const version = String(order);
      const kept = replaceWith ?? before.messages;
      const messages = append === undefined ? kept : [...kept, ...append];
      const snapshot: SessionSnapshot = {
        ...before,
        version,
        messages,
        owner: change.owner ?? before.owner,
        entryAgent: change.entryAgent ?? before.entryAgent,
        activeAgent: change.activeAgent ?? before.activeAgent,
        closed: change.closed ?? before.closed,
        state: change.state ?? before.state,
        updatedAt: now(),
        ...claim(change.activeConfirmed, activeRunId, now),
      };
      const session = present ?? { snapshot, order, bytes: 0, operations: new Map() };
      session.snapshot = snapshot;
      session.order = order;
      session.bytes += bytes;
      session.operations.set(operationId, version);
      if (session.operations.size > operationsKept) {
        for (const oldest of session.operations.keys()) {
          session.operations.delete(oldest);
          break;
        }
      }
      sessions.set(sessionId, session);
      if (snapshot.activeRunId === undefined) idle.set(sessionId, session);
      return { version };
    },

    async list({ owner, limit, cursor }) {
      sweep();
      const before = placeOf(cursor);
      const found = [...sessions.values()]
        .filter(
          ({ order, snapshot }) =>
            order < before && (owner === undefined || snapshot.owner === owner),
        )
        .toSorted((a, b) => b.order - a.order);
      const page = found.slice(0, limit);
      const last = page.at(-1);
      return {
        sessions: page.map(({ snapshot: { sessionId, updatedAt = 0 } }) => ({
          sessionId,
          updatedAt,
        })),
        ...(last !== undefined && found.length > page.length ? { cursor: String(last.order) } : {}),
      };
    },

    async delete(sessionId) {
      const session = sessions.get(sessionId);
      if (session !== undefined) forget(session);
    },
  };
}

function empty(sessionId: string): SessionSnapshot {
  return { sessionId, version: '0', messages: [], state: {} };
}

function claim(
  confirmed: boolean | undefined,
  activeRunId: string | null | undefined,
  now: () => number,
): Pick<SessionSnapshot, 'activeRunId' | 'activeSince' | 'activeConfirmed'> {
  if (activeRunId === null) {
    return { activeRunId: undefined, activeSince: undefined, activeConfirmed: undefined };
  }
  if (activeRunId === undefined) {
    return confirmed === undefined ? {} : { activeConfirmed: confirmed };
  }
  return { activeRunId, activeSince: now(), activeConfirmed: confirmed ?? false };
}
