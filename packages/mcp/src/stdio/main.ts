import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { UserError } from '@agent-functions/core';
import { version } from '../client/version.ts';
import { loadAgents } from './app-agents.ts';
import { serveAgents } from './serve-agents.ts';

const help = `agent-functions-mcp <file> [--agents <name,name>]

Serves the agents of an app file as an MCP server over stdin and stdout. The file exports app (an AgentFunctionApp or an
agentServer()), or by default an agent, a list or a record of agents.

  --agents   which agents; default: those that mcp() names among the app's protocols, else all that have a chat
  --version  what version this is
  --help     this`;

/** Runs the command line; answers the exit code when the client has gone. */
export async function main(args: readonly string[]): Promise<number> {
  const command = readCommand(args);
  if (typeof command === 'string') return complain(command, 2);
  if (command.says !== undefined) {
    process.stdout.write(`${command.says}\n`);
    return 0;
  }
  const file = resolve(command.file);
  if (!existsSync(file)) {
    return complain(`There is no file ${command.file}. Name the file that exports your app.`, 1);
  }
  keepStdout();
  try {
    await serveAgents(await loadAgents(file), command.agents);
    return 0;
  } catch (error) {
    return complain(textOf(error), 1);
  }
}

type Command =
  | { readonly says: string }
  | { readonly says?: undefined; readonly file: string; readonly agents: string[] | undefined };

/** What is asked for, or what is wrong with it. */
function readCommand(args: readonly string[]): Command | string {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        agents: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
        version: { type: 'boolean', short: 'v' },
      },
    });
    if (values.help === true) return { says: help };
    if (values.version === true) return { says: version };
    const [file, ...more] = positionals;
    if (file === undefined || more.length > 0) {
      return 'Name one file: agent-functions-mcp src/app.ts';
    }
    return { file, agents: values.agents?.split(',').map((name) => name.trim()) };
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Standard output belongs to the protocol: whatever the app logs goes to standard error. */
function keepStdout(): void {
  const { error } = console;
  for (const method of ['log', 'info', 'debug', 'dir', 'table'] as const) console[method] = error;
}

/** What we say is a sentence; what the app throws while it is loaded has its stack, which says where. */
function textOf(error: unknown): string {
  if (error instanceof UserError) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

function complain(text: string, code: number): number {
  process.stderr.write(`${text}\n`);
  return code;
}
