import { azureStorageStore } from '@agent-functions/stores-azure-storage';
import { sqliteStore } from '@agent-functions/stores-sqlite';

// In a Function App its storage account, elsewhere a file: what waits for an answer outlives the process either way.
export const store =
  process.env['AzureWebJobsStorage'] === undefined
    ? sqliteStore(process.env['APPROVALS_DB'] ?? '.agent-functions/approvals.db')
    : azureStorageStore();
