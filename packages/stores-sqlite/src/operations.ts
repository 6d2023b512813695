import type { DatabaseSync } from 'node:sqlite';
import { deltaOperations } from './delta-operations.ts';
import { inboxOperations } from './inbox-operations.ts';
import type { Text } from './protocol.ts';
import { recordOperations } from './record-operations.ts';
import { runOperations } from './run-operations.ts';
import { sessionOperations } from './session-operations.ts';
import { statements } from './statements.ts';

/** What the worker does for the store, by name. Arguments and answers are plain values; JSON stays text. */
export type Operations = ReturnType<typeof operations>;

export function operations(
  database: DatabaseSync,
  now: () => number,
  /** The whole of a text. */
  take: (text: Text) => string,
) {
  const db = statements(database);
  return {
    /** Nothing: the database is open when it answers. */
    open: () => true,
    ...runOperations(db, now, take),
    ...inboxOperations(db, now),
    ...sessionOperations(db, now, take),
    ...recordOperations(db),
    ...deltaOperations(db),
  };
}
