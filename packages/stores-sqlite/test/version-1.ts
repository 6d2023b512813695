import { readFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';

/** A file as schema version 1 wrote it. */
export function makeVersion1(path: string): void {
  const database = new DatabaseSync(path);
  database.exec(readFileSync(new URL('version-1.sql', import.meta.url), 'utf8'));
  database.close();
}
