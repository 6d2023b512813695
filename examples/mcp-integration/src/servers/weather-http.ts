import { tool } from '@agent-functions/core';
import { mcpHandler } from '@agent-functions/mcp';
import { z } from 'zod';
import { observe } from './observations.ts';

/** A server over streamable HTTP, made of a tool of core. */
export const weatherHttp = mcpHandler({
  name: 'weather-http',
  tools: [
    tool({
      name: 'get_weather',
      description: 'The weather in a city, as it was observed last.',
      parameters: z.object({ city: z.string() }),
      effect: 'read',
      execute: ({ city }) => observe(city),
    }),
  ],
});
