import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ledgerProblems } from './parity-ledger.ts';

let workspace = '';
beforeEach(() => {
  workspace = mkdtempSync(join(tmpdir(), 'ledger-'));
  mkdirSync(join(workspace, 'packages/core/src'), { recursive: true });
  writeFileSync(
    join(workspace, 'packages/core/src/tool.test.ts'),
    `test('a tool runs once', () => {});`,
  );
});
afterEach(() => rmSync(workspace, { recursive: true }));

function problemsOf(...evidence: readonly string[]): readonly string[] {
  const rows = evidence.map((cell) => `| tool \\| tools | \`tool()\` | ${cell} |`);
  const text = [
    '# Parity',
    '',
    '| concept | here | shown by |',
    '| --- | --- | --- |',
    ...rows,
  ].join('\n');
  writeFileSync(join(workspace, 'parity.md'), text);
  return ledgerProblems(workspace, 'parity.md').map((each) => `${each.where} ${each.message}`);
}

test('a row with tests that exist, or a reason, is complete', () => {
  expect(
    problemsOf(
      '`packages/core/src/tool.test.ts`',
      'packages/core/src/tool.test.ts :: a tool runs once',
      '`packages/core/src/tool.test.ts :: a tool runs once`<br>`packages/core/src/tool.test.ts`',
      'declined: it has no meaning in JavaScript',
      'planned: issue D',
    ),
  ).toEqual([]);
});

test('a row with neither, or with a test that is not there, is a problem', () => {
  expect(problemsOf('', 'yes', 'declined: no', 'planned: later')).toHaveLength(4);
  expect(problemsOf('packages/core/src/gone.test.ts')).toEqual([
    expect.stringContaining(
      'parity.md:5 "tool | tools" names the test packages/core/src/gone.test.ts',
    ),
  ]);
  expect(problemsOf('`packages/core/src/tool.test.ts` :: a tool runs twice')).toEqual([
    expect.stringContaining('names the test "a tool runs twice"'),
  ]);
});

test('a ledger without a table is a problem', () => {
  writeFileSync(join(workspace, 'parity.md'), 'To come.');
  expect(ledgerProblems(workspace, 'parity.md')).toHaveLength(1);
});
