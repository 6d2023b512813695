import type { ChatCompletionRequest, ChatMessage, FixtureResponse } from '@copilotkit/aimock';
import {
  readObject,
  type Conversation,
  type Reply,
  type Script,
  type ToolExchange,
} from './script.ts';

/**
 * Starts a server that plays a script as OpenAI does, on a free port of this machine; answers its base URL. The OpenAI
 * SDK talks to it over HTTP as to the real one. It keeps no process alive and ends with it.
 */
export async function startDemoServer(script: Script): Promise<string> {
  const { createServer } = await import('@copilotkit/aimock');
  const { server, url } = await createServer(
    [{ match: { predicate: () => true }, response: (request) => answer(script, request) }],
    { host: '127.0.0.1', port: 0, latency: 5, chunkSize: 8, journalMaxEntries: 1 },
  );
  server.on('connection', (socket) => socket.unref());
  server.unref();
  return `${url}/v1`;
}

function answer(script: Script, request: ChatCompletionRequest): FixtureResponse {
  const reply = script(toConversation(request));
  const usage = countTokens(request.messages, reply);
  if ('text' in reply) return { content: reply.text, usage };
  if ('json' in reply) return { content: JSON.stringify(reply.json), usage };
  return {
    toolCalls: reply.calls.map(({ tool, input }) => ({
      name: tool,
      arguments: JSON.stringify(input),
    })),
    usage,
  };
}

function toConversation(request: ChatCompletionRequest): Conversation {
  const { messages } = request;
  const lastQuestion = messages.findLastIndex((message) => message.role === 'user');
  const question = messages[lastQuestion];
  return {
    instructions: messages
      .filter((message) => message.role === 'system')
      .map(text)
      .join('\n'),
    question: question === undefined ? '' : text(question),
    results: exchanges(messages, messages.slice(lastQuestion + 1)),
    earlier: exchanges(messages, messages.slice(0, Math.max(lastQuestion, 0))),
    said: messages.flatMap((message) =>
      (message.role === 'user' || message.role === 'assistant') && text(message) !== ''
        ? [{ role: message.role, text: text(message) }]
        : [],
    ),
    tools: (request.tools ?? []).map((tool) => tool.function.name),
    schema: schemaOf(request),
  };
}

function schemaOf({ response_format: format }: ChatCompletionRequest): Conversation['schema'] {
  const named = format?.['json_schema'];
  if (typeof named !== 'object' || named === null || !('schema' in named)) return undefined;
  const { schema } = named;
  return typeof schema === 'object' && schema !== null ? { ...schema } : undefined;
}

/** The tool results of some messages, each with the call it answers. */
function exchanges(
  all: readonly ChatMessage[],
  some: readonly ChatMessage[],
): readonly ToolExchange[] {
  const calls = all.flatMap((message) => message.tool_calls ?? []);
  return some.flatMap((message) => {
    if (message.role !== 'tool') return [];
    const call = calls.find((each) => each.id === message.tool_call_id);
    if (call === undefined) return [];
    return [
      {
        tool: call.function.name,
        input: readObject(call.function.arguments) ?? {},
        output: text(message),
      },
    ];
  });
}

function text({ content }: ChatMessage): string {
  if (typeof content === 'string') return content;
  return (content ?? []).map((part) => part.text ?? '').join('');
}

/** About four characters a token: the demo has no tokenizer, and an answer without usage would be a lie of another kind. */
function countTokens(messages: unknown, reply: Reply): Record<string, number> {
  const input = Math.ceil(JSON.stringify(messages).length / 4);
  const output = Math.ceil(JSON.stringify(reply).length / 4);
  // The first names are those of Chat Completions, the others of the Responses API.
  return {
    prompt_tokens: input,
    completion_tokens: output,
    total_tokens: input + output,
    input_tokens: input,
    output_tokens: output,
  };
}
