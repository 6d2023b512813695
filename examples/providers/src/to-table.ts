import type { Row } from './switch-provider.ts';

/** The rows side by side, as a Markdown table whose columns stand under each other. */
export function toTable(rows: readonly Row[]): string {
  const priced = rows.some(({ costUsd }) => costUsd !== undefined);
  const head = ['model', 'answer', 'tool calls', 'tokens in', 'out', 'time'];
  const lines = rows.map((row) => [
    row.model,
    row.answer.replaceAll(/\s+/g, ' ').replaceAll('|', '\\|'),
    String(row.toolCalls),
    String(row.inputTokens),
    String(row.outputTokens),
    `${row.timeMs} ms`.padStart(8),
    ...(priced ? [row.costUsd === undefined ? 'no price' : `$${row.costUsd.toFixed(6)}`] : []),
  ]);
  const all = [priced ? [...head, 'cost'] : head, ...lines];
  const widths =
    all[0]?.map((_, at) => Math.max(...all.map((line) => line[at]?.length ?? 0))) ?? [];
  const printed = all.map(
    (line) => `| ${line.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join(' | ')} |`,
  );
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`;
  return [printed[0], rule, ...printed.slice(1)].join('\n');
}
