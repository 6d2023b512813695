import type { Statements } from './statements.ts';

/** A record whose value is JSON text. */
export interface KeptRecord {
  readonly id: string;
  readonly version: string;
  readonly json: string;
}

export function recordOperations(db: Statements) {
  return {
    getRecord: (collection: string, id: string): KeptRecord | undefined => {
      const row = db.get('SELECT * FROM records WHERE collection = ? AND id = ?', collection, id);
      return row && toRecord(row);
    },

    /** The version it made; `undefined` where the record is at another than the expected. */
    putRecord: (
      collection: string,
      id: string,
      json: string,
      expectedVersion: string,
    ): string | undefined =>
      db.write(() => {
        const before = db.get(
          'SELECT version FROM records WHERE collection = ? AND id = ?',
          collection,
          id,
        );
        if (String(before?.['version'] ?? '0') !== expectedVersion) return undefined;
        // Random, so that what is made anew has none of those before.
        const version = String(db.get('SELECT lower(hex(randomblob(8))) AS version')?.['version']);
        db.run('INSERT OR REPLACE INTO records VALUES (?, ?, ?, ?)', collection, id, version, json);
        return version;
      }),

    /** One more than `limit`, so that the caller knows whether there is another page. */
    listRecords: (
      collection: string,
      options: {
        readonly from: string;
        readonly below: string;
        readonly after: string;
        readonly limit: number;
      },
    ): readonly KeptRecord[] =>
      db
        .all(
          `SELECT * FROM records WHERE collection = ? AND id >= ? AND id < ? AND id > ?
           ORDER BY id LIMIT ?`,
          collection,
          options.from,
          options.below,
          options.after,
          options.limit + 1,
        )
        .map(toRecord),

    deleteRecord: (collection: string, id: string): undefined => {
      db.run('DELETE FROM records WHERE collection = ? AND id = ?', collection, id);
      return undefined;
    },
  };
}

function toRecord(row: { readonly [column: string]: unknown }): KeptRecord {
  return { id: String(row['id']), version: String(row['version']), json: String(row['json']) };
}
