import { AgentFunctionApp } from '@agent-functions/azure-functions';
import { demoRoutes } from 'demo-model';
import { budget_agent, flight_agent, hotel_agent, travel_planner } from './agents/index.ts';
import { conversation } from './conversation.ts';

// The same file under `agent-functions dev` and on Azure Functions.
export const app = new AgentFunctionApp({
  agents: { travel_planner, flight_agent, hotel_agent, budget_agent },
  routes: demoRoutes('/api/demo/travel', 'travel_planner', conversation),
  httpAuthLevel: 'anonymous',
});
