import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { checkImports } from './check-imports.ts';
import { importsOf } from './lib/import-graph.ts';

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

const edge = (name: string, more: object = {}): string =>
  JSON.stringify({
    name: `@agent-functions/${name}`,
    peerDependencies: { '@agent-functions/core': 'workspace:^' },
    ...more,
  });

/** A small workspace that follows the rule, and what a test changes in it. */
function problemsIn(changes: Readonly<Record<string, string>>): readonly string[] {
  const workspace = mkdtempSync(join(tmpdir(), 'imports-'));
  folders.push(workspace);
  const files = {
    'packages/core/package.json': JSON.stringify({ name: '@agent-functions/core' }),
    'packages/core/src/index.ts': `export { a } from './a.ts';`,
    'packages/core/src/a.ts': `export const a = 1;`,
    'packages/core/src/testing/index.ts': `export { a } from '../a.ts';`,
    'packages/core/src/a.test.ts': `import { test } from 'vitest'; import OpenAI from 'openai';`,
    'packages/server/package.json': edge('server'),
    'packages/server/src/index.ts': `import { a } from '@agent-functions/core'; import { createServer } from 'node:http';`,
    ...changes,
  };
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(workspace, path)), { recursive: true });
    writeFileSync(join(workspace, path), text);
  }
  return checkImports(workspace).problems.map((each) => `${each.where}: ${each.message}`);
}

test('a workspace that follows the rule has no problems', () => {
  expect(problemsIn({})).toEqual([]);
});

test('core imports no module, of its own project, of Node or of a third party', () => {
  for (const module of ['zod', 'node:fs', '@agent-functions/server', '@standard-schema/spec'])
    expect(problemsIn({ 'packages/core/src/a.ts': `import type { A } from '${module}';` })).toEqual(
      [
        expect.stringContaining(
          `packages/core/src/a.ts:1: imports ${module}: core imports nothing`,
        ),
      ],
    );
});

test('core does not import its testing sub-path', () => {
  expect(problemsIn({ 'packages/core/src/a.ts': `export * from './testing/index.ts';` })).toEqual([
    expect.stringContaining('core/testing stands on core'),
    expect.stringContaining('imports itself'),
  ]);
});

test('core does not import its provider sub-path', () => {
  expect(problemsIn({ 'packages/core/src/a.ts': `export * from './provider/index.ts';` })).toEqual([
    expect.stringContaining('core/provider is for who writes a provider'),
  ]);
});

test('core/testing imports no test runner', () => {
  expect(
    problemsIn({ 'packages/core/src/testing/index.ts': `import { expect } from 'vitest';` }),
  ).toHaveLength(1);
});

test('core names no vendor, not even in a comment', () => {
  expect(
    problemsIn({ 'packages/core/src/a.ts': `// as OpenAI does\nconst AzureFunctions = 1;` }),
  ).toEqual([
    expect.stringContaining('a.ts:1: names a vendor (OpenAI)'),
    expect.stringContaining('a.ts:2: names a vendor (Azure)'),
  ]);
});

test('an edge imports no other edge, neither by name nor by path', () => {
  const [named] = problemsIn({
    'packages/server/src/index.ts': `import type { A } from '@agent-functions/stores-sqlite';`,
  });
  expect(named).toContain('server may import only core');
  const [byPath] = problemsIn({ 'packages/server/src/index.ts': `import '../../core/src/a.ts';` });
  expect(byPath).toContain('a file of another package');
});

test('azure-functions and cli also import server, and cli the sqlite store', () => {
  const source = `import { a } from '@agent-functions/server'; import { b } from '@agent-functions/server/node';`;
  expect(
    problemsIn({
      'packages/azure-functions/package.json': edge('azure-functions'),
      'packages/azure-functions/src/index.ts': `${source} import azf, { app } from '@azure/functions';`,
      'packages/cli/package.json': edge('cli'),
      'packages/cli/src/index.ts': `${source} import { c } from '@agent-functions/stores-sqlite';`,
    }),
  ).toEqual([]);
});

test('every edge has core as a peer, and only as a peer', () => {
  expect(
    problemsIn({
      'packages/server/package.json': JSON.stringify({
        name: '@agent-functions/server',
        dependencies: { '@agent-functions/core': '*', '@agent-functions/cli': '*' },
      }),
    }),
  ).toEqual([
    expect.stringContaining('is not a peerDependency'),
    expect.stringContaining('is a dependency'),
    expect.stringContaining('depends on @agent-functions/cli'),
  ]);
});

test('a vendor SDK is imported by type or on first use, never with the module', () => {
  const problems = (source: string): readonly string[] =>
    problemsIn({ 'packages/server/src/index.ts': source });
  expect(
    problems(`import type OpenAI from 'openai'; const load = () => import('openai');`),
  ).toEqual([]);
  for (const source of [
    `import OpenAI from 'openai';`,
    `import { type OpenAI } from 'openai';`,
    `export { OpenAI } from 'openai';`,
    `import 'openai';`,
    `import type { A } from 'openai'; const load = () => import('openai'); import { b } from 'openai';`,
  ])
    expect(problems(source)).toEqual([expect.stringContaining('loads openai with the package')]);
});

