import { mkdirSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { memoryStore, type Logger, type Store } from '@agent-functions/core';
import { agentServer, type AgentServer } from '@agent-functions/server';
import { serve } from '@agent-functions/server/node';
import { sqliteStore } from '@agent-functions/stores-sqlite';
import { onlyHosts } from './allowed-hosts.ts';
import { loadApp, type LoadedApp } from './app-file.ts';
import type { DevOptions } from './command.ts';
import { agentLines, routeTable } from './describe.ts';
import type { Entry } from './entry.ts';
import { handOver } from './hand-over.ts';
import { listenError } from './listen-error.ts';
import { loggedStore, runLog } from './run-log.ts';
import { applySettings, readSettings } from './settings.ts';
import { paint } from './terminal.ts';

export interface DevServerOptions extends Pick<
  DevOptions,
  'port' | 'host' | 'allowHost' | 'store' | 'verbose'
> {
  readonly entry: Entry;
  /** Where lines go. */
  readonly write: (line: string) => void;
}

export interface DevServer {
  readonly url: string;
  readonly port: number;
  /** Where it serves, the agents and the routes, as lines. */
  readonly summary: readonly string[];
  /**
   * Lets answers in flight end until `graceMs`, then tells their clients; a durable run is released and goes on when the
   * app is served again.
   */
  close(options: { readonly graceMs: number }): Promise<void>;
}

// A process that was killed holds its runs for this long; a developer who starts again should not wait half a minute.
const leaseMs = 5_000;

/**
 * Serves an app file in this process: its settings are set, its agents get an SQLite store where they chose none, and
 * what their runs do is written as it happens.
 *
 * @throws Error whatever the app file throws; ListenError when the port or the host cannot be had.
 */
export async function devServer(options: DevServerOptions): Promise<DevServer> {
  const { entry, write, port, host, allowHost } = options;
  const startedAt = performance.now();
  const settings = readSettings(entry.folder);
  applySettings(settings.values, process.env);
  for (const problem of settings.problems) write(paint('yellow', problem));

  const { server, where, end } = toServer(await loadApp(entry.file), options);
  const guarded = onlyHosts(server, { host, allowed: allowHost });
  const serving = await serve(guarded, { port, host }).catch((error: unknown) => {
    throw listenError(error, { port, host });
  });
  const trouble = await storeTrouble(server.store);
  const report = await server.ready();
  const took = Math.round(performance.now() - startedAt);
  const read = settings.files.length === 0 ? '' : `settings: ${settings.files.join(', ')}  `;
  return {
    url: serving.url,
    port: serving.port,
    summary: [
      `${paint('bold', 'agent-functions dev')}  ${paint('cyan', serving.url)}  ${paint('dim', `${relative(process.cwd(), entry.file)} loaded in ${took} ms`)}`,
      paint('dim', `  ${read}store: ${where}`),
      ...(trouble === undefined ? [] : [paint('red', `  ${trouble}`)]),
      '',
      ...agentLines(server.runners, report),
      '',
      routeTable(server.routes),
      '',
    ],
    close: async ({ graceMs }) => {
      // Whoever reloads does not want to wait.
      await serving.close({ graceMs, settleMs: 0 });
      await end();
    },
  };
}

interface DevApp {
  readonly server: AgentServer;
  /** Which store it has, in words. */
  readonly where: string;
  /** What is left to do when nothing is served any more. */
  readonly end: () => Promise<void>;
}

function toServer(app: LoadedApp, options: DevServerOptions): DevApp {
  if (app.type === 'server') {
    return { server: app.server, where: "the app's own", end: async () => undefined };
  }
  const { write, verbose } = options;
  const { store, where } = chooseStore(app.options.store, options);
  const held = handOver(store);
  return {
    server: agentServer({
      ...app.options,
      store: loggedStore(held.store, runLog(write, { verbose })),
      logger: app.options.logger ?? lineLogger(write, verbose),
      leaseMs: app.options.leaseMs ?? leaseMs,
    }),
    where,
    end: async () => {
      await held.letGo();
      await store.close?.();
    },
  };
}

function chooseStore(
  own: Store | undefined,
  { store: asked, entry }: DevServerOptions,
): { readonly store: Store; readonly where: string } {
  if (asked === undefined && own !== undefined) return { store: own, where: "the app's own" };
  if (asked === 'memory') return { store: memoryStore(), where: 'memory' };
  const path = asked === undefined ? defaultStore(entry.folder) : resolve(asked);
  return { store: sqliteStore(path), where: relative(process.cwd(), path) };
}

/** What keeps a store from being used, and what to do. */
async function storeTrouble(store: Store): Promise<string | undefined> {
  try {
    await store.now();
    return undefined;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return `The store cannot be used: ${why} --store <file> names another, --store memory needs none.`;
  }
}

/** The folder keeps itself out of version control. One that cannot be written is noticed when the store is asked. */
function defaultStore(folder: string): string {
  const own = join(folder, '.agent-functions');
  try {
    mkdirSync(own, { recursive: true });
    writeFileSync(join(own, '.gitignore'), '*\n');
  } catch {
    // `storeTrouble` says it.
  }
  return join(own, 'dev.db');
}

/** Warnings and errors of the engine, as one line; all of it when verbose. */
function lineLogger(write: (line: string) => void, verbose: boolean): Logger {
  return {
    log: (level, message, fields) => {
      if (!verbose && (level === 'debug' || level === 'info')) return;
      // The line of the run's journal has said it.
      if (message === 'run failed') return;
      const colour = level === 'error' ? 'red' : level === 'warn' ? 'yellow' : 'dim';
      const more = fields === undefined ? '' : ` ${JSON.stringify(fields)}`;
      write(`${paint(colour, `${level}: ${message}`)}${paint('dim', more)}`);
    },
  };
}
