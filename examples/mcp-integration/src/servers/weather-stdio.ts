import { McpServer } from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import { z } from 'zod';
import { observe } from './observations.ts';

// A server over stdin and stdout, with the 2.x line of the MCP SDK. The agent starts it when it needs it.
serveStdio(() => {
  const server = new McpServer({ name: 'weather-stdio', version: '1.0.0' });
  server.registerTool(
    'get_weather',
    {
      description: 'The weather in a city, as it was observed last.',
      inputSchema: z.object({ city: z.string() }),
      annotations: { readOnlyHint: true },
    },
    ({ city }) => ({ content: [{ type: 'text', text: JSON.stringify(observe(city)) }] }),
  );
  return server;
});
