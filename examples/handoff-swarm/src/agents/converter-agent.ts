import { Agent, HandoffMode } from '@agent-functions/core';
import { environmentModel } from 'demo-model';
import { convertTemperature } from 'weather-bot/tools';
import { converterScript } from '../demo-script.ts';

export const converter_agent = new Agent({
  name: 'converter_agent',
  description: 'Converts temperatures between Celsius, Fahrenheit and Kelvin.',
  instructions:
    'You convert temperatures, always with your tool. Hand over everything else: the weather of a city to the weather agent, clothes to the advisor.',
  model: environmentModel(converterScript),
  tools: [convertTemperature],
  handoffConfig: {
    mode: HandoffMode.SWARM,
    targets: [{ agentName: 'weather_agent' }, { agentName: 'advisor_agent' }],
  },
});
