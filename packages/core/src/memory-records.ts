import { StoreFullError } from './errors.ts';
import type { JsonObject } from './json.ts';
import { estimateBytes, type MemoryRoom } from './memory-room.ts';
import { checkRecordKey, recordText, type RecordStore, type StoredRecord } from './records.ts';

export function memoryRecords(room: MemoryRoom): RecordStore {
  const collections = new Map<string, Map<string, StoredRecord & { readonly bytes: number }>>();
  let versions = 0;
  return {
    async get(collection, id) {
      checkRecordKey(collection, id);
      return shown(collections.get(collection)?.get(id));
    },

    async put(collection, id, value, { expectedVersion }) {
      checkRecordKey(collection, id);
      recordText(value);
      const before = collections.get(collection)?.get(id);
      if ((before?.version ?? '0') !== expectedVersion) return undefined;
      const bytes = estimateBytes(value) + estimateBytes(id);
      if (!room.reserve(bytes - (before?.bytes ?? 0))) {
        throw new StoreFullError(
          `The memory store has no room for record '${id}' of ${collection} (maxBytes is ${room.maxBytes}). Try again later, raise maxBytes, or use a durable store.`,
        );
      }
      const version = String(++versions);
      const records = collections.get(collection) ?? new Map();
      collections.set(collection, records.set(id, { id, version, value, bytes }));
      return version;
    },

    async list(collection, { prefix = '', limit, cursor = '' }) {
      const found = [...(collections.get(collection)?.values() ?? [])]
        .filter(({ id }) => id.startsWith(prefix) && id > cursor)
        .toSorted((a, b) => (a.id < b.id ? -1 : 1));
      const records = found.slice(0, limit).flatMap((each) => shown(each) ?? []);
      const last = records.at(-1);
      return {
        records,
        ...(last !== undefined && found.length > records.length ? { cursor: last.id } : {}),
      };
    },

    async delete(collection, id) {
      const records = collections.get(collection);
      room.free(records?.get(id)?.bytes ?? 0);
      records?.delete(id);
    },
  };
}

function shown(
  record: { readonly id: string; readonly version: string; readonly value: JsonObject } | undefined,
): StoredRecord | undefined {
  return record && { id: record.id, version: record.version, value: record.value };
}
