import { readdirSync, watch, type FSWatcher } from 'node:fs';
import { extname, join } from 'node:path';

const sources = new Set(['.ts', '.mts', '.cts', '.js', '.mjs', '.cjs', '.json']);
const skipped = new Set(['node_modules', 'dist', 'coverage']);
// What one person edits is far below this; it keeps a mistaken entry (a home folder) from watching a whole disk.
const mostFolders = 1_000;

/**
 * Calls `changed` with the path of a source or settings file that was written, moved or removed: in `tree` and the folders
 * below it, and directly in `folder`. Build output, `node_modules` and dot-folders are left out.
 */
export function watchFolders(
  { tree, folder }: { readonly tree: string; readonly folder: string },
  changed: (path: string) => void,
): { close(): void } {
  const watchers = new Map<string, FSWatcher>();

  const watchOne = (dir: string, deep: boolean): void => {
    if (watchers.has(dir) || watchers.size >= mostFolders) return;
    try {
      const watcher = watch(dir, (_event, name) => {
        if (name === null) return;
        if (deep) watchBelow(dir);
        if (matters(name)) changed(join(dir, name));
      });
      watcher.on('error', () => forget(dir));
      watchers.set(dir, watcher);
    } catch {
      return;
    }
    if (deep) watchBelow(dir);
  };
  // Cheap enough to do on every event, and new folders are then never missed.
  const watchBelow = (dir: string): void => {
    for (const name of foldersIn(dir)) watchOne(join(dir, name), true);
  };
  const forget = (dir: string): void => {
    watchers.get(dir)?.close();
    watchers.delete(dir);
  };

  watchOne(tree, true);
  watchOne(folder, false);
  return {
    close: () => {
      for (const dir of watchers.keys()) forget(dir);
    },
  };
}

function matters(name: string): boolean {
  return name === '.env' || (sources.has(extname(name)) && !name.startsWith('.'));
}

function foldersIn(dir: string): readonly string[] {
  try {
    return readdirSync(dir, { withFileTypes: true })
      .filter((each) => each.isDirectory() && !each.name.startsWith('.') && !skipped.has(each.name))
      .map((each) => each.name);
  } catch {
    return [];
  }
}
