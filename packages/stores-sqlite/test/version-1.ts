import { readFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';

/** A file as schema version 1 wrote it. */
export function makeVersion1(path: string): void {
  const database = new DatabaseSync(path);
  database.exec(readFileSync(new URL('version-1.sql', import.meta.url), 'utf8'));
  database.close();
}

/** The same file as schema version 2 has it. */
export function makeVersion2(path: string): void {
  makeVersion1(path);
  const database = new DatabaseSync(path);
  database.exec('ALTER TABLE sessions ADD COLUMN entry_agent TEXT; PRAGMA user_version = 2');
  database.close();
}

/** The same file as schema version 3 has it. */
export function makeVersion3(path: string): void {
  makeVersion2(path);
  const database = new DatabaseSync(path);
  database.exec(`
    ALTER TABLE runs ADD COLUMN ended_at REAL;
    UPDATE runs SET ended_at =
      (SELECT json_extract(json, '$.at') FROM events WHERE run = runs.id AND events.seq = runs.seq)
    WHERE ended = 1;
    CREATE INDEX runs_by_end ON runs (ended_at) WHERE ended = 1;
    CREATE INDEX sessions_idle ON sessions (updated_at) WHERE active_run_id IS NULL;
    PRAGMA user_version = 3`);
  database.close();
}
