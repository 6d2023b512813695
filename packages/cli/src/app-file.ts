import { pathToFileURL } from 'node:url';
import { Agent } from '@agent-functions/core';
import type { AgentServer, AgentServerOptions } from '@agent-functions/server';

/** What an app file exports, as something that can be served. */
export type LoadedApp =
  | { readonly type: 'options'; readonly options: AgentServerOptions }
  /** Made by the file itself: served as it is, with the store and the logger it chose. */
  | { readonly type: 'server'; readonly server: AgentServer };

/**
 * Imports an app file and reads its export `app`, else its default export: an `AgentFunctionApp` (anything with
 * `serverOptions`), an `agentServer()`, an `Agent`, or agents in a list or a record.
 *
 * @throws Error whatever the file throws, or a sentence that says what to export.
 */
export async function loadApp(file: string): Promise<LoadedApp> {
  const exported: Record<string, unknown> = await import(pathToFileURL(file).href);
  const named = toApp(exported['app']);
  if (named !== undefined) return named;
  const byDefault = exported['default'];
  // A CommonJS bundle has its exports once more inside `default`.
  const nested = isRecord(byDefault)
    ? (toApp(byDefault['app']) ?? toApp(byDefault['default']))
    : undefined;
  const app = toApp(byDefault) ?? nested;
  if (app !== undefined) return app;
  const names = Object.keys(exported);
  throw new Error(
    `${file} exports no app (it exports ${names.length === 0 ? 'nothing' : names.join(', ')}). Export one: export const app = new AgentFunctionApp({ agents: { my_agent } }), or export default an agent.`,
  );
}

function toApp(value: unknown): LoadedApp | undefined {
  if (isAgent(value)) return { type: 'options', options: { agents: [value] } };
  if (Array.isArray(value)) {
    return value.length > 0 && value.every(isAgent)
      ? { type: 'options', options: { agents: value } }
      : undefined;
  }
  if (!isRecord(value)) return undefined;
  if (hasServerOptions(value)) return { type: 'options', options: value.serverOptions };
  if (isServer(value)) return { type: 'server', server: value };
  const agents = Object.entries(value);
  if (agents.length === 0 || !agents.every(([, one]) => isAgent(one))) return undefined;
  return {
    type: 'options',
    options: { agents: Object.fromEntries(agents.filter(hasAgent)) },
  };
}

function hasAgent(entry: readonly [string, unknown]): entry is [string, Agent<unknown, unknown>] {
  return isAgent(entry[1]);
}

/** By its shape: the app may have another copy of core. */
function isAgent(value: unknown): value is Agent<unknown, unknown> {
  if (value instanceof Agent) return true;
  return (
    isRecord(value) &&
    typeof value['name'] === 'string' &&
    typeof value['processRequest'] === 'function'
  );
}

function hasServerOptions(value: object): value is { readonly serverOptions: AgentServerOptions } {
  return (
    'serverOptions' in value && isRecord(value.serverOptions) && 'agents' in value.serverOptions
  );
}

function isServer(
  value: Readonly<Record<string, unknown>>,
): value is Record<string, unknown> & AgentServer {
  return (
    typeof value['fetch'] === 'function' &&
    typeof value['ready'] === 'function' &&
    Array.isArray(value['routes'])
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
