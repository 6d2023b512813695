import type { DatabaseSync, SQLInputValue, SQLOutputValue, StatementSync } from 'node:sqlite';

export type Row = { readonly [column: string]: SQLOutputValue };

/** The database as its operations use it: each text is prepared once. */
export interface Statements {
  run(sql: string, ...values: readonly SQLInputValue[]): void;
  get(sql: string, ...values: readonly SQLInputValue[]): Row | undefined;
  all(sql: string, ...values: readonly SQLInputValue[]): readonly Row[];
  iterate(sql: string, ...values: readonly SQLInputValue[]): Iterable<Row>;
  /** One short transaction that has the write lock from its start, so that it never fails half way for it. */
  write<T>(body: () => T): T;
  /** Several reads of one moment. */
  snapshot<T>(body: () => T): T;
  /** For what may be lost with the machine's power: not waiting for the disk. */
  carefree<T>(body: () => T): T;
}

export function statements(database: DatabaseSync): Statements {
  const prepared = new Map<string, StatementSync>();
  const prepare = (sql: string): StatementSync => {
    let statement = prepared.get(sql);
    if (statement === undefined) prepared.set(sql, (statement = database.prepare(sql)));
    return statement;
  };
  const transaction = <T>(begin: string, body: () => T): T => {
    prepare(begin).run();
    try {
      const result = body();
      prepare('COMMIT').run();
      return result;
    } catch (error) {
      rollback(database);
      throw error;
    }
  };
  const synchronous = Number(database.prepare('PRAGMA synchronous').get()?.['synchronous']);
  return {
    run: (sql, ...values) => void prepare(sql).run(...values),
    get: (sql, ...values) => prepare(sql).get(...values),
    all: (sql, ...values) => prepare(sql).all(...values),
    iterate: (sql, ...values) => prepare(sql).iterate(...values),
    write: (body) => transaction('BEGIN IMMEDIATE', body),
    snapshot: (body) => transaction('BEGIN', body),
    carefree(body) {
      database.exec('PRAGMA synchronous = NORMAL');
      try {
        return transaction('BEGIN IMMEDIATE', body);
      } finally {
        database.exec(`PRAGMA synchronous = ${synchronous}`);
      }
    },
  };
}

function rollback(database: DatabaseSync): void {
  try {
    database.exec('ROLLBACK');
  } catch {
    // SQLite has rolled back by itself (a full disk, an I/O error).
  }
}

/** A column that is text, or nothing. */
export function textOf(value: SQLOutputValue | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
