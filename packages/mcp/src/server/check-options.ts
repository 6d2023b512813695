import { UserError } from '@agent-functions/core';
import type { McpHandlerOptions, McpProtocolOptions } from './options.ts';

/** What an option may be; `undefined` is as good as left out. */
type Kind = 'any' | 'text' | 'flag' | 'function' | 'list' | 'count' | 'hosts';

const shared = {
  name: 'text',
  title: 'text',
  version: 'text',
  instructions: 'text',
  tools: 'list',
  configure: 'function',
  waitMs: 'count',
  sessions: 'flag',
  allowedHosts: 'hosts',
  allowedOrigins: 'hosts',
  verifyToken: 'function',
  resourceMetadataUrl: 'text',
  bodyLimitBytes: 'count',
} as const satisfies { readonly [name: string]: Kind };

type Kinds<T> = { readonly [K in keyof Required<T>]: Kind };

export const protocolKinds: Kinds<McpProtocolOptions> = { ...shared, path: 'text', agents: 'list' };

export const handlerKinds: Kinds<McpHandlerOptions> = {
  ...shared,
  agents: 'any',
  store: 'any',
  models: 'any',
  context: 'function',
  publicUrl: 'text',
  onDisconnect: 'text',
  allowClientSessionIds: 'flag',
  logger: 'any',
};

const words: { readonly [K in Kind]: string } = {
  any: '',
  text: 'Write a text.',
  flag: 'Write true or false.',
  function: 'Write a function.',
  list: 'Write a list.',
  count: 'Write a number above 0.',
  hosts: "Write a list of host names, such as ['agents.example.com'], or '*'.",
};

/** A misspelled option would do nothing. @throws UserError for one that there is not, and for one of another kind. */
export function checkServerOptions(
  where: string,
  options: object,
  kinds: { readonly [name: string]: Kind },
): void {
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined) continue;
    const kind = Object.hasOwn(kinds, name) ? kinds[name] : undefined;
    if (kind === undefined) {
      throw new UserError(
        `${where} has no option ${JSON.stringify(name)}. Options: ${Object.keys(kinds).join(', ')}.`,
      );
    }
    if (!isOf(kind, value)) {
      const shown = JSON.stringify(value)?.slice(0, 60) ?? typeof value;
      throw new UserError(`${where} has ${name}: ${shown}. ${words[kind]}`);
    }
  }
}

function isOf(kind: Kind, value: unknown): boolean {
  switch (kind) {
    case 'any':
      return true;
    case 'text':
      return typeof value === 'string';
    case 'flag':
      return typeof value === 'boolean';
    case 'function':
      return typeof value === 'function';
    case 'list':
      return Array.isArray(value);
    case 'count':
      return typeof value === 'number' && value > 0;
    case 'hosts':
      return value === '*' || (Array.isArray(value) && value.every(isHostname));
    default:
      return kind satisfies never;
  }
}

/** Without scheme and port: both would never match. */
function isHostname(value: unknown): boolean {
  return typeof value === 'string' && /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)$/.test(value);
}
