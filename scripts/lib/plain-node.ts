import { existsSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
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
  const node: PlainNode = { version, bin: join(folder, 'bin') };
  if (existsSync(node.bin)) return node;
  const npm = npmFor[version.split('.')[0] ?? ''] ?? 'latest';
  const binary = `node-${process.platform}-${process.arch}`;
  const making = `${folder}.${process.pid}`;
  mkdirSync(making, { recursive: true });
  writeFileSync(join(making, 'package.json'), '{ "private": true }');
  const quietly = ['--no-save', '--no-audit', '--no-fund', '--ignore-scripts'];
  await mustRun('npm', ['install', ...quietly, `${binary}@${version}`, `npm@${npm}`], {
    cwd: making,
    timeoutMs: 180_000,
  });
  // As an installer lays it out: npm finds its prefix from where the binary is.
  mkdirSync(join(making, 'bin'));
  renameSync(join(making, 'node_modules', binary, 'bin/node'), join(making, 'bin/node'));
  mkdirSync(join(making, 'lib'));
  renameSync(join(making, 'node_modules'), join(making, 'lib/node_modules'));
  for (const name of ['npm', 'npx'])
    symlinkSync(`../lib/node_modules/npm/bin/${name}-cli.js`, join(making, 'bin', name));
  // Last, so that a folder with this name is complete.
  rmSync(folder, { recursive: true, force: true });
  renameSync(making, folder);
  return node;
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
  // What a package manager hands to its scripts, except for how to reach the registry.
  const handed = /^(npm_|pnpm_|TURBO|INIT_CWD$|NODE$|NODE_OPTIONS$|NODE_PATH$)/i;
  const registry = /^npm_config_(registry|cafile|proxy|https_proxy|noproxy|strict_ssl)$/i;
  const kept = Object.entries(process.env).filter(
    ([name]) => !handed.test(name) || registry.test(name),
  );
  return { ...Object.fromEntries(kept), ...more, PATH: [bin, ...path].join(delimiter) };
}
