import type { Statements } from './statements.ts';

/** Deltas of one frame's attempt in progress. */
export interface DeltaRow {
  readonly frame: string;
  /** A JSON array. */
  readonly json: string;
  /** These are the first of their attempt: what the frame had before is void. */
  readonly replaces: boolean;
}

/** How long a follower's note of interest holds; it is renewed when less than half of it is left. */
const interestMs = 3_000;

export function deltaOperations(db: Statements) {
  return {
    /** The runs that somebody follows. */
    followed: (): readonly string[] =>
      db
        .all('SELECT run_id FROM followers WHERE until > ?', Date.now())
        .map((row) => String(row['run_id'])),

    publish: (runId: string, rows: readonly DeltaRow[]): undefined =>
      db.carefree(() => {
        for (const { frame, json, replaces } of rows) {
          if (replaces) db.run('DELETE FROM deltas WHERE run_id = ? AND frame = ?', runId, frame);
          db.run('INSERT INTO deltas (run_id, frame, json) VALUES (?, ?, ?)', runId, frame, json);
        }
        return undefined;
      }),

    clearDeltas: (runId: string): undefined =>
      db.carefree(() => {
        db.run('DELETE FROM deltas WHERE run_id = ?', runId);
        return undefined;
      }),

    /** What came after row `after`; leaves or renews a note of interest. */
    follow: (
      runId: string,
      after: number,
    ): readonly { readonly id: number; readonly json: string }[] => {
      const time = Date.now();
      const fresh = db.get(
        'SELECT 1 FROM followers WHERE run_id = ? AND until > ?',
        runId,
        time + interestMs / 2,
      );
      if (fresh === undefined) {
        db.carefree(() => {
          db.run('DELETE FROM followers WHERE until < ?', time);
          db.run('INSERT OR REPLACE INTO followers VALUES (?, ?)', runId, time + interestMs);
        });
      }
      return db
        .all('SELECT id, json FROM deltas WHERE run_id = ? AND id > ? ORDER BY id', runId, after)
        .map((row) => ({ id: Number(row['id']), json: String(row['json']) }));
    },
  };
}
