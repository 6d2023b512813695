import type { Text } from './protocol.ts';
import { Refusal } from './refusal.ts';
import { textOf, type Row, type Statements } from './statements.ts';

/** A SessionChange whose messages and state are JSON texts. */
export interface Change {
  readonly append: readonly Text[] | undefined;
  readonly replaceWith: readonly Text[] | undefined;
  readonly owner: string | undefined;
  readonly entryAgent: string | undefined;
  readonly activeAgent: string | undefined;
  readonly activeRunId: string | null | undefined;
  readonly activeConfirmed: boolean | undefined;
  readonly closed: boolean | undefined;
  readonly state: Text | undefined;
}

/** A SessionSnapshot whose messages and state are JSON texts. */
export interface StoredSession {
  readonly version: string;
  readonly owner: string | undefined;
  readonly messages: readonly string[];
  readonly entryAgent: string | undefined;
  readonly activeAgent: string | undefined;
  readonly activeRunId: string | undefined;
  readonly activeSince: number | undefined;
  readonly activeConfirmed: boolean | undefined;
  readonly closed: boolean | undefined;
  readonly state: string;
  readonly updatedAt: number;
}

/** A repeat comes soon after its operation; older ids are forgotten. */
const operationsKept = 100;

export function sessionOperations(db: Statements, now: () => number, take: (text: Text) => string) {
  const find = (sessionId: string): Row | undefined =>
    db.get('SELECT * FROM sessions WHERE session_id = ?', sessionId);

  return {
    loadSession: (sessionId: string): StoredSession | undefined =>
      db.snapshot(() => {
        const row = find(sessionId);
        if (row === undefined) return undefined;
        const messages = db.all(
          'SELECT json FROM messages WHERE session_id = ? ORDER BY place',
          sessionId,
        );
        return toSession(
          row,
          messages.map(({ json }) => String(json)),
        );
      }),

    commitSession: (
      sessionId: string,
      change: Change,
      expectedVersion: string,
      operationId: string,
    ): string => {
      const messages = [...(change.replaceWith ?? []), ...(change.append ?? [])].map(take);
      const state = change.state === undefined ? undefined : take(change.state);
      return db.write(() => {
        const made = db.get(
          'SELECT version FROM operations WHERE session_id = ? AND operation_id = ?',
          sessionId,
          operationId,
        );
        if (made !== undefined) return String(made['version']);
        const before = find(sessionId);
        const present = String(before?.['version'] ?? 0);
        if (present !== expectedVersion) {
          throw new Refusal(
            'session-conflict',
            `Session '${sessionId}' is at version ${present}, not ${expectedVersion}: it was changed meanwhile. Load it again and repeat.`,
          );
        }
        db.run(
          'INSERT INTO operations (session_id, operation_id) VALUES (?, ?)',
          sessionId,
          operationId,
        );
        const version = Number(db.get('SELECT last_insert_rowid() AS version')?.['version']);
        const claim = claimOf(before, change, now());
        db.run(
          `INSERT OR REPLACE INTO sessions (session_id, version, owner, entry_agent, active_agent,
             active_run_id, active_since, active_confirmed, closed, state, updated_at)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
          sessionId,
          version,
          change.owner ?? before?.['owner'] ?? null,
          change.entryAgent ?? before?.['entry_agent'] ?? null,
          change.activeAgent ?? before?.['active_agent'] ?? null,
          claim.runId,
          claim.since,
          claim.confirmed,
          change.closed === undefined ? (before?.['closed'] ?? null) : Number(change.closed),
          state ?? before?.['state'] ?? '{}',
          now(),
        );
        if (change.replaceWith !== undefined) {
          db.run('DELETE FROM messages WHERE session_id = ?', sessionId);
        }
        for (const json of messages) {
          db.run(
            `INSERT INTO messages VALUES
               (?1, (SELECT coalesce(max(place), 0) + 1 FROM messages WHERE session_id = ?1), ?2)`,
            sessionId,
            json,
          );
        }
        db.run(
          `DELETE FROM operations WHERE session_id = ?1 AND version <=
             (SELECT version FROM operations WHERE session_id = ?1
              ORDER BY version DESC LIMIT 1 OFFSET ?2)`,
          sessionId,
          operationsKept,
        );
        return String(version);
      });
    },

    /** One more than `limit`, so that the caller knows whether there is another page. */
    listSessions: ({
      owner,
      limit,
      before,
    }: {
      readonly owner: string | undefined;
      readonly limit: number;
      readonly before: number | undefined;
    }): readonly {
      readonly place: number;
      readonly sessionId: string;
      readonly updatedAt: number;
    }[] => {
      const place = before ?? Number.MAX_SAFE_INTEGER;
      const rows =
        owner === undefined
          ? db.all(
              'SELECT * FROM sessions WHERE version < ? ORDER BY version DESC LIMIT ?',
              place,
              limit + 1,
            )
          : db.all(
              `SELECT * FROM sessions WHERE owner = ? AND version < ?
               ORDER BY version DESC LIMIT ?`,
              owner,
              place,
              limit + 1,
            );
      return rows.map((row) => ({
        place: Number(row['version']),
        sessionId: String(row['session_id']),
        updatedAt: Number(row['updated_at']),
      }));
    },

    /** Those without an active run that were last changed before a time, oldest first. */
    expiredSessions: (before: number, limit: number): readonly string[] =>
      db
        .all(
          `SELECT session_id FROM sessions WHERE active_run_id IS NULL AND updated_at <= ?
           ORDER BY updated_at LIMIT ?`,
          before,
          limit,
        )
        .map((row) => String(row['session_id'])),

    deleteSession: (sessionId: string): undefined =>
      db.write(() => {
        for (const table of ['sessions', 'messages', 'operations']) {
          db.run(`DELETE FROM ${table} WHERE session_id = ?`, sessionId);
        }
        return undefined;
      }),
  };
}

function claimOf(
  before: Row | undefined,
  { activeRunId, activeConfirmed }: Change,
  now: number,
): {
  readonly runId: string | null;
  readonly since: number | null;
  readonly confirmed: number | null;
} {
  if (activeRunId === null) return { runId: null, since: null, confirmed: null };
  if (activeRunId !== undefined) {
    return { runId: activeRunId, since: now, confirmed: Number(activeConfirmed ?? false) };
  }
  const runId = before?.['active_run_id'];
  const confirmed = before?.['active_confirmed'];
  return {
    runId: typeof runId === 'string' ? runId : null,
    since: numberOf(before?.['active_since']) ?? null,
    confirmed:
      activeConfirmed === undefined ? (numberOf(confirmed) ?? null) : Number(activeConfirmed),
  };
}

function toSession(row: Row, messages: readonly string[]): StoredSession {
  return {
    version: String(row['version']),
    owner: textOf(row['owner']),
    messages,
    entryAgent: textOf(row['entry_agent']),
    activeAgent: textOf(row['active_agent']),
    activeRunId: textOf(row['active_run_id']),
    activeSince: numberOf(row['active_since']),
    activeConfirmed: flagOf(row['active_confirmed']),
    closed: flagOf(row['closed']),
    state: textOf(row['state']) ?? '{}',
    updatedAt: Number(row['updated_at']),
  };
}

function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined;
}

function flagOf(value: unknown): boolean | undefined {
  return typeof value === 'number' ? value === 1 : undefined;
}
