import { Agent } from '@agent-functions/core';
import { environmentModel } from 'demo-model';
import { demoAnswer } from './demo-script.ts';
import { convertTemperature, getCurrentWeather, getWeatherAdvice } from './tools/index.ts';

export const weather_bot = new Agent({
  name: 'weather_bot',
  description: 'Tells the weather, converts temperatures and says what to wear.',
  instructions:
    'You are a weather assistant. Look the weather up before you speak of it, and say where an observation is from when it is not a present one. Keep answers short.',
  model: environmentModel(demoAnswer),
  tools: [getCurrentWeather, convertTemperature, getWeatherAdvice],
  exposeTools: true,
});
