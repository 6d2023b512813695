import { Agent, tool } from '@agent-functions/core';
import { z } from 'zod';

const getWeather = tool({
  name: 'get_weather',
  description: 'The weather of a city, now.',
  parameters: z.object({ city: z.string() }),
  effect: 'read',
  execute: ({ city }) => ({ city, temperatureC: 16, conditions: 'light rain' }),
});

/** The agent, with the model of a name such as `anthropic/claude-haiku-5-5`: the string is all that differs. */
export function weatherAgent(model: string): Agent {
  return new Agent({
    name: 'weather',
    instructions: 'You tell the weather in one sentence. Look it up first.',
    model,
    tools: [getWeather],
  });
}
