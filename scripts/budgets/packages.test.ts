import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readManifest, root } from '../lib/workspace.ts';
import { installedPackages } from './installed-packages.ts';

test('C3: core brings no other package', () => {
  expect(installedPackages(join(root, 'packages/core'))).toEqual([
    expect.stringMatching(/^@agent-functions\/core@/),
  ]);
});

test('C3: core and providers-openai are at most 6 packages together', () => {
  const installed = installedPackages(join(root, 'packages/providers-openai'));
  expect(installed).toContainEqual(expect.stringMatching(/^openai@/));
  expect(installed.length, installed.join('\n')).toBeLessThanOrEqual(6);
});

test('the count follows the dependencies of dependencies', () => {
  const { dependencies = {} } = readManifest(join(root, 'node_modules/tsup'));
  const installed = installedPackages(join(root, 'node_modules/tsup'));
  expect(installed.length).toBeGreaterThan(Object.keys(dependencies).length + 1);
});
