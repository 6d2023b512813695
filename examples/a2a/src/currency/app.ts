import { a2a } from '@agent-functions/a2a';
import { AgentFunctionApp } from '@agent-functions/azure-functions';
import { currency_agent } from './agent.ts';

// Somebody else's agent: others reach it by A2A only.
export const app = new AgentFunctionApp({
  agents: { currency_agent },
  mode: 'a2a',
  protocols: [a2a()],
  httpAuthLevel: 'anonymous',
});
