import { UserError } from '@agent-functions/core';
import { readVariable, type Environment } from '@agent-functions/core/provider';

// `$NAME`, `${NAME}`, `${env:NAME}` (VS Code) and `%NAME%` (app settings of Functions). Two hex digits between percent
// signs are a character of a URL. `$$` and `%%` are the signs themselves.
const variable =
  /\$\$|%%|\$\{(?:env:)?([A-Za-z_]\w*)\}|\$([A-Za-z_]\w*)|%(?![0-9A-Fa-f]{2}%)([A-Za-z_]\w*)%|\$\{([^}]*)\}/g;

/**
 * A text of an mcp.json with its variables filled in.
 *
 * @throws UserError for a variable that is not set: it names it, and shows no value.
 */
export function filledIn(where: string, text: string, environment: Environment): string {
  return text.replaceAll(
    variable,
    (all: string, braced?: string, plain?: string, percent?: string, other?: string) => {
      if (all === '$$' || all === '%%') return all.slice(1);
      const name = braced ?? plain ?? percent;
      if (name === undefined) {
        throw new UserError(
          `${where} has \${${other ?? ''}}, which only an editor can fill in. Use an environment variable: \${env:NAME}.`,
        );
      }
      const value = readVariable(environment, name);
      if (value !== undefined) return value;
      throw new UserError(`${where} needs the environment variable ${name}, which is not set.`);
    },
  );
}