test('imports of types make a cycle too', () => {
  for (const back of [
    `import type { a } from './a.ts';`,
    `export type { a } from './a.ts';`,
    `export type B = import('./a.ts').A;`,
    `export const b = () => import('./a.ts');`,
  ])
    expect(
      problemsIn({
        'packages/core/src/a.ts': `import type { B } from './b.ts';`,
        'packages/core/src/b.ts': back,
      }),
    ).toEqual([expect.stringContaining('src/a.ts -> src/b.ts -> src/a.ts')]);
});

test('every provider has the same seven files, the converters perhaps once per wire', () => {
  const provider = (...files: readonly string[]): readonly string[] =>
    problemsIn({
      'packages/providers-x/package.json': edge('providers-x'),
      'packages/providers-x/src/index.ts': `export { x } from './model.ts';`,
      ...Object.fromEntries(files.map((file) => [`packages/providers-x/src/${file}`, ''])),
    });
  const common = ['model.ts', 'options.ts', 'errors.ts', 'api.ts'];
  expect(provider(...common, 'to-request.ts', 'from-stream.ts')).toEqual([]);
  expect(
    provider(...common, 'chat/to-request.ts', 'chat/from-stream.ts', 'shared/text.ts'),
  ).toEqual([]);
  expect(provider(...common, 'chat/to-request.ts', 'responses/from-stream.ts')).toEqual([
    expect.stringContaining('has no chat/from-stream.ts'),
    expect.stringContaining('has no responses/to-request.ts'),
  ]);
  expect(provider('model.ts')).toHaveLength(5);
});

describe('a package that is another name for a provider', () => {
  const manifest = edge('providers-y', { dependencies: { '@agent-functions/providers-x': '*' } });
  const alias = (index: string, more: Readonly<Record<string, string>> = {}): readonly string[] =>
    problemsIn({
      'packages/providers-y/package.json': manifest,
      'packages/providers-y/src/index.ts': index,
      ...more,
    });
  const names = `export { x, x as y } from '@agent-functions/providers-x';`;

  test('re-exports names and types of that one, and needs no other file', () => {
    expect(alias(names)).toEqual([]);
    expect(
      alias(`// Why.\n${names}\nexport type { Options } from '@agent-functions/providers-x';`, {
        'packages/providers-y/src/index.test.ts': `import { test } from 'vitest';`,
      }),
    ).toEqual([]);
  });

  test.each([
    ['code', `${names}\nconsole.log('loaded');`],
    ['a name of its own', `${names}\nexport const z = 1;`],
    ['an import', `import '@agent-functions/providers-x';\n${names}`],
    [
      'an export of what it imported',
      `import { x } from '@agent-functions/providers-x';\nexport { x };`,
    ],
    ['a second provider', `${names}\nexport { z } from '@agent-functions/providers-z';`],
    ['core beside it', `${names}\nexport { Agent } from '@agent-functions/core';`],
    ['a part of it', `export { x } from '@agent-functions/providers-x/parts';`],
    ['no re-export', ''],
  ])('holds nothing else: %s', (_, index) => {
    const problems = alias(index);
    expect(problems).toContainEqual(expect.stringContaining('has no model.ts'));
    expect(problems).toContainEqual(
      expect.stringContaining('depends on @agent-functions/providers-x'),
    );
    if (index.includes('providers-x')) {
      expect(problems).toContainEqual(expect.stringContaining('index of re-exports'));
    }
  });

  test('has no second source', () => {
    const problems = alias(names, { 'packages/providers-y/src/z.ts': '' });
    expect(problems).toContainEqual(expect.stringContaining('has no model.ts'));
  });

  test('is a provider, of a provider', () => {
    expect(alias(`export { a } from '@agent-functions/server';`)).toContainEqual(
      expect.stringContaining('providers-y may import only core.'),
    );
    expect(problemsIn({ 'packages/server/src/index.ts': names })).toContainEqual(
      expect.stringContaining('server may import only core.'),
    );
  });
});

test('an import is found wherever it is written', () => {
  const text = `import a from 'a';
import type b from 'b';
import { type c } from 'c';
export * from 'd';
export type * from 'e';
type F = import('f').F;
const g = await import('g');
const h = require('h');
// import i from 'i'; 'import j'
const k = await import(name);
require(runId);`;
  expect(
    importsOf('x.ts', text).map((each) => `${each.line} ${each.kind} ${each.specifier}`),
  ).toEqual([
    '1 static a',
    '2 type b',
    '3 static c',
    '4 static d',
    '5 type e',
    '6 type f',
    '7 dynamic g',
    '8 static h',
    '10 dynamic name',
  ]);
});
