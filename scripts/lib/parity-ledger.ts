import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { tableRows } from './markdown.ts';
import type { Problem } from './report.ts';

/**
 * Every row of every table in the ledger ends with what shows it: test ids (`path/to/x.test.ts`, perhaps with
 * `:: name of a test in it`, several split by `<br>`), or `declined: why`, or `planned: issue X`.
 */
export function ledgerProblems(workspace: string, file: string): readonly Problem[] {
  const text = readFileSync(join(workspace, file), 'utf8');
  const rows = tableRows(text);
  if (rows.length === 0) return [{ where: file, message: 'has no table.' }];
  return rows.flatMap(({ cells, line }) =>
    evidenceProblems(workspace, cells.at(-1) ?? '').map((message) => ({
      where: `${file}:${line}`,
      message: `"${cells[0] ?? ''}" ${message}`,
    })),
  );
}

function evidenceProblems(workspace: string, cell: string): readonly string[] {
  if (/^(declined|planned): /.test(cell))
    return /^(declined: \S.{5,}|planned: issue \S+)/.test(cell)
      ? []
      : [`says "${cell}": write "declined: why", or "planned: issue X".`];
  const ids = [...cell.matchAll(testId)];
  if (ids.length === 0)
    return [
      `has neither a test nor a reason in its last column ("${cell}"): write the path of a test, "declined: why", or "planned: issue X".`,
    ];
  return ids.flatMap(([, path = '', name]) => {
    if (!existsSync(join(workspace, path)))
      return [`names the test ${path}, which does not exist.`];
    const wanted = name?.trim();
    if (wanted === undefined || readFileSync(join(workspace, path), 'utf8').includes(wanted))
      return [];
    return [`names the test "${wanted}", which is not in ${path}.`];
  });
}

const testId = /`?([\w@./-]+\.(?:test|test-d|soak)\.ts)`?(?:\s*::\s*`?((?:(?!<br)[^`|])+)`?)?/g;
