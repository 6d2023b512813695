import { readFileSync } from 'node:fs';
import { UserError } from '@agent-functions/core';
import { isRecord, recordOf, type Environment, type Fields } from '@agent-functions/core/provider';
import { checkKnown, checkValues } from './check.ts';
import { toMode } from './mode.ts';
import type { McpOptions } from './options.ts';
import { httpReach, optionNames, settings, stdioReach, type Reach } from './settings.ts';
import { McpSource } from './source.ts';
import { filledIn } from './variables.ts';

export interface McpJsonOptions {
  /** Options of every server of the file. */
  readonly options?: McpOptions | undefined;
  /** Options of single servers, by their names in the file. */
  readonly servers?: { readonly [name: string]: McpOptions } | undefined;
  /** Instead of `process.env`; read when a server is first used, not when the file is. */
  readonly environment?: Environment | undefined;
}

const processNames = ['type', 'command', 'args', 'env', 'cwd'];
const httpNames = ['type', 'url', 'headers'];

/**
 * The servers of an `mcp.json`, as editors and the Functions runtime have it: `{ "servers": { "name": { "type": "stdio" |
 * "http" | "sse", … } } }`. Variables (`$NAME`, `%NAME%`, `${env:NAME}`) are filled in when a server is used: one that is
 * not set costs that server's tools.
 *
 * @param file A path, or what the file holds.
 * @throws UserError for a file that cannot be read, and for keys that are not known.
 */
export function mcpJson(
  file: string | object = 'mcp.json',
  options: McpJsonOptions = {},
): readonly McpSource[] {
  const where = typeof file === 'string' ? file : 'The mcp.json';
  checkKnown('mcpJson()', options, ['options', 'servers', 'environment']);
  const content = typeof file === 'string' ? read(file) : file;
  checkKnown(where, content, ['servers', 'mcpServers', 'inputs']);
  const { servers, mcpServers, inputs } = recordOf(content);
  if (Array.isArray(inputs) && inputs.length > 0) {
    throw new UserError(
      `${where} has inputs, which an editor asks for and a server cannot. Use environment variables: \${env:NAME}.`,
    );
  }
  const map = servers ?? mcpServers;
  if (!isRecord(map))
    throw new UserError(`${where} has no servers: { "servers": { "name": { … } } }.`);
  for (const name of Object.keys(options.servers ?? {})) {
    if (!Object.hasOwn(map, name)) {
      throw new UserError(
        `mcpJson() has options for ${JSON.stringify(name)}, which is not in ${where}. Servers: ${Object.keys(map).join(', ')}.`,
      );
    }
  }
  return Object.entries(map).map(([name, entry]) => {
    const at = `${where}, server ${name},`;
    if (!isRecord(entry)) throw new UserError(`${at} is not an object.`);
    const own = { ...options.options, ...options.servers?.[name] };
    checkKnown(`mcpJson() for ${name}`, own, optionNames);
    return new McpSource(settings(name, reachOf(at, entry, options.environment), own, 'mcpJson()'));
  });
}

/** Looked at now, filled in when it is used. */
function reachOf(where: string, entry: Fields, given: Environment | undefined): () => Reach {
  const type = toMode(where, entry['type'] ?? (entry['url'] === undefined ? 'stdio' : 'http'));
  checkKnown(where, entry, type === 'stdio' ? processNames : httpNames);
  checkValues(where, entry);
  if (entry[type === 'stdio' ? 'command' : 'url'] === undefined) {
    throw new UserError(`${where} has no ${type === 'stdio' ? 'command' : 'url'}.`);
  }
  return () => {
    const params = filled(where, entry, given ?? process.env);
    if (type === 'stdio') return stdioReach(params);
    return httpReach(where, type, params);
  };
}

function filled(where: string, entry: Fields, environment: Environment): Fields {
  const fill = (value: unknown): unknown => {
    if (typeof value === 'string') return filledIn(where, value, environment);
    if (Array.isArray(value)) return value.map(fill);
    return isRecord(value)
      ? Object.fromEntries(Object.entries(value).map(([name, one]) => [name, fill(one)]))
      : value;
  };
  return Object.fromEntries(
    Object.entries(entry).flatMap(([name, value]) =>
      name === 'type' ? [] : [[name, fill(value)]],
    ),
  );
}

function read(path: string): object {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new UserError(`${path} cannot be read. Give mcpJson() the path of an mcp.json.`, {
      cause: error,
    });
  }
  try {
    const content: unknown = JSON.parse(withoutComments(text));
    if (isRecord(content)) return content;
  } catch (error) {
    throw new UserError(`${path} is not JSON.`, { cause: error });
  }
  throw new UserError(`${path} is not an object with servers.`);
}

/** Editors allow comments and a comma at the end; texts are left as they are. */
function withoutComments(text: string): string {
  return text
    .replaceAll(
      /("(?:[^"\\]|\\.)*")|\/\/[^\n]*|\/\*[\s\S]*?\*\//g,
      (_all, kept?: string) => kept ?? '',
    )
    .replaceAll(/("(?:[^"\\]|\\.)*")|,(?=\s*[}\]])/g, (_all, kept?: string) => kept ?? '');
}
