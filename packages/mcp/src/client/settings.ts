import type { Effect, Logger, TokenCredential } from '@agent-functions/core';
import { silentLogger, UserError } from '@agent-functions/core';
import type { OAuthClientProvider } from '@modelcontextprotocol/client';
import { checkKnown, checkValues } from './check.ts';
import { isSecretHeader, mustBeSafe } from './credentials.ts';
import { isMcpClient, type McpClient } from './mcp-client.ts';
import { toMode } from './mode.ts';
import type {
  Elicit,
  MCPServerConfig,
  MCPServerStdioParams,
  McpOptions,
  McpToolsOptions,
  ToolChoiceOptions,
} from './options.ts';

export interface StdioReach {
  readonly type: 'stdio';
  readonly command: string | undefined;
  readonly args: readonly string[];
  readonly env: { readonly [name: string]: string };
  readonly cwd: string | undefined;
  readonly encoding: string;
  readonly strict: boolean;
}

export interface HttpReach {
  readonly type: 'sse' | 'streamable_http';
  readonly url: string;
  readonly headers: () => Promise<{ readonly [name: string]: string }>;
  readonly auth: OAuthClientProvider | { token(): Promise<string | undefined> } | undefined;
  readonly credential: TokenCredential | undefined;
  readonly scope: string | undefined;
  readonly fetch: typeof globalThis.fetch | undefined;
}

/** How a server is reached. */
export type Reach =
  | { readonly type: 'client'; readonly client: McpClient }
  | StdioReach
  | HttpReach;

/** The one form of all spellings. */
export interface Settings {
  readonly name: string;
  /** Asked when a connection is made: variables of an mcp.json are read then. @throws UserError for one that is not set. */
  readonly reach: () => Reach;
  readonly choice: ToolChoiceOptions;
  readonly required: boolean;
  /** For how long a list of tools is good; 0: for one turn. */
  readonly toolsTtlMs: number;
  readonly trusted: boolean;
  readonly effects: { readonly [toolName: string]: Effect };
  readonly onAmbiguous: 'report' | 'ask';
  readonly accepted: { readonly [toolName: string]: string };
  readonly timeoutMs: number;
  readonly idleTimeoutMs: number;
  readonly connectTimeoutMs: number;
  readonly maxMessageBytes: number;
  readonly backoff: { readonly minMs: number; readonly maxMs: number };
  readonly protocolVersion: string;
  readonly elicit: Elicit | undefined;
  readonly elicitTimeoutMs: number;
  readonly inputTimeoutMs: number | undefined;
  readonly logger: Logger;
}

export const choiceNames: readonly string[] = [
  'allowedTools',
  'deniedTools',
  'toolFilter',
  'toolPrefix',
  'needsApproval',
];
export const optionNames: readonly string[] = [
  ...choiceNames,
  'required',
  'cacheToolsList',
  'trusted',
  'effects',
  'onAmbiguous',
  'accepted',
  'timeoutMs',
  'idleTimeoutMs',
  'connectTimeoutMs',
  'maxMessageBytes',
  'reconnect',
  'protocolVersion',
  'elicit',
  'elicitTimeoutMs',
  'inputTimeoutMs',
  'logger',
];
const stdioNames = ['command', 'args', 'env', 'cwd', 'encoding', 'encodingErrorHandler'];
const httpNames = ['url', 'sessionUrl', 'headers', 'auth', 'credential', 'scope', 'fetch'];
const paramTimeouts = ['timeoutMs', 'sseReadTimeoutMs'];

/** `new MCPServer({ name, mode, params, … })`. @throws UserError for what there is not. */
export function fromConfig(config: MCPServerConfig): Settings {
  const where = 'new MCPServer()';
  checkKnown(where, config, ['name', 'mode', 'params', ...optionNames]);
  const { name, mode, params = {}, ...options } = config;
  if (typeof name !== 'string' || name.trim() === '') {
    throw new UserError(`${where} has no name. Write one, such as name: 'files'.`);
  }
  const type = toMode(where, mode);
  const what = `params of ${name}`;
  checkValues(what, params);
  checkKnown(what, params, type === 'stdio' ? stdioNames : [...httpNames, ...paramTimeouts]);
  if (type === 'stdio') return settings(name, () => stdioReach(params), options, where);
  const raw: { readonly [key: string]: unknown } = { ...params };
  const timeouts = {
    ...(raw['timeoutMs'] === undefined ? {} : { connectTimeoutMs: Number(raw['timeoutMs']) }),
    ...(raw['sseReadTimeoutMs'] === undefined
      ? {}
      : { idleTimeoutMs: Number(raw['sseReadTimeoutMs']) }),
  };
  const reach = httpReach(what, type, params);
  return settings(name, () => reach, { ...timeouts, ...options }, where);
}

