import type { HostContext } from '@agent-functions/core';
import { defaultWaitMs } from '../server/options.ts';
import { published } from '../server/published.ts';
import { servedTools, serverFactory } from '../server/server-factory.ts';
import { stderrLogger, type AppAgents } from './app-agents.ts';

/** Serves an app's agents on this process's standard input and output; resolves when the client has closed its end. */
export async function serveAgents(
  app: AppAgents,
  names: readonly string[] | undefined,
): Promise<void> {
  const { store, options } = app;
  const agents = published(app.runners, names ?? options.agents, options.tools ?? []);
  const serving = {
    store,
    logger: stderrLogger,
    agents,
    waitMs: options.waitMs ?? defaultWaitMs,
    // Nobody is left to read what a client that is gone has asked for.
    onDisconnect: 'cancel' as const,
    allowClientSessionIds: false,
  };
  const sdk = await import('@modelcontextprotocol/server');
  const { serveStdio } = await import('@modelcontextprotocol/server/stdio');
  const factory = serverFactory(sdk, servedTools(serving, options), options, hostOf);
  const ended = new Promise<void>((resolve) => {
    process.stdin.once('end', resolve);
    process.stdin.once('close', resolve);
    process.once('SIGINT', resolve);
    process.once('SIGTERM', resolve);
  });
  const server = serveStdio(factory, {
    onerror: (error) =>
      stderrLogger.log('debug', 'The MCP server refused or lost a message', {
        error: error.message,
      }),
  });
  await ended;
  await server.close();
  await app.close();
}

const running = new AbortController().signal;

/** The client is whoever started this process: no principal. */
function hostOf(): HostContext {
  return {
    invocationId: crypto.randomUUID(),
    signal: running,
    waitUntil: () => undefined,
    log: (level, message, fields) => stderrLogger.log(level, message, fields),
  };
}
