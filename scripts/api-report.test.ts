import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { apiReport, staleReport } from './api-report.ts';
import { readManifest, type Package } from './lib/workspace.ts';

// A report takes a compiler a second or two, and much longer on a busy machine.
vi.setConfig({ testTimeout: 60_000 });

let dir = '';
afterEach(() => rmSync(dir, { recursive: true }));

/** A built package whose declarations are spread over a chunk, as the bundler writes them. */
function builtPackage(chunk: string): Package {
  dir = mkdtempSync(join(tmpdir(), 'api-report-test-'));
  mkdirSync(join(dir, 'dist'));
  writeFileSync(
    join(dir, 'package.json'),
    JSON.stringify({
      name: '@agent-functions/sample',
      version: '1.0.0',
      type: 'module',
      exports: { '.': { types: './dist/index.d.ts', default: './dist/index.js' } },
    }),
  );
  build(chunk);
  return { folder: 'sample', dir, manifest: readManifest(dir) };
}

function build(chunk: string): void {
  writeFileSync(join(dir, 'dist/chunk-a1b2.d.ts'), chunk);
  writeFileSync(join(dir, 'dist/index.d.ts'), `export { S as run } from './chunk-a1b2.js';`);
}

const before = `
interface Options {
  timeoutMs?: number | undefined;
  signal?: AbortSignal | undefined;
}
/** Runs it. */
declare function run(options: Options): void;
export { run as S };
`;

test('a report names what is exported, and the types behind it, wherever they were declared', () => {
  const report = apiReport(builtPackage(before));
  expect(report).toContain('## `@agent-functions/sample`');
  expect(report).toContain('export function run(options: Options): void;');
  expect(report).toContain('timeoutMs?: number | undefined;');
  expect(report).not.toContain('undocumented');
});

test('a package without a report, or with a stale one, is a problem that shows what changed', () => {
  const sample = builtPackage(before);
  expect(staleReport(sample)?.message).toContain('is missing');

  writeFileSync(join(dir, 'api-report.md'), apiReport(sample));
  expect(staleReport(sample)).toBeUndefined();

  build(before.replace('): void', '): number'));
  expect(staleReport(sample)?.message).toContain('is stale');
  expect(staleReport(sample)?.message).toContain('- export function run(options: Options): void;');
  expect(staleReport(sample)?.message).toContain(
    '+ export function run(options: Options): number;',
  );
});

test('a package that is not built says so', () => {
  const sample = builtPackage(before);
  rmSync(join(dir, 'dist'), { recursive: true });
  expect(() => apiReport(sample)).toThrow('Build first');
});
