import { parseArgs } from 'node:util';

/** What was asked on the command line. */
export type Command =
  | { readonly type: 'dev'; readonly options: DevOptions }
  | { readonly type: 'help' }
  | { readonly type: 'version' }
  | { readonly type: 'mistake'; readonly message: string };

export interface DevOptions {
  /** The app file, or a folder that has one; without it the usual places are looked at. */
  readonly entry?: string | undefined;
  /** 0: any free port. */
  readonly port: number;
  readonly host: string;
  /** More names that `Host` may have. */
  readonly allowHost: readonly string[];
  /** `memory`, or the path of an SQLite file. Default: `.agent-functions/dev.db` in the folder of the app's package. */
  readonly store?: string | undefined;
  readonly reload: boolean;
  /** Shows inputs and outputs of tools, and every log line of the app. */
  readonly verbose: boolean;
}

export const help = `agent-functions dev [entry] [options]

Serves the agents of an app file on this machine, and again whenever it changes.

  entry            the app file (TypeScript or JavaScript). Its default export, or an export named
                   app, is an AgentFunctionApp, an AgentServer, an Agent, or several agents.
                   Default: src/app.ts, app.ts, src/index.ts … in the present folder

  --port <number>  default 7071
  --host <address> default 127.0.0.1
  --allow-host <name>
                   also answer requests that name this host, such as a tunnel's; more than once for
                   several. Default: localhost, 127.0.0.1, [::1] and --host
  --store <where>  memory, or the path of an SQLite file
                   (default: .agent-functions/dev.db beside the package.json of the app)
  --no-reload      serve once; do not watch for changes
  --verbose        show what tools are given and answer
  --version, --help
`;

/** Reads the command line; every mistake becomes a sentence. */
export function readCommand(args: readonly string[]): Command {
  let parsed;
  try {
    parsed = parseArgs({
      args: [...args],
      allowPositionals: true,
      allowNegative: true,
      options: {
        port: { type: 'string' },
        host: { type: 'string' },
        'allow-host': { type: 'string', multiple: true },
        store: { type: 'string' },
        reload: { type: 'boolean' },
        verbose: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
        version: { type: 'boolean', short: 'v' },
      },
    });
  } catch (error) {
    return mistake(error instanceof Error ? error.message : String(error));
  }
  const { values, positionals } = parsed;
  if (values.version === true) return { type: 'version' };
  if (values.help === true) return { type: 'help' };
  const [name, entry, ...more] = positionals;
  if (name === undefined) return { type: 'help' };
  if (name !== 'dev') return mistake(`There is no command ${name}.`);
  if (more.length > 0) return mistake(`One entry can be served; there are more: ${more.join(' ')}`);
  const port = Number(values.port ?? 7071);
  if (!Number.isInteger(port) || port < 0 || port > 65_535 || values.port === '') {
    return mistake(`--port ${values.port} is not a port: use a number from 0 to 65535.`);
  }
  return {
    type: 'dev',
    options: {
      entry,
      port,
      host: values.host ?? '127.0.0.1',
      allowHost: values['allow-host'] ?? [],
      store: values.store,
      reload: values.reload ?? true,
      verbose: values.verbose ?? false,
    },
  };
}

function mistake(message: string): Command {
  return { type: 'mistake', message: `${message}\n\n${help}` };
}
