import { isRefusal } from './errors.ts';
import { textIn, transactionRows, type Table, type Write } from './table.ts';

/** Deletes the rows of a range but one, some at a time. `onBlob` is told of each blob that they named. */
export async function deleteRows(
  table: Table,
  partition: string,
  range: { readonly from: string; readonly below: string },
  {
    except,
    onBlob,
  }: {
    readonly except?: string | undefined;
    readonly onBlob?: ((blob: string) => void) | undefined;
  },
): Promise<void> {
  const select = ['blob'];
  for await (const rows of table.range(partition, { ...range, select, top: transactionRows })) {
    await deleteAll(
      table,
      partition,
      rows.map(({ rowKey }) => rowKey).filter((rowKey) => rowKey !== except),
    );
    for (const row of rows) {
      const blob = textIn(row, 'blob');
      if (blob !== undefined) onBlob?.(blob);
    }
  }
}

/** Deletes rows in one transaction; those that are gone already are passed over. */
export async function deleteAll(
  table: Table,
  partition: string,
  rowKeys: readonly string[],
): Promise<void> {
  if (rowKeys.length === 0) return;
  const writes = rowKeys.map((rowKey): Write => ({ type: 'delete', rowKey }));
  try {
    await table.write(partition, writes);
  } catch (error) {
    if (!isRefusal(error, 'missing')) throw error;
    if (rowKeys.length > 1)
      for (const rowKey of rowKeys) await deleteAll(table, partition, [rowKey]);
  }
}
