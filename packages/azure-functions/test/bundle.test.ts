import { execFile } from 'node:child_process';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { build, type BuildOptions } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { nodes } from './nodes.ts';

// Bundlers and processes, which are slow on a busy machine.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const run = promisify(execFile);
const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bundle-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** As docs/guides/deploy.md writes it, for both kinds of module. */
const kinds: Readonly<Record<string, BuildOptions>> = {
  'main.mjs': {
    format: 'esm',
    banner: {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
    },
  },
  'main.cjs': { format: 'cjs' },
};

describe('an app in one file', () => {
  it.each(Object.entries(kinds))('runs in the worker, and streams (%s)', async (file, options) => {
    const outfile = join(folder, file);
    await build({
      entryPoints: [at('fixtures/main.ts')],
      outfile,
      bundle: true,
      platform: 'node',
      target: 'node22',
      conditions: ['@agent-functions/source'],
      external: ['@azure/functions-core'],
      ...options,
    });
    expect((await stat(outfile)).size).toBeGreaterThan(10_000);
    for (const node of nodes) {
      const { stdout } = await run(node, [at('fixtures/worker.ts'), pathToFileURL(outfile).href], {
        cwd: folder,
      });
      expect(JSON.parse(stdout.trim().split('\n').at(-1) ?? '')).toEqual({
        streams: true,
        functions: expect.any(Number),
        status: 200,
        ended: true,
      });
    }
  });
});
