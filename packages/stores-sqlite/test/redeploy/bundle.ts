import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const files = {
  one: new URL('app-1.ts', import.meta.url),
  two: new URL('app-2.ts', import.meta.url),
  worker: new URL('../../src/worker.ts', import.meta.url),
};

/** Builds both versions of the app, each one file with all that it needs, as a deployment has it. */
export async function bundleApps(folder: string): Promise<{ readonly [version in 1 | 2]: string }> {
  await build({
    entryPoints: [
      { in: fileURLToPath(files.one), out: 'app-1' },
      { in: fileURLToPath(files.two), out: 'app-2' },
      { in: fileURLToPath(files.worker), out: 'worker' },
    ],
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node22',
    conditions: ['@agent-functions/source'],
    logLevel: 'warning',
    plugins: [
      {
        name: 'worker-beside',
        setup(worker) {
          worker.onLoad({ filter: /[\\/]worker-url\.ts$/ }, () => ({
            contents: "export const workerUrl = new URL('./worker.mjs', import.meta.url);",
          }));
        },
      },
    ],
  });
  return { 1: `${folder}/app-1.mjs`, 2: `${folder}/app-2.mjs` };
}
