import { tool } from '@agent-functions/core';
import { z } from 'zod';
import { weatherSource } from '../weather/weather-source.ts';

const source = weatherSource();

export const getCurrentWeather = tool({
  name: 'get_current_weather',
  description: 'The present weather of a city. `source` says where it is from and how old it is.',
  parameters: z.object({
    city: z.string().min(1).max(100).describe('The name of the city in English, such as "Seattle"'),
  }),
  effect: 'read',
  timeoutMs: 10_000,
  execute: ({ city }, { signal }) => source(city, signal),
});
