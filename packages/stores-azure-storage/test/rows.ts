import { TableClient } from '@azure/data-tables';
import { partitionOf } from '../src/run-rows.ts';
import type { Azurite } from './azurite.ts';

/** An entity as the service has it. */
export interface StoredRow {
  readonly partitionKey: string;
  readonly rowKey: string;
  readonly columns: { readonly [name: string]: unknown };
}

/** What a table holds, all of it or of one run. Nothing for a table that is not there. */
export async function rowsOf(
  { connectionString }: Pick<Azurite, 'connectionString'>,
  table: string,
  runId?: string,
): Promise<readonly StoredRow[]> {
  const client = TableClient.fromConnectionString(connectionString, table, {
    allowInsecureConnection: true,
  });
  const filter = runId === undefined ? '' : `PartitionKey eq '${partitionOf(runId)}'`;
  const rows: StoredRow[] = [];
  for await (const row of client.listEntities({ queryOptions: { filter } })) {
    const { partitionKey = '', rowKey = '', etag: _e, timestamp: _t, ...columns } = row;
    rows.push({ partitionKey, rowKey, columns });
  }
  return rows;
}

/**
 * What rows take in an account: 4 bytes and 2 a character of the keys; of each property 8, 2 a character of its name, and
 * its value (https://learn.microsoft.com/archive/blogs/avkashchauhan/how-the-size-of-an-entity-is-caclulated-in-windows-azure-table-storage).
 */
export function storedBytes(rows: readonly StoredRow[]): number {
  let bytes = 0;
  for (const { partitionKey, rowKey, columns } of rows) {
    bytes += 4 + 2 * (partitionKey.length + rowKey.length);
    for (const [name, value] of Object.entries(columns)) {
      bytes += 8 + 2 * name.length + valueBytes(value);
    }
  }
  return bytes;
}

function valueBytes(value: unknown): number {
  if (typeof value === 'string') return 4 + 2 * value.length;
  if (value instanceof Uint8Array) return 4 + value.length;
  if (typeof value === 'boolean') return 1;
  return typeof value === 'number' && Number.isInteger(value) ? 4 : 8;
}
