// AZURE_OPENAI_ENDPOINT, AZURE_OPENAI_API_KEY, AZURE_OPENAI_DEPLOYMENT_NAME
import { Agent, run, tool } from '@agent-functions/core';
import { azureOpenAI } from '@agent-functions/providers-azure';
import { z } from 'zod';

// With Entra ID instead of a key: { credential: new DefaultAzureCredential() } of @azure/identity.
const model = azureOpenAI(process.env['AZURE_OPENAI_DEPLOYMENT_NAME'] ?? 'gpt-5-mini', {
  settings: { reasoning: { effort: 'low' }, maxTokens: 2_000, timeoutMs: 60_000 },
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
