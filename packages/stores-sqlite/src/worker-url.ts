/**
 * Where the worker's code is. The build replaces this module by a `data:` URL of the bundled worker, so that the
 * package still works after an app was bundled into one file.
 */
export const workerUrl = new URL('./worker.ts', import.meta.url);
