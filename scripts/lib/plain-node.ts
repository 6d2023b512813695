import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { mustRun } from './processes.ts';
import { root } from './workspace.ts';

/** A Node that a user may have, with the npm that came with it. */
export interface PlainNode {
  readonly version: string;
  /** Folder with `node`, `npm` and `npx` and nothing else. */
  readonly bin: string;
}

/** npm of the same age as a major version of Node. */
const npmFor: Readonly<Record<string, string>> = { '20': '10.8.2', '22': '10.9.2', '24': '11.6.2' };

/** Installs a Node from the registry, once; `version` is exact, such as `22.13.1`. */
export async function plainNode(version: string): Promise<PlainNode> {
  const folder = join(root, 'node_modules/.cache/plain-node', version);
  const bin = join(folder, 'bin');
  if (existsSync(bin)) return { version, bin };
  const npm = npmFor[version.split('.')[0] ?? ''] ?? 'latest';
  const binary = `node-${process.platform}-${process.arch}`;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{ "private": true }');
  await mustRun(
    'npm',
    [
      'install',
      '--no-save',
      '--no-audit',
      '--no-fund',
      '--ignore-scripts',
      `${binary}@${version}`,
      `npm@${npm}`,
    ],
    { cwd: folder, timeoutMs: 180_000 },
  );
  const made = `${bin}.${process.pid}`;
  mkdirSync(made);
  symlinkSync(join(folder, 'node_modules', binary, 'bin/node'), join(made, 'node'));
  for (const name of ['npm', 'npx'])
    symlinkSync(join(folder, 'node_modules/npm/bin', `${name}-cli.js`), join(made, name));
  // Last, so that a folder with this name is complete.
  symlinkSync(made, bin);
  return { version, bin };
}

/** An environment in which that Node and its npm come first, and this repository's own tools not at all. */
export function environmentOf(
  { bin }: PlainNode,
  more: Readonly<Record<string, string>> = {},
): NodeJS.ProcessEnv {
  const own = dirname(process.execPath);
  const path = (process.env['PATH'] ?? '')
    .split(delimiter)
    .filter((each) => !each.includes('node_modules') && each !== own);
  // What a package manager that runs this script adds; how to reach the registry stays.
  const added =
    /^(npm_(lifecycle|package|command|execpath|node_execpath|config_user_agent)|NODE_OPTIONS|NODE_PATH|PNPM_|INIT_CWD|TURBO)/;
  const kept = Object.entries(process.env).filter(([name]) => !added.test(name));
  return { ...Object.fromEntries(kept), ...more, PATH: [bin, ...path].join(delimiter) };
}
