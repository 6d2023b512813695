import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build, type Metafile } from 'esbuild';
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
    external: ['openai', 'zod', '@azure/*'],
  });
}

const gzipped = (contents: Uint8Array | undefined): number =>
  gzipSync(contents ?? new Uint8Array(), { level: 9 }).byteLength;

const bytesGzipped = async (contents: string): Promise<number> =>
  gzipped((await bundle(contents)).outputFiles[0]?.contents);

/** Minified bytes of each package in a bundle, largest first. */
function shares(metafile: Metafile): string {
  const sum = new Map<string, number>();
  for (const [file, { bytesInOutput }] of Object.values(metafile.outputs).flatMap((each) =>
    Object.entries(each.inputs),
  )) {
    const name = /packages\/([^/]+)\//.exec(file)?.[1] ?? 'the app';
    sum.set(name, (sum.get(name) ?? 0) + bytesInOutput);
  }
  return [...sum]
    .toSorted(([, a], [, b]) => b - a)
    .map(([name, bytes]) => `${name} ${kilobytes(bytes)}`)
    .join(', ');
}

const kilobytes = (bytes: number): string => `${(bytes / 1024).toFixed(1)} KB`;

/** Measured, not wished for: docs/decisions/0012, 0017 and 0019 have the figures and what less would have cost. */
const budgetKb = 105;

test('C5: the hello app is at most 105 KB, minified and gzipped', async () => {
  const { metafile, outputFiles } = await bundle(`export * from './hello-app.ts';`);
  const bytes = gzipped(outputFiles[0]?.contents);
  const seen = `${kilobytes(bytes)} of ${budgetKb} KB; minified: ${shares(metafile)}`;
  console.log(`C5: ${seen}`);
  expect(bytes, seen).toBeLessThanOrEqual(budgetKb * 1024);
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

/** What the store weighs, without the SDKs of Azure. */
const storeBudgetKb = 18;

test('C5: the storage account adds at most 18 KB, minified and gzipped', async () => {
  const hello = await bytesGzipped(`export * from './hello-app.ts';`);
  const stored = await bytesGzipped(
    `export * from './hello-app.ts'; export { azureStorageStore } from '@agent-functions/stores-azure-storage';`,
  );
  const seen = `${kilobytes(stored - hello)} of ${storeBudgetKb} KB`;
  console.log(`C5 with the storage account: ${seen} more`);
  expect(stored - hello, seen).toBeLessThanOrEqual(storeBudgetKb * 1024);
});

test('the weight of what is imported is counted', async () => {
  const module = join(import.meta.dirname, '../lib/processes.ts');
  expect(await bytesGzipped(`export * from '${module}';`)).toBeGreaterThan(
    await bytesGzipped('export const nothing = 1;'),
  );
});
