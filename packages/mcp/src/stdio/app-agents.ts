import { pathToFileURL } from 'node:url';
import {
  consoleLogger,
  memoryStore,
  UserError,
  type Agent,
  type Logger,
  type ProtocolHost,
  type ProtocolRunner,
} from '@agent-functions/core';
import { isRecord } from '@agent-functions/core/provider';
import { runnersOf } from '../server/mcp-handler.ts';
import type { McpProtocolOptions } from '../server/options.ts';

/** What an app file offers to MCP. */
export interface AppAgents {
  readonly runners: Readonly<Record<string, ProtocolRunner>>;
  readonly store: ProtocolHost['store'];
  /** What `mcp()` among its protocols was told. */
  readonly options: McpProtocolOptions;
  close(): Promise<void>;
}

/**
 * Imports an app file and reads its export `app`, else its default export: an `AgentFunctionApp` or an `agentServer()`
 * (anything with `runners`), an `Agent`, or agents in a list or a record.
 *
 * @throws whatever the file throws, or UserError that says what to export.
 */
export async function loadAgents(file: string): Promise<AppAgents> {
  const exported: Record<string, unknown> = await import(pathToFileURL(file).href);
  const found = toAgents(exported['app']) ?? toAgents(exported['default']);
  if (found !== undefined) return found;
  throw new UserError(
    `${file} exports no app. Export one: export const app = new AgentFunctionApp({ agents: { my_agent } }), or export default an agent.`,
  );
}

/** Warnings and errors; the console writes them to standard error. */
export const stderrLogger: Logger = consoleLogger({ level: 'warn' });

function toAgents(value: unknown): AppAgents | undefined {
  if (isAgent(value)) return ofAgents({ [value.name]: value });
  if (Array.isArray(value)) {
    const list: readonly unknown[] = value;
    const agents = list.filter(isAgent);
    const all = agents.length > 0 && agents.length === list.length;
    return all
      ? ofAgents(Object.fromEntries(agents.map((one) => [one.name, one] as const)))
      : undefined;
  }
  if (!isRecord(value)) return undefined;
  if (isServer(value)) return ofServer(value);
  const agents = Object.entries(value).filter(hasAgent);
  const all = agents.length > 0 && agents.length === Object.keys(value).length;
  return all ? ofAgents(Object.fromEntries(agents)) : undefined;
}

function ofAgents(agents: Readonly<Record<string, Agent<unknown, unknown>>>): AppAgents {
  const store = memoryStore();
  return { ...runnersOf({ agents }, stderrLogger, store), store, options: {} };
}

function ofServer(server: Server): AppAgents {
  const runners = Object.entries(server.runners);
  const store = runners.map(([, runner]) => runner.store).find((one) => one !== undefined);
  return {
    runners: server.runners,
    store: store ?? memoryStore(),
    options: mcpOptionsOf(server),
    close: async () => {
      await Promise.allSettled(runners.map(async ([, runner]) => runner.closeToolSources?.()));
    },
  };
}

interface Server {
  readonly runners: Readonly<
    Record<
      string,
      ProtocolRunner & {
        readonly store?: ProtocolHost['store'] | undefined;
        closeToolSources?(): Promise<void>;
      }
    >
  >;
}

/** By its shape: the app may have other copies of the packages. */
function isServer(value: object): value is Server {
  if (!('runners' in value) || !isRecord(value.runners)) return false;
  return Object.values(value.runners).every(
    (runner) => isRecord(runner) && typeof runner['stream'] === 'function',
  );
}

function isAgent(value: unknown): value is Agent<unknown, unknown> {
  return (
    isRecord(value) &&
    typeof value['name'] === 'string' &&
    typeof value['processRequest'] === 'function'
  );
}

function hasAgent(entry: readonly [string, unknown]): entry is [string, Agent<unknown, unknown>] {
  return isAgent(entry[1]);
}

function mcpOptionsOf(server: object): McpProtocolOptions {
  const given = 'serverOptions' in server ? server.serverOptions : undefined;
  const protocols = isRecord(given) ? given['protocols'] : undefined;
  const own = Array.isArray(protocols) ? protocols.find(isMcp) : undefined;
  return own?.options ?? {};
}

function isMcp(protocol: unknown): protocol is { readonly options: McpProtocolOptions } {
  return isRecord(protocol) && protocol['name'] === 'mcp' && isRecord(protocol['options']);
}
