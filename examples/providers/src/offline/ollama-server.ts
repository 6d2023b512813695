import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { json } from 'node:stream/consumers';
import type { Reply, Script, ToolExchange } from 'demo-model';
import { z } from 'zod';

// The demo server of the others counts no tokens on Ollama's wire and loses results of tools, which have no ids there.

/** The part of a chat request that a script sees (https://docs.ollama.com/api/chat). */
const chat = z.object({
  model: z.string(),
  messages: z.array(
    z.object({
      role: z.enum(['system', 'user', 'assistant', 'tool']),
      content: z.string().default(''),
      tool_calls: z
        .array(
          z.object({
            function: z.object({ name: z.string(), arguments: z.record(z.string(), z.unknown()) }),
          }),
        )
        .default([]),
    }),
  ),
  tools: z.array(z.object({ function: z.object({ name: z.string() }) })).default([]),
});

/** Starts a server that plays a script as Ollama does; answers its URL. It keeps no process alive and ends with it. */
export async function startOllamaServer(script: Script): Promise<string> {
  const server = createServer((request, response) => {
    void json(request)
      .catch(() => undefined)
      .then((body) => answer(script, body, response));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  server.on('connection', (socket) => socket.unref());
  server.unref();
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
}

function answer(script: Script, body: unknown, response: ServerResponse): void {
  const asked = chat.safeParse(body);
  if (!asked.success) {
    response.writeHead(400, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ error: z.prettifyError(asked.error) }));
    return;
  }
  response.setHeader('content-type', 'application/x-ndjson');
  for (const line of play(script, asked.data)) response.write(`${JSON.stringify(line)}\n`);
  response.end();
}

type Chat = z.infer<typeof chat>;

/** The lines of the answer: pieces of a message, then why it ended and what it cost. */
function play(script: Script, { model, messages, tools }: Chat): readonly object[] {
  const line = (message: object, more: object = {}): object => ({
    model,
    created_at: new Date().toISOString(),
    message: { role: 'assistant', content: '', ...message },
    done: false,
    ...more,
  });
  const last = messages.findLastIndex(({ role }) => role === 'user');
  const reply = script({
    instructions: messages.flatMap((one) => (one.role === 'system' ? [one.content] : [])).join(''),
    question: messages[last]?.content ?? '',
    results: exchanges(messages.slice(last + 1)),
    earlier: exchanges(messages.slice(0, Math.max(last, 0))),
    said: messages.flatMap(({ role, content }) =>
      role === 'user' || role === 'assistant' ? [{ role, text: content }] : [],
    ),
    tools: tools.map((one) => one.function.name),
    schema: undefined,
  });
  return [
    ...piecesOf(reply).map((piece) => line(piece)),
    line(
      {},
      {
        done: true,
        done_reason: 'stop',
        // About four characters a token, as the other demo server counts.
        prompt_eval_count: Math.ceil(JSON.stringify(messages).length / 4),
        eval_count: Math.ceil(JSON.stringify(reply).length / 4),
      },
    ),
  ];
}

function piecesOf(reply: Reply): readonly object[] {
  if ('calls' in reply) {
    const calls = reply.calls.map(({ tool: name, input }) => ({
      function: { name, arguments: input },
    }));
    return [{ tool_calls: calls }];
  }
  const text = 'text' in reply ? reply.text : JSON.stringify(reply.json);
  return (text.match(/.{1,8}/gsu) ?? []).map((content) => ({ content }));
}

/** Results come in the order of their calls. */
function exchanges(messages: Chat['messages']): readonly ToolExchange[] {
  const calls = messages.flatMap((message) => message.tool_calls);
  const results = messages.filter(({ role }) => role === 'tool');
  return results.flatMap(({ content: output }, at) => {
    const made = calls[at]?.function;
    return made === undefined ? [] : [{ tool: made.name, input: made.arguments, output }];
  });
}
