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
