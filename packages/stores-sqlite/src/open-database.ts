import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Refusal } from './refusal.ts';

/** 'AgFn': this file is ours. */
const applicationId = 0x4167_466e;
const schemaVersion = 4;

const schema = `
CREATE TABLE runs (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  run_id TEXT NOT NULL UNIQUE,
  owner TEXT,
  session_id TEXT,
  request_hash TEXT,
  header TEXT NOT NULL,
  seq INTEGER NOT NULL,
  ended INTEGER NOT NULL DEFAULT 0,
  ended_at REAL,
  token INTEGER NOT NULL,
  holder TEXT,
  expires_at REAL,
  attempts INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX runs_by_owner ON runs (owner, id);
CREATE INDEX runs_by_session ON runs (session_id, id);
CREATE INDEX runs_unfinished ON runs (id) WHERE ended = 0;
CREATE INDEX runs_by_end ON runs (ended_at) WHERE ended = 1;

CREATE TABLE events (
  run INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  json TEXT NOT NULL,
  PRIMARY KEY (run, seq)
) STRICT;

CREATE TABLE inbox (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  run INTEGER NOT NULL,
  signal_id TEXT NOT NULL,
  json TEXT NOT NULL,
  drained INTEGER NOT NULL DEFAULT 0,
  UNIQUE (run, signal_id)
) STRICT;
CREATE TABLE decided (
  run INTEGER NOT NULL,
  interruption_id TEXT NOT NULL,
  signal INTEGER NOT NULL,
  PRIMARY KEY (run, interruption_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE sessions (
  session_id TEXT PRIMARY KEY,
  version INTEGER NOT NULL,
  owner TEXT,
  entry_agent TEXT,
  active_agent TEXT,
  active_run_id TEXT,
  active_since REAL,
  active_confirmed INTEGER,
  closed INTEGER,
  state TEXT NOT NULL,
  updated_at REAL NOT NULL
) STRICT;
CREATE INDEX sessions_by_version ON sessions (version);
CREATE INDEX sessions_by_owner ON sessions (owner, version);
CREATE INDEX sessions_idle ON sessions (updated_at) WHERE active_run_id IS NULL;
CREATE TABLE messages (
  session_id TEXT NOT NULL,
  place INTEGER NOT NULL,
  json TEXT NOT NULL,
  PRIMARY KEY (session_id, place)
) STRICT;
-- Its key is the version that the operation made: never used twice, also after a session was deleted.
CREATE TABLE operations (
  version INTEGER PRIMARY KEY AUTOINCREMENT,
  session_id TEXT NOT NULL,
  operation_id TEXT NOT NULL,
  UNIQUE (session_id, operation_id)
) STRICT;

${records()}
CREATE TABLE followers (run_id TEXT PRIMARY KEY, until REAL NOT NULL) STRICT;
CREATE TABLE deltas (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  run_id TEXT NOT NULL,
  frame TEXT NOT NULL,
  json TEXT NOT NULL
) STRICT;
CREATE INDEX deltas_by_run ON deltas (run_id, id);

PRAGMA application_id = ${applicationId};
`;

/** What makes version 2 of version 1, and so on. */
const upgrades: readonly string[] = [
  'ALTER TABLE sessions ADD COLUMN entry_agent TEXT',
  // A run that ended before ended when its last event says.
  `ALTER TABLE runs ADD COLUMN ended_at REAL;
   UPDATE runs SET ended_at =
     (SELECT json_extract(json, '$.at') FROM events WHERE run = runs.id AND events.seq = runs.seq)
   WHERE ended = 1;
   CREATE INDEX runs_by_end ON runs (ended_at) WHERE ended = 1;
   CREATE INDEX sessions_idle ON sessions (updated_at) WHERE active_run_id IS NULL`,
  records(),
];

function records(): string {
  return `
CREATE TABLE records (
  collection TEXT NOT NULL,
  id TEXT NOT NULL,
  version TEXT NOT NULL,
  json TEXT NOT NULL,
  PRIMARY KEY (collection, id)
) STRICT, WITHOUT ROWID;
`;
}

/** Opens the file, or makes it with its folder; one of an earlier version is upgraded. @throws Refusal, or SQLite's error. */
export function openDatabase(path: string, synchronous: 'full' | 'normal'): DatabaseSync {
  if (path !== ':memory:') makeFolder(dirname(path));
  const database = new DatabaseSync(path);
  try {
    database.exec('PRAGMA busy_timeout = 10000');
    // First of all: nothing is written to a file that is not ours.
    const version = atOneMoment(database, () => versionOf(database, path));
    retrying(() => {
      database.exec('PRAGMA journal_mode = WAL');
    });
    database.exec(`PRAGMA synchronous = ${synchronous}; PRAGMA journal_size_limit = 67108864`);
    if (version !== schemaVersion) bringUpToDate(database, path);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

// Otherwise a file that another process makes meanwhile has no id yet, but tables: as that of another program does.
function atOneMoment<T>(database: DatabaseSync, look: () => T): T {
  database.exec('BEGIN');
  try {
    return look();
  } finally {
    database.exec('ROLLBACK');
  }
}

function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Refusal(
      'unusable',
      `The folder '${folder}' of the database cannot be made (${why}). Choose a path that this process may write to.`,
    );
  }
}

function bringUpToDate(database: DatabaseSync, path: string): void {
  database.exec('BEGIN IMMEDIATE');
  try {
    // Another process may have been faster.
    const version = versionOf(database, path);
    if (version === 0) database.exec(schema);
    else for (const upgrade of upgrades.slice(version - 1)) database.exec(upgrade);
    database.exec(`PRAGMA user_version = ${schemaVersion}`);
    database.exec('COMMIT');
  } catch (error) {
    database.exec('ROLLBACK');
    throw error;
  }
}

/** The schema version of a file of ours; 0 for an empty file. @throws Refusal for any other. */
function versionOf(database: DatabaseSync, path: string): number {
  const number = (sql: string): number =>
    Number(Object.values(database.prepare(sql).get() ?? {})[0]);
  const id = number('PRAGMA application_id');
  const version = number('PRAGMA user_version');
  if (id === applicationId && version >= 1 && version <= schemaVersion) return version;
  if (id === applicationId) {
    throw new Refusal(
      'unusable',
      `The database '${path}' has schema version ${version}; this version of @agent-functions/stores-sqlite reads up to ${schemaVersion}. ${version > schemaVersion ? 'Update the package' : 'Use the package that wrote it'}, or choose another path.`,
    );
  }
  if (id === 0 && number('SELECT count(*) FROM sqlite_master') === 0) return 0;
  throw new Refusal(
    'unusable',
    `The database '${path}' belongs to another program (application id ${id}). Choose another path.`,
  );
}

/** Changing the journal mode does not wait for a lock by itself. */
function retrying(body: () => void): void {
  const end = Date.now() + 10_000;
  for (;;) {
    try {
      body();
      return;
    } catch (error) {
      const busy = error instanceof Error && 'errcode' in error && error.errcode === 5;
      if (!busy || Date.now() > end) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
    }
  }
}
