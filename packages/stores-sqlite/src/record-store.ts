import {
  checkRecordKey,
  recordText,
  type JsonObject,
  type RecordStore,
  type StoredRecord,
} from '@agent-functions/core';
import type { KeptRecord } from './record-operations.ts';
import type { WorkerClient } from './worker-client.ts';

export function recordStore(client: WorkerClient): RecordStore {
  return {
    async get(collection, id) {
      checkRecordKey(collection, id);
      const kept = await client.call('getRecord', collection, id);
      return kept && toStored(kept);
    },

    async put(collection, id, value, { expectedVersion }) {
      checkRecordKey(collection, id);
      return client.call('putRecord', collection, id, recordText(value), expectedVersion);
    },

    async list(collection, { prefix = '', limit, cursor = '' }) {
      const found = await client.call('listRecords', collection, {
        from: prefix,
        // Above every character of an id.
        below: `${prefix}~`,
        after: cursor,
        limit,
      });
      const records = found.slice(0, limit).map(toStored);
      const last = records.at(-1);
      return {
        records,
        ...(last !== undefined && found.length > limit ? { cursor: last.id } : {}),
      };
    },

    async delete(collection, id) {
      await client.call('deleteRecord', collection, id);
    },
  };
}

function toStored({ id, version, json }: KeptRecord): StoredRecord {
  const value: JsonObject = JSON.parse(json);
  return { id, version, value };
}
