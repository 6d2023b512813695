import { Refusal } from './refusal.ts';
import { textOf, type Statements } from './statements.ts';

export interface Post {
  readonly id: string;
  readonly json: string;
  /** Of a `decide`: the interruptions it answers, and when they expire. */
  readonly decides: readonly { readonly id: string; readonly expiresAt: number | undefined }[];
  readonly bySystem: boolean;
}

export function inboxOperations(db: Statements, now: () => number) {
  return {
    post: (
      runId: string,
      { id: signalId, json, decides, bySystem }: Post,
    ): { readonly accepted: boolean; readonly counted?: string | undefined } =>
      db.write(() => {
        const run = db.get('SELECT id FROM runs WHERE run_id = ?', runId)?.['id'];
        if (run === undefined) {
          throw new Refusal('not-found', `There is no run '${runId}'.`, runId);
        }
        const known = 'SELECT 1 FROM inbox WHERE run = ? AND signal_id = ?';
        if (db.get(known, run, signalId) !== undefined) return { accepted: true };
        for (const { id } of decides) {
          const counted = db.get(
            `SELECT json FROM inbox WHERE id =
               (SELECT signal FROM decided WHERE run = ? AND interruption_id = ?)`,
            run,
            id,
          );
          if (counted !== undefined) return { accepted: false, counted: textOf(counted['json']) };
        }
        for (const { expiresAt } of decides) {
          if (expiresAt !== undefined && bySystem !== expiresAt <= now()) {
            return { accepted: false };
          }
        }
        db.run('INSERT INTO inbox (run, signal_id, json) VALUES (?, ?, ?)', run, signalId, json);
        for (const { id } of decides) {
          db.run(
            `INSERT OR IGNORE INTO decided
             VALUES (?, ?, (SELECT id FROM inbox WHERE run = ?1 AND signal_id = ?))`,
            run,
            id,
            signalId,
          );
        }
        return { accepted: true };
      }),

    inbox: (runId: string): readonly string[] =>
      db
        .all(
          `SELECT json FROM inbox WHERE run = (SELECT id FROM runs WHERE run_id = ?) AND drained = 0
           ORDER BY id`,
          runId,
        )
        .map((row) => textOf(row['json']) ?? ''),
  };
}
