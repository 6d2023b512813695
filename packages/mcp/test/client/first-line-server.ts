// A server written with the SDK's 1.x line: `stdio`, or `http` on PORT with sessions. It speaks the 2025 era only.
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { z } from 'zod';

let stopped = 0;
let runs = 0;

/** The same tools as the other line's server has, as far as 1.x goes. */
export function firstLineServer(): McpServer {
  const server = new McpServer({ name: 'first-line', version: '1.0.0' });
  const text = (said: string) => ({ content: [{ type: 'text' as const, text: said }] });
  server.registerTool(
    'add',
    { description: 'Adds.', inputSchema: { a: z.number(), b: z.number() } },
    ({ a, b }) => text(`The sum is ${a + b}.`),
  );
  server.registerTool('fail', { description: 'Fails.', inputSchema: {} }, () => ({
    ...text('The disk is full.'),
    isError: true,
  }));
  server.registerTool(
    'slow',
    { description: 'Slow.', inputSchema: {} },
    (_input, { signal }) =>
      new Promise((resolve) => {
        signal.addEventListener('abort', () => {
          stopped += 1;
          resolve(text('stopped'));
        });
      }),
  );
  server.registerTool('stopped', { description: 'How often.', inputSchema: {} }, () =>
    text(String(stopped)),
  );
  server.registerTool(
    'count',
    { description: 'Counts its runs.', inputSchema: {}, annotations: { readOnlyHint: true } },
    () => {
      runs += 1;
      return text(String(runs));
    },
  );
  server.registerTool(
    'book',
    { description: 'Books.', inputSchema: { nights: z.number() } },
    async ({ nights }) => {
      const { action, content } = await server.server.elicitInput({
        message: 'Which city?',
        requestedSchema: { type: 'object', properties: { city: { type: 'string' } } },
      });
      return text(
        action === 'accept'
          ? `Booked ${nights} nights in ${String(content?.['city'])}.`
          : 'Nothing booked.',
      );
    },
  );
  server.registerTool('grow', { description: 'Adds a tool.', inputSchema: {} }, () => {
    server.registerTool('grown', { description: 'New.', inputSchema: {} }, () => text('new'));
    return text('grown');
  });
  server.registerResource('note', 'note://one', { mimeType: 'text/plain' }, (uri) => ({
    contents: [{ uri: uri.href, text: 'Remember.' }],
  }));
  server.registerPrompt(
    'greet',
    { description: 'Greets.', argsSchema: { name: z.string() } },
    ({ name }) => ({
      messages: [{ role: 'user', content: { type: 'text', text: `Greet ${name}.` } }],
    }),
  );
  return server;
}

const sessions = new Map<string, StreamableHTTPServerTransport>();

if (process.argv[2] === 'stdio') await firstLineServer().connect(new StdioServerTransport());
else if (process.argv[2] === 'http') {
  createServer((request, response) => {
    void transportFor(String(request.headers['mcp-session-id'] ?? ''), request.method).then(
      (transport) => {
        if (transport === undefined) response.writeHead(404).end();
        else void transport.handleRequest(request, response);
      },
    );
  }).listen(Number(process.env['PORT']), '127.0.0.1');
}

async function transportFor(
  id: string,
  method: string | undefined,
): Promise<StreamableHTTPServerTransport | undefined> {
  if (id !== '' || method !== 'POST') return sessions.get(id);
  const transport = new StreamableHTTPServerTransport({
    sessionIdGenerator: () => randomUUID(),
    onsessioninitialized: (made) => void sessions.set(made, transport),
  });
  await firstLineServer().connect(transport);
  return transport;
}
