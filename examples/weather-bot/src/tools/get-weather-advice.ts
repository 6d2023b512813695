import { tool } from '@agent-functions/core';
import { z } from 'zod';

export const getWeatherAdvice = tool({
  name: 'get_weather_advice',
  description: 'What to wear and to take along, for a weather that get_current_weather told.',
  parameters: z.object({
    temperatureC: z.number(),
    conditions: z.string().describe('In words, such as "light rain"'),
    windKmh: z.number().min(0).optional(),
  }),
  effect: 'read',
  execute: ({ temperatureC, conditions, windKmh = 0 }) => ({
    advice: [...clothes(temperatureC), ...extras(temperatureC, conditions.toLowerCase(), windKmh)],
  }),
});

function clothes(temperatureC: number): readonly string[] {
  if (temperatureC < 0) return ['a winter coat, a hat and gloves'];
  if (temperatureC < 10) return ['a warm jacket'];
  if (temperatureC < 18) return ['a light jacket'];
  if (temperatureC < 26) return ['a shirt; something with sleeves for the evening'];
  return ['light clothes'];
}

function extras(temperatureC: number, conditions: string, windKmh: number): readonly string[] {
  return [
    ...(/rain|drizzle|shower|thunder/.test(conditions) ? ['an umbrella'] : []),
    ...(/snow|sleet|ice/.test(conditions) ? ['shoes that do not slip'] : []),
    ...(/fog/.test(conditions) ? ['a light, if you cycle'] : []),
    ...(windKmh >= 30 ? ['something windproof'] : []),
    ...(temperatureC >= 28 ? ['water and a hat'] : []),
  ];
}
