// GOOGLE_API_KEY, or GEMINI_API_KEY: the Gemini API
import { Agent, run, tool } from '@agent-functions/core';
import { google } from '@agent-functions/providers-google';
import { z } from 'zod';

const model = google('gemini-3.8-flash', {
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
