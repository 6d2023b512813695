import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Where a database may be: one in memory is gone with its process. */
export function databaseFile(): string {
  return join(mkdtempSync(join(tmpdir(), 'a2a-')), 'runs.db');
}
