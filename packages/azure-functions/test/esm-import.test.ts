import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { nodes } from './nodes.ts';

// Bundlers and processes, which are slow on a busy machine.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const run = promisify(execFile);
const root = fileURLToPath(new URL('..', import.meta.url));

/**
 * What Node 20 and 22 find in the CommonJS of `@azure/functions` by name, of what an adapter could want. The classes
 * (`HttpRequest`, `InvocationContext` …) are not among it: importing one by name is a SyntaxError there.
 */
const foundByName = ['default', 'app'];

let folder = '';
let bundle = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'esm-import-'));
  bundle = join(folder, 'adapter.mjs');
  await build({
    entryPoints: [join(root, 'src/index.ts')],
    outfile: bundle,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node22',
    conditions: ['@agent-functions/source'],
    external: ['@azure/functions'],
  });
  await mkdir(join(folder, 'node_modules/@azure'), { recursive: true });
  await symlink(
    join(root, 'node_modules/@azure/functions'),
    join(folder, 'node_modules/@azure/functions'),
  );
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('the built package', () => {
  it('trap esm: imports by name only what Node 20 and 22 find', async () => {
    const { readFile } = await import('node:fs/promises');
    const text = await readFile(bundle, 'utf8');
    const imports = [...text.matchAll(/^import\s+([^;]*?)\s+from\s+"@azure\/functions";$/gm)];
    expect(imports.length).toBeGreaterThan(0);
    for (const [, clause = ''] of imports) {
      const names = /\{([^}]*)\}/.exec(clause)?.[1]?.split(',') ?? [];
      for (const name of names)
        expect(foundByName).toContain(name.trim().replace(/\s+as\s.*$/, ''));
    }
  });

  it('loads in plain Node, and answers without a Functions host', async () => {
    const script = `
      const { AgentFunctionApp } = await import(${JSON.stringify(bundle)});
      console.log(typeof AgentFunctionApp);
    `;
    for (const node of nodes) {
      const { stdout } = await run(node, ['--input-type=module', '-e', script], { cwd: folder });
      expect(stdout.trim()).toBe('function');
    }
  });
});
