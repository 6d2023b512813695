import { AgentFunctionApp } from '@agent-functions/azure-functions';
import { demoRoutes } from 'demo-model';
import { advisor_agent } from './agents/advisor-agent.ts';
import { converter_agent } from './agents/converter-agent.ts';
import { weather_agent } from './agents/weather-agent.ts';
import { conversation } from './conversation.ts';

// The same file under `agent-functions dev` and on Azure Functions. The agents name each other; the app knows them all.
export const app = new AgentFunctionApp({
  agents: { weather_agent, converter_agent, advisor_agent },
  routes: demoRoutes('/api/demo/swarm', 'weather_agent', conversation),
  httpAuthLevel: 'anonymous',
});
