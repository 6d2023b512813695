import type { MCPServerConfig, McpToolsOptions } from './options.ts';
import { fromConfig, fromOptions } from './settings.ts';
import { McpSource } from './source.ts';

/**
 * An MCP server, with the names of the Python package: `new MCPServer({ name: 'git', mode: MCPServerMode.STDIO, params: {
 * command: 'uvx', args: ['mcp-server-git'] } })`. Does no I/O before it is used.
 *
 * @throws UserError for what there is not.
 */
export class MCPServer extends McpSource {
  constructor(config: MCPServerConfig) {
    super(fromConfig(config));
  }
}

/**
 * An MCP server in one line: `mcpTools({ url: 'https://example.com/mcp' })`, `mcpTools({ command: 'npx', args: […] })`, or
 * `mcpTools({ client })` with a connected client of either line of the SDK, which is closed with the app.
 *
 * @throws UserError for what there is not.
 */
export function mcpTools(options: McpToolsOptions): McpSource {
  return new McpSource(fromOptions(options));
}
