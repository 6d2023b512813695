import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { expect, test } from 'vitest';

/** Everything a deployed app brings besides the vendor SDK, the schema library and `@azure/functions`. */
async function bundle(contents: string) {
  return build({
    stdin: { contents, resolveDir: import.meta.dirname, loader: 'ts' },
    bundle: true,
    minify: true,
    write: false,
    metafile: true,
    format: 'esm',
    platform: 'node',
    target: 'node22',
    legalComments: 'none',
    external: ['openai', 'zod', '@azure/functions', '@azure/functions-core'],
  });
}

const bytesGzipped = async (contents: string): Promise<number> => {
  const { outputFiles } = await bundle(contents);
  return gzipSync(outputFiles[0]?.contents ?? new Uint8Array(), { level: 9 }).byteLength;
};

test('C5: the hello app is at most 30 KB, minified and gzipped', async () => {
  const bytes = await bytesGzipped(`export * from './hello-app.ts';`);
  console.log(`C5: ${(bytes / 1024).toFixed(1)} KB of 30 KB`);
  expect(bytes).toBeLessThanOrEqual(30 * 1024);
});

test('C5: the bundle is made of our packages alone', async () => {
  const { metafile } = await bundle(`export * from './hello-app.ts';`);
  const foreign = Object.keys(metafile.inputs).filter(
    (file) =>
      !/(^|\/)packages\/[^/]+\/dist\//.test(file) &&
      !file.includes('hello-app') &&
      file !== '<stdin>',
  );
  expect(foreign).toEqual([]);
});

test('the weight of what is imported is counted', async () => {
  const tsup = join(import.meta.dirname, '../lib/processes.ts');
  expect(await bytesGzipped(`export * from '${tsup}';`)).toBeGreaterThan(
    await bytesGzipped('export const nothing = 1;'),
  );
});
