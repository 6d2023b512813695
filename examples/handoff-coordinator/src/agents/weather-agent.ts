import { Agent } from '@agent-functions/core';
import { environmentModel } from 'demo-model';
import { getCurrentWeather, getWeatherAdvice } from 'weather-bot/tools';
import { weatherScript } from '../demo-script.ts';

export const weather_agent = new Agent({
  name: 'weather_agent',
  description: 'Knows the weather of a city, and what to pack for it.',
  instructions:
    'Look the weather up, then ask for advice on it. Answer with one line that begins with "Weather:" and says where the observation is from.',
  model: environmentModel(weatherScript),
  tools: [getCurrentWeather, getWeatherAdvice],
});
