/**
 * Loads the built package and runs it in a worker with the oldest Node it supports, beside the one that runs this.
 * `npm run test:nodes` fetches that Node from the registry into a folder of its own.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const versions = process.argv.slice(2).length > 0 ? process.argv.slice(2) : ['22'];
const root = fileURLToPath(new URL('..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'nodes-'));
try {
  const nodes = versions.map((version) => {
    const prefix = join(folder, version);
    mustRun('npm', ['install', '--silent', '--prefix', prefix, `node@${version}`]);
    return join(prefix, 'node_modules/.bin/node');
  });
  for (const node of nodes) console.log(mustRun(node, ['--version']).trim());
  console.log(
    mustRun('npx', ['vitest', 'run', 'test/esm-import.test.ts', 'test/bundle.test.ts'], {
      NODES: nodes.join(':'),
    }),
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function mustRun(command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): string {
  const { status, stdout, stderr } = spawnSync(command, args, {
    cwd: root,
    encoding: 'utf8',
    env: { ...process.env, ...env },
  });
  if (status !== 0)
    throw new Error(`${command} ${args.join(' ')} ended with ${status}:\n${stdout}${stderr}`);
  return stdout;
}
