import { Agent, HandoffMode } from '@agent-functions/core';
import { environmentModel } from 'demo-model';
import { flight_agent, hotel_agent } from 'travel-planner/agents';
import { coordinatorScript } from '../demo-script.ts';
import { restaurant_agent } from './restaurant-agent.ts';
import { weather_agent } from './weather-agent.ts';

export const travel_coordinator = new Agent({
  name: 'travel_coordinator',
  description: 'Plans a trip with four specialists, in one answer.',
  instructions:
    'You plan trips. Ask all the specialists that the request needs in one turn, each with everything it has to know: cities, dates, number of people. Then write one plan from what they answered. When one of them failed, say so plainly and leave its part out; never fill it in yourself.',
  model: environmentModel(coordinatorScript),
  handoffConfig: {
    mode: HandoffMode.COORDINATOR,
    targets: [
      { agent: flight_agent },
      { agent: hotel_agent },
      { agent: weather_agent },
      { agent: restaurant_agent },
    ],
  },
});
