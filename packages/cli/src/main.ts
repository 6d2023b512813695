import { readFileSync } from 'node:fs';
import { help, readCommand } from './command.ts';
import { findEntry } from './entry.ts';
import { supervise } from './supervise.ts';
import { complain, say } from './terminal.ts';

/** Runs the command line; answers the exit code. */
export async function main(args: readonly string[]): Promise<number> {
  const command = readCommand(args);
  switch (command.type) {
    case 'help':
      say(help);
      return 0;
    case 'version':
      say(version());
      return 0;
    case 'mistake':
      complain(command.message);
      return 2;
    case 'dev': {
      const found = findEntry(command.options.entry, process.cwd());
      if ('problem' in found) {
        complain(found.problem);
        return 1;
      }
      return supervise(found.entry, command.options);
    }
    default:
      return command satisfies never;
  }
}

function version(): string {
  const manifest: { version?: unknown } = JSON.parse(
    readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
  );
  return String(manifest.version);
}
