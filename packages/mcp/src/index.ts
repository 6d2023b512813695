// Client: MCP servers as tool sources.

// Server: agents as an MCP server.
export {};
