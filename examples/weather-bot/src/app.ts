import { AgentFunctionApp } from '@agent-functions/azure-functions';
import { weather_bot } from './agent.ts';

// The same file under `agent-functions dev` and on Azure Functions.
export const app = new AgentFunctionApp({
  agents: { weather_bot },
  httpAuthLevel: 'anonymous',
});
