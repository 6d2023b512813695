import type { TableClient, TransactionAction } from '@azure/data-tables';
import { isRefusal } from './errors.ts';

/** A value of one property. Bytes are at most 64 KiB. */
export type Value = string | number | boolean | bigint | Uint8Array;
export interface Columns {
  readonly [name: string]: Value;
}

/** An entity as it was read. */
export interface Row {
  readonly rowKey: string;
  readonly etag: string;
  /** When the service wrote it, by its clock, without the `Z`, so that it sorts as text. */
  readonly timestamp: string;
  readonly columns: { readonly [name: string]: unknown };
}

/** One write of a transaction. */
export type Write =
  /** @throws Refusal `exists` */
  | { readonly type: 'insert'; readonly rowKey: string; readonly columns: Columns }
  /** Changes only these columns. Without `etag`: whatever it is now. @throws Refusal `missing`, `stale` */
  | {
      readonly type: 'merge';
      readonly rowKey: string;
      readonly columns: Columns;
      readonly etag?: string | undefined;
    }
  | {
      readonly type: 'replace';
      readonly rowKey: string;
      readonly columns: Columns;
      readonly etag: string;
    }
  | { readonly type: 'upsert'; readonly rowKey: string; readonly columns: Columns }
  /** @throws Refusal `missing` */
  | { readonly type: 'delete'; readonly rowKey: string };

/** What a range of row keys of one partition is: above `after` or from `from`, and below `below`. */
export interface Range {
  readonly from?: string | undefined;
  readonly after?: string | undefined;
  readonly below: string;
  readonly select?: readonly string[] | undefined;
  /** Rows a page; a page may have fewer. */
  readonly top?: number | undefined;
}

/** One table. Everything is in one partition at a time; nothing scans. */
export interface Table {
  get(partition: string, rowKey: string, select?: readonly string[]): Promise<Row | undefined>;
  /** Pages, in the order of their row keys. */
  range(partition: string, range: Range): AsyncIterable<readonly Row[]>;
  /** All or nothing; at most `transactionRows`. Answers the etag of each. @throws Refusal */
  write(partition: string, writes: readonly Write[]): Promise<readonly string[]>;
}

/** Entities in one transaction: https://learn.microsoft.com/rest/api/storageservices/performing-entity-group-transactions */
export const transactionRows = 100;

/** How a request is made: created places, tries, errors. */
export type Ask = <T>(
  kind: 'read' | 'write',
  request: (client: TableClient, signal: AbortSignal) => Promise<T>,
) => Promise<T>;

export function table(ask: Ask): Table {
  return {
    async get(partition, rowKey, select) {
      try {
        return await ask('read', async (client, abortSignal) =>
          toRow(
            await client.getEntity(partition, rowKey, {
              abortSignal,
              ...queryOf(select),
            }),
          ),
        );
      } catch (error) {
        if (isRefusal(error, 'missing', 'no-place')) return undefined;
        throw error;
      }
    },

    async *range(partition, { from, after, below, select, top }) {
      const start = after === undefined ? `ge '${from ?? ''}'` : `gt '${after}'`;
      const filter = `PartitionKey eq '${partition}' and RowKey ${start} and RowKey lt '${below}'`;
      let continuationToken: string | undefined;
      do {
        const token: string | undefined = continuationToken;
        const asking = ask('read', async (client, abortSignal) => {
          const pages = client
            .listEntities({
              abortSignal,
              queryOptions: { filter, ...queryOf(select).queryOptions },
            })
            .byPage({
              ...(top === undefined ? {} : { maxPageSize: Math.min(top, 1_000) }),
              ...(token === undefined ? {} : { continuationToken: token }),
            });
          const next = await pages.next();
          return next.done === true
            ? { rows: [], token: undefined }
            : { rows: next.value.map(toRow), token: next.value.continuationToken };
        });
        const page = await asking.catch((error: unknown) => {
          // A table that nobody wrote to yet.
          if (isRefusal(error, 'no-place')) return { rows: [], token: undefined };
          throw error;
        });
        continuationToken = page.token;
        if (page.rows.length > 0) yield page.rows;
      } while (continuationToken !== undefined);
    },

    async write(partition, writes) {
      const [only] = writes;
      if (only !== undefined && writes.length === 1) {
        return [await ask('write', (client, signal) => writeOne(client, partition, only, signal))];
      }
      const actions = writes.map((write) => toAction(partition, write));
      return ask('write', async (client, abortSignal) => {
        const { subResponses } = await client.submitTransaction(actions, { abortSignal });
        if (subResponses.length !== writes.length) {
          throw new Error(`${subResponses.length} of ${writes.length} answers arrived`);
        }
        return subResponses.map(({ etag }) => etag ?? '');
      });
    },
  };
}

