import { AgentFunctionApp } from '@agent-functions/azure-functions';
import { demoRoutes } from 'demo-model';
import { flight_agent, hotel_agent } from 'travel-planner/agents';
import { restaurant_agent } from './agents/restaurant-agent.ts';
import { travel_coordinator } from './agents/travel-coordinator.ts';
import { weather_agent } from './agents/weather-agent.ts';
import { conversation } from './conversation.ts';

// The same file under `agent-functions dev` and on Azure Functions.
export const app = new AgentFunctionApp({
  agents: { travel_coordinator, flight_agent, hotel_agent, weather_agent, restaurant_agent },
  routes: demoRoutes('/api/demo/coordinator', 'travel_coordinator', conversation),
  httpAuthLevel: 'anonymous',
});
