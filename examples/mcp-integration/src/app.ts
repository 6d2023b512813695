import { AgentFunctionApp } from '@agent-functions/azure-functions';
import { mcp } from '@agent-functions/mcp';
import { git_agent } from './agents/git-agent.ts';
import { weather_http, weather_sse, weather_stdio } from './agents/weather-agents.ts';

// The same file for the HTTP API and, by agent-functions-mcp, over stdio. At /mcp two of the agents are tools of a server.
export const app = new AgentFunctionApp({
  agents: { weather_stdio, weather_http, weather_sse, git_agent },
  protocols: [mcp({ agents: ['git_agent', 'weather_stdio'] })],
  httpAuthLevel: 'anonymous',
});
