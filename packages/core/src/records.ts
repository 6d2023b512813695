import { UserError } from './errors.ts';
import type { JsonObject } from './json.ts';

/** A record as it is kept. `version` changes with every put. */
export interface StoredRecord {
  readonly id: string;
  readonly version: string;
  readonly value: JsonObject;
}

/**
 * Small JSON documents by collection and id, for protocols that keep something beside runs and sessions: who wants to be
 * told of a task, how far that got. Not a database: nothing is searched but ids, and nothing expires.
 *
 * A collection is 1 to 40 small letters, digits and hyphens; an id 1 to 200 letters, digits, `_`, `-` and `.`. A value is
 * at most 30,000 characters of JSON.
 */
export interface RecordStore {
  get(collection: string, id: string): Promise<StoredRecord | undefined>;
  /**
   * Keeps a value where the record is at `expectedVersion`; `'0'`: where there is none. Answers the version it made, or
   * `undefined`, with nothing written, where it is at another.
   *
   * @throws UserError for a key or a value that no store takes. StoreFullError when there is no room.
   */
  put(
    collection: string,
    id: string,
    value: JsonObject,
    at: { readonly expectedVersion: string },
  ): Promise<string | undefined>;
  /** In the order of their ids (by their characters). */
  list(
    collection: string,
    options: {
      /** Of the ids. */
      readonly prefix?: string | undefined;
      readonly limit: number;
      readonly cursor?: string | undefined;
    },
  ): Promise<{ readonly records: readonly StoredRecord[]; readonly cursor?: string | undefined }>;
  /** Unknown: a no-op. */
  delete(collection: string, id: string): Promise<void>;
}

const collectionRule = /^[a-z0-9-]{1,40}$/;
const idRule = /^[A-Za-z0-9_.-]{1,200}$/;
const maxText = 30_000;

/** @throws UserError for a key that no store takes. For stores: each checks the keys it is given. */
export function checkRecordKey(collection: string, id: string): void {
  if (!collectionRule.test(collection)) {
    throw new UserError(
      `${JSON.stringify(collection)} is no collection of records. Write 1 to 40 small letters, digits and hyphens.`,
    );
  }
  if (!idRule.test(id)) {
    throw new UserError(
      `${JSON.stringify(id.slice(0, 80))} is no id of a record. Write 1 to 200 letters, digits, _, - and . (a hash of what has others).`,
    );
  }
}

/** The JSON text of a value. @throws UserError for one that is too large. For stores. */
export function recordText(value: JsonObject): string {
  const text = JSON.stringify(value);
  if (text.length <= maxText) return text;
  throw new UserError(
    `The value of a record has ${text.length} characters of JSON; at most ${maxText} are taken. Keep large things in runs and sessions.`,
  );
}
