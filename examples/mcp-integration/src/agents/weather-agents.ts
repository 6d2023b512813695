import { fileURLToPath } from 'node:url';
import { Agent } from '@agent-functions/core';
import { MCPServer, MCPServerMode, mcpTools } from '@agent-functions/mcp';
import { environmentModel } from 'demo-model';
import { weatherScript } from '../demo-script.ts';

const instructions = 'Look the weather up before you speak of it. Keep answers short.';

/** Its server is a process, started at the first question. */
export const weather_stdio = new Agent({
  name: 'weather_stdio',
  description: 'Tells the weather, from a server over stdio.',
  instructions,
  model: environmentModel(weatherScript),
  mcpServers: [
    new MCPServer({
      name: 'weather',
      mode: MCPServerMode.STDIO,
      params: {
        command: process.execPath,
        args: [fileURLToPath(new URL('../servers/weather-stdio.ts', import.meta.url))],
      },
      cacheToolsList: true,
    }),
  ],
});

/** Its server is reached by URL, in the transport of today. */
export const weather_http = new Agent({
  name: 'weather_http',
  description: 'Tells the weather, from a server over streamable HTTP.',
  instructions,
  model: environmentModel(weatherScript),
  mcpServers: [
    new MCPServer({
      name: 'weather',
      mode: MCPServerMode.STREAMABLE_HTTP,
      params: { url: process.env['WEATHER_HTTP_URL'] ?? 'http://127.0.0.1:7081/mcp' },
    }),
  ],
});

/** Its server is an older one. `mcpTools()` is the short form of the same. */
export const weather_sse = new Agent({
  name: 'weather_sse',
  description: 'Tells the weather, from a server over SSE.',
  instructions,
  model: environmentModel(weatherScript),
  mcpServers: [
    mcpTools({
      name: 'weather',
      mode: 'sse',
      url: process.env['WEATHER_SSE_URL'] ?? 'http://127.0.0.1:7082/sse',
    }),
  ],
});
