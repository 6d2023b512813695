import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { sumOfLines, testCount } from './ci.ts';

const folder = mkdtempSync(join(tmpdir(), 'ci-'));
afterAll(() => rmSync(folder, { recursive: true }));
const file = (text: string): string => {
  const path = join(folder, String(Math.random()));
  writeFileSync(path, text);
  return path;
};
const results = (numPassedTests: number, numTotalTests: number): string =>
  file(JSON.stringify({ numPassedTests, numTotalTests }));

test('every test counts, and one that did not pass counts as failed', () => {
  expect(testCount(results(7, 7), 0)).toEqual({ passed: 7, failed: 0 });
  expect(testCount(results(5, 7), 1)).toEqual({ passed: 5, failed: 2 });
});

test('a run that fails outside of its tests, or leaves no results, counts as failed', () => {
  expect(testCount(results(7, 7), 1)).toEqual({ passed: 7, failed: 1 });
  expect(testCount(join(folder, 'nothing'), null)).toEqual({ passed: 0, failed: 1 });
});

test('the journals of all test files are added up', () => {
  expect(sumOfLines(file('3\n12\n1\n'))).toBe(16);
  expect(sumOfLines(join(folder, 'nothing'))).toBe(0);
});
