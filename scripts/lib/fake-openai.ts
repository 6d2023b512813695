import { LLMock } from '@copilotkit/aimock';

/** An OpenAI server on this machine that asks for `get_weather` once and then says what the tool said. */
export async function fakeOpenAI(): Promise<AsyncDisposable & { readonly baseUrl: string }> {
  const server = new LLMock({ port: 0, host: '127.0.0.1' });
  const usage = { input_tokens: 12, output_tokens: 8, total_tokens: 20 };
  server.on(
    { userMessage: /Seattle/, hasToolResult: false },
    {
      toolCalls: [{ id: 'call_1', name: 'get_weather', arguments: '{"city":"Seattle"}' }],
      finishReason: 'tool_calls',
      usage,
    },
  );
  server.on(
    { userMessage: /Seattle/, hasToolResult: true },
    { content: 'It is 21 °C in Seattle.', usage },
  );
  await server.start();
  return {
    baseUrl: `${server.url}/v1`,
    [Symbol.asyncDispose]: () => server.stop(),
  };
}
