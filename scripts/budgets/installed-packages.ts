import { existsSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { readManifest } from '../lib/workspace.ts';

/**
 * Names and versions of everything that installing a package brings, itself included: dependencies and required
 * peers, and theirs, as they are installed here.
 */
export function installedPackages(dir: string): readonly string[] {
  const found = new Map<string, string>();
  const visit = (folder: string): void => {
    const manifest = readManifest(folder);
    const id = `${manifest.name}@${manifest.version}`;
    if (found.has(id)) return;
    found.set(id, folder);
    const optional = Object.entries(manifest.peerDependenciesMeta ?? {})
      .filter(([, meta]) => meta.optional === true)
      .map(([name]) => name);
    const needed = Object.keys({ ...manifest.peerDependencies, ...manifest.dependencies });
    for (const name of needed.filter((each) => !optional.includes(each)))
      visit(installedFolder(folder, name));
  };
  visit(realpathSync(dir));
  return [...found.keys()].toSorted();
}

function installedFolder(from: string, name: string): string {
  for (let folder = from; ; folder = dirname(folder)) {
    const candidate = join(folder, 'node_modules', name);
    if (existsSync(candidate)) return realpathSync(candidate);
    if (folder === dirname(folder))
      throw new Error(`${name}, which ${from} needs, is not installed.`);
  }
}
