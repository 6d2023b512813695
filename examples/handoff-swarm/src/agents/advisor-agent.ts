import { Agent, HandoffMode } from '@agent-functions/core';
import { environmentModel } from 'demo-model';
import { getWeatherAdvice } from 'weather-bot/tools';
import { advisorScript } from '../demo-script.ts';

export const advisor_agent = new Agent({
  name: 'advisor_agent',
  description: 'Says what to wear and to take along, for a weather that is known.',
  instructions:
    'You say what to wear, from what your tool says. When the weather of the city was not looked up yet in this conversation, hand over to the weather agent and ask it to hand back. Hand conversions to the converter.',
  model: environmentModel(advisorScript),
  tools: [getWeatherAdvice],
  handoffConfig: {
    mode: HandoffMode.SWARM,
    targets: [{ agentName: 'weather_agent' }, { agentName: 'converter_agent' }],
  },
});
