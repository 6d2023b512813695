import { createServer, type Server } from 'node:http';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { SSEServerTransport } from '@modelcontextprotocol/sdk/server/sse.js';
import { z } from 'zod';
import { observe } from './observations.ts';

/** A server over SSE, the HTTP transport of 2024, with the 1.x line of the MCP SDK, which alone has that. */
export function weatherSse(): Server {
  const open = new Map<string, SSEServerTransport>();
  return createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://127.0.0.1');
    const known = open.get(searchParams.get('sessionId') ?? '');
    if (request.method === 'GET' && pathname === '/sse') {
      const transport = new SSEServerTransport('/messages', response);
      open.set(transport.sessionId, transport);
      response.once('close', () => open.delete(transport.sessionId));
      void weatherServer().connect(transport);
    } else if (request.method === 'POST' && pathname === '/messages' && known !== undefined) {
      void known.handlePostMessage(request, response);
    } else {
      response.writeHead(404).end();
    }
  });
}

function weatherServer(): McpServer {
  const server = new McpServer({ name: 'weather-sse', version: '1.0.0' });
  server.registerTool(
    'get_weather',
    {
      description: 'The weather in a city, as it was observed last.',
      inputSchema: { city: z.string() },
    },
    ({ city }) => ({ content: [{ type: 'text', text: JSON.stringify(observe(city)) }] }),
  );
  return server;
}
