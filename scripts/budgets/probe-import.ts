import { run } from '../lib/processes.ts';

export interface ImportedResult {
  /** Addresses of all files that were loaded, Node's own modules left out. */
  readonly modules: readonly string[];
  /** Timers, sockets, requests and reads of the environment that our code made while it was imported. */
  readonly effects: readonly string[];
  /** What keeps the process alive after the import. */
  readonly resources: readonly string[];
}

/** Imports modules together in a fresh process and tells what that loaded and did. */
export async function probeImport(...specifiers: readonly string[]): Promise<ImportedResult> {
  const { code, output, stdout } = await run('node', ['import-probe.ts', ...specifiers], {
    cwd: import.meta.dirname,
    timeoutMs: 30_000,
  });
  if (code !== 0) throw new Error(`Importing ${specifiers.join(', ')} failed:\n${output}`);
  const result: ImportedResult = JSON.parse(stdout);
  return result;
}
