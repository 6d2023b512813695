import { styleText } from 'node:util';

type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan' | 'magenta';

/** Colours where the terminal shows them: not into a pipe, not with `NO_COLOR`, always with `FORCE_COLOR`. */
export function paint(style: Style, text: string): string {
  return styleText(style, text, { stream: process.stdout });
}

export function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** What went wrong, on standard error. */
export function complain(line: string): void {
  process.stderr.write(`${paint('red', line)}\n`);
}

/** `850 ms`, `4.2 s`, `3 min 10 s`. */
export function duration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`;
  return `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1_000)} s`;
}
