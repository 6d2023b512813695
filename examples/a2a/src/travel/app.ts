import { AgentFunctionApp } from '@agent-functions/azure-functions';
import { travel_agent } from './agent.ts';

export const app = new AgentFunctionApp({ agents: { travel_agent }, httpAuthLevel: 'anonymous' });
