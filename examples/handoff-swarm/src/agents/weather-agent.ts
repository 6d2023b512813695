import { Agent, HandoffMode } from '@agent-functions/core';
import { environmentModel } from 'demo-model';
import { getCurrentWeather } from 'weather-bot/tools';
import { weatherScript } from '../demo-script.ts';

export const weather_agent = new Agent({
  name: 'weather_agent',
  description: 'Knows the present weather of a city.',
  instructions:
    'You tell the weather. Look it up before you speak of it, and say where an observation is from. Hand over what is not about the weather: conversions to the converter, clothes to the advisor. When another agent asked you to look something up for it, hand back to it.',
  model: environmentModel(weatherScript),
  tools: [getCurrentWeather],
  handoffConfig: {
    mode: HandoffMode.SWARM,
    targets: [{ agentName: 'converter_agent' }, { agentName: 'advisor_agent' }],
  },
});