async function writeOne(
  client: TableClient,
  partitionKey: string,
  write: Write,
  abortSignal: AbortSignal,
): Promise<string> {
  const { rowKey } = write;
  switch (write.type) {
    case 'insert':
      return etagOf(
        await client.createEntity({ partitionKey, rowKey, ...write.columns }, { abortSignal }),
      );
    case 'merge':
    case 'replace': {
      const mode = write.type === 'merge' ? 'Merge' : 'Replace';
      const etag = write.etag ?? '*';
      return etagOf(
        await client.updateEntity({ partitionKey, rowKey, ...write.columns }, mode, {
          etag,
          abortSignal,
        }),
      );
    }
    case 'upsert':
      return etagOf(
        await client.upsertEntity({ partitionKey, rowKey, ...write.columns }, 'Replace', {
          abortSignal,
        }),
      );
    case 'delete':
      await client.deleteEntity(partitionKey, rowKey, { abortSignal });
      return '';
    default:
      return write satisfies never;
  }
}

function toAction(partitionKey: string, write: Write): TransactionAction {
  const { rowKey } = write;
  switch (write.type) {
    case 'insert':
      return ['create', { partitionKey, rowKey, ...write.columns }];
    case 'merge':
    case 'replace': {
      const mode = write.type === 'merge' ? 'Merge' : 'Replace';
      return [
        'update',
        { partitionKey, rowKey, ...write.columns },
        mode,
        { etag: write.etag ?? '*' },
      ];
    }
    case 'upsert':
      return ['upsert', { partitionKey, rowKey, ...write.columns }, 'Replace'];
    case 'delete':
      return ['delete', { partitionKey, rowKey }];
    default:
      return write satisfies never;
  }
}

function etagOf({ etag }: { readonly etag?: string | undefined }): string {
  return etag ?? '';
}

function queryOf(select: readonly string[] | undefined): {
  readonly queryOptions?: { readonly select: string[] };
} {
  // The keys are what rows are told apart by; without them they would be left out.
  return select === undefined
    ? {}
    : { queryOptions: { select: ['PartitionKey', 'RowKey', 'Timestamp', ...select] } };
}

/** An entity as its client gives it. */
interface Entity {
  readonly etag: string;
  readonly rowKey?: string | undefined;
  readonly timestamp?: string | undefined;
  readonly [column: string]: unknown;
}

function toRow({ rowKey = '', etag, timestamp = '', ...columns }: Entity): Row {
  return { rowKey, etag, timestamp: timestamp.replace(/Z$/, ''), columns };
}

export function textIn(row: Row | undefined, name: string): string | undefined {
  const value = row?.columns[name];
  return typeof value === 'string' ? value : undefined;
}

export function numberIn(row: Row | undefined, name: string): number | undefined {
  const value = row?.columns[name];
  return typeof value === 'number' || typeof value === 'bigint' ? Number(value) : undefined;
}

export function flagIn(row: Row | undefined, name: string): boolean | undefined {
  const value = row?.columns[name];
  return typeof value === 'boolean' ? value : undefined;
}
