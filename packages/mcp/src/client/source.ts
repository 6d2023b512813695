import type { Part, Role, Tool, ToolSource } from '@agent-functions/core';
import { listOf, recordOf, recordsOf, stringOf } from '@agent-functions/core/provider';
import { Catalog } from './catalog.ts';
import { checkKnown, checkValues } from './check.ts';
import { Connection } from './connection.ts';
import { AgentError } from '@agent-functions/core';
import { errorText } from './error-text.ts';
import { resourceParts, toParts } from './from-result.ts';
import { ask } from './mcp-client.ts';
import type { ToolChoiceOptions } from './options.ts';
import { choiceNames, type Settings } from './settings.ts';
import { View } from './view.ts';

/** What a call without a signal of its own waits for. */
export interface McpCallOptions {
  readonly signal?: AbortSignal | undefined;
}

/** A message of a prompt, as core has messages. */
export interface PromptMessage {
  readonly role: Extract<Role, 'user' | 'assistant'>;
  readonly parts: readonly Part[];
}

/**
 * An MCP server as a source of tools, for `mcpServers` of an agent. It connects when it is first used; whoever uses it,
 * uses the same connection.
 */
export class McpSource implements ToolSource {
  readonly name: string;
  readonly required: boolean;
  readonly #settings: Settings;
  readonly #connection: Connection;
  readonly #catalog: Catalog;
  readonly #view: View;

  constructor(settings: Settings) {
    this.name = settings.name;
    this.required = settings.required;
    this.#settings = settings;
    this.#connection = new Connection(settings);
    this.#catalog = new Catalog(this.#connection, settings);
    this.#view = this.#viewOf(settings.choice);
  }

  listTools(options: Parameters<ToolSource['listTools']>[0]): Promise<readonly Tool[]> {
    return this.#view.listTools(options);
  }

  /**
   * The same server for another agent: other tools, other names, other approvals, the same connection. What is not said is
   * as for the whole server.
   */
  view(choice: ToolChoiceOptions): ToolSource {
    const where = `view() of MCP server ${this.name}`;
    checkKnown(where, choice, choiceNames);
    checkValues(where, choice);
    const view = this.#viewOf({ ...this.#settings.choice, ...choice });
    const { name, required } = this;
    return {
      name,
      required,
      listTools: (options) => view.listTools(options),
      close: () => this.close(),
    };
  }

  /** What a resource holds: its texts and files. @throws AgentError with what the server says. */
  async readResource(uri: string, options: McpCallOptions = {}): Promise<readonly Part[]> {
    const answer = await this.#ask('readResource', { uri }, options);
    return listOf(recordOf(answer)['contents']).flatMap(resourceParts);
  }

  /** The messages of a prompt, filled in. @throws AgentError with what the server says. */
  async getPrompt(
    name: string,
    given: { readonly [argument: string]: string } = {},
    options: McpCallOptions = {},
  ): Promise<readonly PromptMessage[]> {
    const answer = await this.#ask('getPrompt', { name, arguments: { ...given } }, options);
    return recordsOf(recordOf(answer)['messages']).map(({ role, content }) => ({
      role: role === 'assistant' ? 'assistant' : 'user',
      parts: Array.isArray(content) ? content.flatMap(toParts) : toParts(content),
    }));
  }

  /** The resources that the server lists. */
  async listResources(options: McpCallOptions = {}): Promise<
    readonly {
      readonly uri: string;
      readonly name: string;
      readonly mediaType?: string | undefined;
    }[]
  > {
    const answer = await this.#ask('listResources', undefined, options);
    return recordsOf(recordOf(answer)['resources']).map(({ uri, name, mimeType }) => ({
      uri: stringOf(uri) ?? '',
      name: stringOf(name) ?? '',
      mediaType: stringOf(mimeType),
    }));
  }

  /** The prompts that the server lists. */
  async listPrompts(
    options: McpCallOptions = {},
  ): Promise<readonly { readonly name: string; readonly description: string }[]> {
    const answer = await this.#ask('listPrompts', undefined, options);
    return recordsOf(recordOf(answer)['prompts']).map(({ name, description }) => ({
      name: stringOf(name) ?? '',
      description: stringOf(description) ?? '',
    }));
  }

  /** What the tools are recognised by now, for `accepted`. */
  fingerprints(options: McpCallOptions = {}): Promise<{ readonly [toolName: string]: string }> {
    return this.#catalog.fingerprints(this.#signal(options));
  }

  /** Accepts the present definitions of these tools, by the server's names; without names, of all. */
  accept(names?: readonly string[], options: McpCallOptions = {}): Promise<void> {
    return this.#catalog.accept(names, this.#signal(options));
  }

  /** Closes the connection, and ends the process of a server that was started. It is made again when it is used again. */
  close(): Promise<void> {
    return this.#connection.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #viewOf(choice: ToolChoiceOptions): View {
    return new View(this.#settings, choice, {
      connection: this.#connection,
      catalog: this.#catalog,
    });
  }

  async #ask(
    method: 'readResource' | 'getPrompt' | 'listResources' | 'listPrompts',
    params: object | undefined,
    options: McpCallOptions,
  ): Promise<unknown> {
    const { timeoutMs: timeout, name } = this.#settings;
    const signal = this.#signal(options);
    const { client } = await this.#connection.session(signal);
    try {
      return await ask(client, method, params, { signal, timeout });
    } catch (error) {
      if (signal.aborted) throw error;
      throw new AgentError('tool_error', `MCP server ${name}: ${errorText(error)}.`, {
        cause: error,
      });
    }
  }

  #signal({ signal }: McpCallOptions): AbortSignal {
    return signal ?? new AbortController().signal;
  }
}
