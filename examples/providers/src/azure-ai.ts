// AZURE_AI_ENDPOINT, AZURE_AI_API_KEY: a resource of Azure AI Foundry, whatever vendor's model is deployed
import { Agent, run, tool } from '@agent-functions/core';
import { azureAi } from '@agent-functions/providers-azure';
import { z } from 'zod';

const model = azureAi(process.env['AZURE_AI_MODEL'] ?? 'DeepSeek-V3', {
  settings: { temperature: 0.2, maxTokens: 2_000, timeoutMs: 60_000 },
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
