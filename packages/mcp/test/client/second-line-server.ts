// A server written with the SDK's 2.x line: `stdio`, or `http` on PORT. It speaks both eras of the protocol.
import { createServer } from 'node:http';
import { Readable } from 'node:stream';
import {
  acceptedContent,
  createMcpHandler,
  inputRequired,
  McpServer,
  type McpServerFactory,
} from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import { z } from 'zod';

let stopped = 0;
let runs = 0;

const make: McpServerFactory = () => {
  const server = new McpServer(
    { name: 'second-line', version: '2.0.0' },
    { capabilities: { tools: { listChanged: true }, logging: {} } },
  );
  const text = (said: string) => ({ content: [{ type: 'text' as const, text: said }] });
  server.registerTool(
    'add',
    { description: 'Adds.', inputSchema: z.object({ a: z.number(), b: z.number() }) },
    ({ a, b }) => text(`The sum is ${a + b}.`),
  );
  server.registerTool('fail', { description: 'Fails.', inputSchema: z.object({}) }, () => ({
    ...text('The disk is full.'),
    isError: true,
  }));
  server.registerTool(
    'slow',
    { description: 'Slow.', inputSchema: z.object({}) },
    (_input, { mcpReq }) =>
      new Promise((resolve) => {
        mcpReq.signal.addEventListener('abort', () => {
          stopped += 1;
          resolve(text('stopped'));
        });
      }),
  );
  server.registerTool(
    'stopped',
    { description: 'How often slow was stopped.', inputSchema: z.object({}) },
    () => text(String(stopped)),
  );
  server.registerTool(
    'count',
    {
      description: 'Counts its runs.',
      inputSchema: z.object({}),
      annotations: { readOnlyHint: true },
    },
    () => {
      runs += 1;
      return text(String(runs));
    },
  );
  const form = z.object({ city: z.string() });
  server.registerTool(
    'book',
    { description: 'Books.', inputSchema: z.object({ nights: z.number() }) },
    ({ nights }, { mcpReq }) => {
      const where = acceptedContent(mcpReq.inputResponses, 'where', form);
      if (where === undefined && mcpReq.inputResponses !== undefined)
        return text('Nothing booked.');
      return where === undefined
        ? inputRequired({
            requestState: 'state-1',
            inputRequests: {
              where: inputRequired.elicit({ message: 'Which city?', requestedSchema: form }),
            },
          })
        : text(`Booked ${nights} nights in ${where.city}.`);
    },
  );
  server.registerTool('think', { description: 'Samples.', inputSchema: z.object({}) }, () =>
    inputRequired({
      inputRequests: {
        thought: inputRequired.createMessage({
          messages: [{ role: 'user', content: { type: 'text', text: 'Think.' } }],
          maxTokens: 10,
        }),
      },
    }),
  );
  server.registerTool('grow', { description: 'Adds a tool.', inputSchema: z.object({}) }, () => {
    server.registerTool('grown', { description: 'New.', inputSchema: z.object({}) }, () =>
      text('new'),
    );
    return text('grown');
  });
  server.registerResource('note', 'note://one', { mimeType: 'text/plain' }, (uri) => ({
    contents: [{ uri: uri.href, text: 'Remember.' }],
  }));
  server.registerPrompt(
    'greet',
    { description: 'Greets.', argsSchema: z.object({ name: z.string() }) },
    ({ name }) => ({
      messages: [{ role: 'user', content: { type: 'text', text: `Greet ${name}.` } }],
    }),
  );
  return server;
};

if (process.argv[2] === 'stdio') serveStdio(make);
else {
  const handler = createMcpHandler(make);
  createServer((request, response) => {
    const abort = new AbortController();
    response.on('close', () => abort.abort());
    const body = request.method === 'POST' ? Readable.toWeb(request) : undefined;
    const asked = new Request(`http://127.0.0.1${request.url}`, {
      method: request.method ?? 'GET',
      headers: Object.entries(request.headers).flatMap(([name, value]) =>
        typeof value === 'string' ? [[name, value] as [string, string]] : [],
      ),
      ...(body === undefined ? {} : { body: body as ReadableStream, duplex: 'half' }),
      signal: abort.signal,
    });
    void handler.fetch(asked).then((answer) => {
      response.writeHead(answer.status, Object.fromEntries(answer.headers));
      if (answer.body === null) response.end();
      else
        Readable.fromWeb(answer.body as never)
          .on('error', () => undefined)
          .pipe(response);
    });
  }).listen(Number(process.env['PORT']), '127.0.0.1');
}
