/** The smallest whole app, as a user deploys it: what C5 weighs. */
import { AgentFunctionApp } from '@agent-functions/azure-functions';
import { Agent, models, tool } from '@agent-functions/core';
import { openai } from '@agent-functions/providers-openai';
import { z } from 'zod';

const weather = tool({
  name: 'get_weather',
  description: 'Weather in a city',
  parameters: z.object({ city: z.string() }),
  execute: ({ city }) => `Sunny in ${city}`,
});

export const app = new AgentFunctionApp({
  agents: [
    new Agent({
      name: 'hello',
      instructions: 'Be kind.',
      model: 'openai/gpt-5-mini',
      tools: [weather],
    }),
  ],
  models: models({ openai }),
});
