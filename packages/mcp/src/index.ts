// Client: MCP servers as tool sources.
export { MCPServer, mcpTools } from './client/mcp-server.ts';
export { mcpJson, type McpJsonOptions } from './client/mcp-json.ts';
export { MCPServerMode } from './client/mode.ts';
export type { McpCallOptions, McpSource, PromptMessage } from './client/source.ts';
export type { McpClient } from './client/mcp-client.ts';
export type {
  Approval,
  Elicit,
  MCPServerConfig,
  MCPServerStdioParams,
  McpOptions,
  McpToolsOptions,
  SseParams,
  StreamableHttpParams,
  ToolChoiceOptions,
  ToolInfo,
} from './client/options.ts';

// Server: agents as an MCP server.
export { mcp, type McpProtocol } from './server/mcp.ts';
export { mcpHandler, type McpHandler } from './server/mcp-handler.ts';
export type {
  ConfigureContext,
  GateOptions,
  McpHandlerOptions,
  McpProtocolOptions,
  McpServerOptions,
  ServerInfo,
} from './server/options.ts';
