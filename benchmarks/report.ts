import type { Range } from './rounds.ts';

export type Figure = number | Range | undefined;

/** One line of the table. */
export interface Row {
  readonly id: string;
  readonly what: string;
  readonly budget: string;
  readonly ours: Figure;
  /** `@openai/agents` and `ai`, where they are measured. */
  readonly peers?: readonly Figure[] | undefined;
}

/** On what and when it was measured. */
export interface Circumstances {
  readonly title: string;
  readonly date: string;
  readonly processors: number;
  /** Of the minute before. */
  readonly load: number;
}

/** The table as Markdown: ratios alone, because a machine's times say nothing about another's. */
export function toMarkdown(
  rows: readonly Row[],
  versions: Readonly<Record<string, string>>,
  { title, date, processors, load }: Circumstances,
): string {
  const lines = rows.map(({ id, what, budget, ours, peers = [] }) =>
    line([id, what, budget, figure(ours), figure(peers[0]), figure(peers[1])]),
  );
  return [
    `# ${title}`,
    '',
    `${date}, Node ${versions['node']}. Each figure is a ratio to what is named, unless it names a unit; to the loop by hand where nothing is named. Processor time of the process for W1–W5, G and T; wall time for W6, W7 and N1; processor time of the server for H1, H2 and A1, but for the first byte. The median of rounds in which all take turns, with the least and the most where they are given. The machine has ${processors} processors and was ${load < 0.5 ? 'idle' : `busy with other work (a load of ${load.toFixed(1)})`} before the run.`,
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

function figure(value: Figure): string {
  if (value === undefined) return '';
  if (typeof value === 'number') return number(value);
  return `${number(value.median)} (${number(value.min)}–${number(value.max)})`;
}

function number(value: number): string {
  if (Number.isNaN(value)) return '';
  if (value >= 100) return Math.round(value).toLocaleString('en');
  return value.toFixed(value >= 10 ? 1 : 2);
}
