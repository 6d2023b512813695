import type { Tool, ToolSource } from '@agent-functions/core';
import { callServerTool } from './call-tool.ts';
import type { Catalog, Listed } from './catalog.ts';
import type { Connection } from './connection.ts';
import type { ToolChoiceOptions, ToolInfo } from './options.ts';
import type { Settings } from './settings.ts';
import { toolNames } from './tool-names.ts';
import { toTool } from './to-tool.ts';
import { toSchema, validators, type Validators } from './validator.ts';

type ListOptions = Parameters<ToolSource['listTools']>[0];

/** The tools of a server that somebody chose, under the names that models take. */
export class View {
  readonly #settings: Settings;
  readonly #choice: ToolChoiceOptions;
  readonly #connection: Connection;
  readonly #catalog: Catalog;
  /** Made once for each definition: a turn lists them again. */
  #made = new Map<string, Tool>();

  constructor(
    settings: Settings,
    choice: ToolChoiceOptions,
    parts: { readonly connection: Connection; readonly catalog: Catalog },
  ) {
    this.#settings = settings;
    this.#choice = choice;
    this.#connection = parts.connection;
    this.#catalog = parts.catalog;
  }

  async listTools({ signal, agent, warn }: ListOptions): Promise<readonly Tool[]> {
    signal.throwIfAborted();
    const { tools, changed, leftOut } = await this.#catalog.list(signal);
    for (const { definition } of changed) {
      if (!this.#listed(definition.name)) continue;
      warn?.(
        'mcp-tool-changed',
        `The tool ${definition.name} of MCP server ${this.#settings.name} is not what was accepted, and is left out. Look at it, then accept it: await server.accept(['${definition.name}']).`,
      );
    }
    for (const [name, why] of leftOut) {
      if (!this.#listed(name)) continue;
      warn?.(
        'mcp-tool-invalid',
        `The tool ${name} of MCP server ${this.#settings.name} does not fit the protocol, and is left out (${why}).`,
      );
    }
    const chosen: Listed[] = [];
    for (const one of tools) if (await this.#chosen(one, agent)) chosen.push(one);
    const names = toolNames(
      chosen.map(({ definition }) => definition.name),
      this.#prefix,
    );
    const all = await validators();
    const made = new Map<string, Tool>();
    const listed = chosen.map((one, index) => {
      const name = names[index] ?? one.definition.name;
      const key = `${name}\n${one.fingerprint}`;
      const known = this.#made.get(key) ?? this.#make(one, name, all);
      made.set(key, known);
      return known;
    });
    // Filters differ by agent: what another agent has stays, as long as that is little.
    if (this.#made.size > 1_000) this.#made = new Map();
    for (const [key, one] of made) this.#made.set(key, one);
    return listed;
  }

  get #prefix(): string {
    const { toolPrefix } = this.#choice;
    const text = toolPrefix === true ? this.#settings.name : toolPrefix;
    return typeof text === 'string' && text !== '' ? `${text.replace(/_$/, '')}_` : '';
  }

  #listed(name: string): boolean {
    const { allowedTools, deniedTools } = this.#choice;
    return allowedTools?.includes(name) !== false && deniedTools?.includes(name) !== true;
  }

  async #chosen({ definition }: Listed, agent: string): Promise<boolean> {
    if (!this.#listed(definition.name)) return false;
    const { name, description, inputSchema, annotations } = definition;
    const info: ToolInfo = { name, description, inputSchema, annotations };
    return (await this.#choice.toolFilter?.(info, { agent })) ?? true;
  }

  #make({ definition }: Listed, name: string, all: Validators): Tool {
    const settings = this.#settings;
    const schema = toSchema(definition.inputSchema, all, { name, logger: settings.logger });
    return toTool(definition, name, {
      settings,
      choice: this.#choice,
      schema,
      run: (input, context) =>
        callServerTool(this.#connection, settings, { name: definition.name, input }, context),
    });
  }
}
