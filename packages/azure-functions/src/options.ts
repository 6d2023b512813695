import { UserError } from '@agent-functions/core';
import type { AgentServerOptions } from '@agent-functions/server';
import type { EasyAuthOptions } from './easy-auth.ts';
import type { AuthLevel } from './function-plan.ts';
import { AgentMode } from './names.ts';

/** What a Functions app has beside the options of the HTTP API. */
export interface FunctionAppOptions {
  /** Default `'azure_function_agent'`: the HTTP API and the protocols. `'a2a'`: the protocols only, which must be given. */
  readonly mode?: AgentMode | undefined;
  /** The key that the host asks for. Default `'function'`. `/health` is always anonymous. */
  readonly httpAuthLevel?: AuthLevel | undefined;
  /** Other levels of single agents, by name: for their chat and info routes. */
  readonly agentAuthLevels?: Readonly<Record<string, AuthLevel>> | undefined;
  /** `false` registers nothing: `fetch` and `runners` serve triggers of your own. Default `true`. */
  readonly createTriggers?: boolean | undefined;
  /** Lets answers stream (`enableHttpStream`). Default `true`. */
  readonly enableStreaming?: boolean | undefined;
  /**
   * Take the caller from `x-ms-client-principal`, and refuse (401) whom it does not name, unless `allowAnonymous`. Only
   * where App Service Authentication is switched on: elsewhere anybody can send that header. `claims` names what of it is
   * kept with a run. Default `false`.
   */
  readonly easyAuth?: boolean | EasyAuthOptions | undefined;
  /** What `host.json` has as `extensions.http.routePrefix`. Default `''`, which `host.json` must then say too. */
  readonly routePrefix?: string | undefined;
  /**
   * Registers the agents as tools of the host's own MCP server (`app.mcpTool`, the host's MCP extension) too. Its callers
   * are known by the system key only: where the app must know who calls, use `protocols: [mcp()]` instead. Default `false`.
   */
  readonly mcp?: boolean | undefined;
  /** How long the host lets a function run. Default: `functionTimeout` of `host.json`, else 300,000. Streams end at 70 % of it. */
  readonly functionTimeoutMs?: number | undefined;
}

export type AgentFunctionAppOptions<C = unknown> = AgentServerOptions<C> & FunctionAppOptions;

/** The options with their defaults. */
export interface FunctionAppSettings {
  readonly mode: AgentMode;
  readonly authLevel: AuthLevel;
  readonly agentAuthLevels: Readonly<Record<string, AuthLevel>>;
  readonly createTriggers: boolean;
  readonly streaming: boolean;
  readonly easyAuth: EasyAuthOptions | undefined;
  readonly principalRequired: boolean;
  readonly mcp: boolean;
  readonly hostPrefix: string;
  readonly functionTimeoutMs: number | undefined;
}

const modes: readonly string[] = Object.values(AgentMode);
const levels: readonly string[] = ['anonymous', 'function', 'admin'];

/** @throws UserError for everything that can be seen without the agents. */
export function settingsOf(
  options: FunctionAppOptions & {
    readonly protocols?: readonly { readonly name: string }[] | undefined;
    readonly authenticate?: unknown;
    readonly allowAnonymous?: boolean | undefined;
  },
): FunctionAppSettings {
  const mode = options.mode ?? AgentMode.AZURE_FUNCTION_AGENT;
  if (!modes.includes(mode))
    throw new UserError(`mode is ${JSON.stringify(mode)}; it is one of ${modes.join(', ')}.`);
  if (mode === AgentMode.A2A && (options.protocols ?? []).length === 0) {
    throw new UserError(
      "mode 'a2a' needs the protocol itself: import { a2a } from '@agent-functions/a2a', and write new AgentFunctionApp({ agents, mode: 'a2a', protocols: [a2a()] }).",
    );
  }
  if (options.authenticate !== undefined && easyAuthOf(options.easyAuth) !== undefined) {
    throw new UserError(
      'Both easyAuth and authenticate say who the caller is. Keep one: authenticate may read x-ms-client-principal itself.',
    );
  }
  const asksWho = options.authenticate !== undefined || easyAuthOf(options.easyAuth) !== undefined;
  if (options.mcp === true && asksWho && options.allowAnonymous !== true) {
    throw new UserError(
      "mcp: true lets in whoever has the host's system key, and nobody would know who calls. Write protocols: [mcp()] instead (import { mcp } from '@agent-functions/mcp'), or allowAnonymous: true.",
    );
  }
  const authLevel = options.httpAuthLevel ?? 'function';
  checkLevel('httpAuthLevel', authLevel);
  const agentAuthLevels = options.agentAuthLevels ?? {};
  for (const [agent, level] of Object.entries(agentAuthLevels))
    checkLevel(`agentAuthLevels.${agent}`, level);
  const { functionTimeoutMs } = options;
  if (functionTimeoutMs !== undefined && !(functionTimeoutMs >= 1_000)) {
    throw new UserError(
      `functionTimeoutMs is ${functionTimeoutMs}; it is what host.json has as functionTimeout, in milliseconds, and at least 1,000.`,
    );
  }
  return {
    mode,
    authLevel,
    agentAuthLevels,
    createTriggers: options.createTriggers ?? true,
    streaming: options.enableStreaming ?? true,
    easyAuth: easyAuthOf(options.easyAuth),
    principalRequired:
      easyAuthOf(options.easyAuth) !== undefined && options.allowAnonymous !== true,
    mcp: options.mcp ?? false,
    hostPrefix: prefixOf(options.routePrefix ?? ''),
    functionTimeoutMs,
  };
}

function checkLevel(what: string, level: string): void {
  if (!levels.includes(level))
    throw new UserError(`${what} is ${JSON.stringify(level)}; it is one of ${levels.join(', ')}.`);
}

function easyAuthOf(option: boolean | EasyAuthOptions | undefined): EasyAuthOptions | undefined {
  if (option === undefined || option === false) return undefined;
  return option === true ? {} : option;
}

function prefixOf(prefix: string): string {
  const trimmed = prefix.replaceAll(/^\/+|\/+$/g, '');
  if (!/^[A-Za-z0-9._~/-]*$/.test(trimmed)) {
    throw new UserError(
      `routePrefix is ${JSON.stringify(prefix)}; it is what host.json has as extensions.http.routePrefix: words with slashes between them, or nothing.`,
    );
  }
  return trimmed;
}
