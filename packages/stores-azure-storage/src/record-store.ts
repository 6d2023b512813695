import {
  checkRecordKey,
  recordText,
  type JsonObject,
  type RecordStore,
  type StoredRecord,
} from '@agent-functions/core';
import type { Account } from './account.ts';
import { isRefusal } from './errors.ts';
import { textIn, type Row } from './table.ts';

/** Records, a partition for each collection; the version is the entity's tag. */
export function recordStore({ index: table }: Account): RecordStore {
  return {
    async get(collection, id) {
      checkRecordKey(collection, id);
      const row = await table.get(partitionOf(collection), id);
      return row && toStored(row);
    },

    async put(collection, id, value, { expectedVersion }) {
      checkRecordKey(collection, id);
      const columns = { json: recordText(value) };
      const write =
        expectedVersion === '0'
          ? ({ type: 'insert', rowKey: id, columns } as const)
          : ({ type: 'replace', rowKey: id, columns, etag: expectedVersion } as const);
      try {
        const [version] = await table.write(partitionOf(collection), [write]);
        return version;
      } catch (error) {
        if (isRefusal(error, 'exists', 'stale', 'missing')) return undefined;
        throw error;
      }
    },

    async list(collection, { prefix = '', limit, cursor }) {
      const records: StoredRecord[] = [];
      const pages = table.range(partitionOf(collection), {
        ...(cursor === undefined ? { from: prefix } : { after: cursor }),
        // Above every character of an id.
        below: `${prefix}~`,
        top: limit + 1,
      });
      for await (const rows of pages) {
        for (const row of rows) {
          const last = records.at(-1);
          if (last !== undefined && records.length === limit) return { records, cursor: last.id };
          records.push(toStored(row));
        }
      }
      return { records };
    },

    async delete(collection, id) {
      try {
        await table.write(partitionOf(collection), [{ type: 'delete', rowKey: id }]);
      } catch (error) {
        if (!isRefusal(error, 'missing', 'no-place')) throw error;
      }
    },
  };
}

function partitionOf(collection: string): string {
  return `records-${collection}`;
}

function toStored(row: Row): StoredRecord {
  const value: JsonObject = JSON.parse(textIn(row, 'json') ?? '{}');
  return { id: row.rowKey, version: row.etag, value };
}
