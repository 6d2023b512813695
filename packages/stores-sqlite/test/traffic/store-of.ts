import type { Store } from '@agent-functions/core';

/**
 * The store that a text names: `sqlite:<file>`, or `azurite:<connection string>`. The same in whichever process; loaded
 * only where it is named.
 *
 * @throws Error for another text.
 */
export async function storeOf(name: string): Promise<Store & { close(): Promise<void> }> {
  const [kind] = name.split(':', 1);
  const rest = name.slice(name.indexOf(':') + 1);
  switch (kind) {
    case 'sqlite': {
      const { sqliteStore } = await import('../../src/index.ts');
      return sqliteStore({ path: rest, synchronous: 'normal' });
    }
    case 'azurite': {
      const { azureStorageStore } = await import('../../../stores-azure-storage/src/index.ts');
      return azureStorageStore({ connectionString: rest });
    }
    default:
      throw new Error(`no store is named ${name}`);
  }
}
