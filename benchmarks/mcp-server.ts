// An MCP server over streamable HTTP with one small tool; tells its port.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import {
  createMcpHandler,
  McpServer,
} from '../packages/mcp/node_modules/@modelcontextprotocol/server/dist/index.mjs';
import { z } from 'zod';

const inputSchema = z.object({ a: z.number(), b: z.number() });
const handler = createMcpHandler(() => {
  const server = new McpServer({ name: 'bench', version: '1.0.0' });
  server.registerTool('add', { description: 'Adds.', inputSchema }, ({ a, b }) => ({
    content: [{ type: 'text', text: String(a + b) }],
  }));
  return server;
});

const server = createServer((request, response) => {
  void answer(request, response);
});

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const headers = new Headers();
  for (const [name, value] of Object.entries(request.headers)) {
    if (typeof value === 'string') headers.set(name, value);
  }
  const { method = 'GET' } = request;
  const body = method === 'POST' ? { body: await text(request) } : {};
  const answered = await handler.fetch(
    new Request(`http://127.0.0.1${request.url}`, { method, headers, ...body }),
  );
  response.writeHead(answered.status, Object.fromEntries(answered.headers));
  response.end(await answered.text());
}

server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  process.send?.(typeof address === 'object' ? address?.port : undefined);
});
process.on('disconnect', () => process.exit());
