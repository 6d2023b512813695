import type { ChatMessage, FixtureResponse } from '@copilotkit/aimock';
import { demoAnswer, type Conversation, type ToolExchange } from './demo-script.ts';

/**
 * Starts the server that plays OpenAI for the offline demo, on a free port of this machine; answers its base URL. The
 * OpenAI SDK talks to it over HTTP as to the real one. It keeps no process alive and ends with it.
 */
export async function startDemoServer(): Promise<string> {
  const { createServer } = await import('@copilotkit/aimock');
  const { server, url } = await createServer(
    [{ match: { predicate: () => true }, response: ({ messages }) => answer(messages) }],
    { host: '127.0.0.1', port: 0, latency: 15, chunkSize: 8, journalMaxEntries: 1 },
  );
  server.on('connection', (socket) => socket.unref());
  server.unref();
  return `${url}/v1`;
}

function answer(messages: readonly ChatMessage[]): FixtureResponse {
  const reply = demoAnswer(toConversation(messages));
  const usage = countTokens(messages, reply);
  if ('text' in reply) return { content: reply.text, usage };
  return {
    toolCalls: reply.calls.map(({ tool, input }) => ({
      name: tool,
      arguments: JSON.stringify(input),
    })),
    usage,
  };
}

function toConversation(messages: readonly ChatMessage[]): Conversation {
  const lastQuestion = messages.findLastIndex((message) => message.role === 'user');
  const question = messages[lastQuestion];
  return {
    question: question === undefined ? '' : text(question),
    results: exchanges(messages, messages.slice(lastQuestion + 1)),
    earlier: exchanges(messages, messages.slice(0, Math.max(lastQuestion, 0))),
  };
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
        input: readInput(call.function.arguments),
        output: text(message),
      },
    ];
  });
}

function readInput(json: string): Record<string, unknown> {
  const value: unknown = JSON.parse(json);
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

function text({ content }: ChatMessage): string {
  if (typeof content === 'string') return content;
  return (content ?? []).map((part) => part.text ?? '').join('');
}

/** About four characters a token: the demo has no tokenizer, and an answer without usage would be a lie of another kind. */
function countTokens(messages: unknown, reply: unknown): Record<string, number> {
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
