import { UserError } from '@agent-functions/core';
import { readVariable, type Environment } from '@agent-functions/core/provider';
import type { StdioReach } from './settings.ts';

const interpreters: readonly (readonly [RegExp, string])[] = [
  [/\.[cm]?[jt]s$/, process.execPath],
  [/\.py$/, process.platform === 'win32' ? 'python' : 'python3'],
];

/**
 * The program of a server, and its arguments: what the params say, else what `MCP_SERVER_PATH` names.
 *
 * @throws UserError where neither does.
 */
export function programOf(
  reach: StdioReach,
  environment: Environment = process.env,
): { readonly command: string; readonly args: readonly string[] } {
  if (reach.command !== undefined) return { command: reach.command, args: reach.args };
  const path = readVariable(environment, 'MCP_SERVER_PATH');
  if (path === undefined) {
    throw new UserError(
      'There is no command to start the MCP server. Write params: { command, args }, or set MCP_SERVER_PATH to its file.',
    );
  }
  const interpreter = interpreters.find(([pattern]) => pattern.test(path))?.[1];
  return interpreter === undefined
    ? { command: path, args: reach.args }
    : { command: interpreter, args: [path, ...reach.args] };
}
