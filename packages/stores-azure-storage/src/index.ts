export { azureStorageStore, type AzureStorageStore } from './azure-storage-store.ts';
export type { AzureStorageStoreOptions } from './options.ts';
export type { ConnectionOptions, Endpoints } from './settings.ts';
