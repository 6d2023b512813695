// `ollama serve`, `ollama pull qwen3`; OLLAMA_HOST for another machine
import { Agent, run, tool } from '@agent-functions/core';
import { ollama } from '@agent-functions/providers-ollama';
import { z } from 'zod';

const model = ollama('qwen3', {
  numCtx: 16_384, // tokens; the server's default is small
  keepAlive: '10m',
  settings: { temperature: 0.2, timeoutMs: 120_000 },
});

const getWeather = tool({
  name: 'get_weather',
  description: 'The weather of a city, now.',
  parameters: z.object({ city: z.string() }),
  effect: 'read',
  execute: ({ city }) => ({ city, temperatureC: 16, conditions: 'light rain' }),
});

const agent = new Agent({
  name: 'weather',
  instructions: 'You tell the weather in one sentence.',
  model,
  tools: [getWeather],
});

const result = await run(agent, 'What is the weather in Seattle?');
if (result.status === 'completed') {
  console.log(`${result.response} (${result.usage.totalTokens} tokens)`);
} else {
  console.log(result.error?.message);
}