/** `mcpTools({ client | url | command, … })`. @throws UserError for what there is not. */
export function fromOptions(options: McpToolsOptions): Settings {
  const where = 'mcpTools()';
  checkKnown(where, options, [
    'name',
    'client',
    'mode',
    ...stdioNames,
    ...httpNames,
    ...optionNames,
  ]);
  const given = ['client', 'url', 'command'].filter(
    (one) => Reflect.get(options, one) !== undefined,
  );
  if (given.length !== 1) {
    throw new UserError(
      `mcpTools() has ${given.length === 0 ? 'no server' : given.join(' and ')}. Give it one of client (a connected MCP client), url or command.`,
    );
  }
  const { client, command, name, ...rest } = options;
  if (client !== undefined && !isMcpClient(client)) {
    throw new UserError(
      'mcpTools() got a client that is none. Give it a connected MCP client: it has listTools(), callTool(), readResource(), getPrompt() and close().',
    );
  }
  if (client !== undefined)
    return settings(name ?? 'mcp', () => ({ type: 'client', client }), rest, where);
  if (command !== undefined) {
    const program = command.split(/[\\/]/).at(-1) ?? command;
    return settings(name ?? program, () => stdioReach(options), rest, where);
  }
  const mode = toMode(where, Reflect.get(options, 'mode') ?? 'streamable_http');
  const reach = httpReach(where, mode === 'sse' ? 'sse' : 'streamable_http', options);
  return settings(name ?? new URL(reach.url).hostname, () => reach, rest, where);
}

const fiveMinutes = 300_000;

/** Settings of a server that is reached like this. @throws UserError for an option that cannot be. */
export function settings(
  name: string,
  reach: () => Reach,
  options: McpOptions,
  where: string,
): Settings {
  checkValues(`${where} (${name})`, options);
  const { cacheToolsList = false, timeoutMs = 60_000 } = options;
  return {
    name,
    reach,
    choice: options,
    required: options.required ?? false,
    toolsTtlMs:
      typeof cacheToolsList === 'object' ? cacheToolsList.ttlMs : cacheToolsList ? fiveMinutes : 0,
    trusted: options.trusted ?? false,
    effects: options.effects ?? {},
    onAmbiguous: options.onAmbiguous ?? 'report',
    accepted: options.accepted ?? {},
    timeoutMs,
    idleTimeoutMs: Math.min(options.idleTimeoutMs ?? timeoutMs, timeoutMs),
    connectTimeoutMs: options.connectTimeoutMs ?? 30_000,
    maxMessageBytes: options.maxMessageBytes ?? 10 * 1024 * 1024,
    backoff: { minMs: options.reconnect?.minMs ?? 500, maxMs: options.reconnect?.maxMs ?? 30_000 },
    protocolVersion: options.protocolVersion ?? 'auto',
    elicit: options.elicit,
    elicitTimeoutMs: options.elicitTimeoutMs ?? 30_000,
    inputTimeoutMs: options.inputTimeoutMs,
    logger: options.logger ?? silentLogger,
  };
}

/** The params of a process, in one form. */
export function stdioReach(params: object): StdioReach {
  const given: MCPServerStdioParams = params;
  return {
    type: 'stdio',
    command: given.command,
    args: given.args ?? [],
    env: given.env ?? {},
    cwd: given.cwd,
    encoding: given.encoding ?? 'utf-8',
    strict: (given.encodingErrorHandler ?? 'strict') === 'strict',
  };
}

/** The params of a server over HTTP, in one form. @throws UserError for no URL, or two. */
export function httpReach(
  where: string,
  type: 'sse' | 'streamable_http',
  params: object,
): HttpReach {
  const given: HttpGiven = params;
  const { url, sessionUrl, headers, auth, credential, scope } = given;
  const address = url ?? sessionUrl;
  if (address === undefined || (url !== undefined && sessionUrl !== undefined)) {
    throw new UserError(
      `${where} has ${address === undefined ? 'no url' : 'both url and sessionUrl, which are one'}. Write url: 'https://example.com/mcp'.`,
    );
  }
  if (!URL.canParse(address) || !/^https?:$/.test(new URL(address).protocol)) {
    throw new UserError(
      `${where} has url ${JSON.stringify(address)}. Write it with http:// or https://.`,
    );
  }
  if ((credential === undefined) !== (scope === undefined)) {
    throw new UserError(
      `${where} has ${scope === undefined ? 'a credential without scope' : 'a scope without credential'}. Write both: scope: 'api://…/.default'.`,
    );
  }
  const open = typeof headers === 'object' && Object.keys(headers).some(isSecretHeader);
  if (open || credential !== undefined || auth !== undefined) mustBeSafe(where, new URL(address));
  return {
    type,
    url: address,
    headers: async () => (typeof headers === 'function' ? headers() : (headers ?? {})),
    auth,
    credential,
    scope,
    fetch: given.fetch,
  };
}

interface HttpGiven {
  readonly url?: string | undefined;
  readonly sessionUrl?: string | undefined;
  readonly headers?:
    | { readonly [name: string]: string }
    | (() => { readonly [name: string]: string } | Promise<{ readonly [name: string]: string }>)
    | undefined;
  readonly auth?: HttpReach['auth'];
  readonly credential?: TokenCredential | undefined;
  readonly scope?: string | undefined;
  readonly fetch?: typeof globalThis.fetch | undefined;
}
