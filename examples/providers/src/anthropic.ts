// ANTHROPIC_API_KEY
import { Agent, run, tool } from '@agent-functions/core';
import { anthropic } from '@agent-functions/providers-anthropic';
import { z } from 'zod';

const model = anthropic('claude-haiku-5-5', {
  promptCaching: '1h', // true: five minutes
  settings: { maxTokens: 2_000, timeoutMs: 60_000 },
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
