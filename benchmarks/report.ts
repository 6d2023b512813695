/** One line of the table. */
export interface Row {
  readonly id: string;
  readonly what: string;
  readonly budget: string;
  readonly ours: number | undefined;
  /** `@openai/agents` and `ai`, where they are measured. */
  readonly peers?: readonly (number | undefined)[] | undefined;
}

/** The table as Markdown: ratios alone, because a machine's times say nothing about another's. */
export function toMarkdown(
  rows: readonly Row[],
  versions: Readonly<Record<string, string>>,
  date: string,
): string {
  const lines = rows.map(({ id, what, budget, ours, peers = [] }) =>
    line([id, what, budget, figure(ours), figure(peers[0]), figure(peers[1])]),
  );
  return [
    `# Benchmarks of ${versions['ours']}`,
    '',
    `${date}, Node ${versions['node']}. Each figure is a ratio to what is named, unless it names a unit; to the loop by hand where nothing is named. Processor time of the process for W1–W5, G and T; wall time for W6 and N1; processor time of the server for H1 and H2, but for the first byte. The median of rounds in which all take turns.`,
    '',
    line([
      '',
      '',
      'budget',
      'ours',
      `@openai/agents ${versions['openai-agents']}`,
      `ai ${versions['ai']}`,
    ]),
    line(['---', '---', '---', '---', '---', '---']),
    ...lines,
    '',
  ].join('\n');
}

function line(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

function figure(value: number | undefined): string {
  if (value === undefined || Number.isNaN(value)) return '';
  if (value >= 100) return Math.round(value).toLocaleString('en');
  return value.toFixed(value >= 10 ? 1 : 2);
}
