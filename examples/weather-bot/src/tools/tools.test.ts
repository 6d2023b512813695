import { validate } from '@agent-functions/core';
import { expect, test } from 'vitest';
import { convertTemperature } from './convert-temperature.ts';
import { getCurrentWeather } from './get-current-weather.ts';
import { getWeatherAdvice } from './get-weather-advice.ts';

const context = {
  context: undefined,
  runId: 'r',
  requestContext: {},
  sessionState: {},
  usage: { requests: 0, inputTokens: 0, outputTokens: 0, totalTokens: 0, perRequest: [] },
  agentPath: ['weather_bot'],
  signal: new AbortController().signal,
  callId: 'f0.t1.c1',
  toolName: 'convert_temperature',
  messages: [],
  idempotencyKey: 'r/f0.t1.c1',
  progress: () => undefined,
  updateSessionState: () => undefined,
  checkpoint: async () => undefined,
};

test.for([
  [20, 'celsius', 'fahrenheit', 68],
  [-40, 'fahrenheit', 'celsius', -40],
  [0, 'kelvin', 'celsius', -273.15],
  [16.1, 'celsius', 'fahrenheit', 60.98],
  [300, 'kelvin', 'kelvin', 300],
])('%d %s in %s is %d', ([temperature, from, to, expected]) => {
  expect(convertTemperature.execute({ temperature, from, to }, context)).toEqual({
    temperature: expected,
    unit: to,
  });
});

test('nothing is colder than absolute zero', () => {
  expect(() =>
    convertTemperature.execute({ temperature: -300, from: 'celsius', to: 'kelvin' }, context),
  ).toThrow('below absolute zero');
});

test('a unit that does not exist is refused before the tool runs', async () => {
  const result = await validate(convertTemperature.inputSchema, {
    temperature: 1,
    from: 'celsius',
    to: 'rankine',
  });
  expect(result).not.toHaveProperty('value');
});

test('advice follows temperature, rain and wind', () => {
  expect(
    getWeatherAdvice.execute({ temperatureC: 16, conditions: 'rain', windKmh: 40 }, context),
  ).toEqual({ advice: ['a light jacket', 'an umbrella', 'something windproof'] });
});

test('every tool declares its effect', () => {
  for (const tool of [getCurrentWeather, convertTemperature, getWeatherAdvice]) {
    expect(tool.effectDeclared).toBe(true);
  }
});
