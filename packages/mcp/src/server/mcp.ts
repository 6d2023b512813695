import { UserError, type Protocol } from '@agent-functions/core';
import { checkServerOptions, protocolKinds } from './check-options.ts';
import { endpoint } from './endpoint.ts';
import { gate } from './gate.ts';
import { defaultWaitMs, type McpProtocolOptions } from './options.ts';
import { published } from './published.ts';

/** A protocol that says what it was told, for `agent-functions-mcp`, which serves the same over stdio. */
export interface McpProtocol extends Protocol {
  readonly options: McpProtocolOptions;
}

/**
 * A server's agents as an MCP server, for its `protocols`: each a tool, at `/mcp`. Who calls, the server says
 * (`authenticate`), unless `verifyToken` does.
 *
 * @throws UserError here for options that there are not; where it is mounted, for agents and tools that cannot be published.
 */
export function mcp(options: McpProtocolOptions = {}): McpProtocol {
  checkServerOptions('mcp()', options, protocolKinds);
  const { path = '/mcp' } = options;
  if (!/^\/[^{}?#\s]*$/.test(path)) {
    throw new UserError(
      `mcp() has the path ${JSON.stringify(path)}. Write it from the root: '/mcp'.`,
    );
  }
  return {
    name: 'mcp',
    options,
    handlers: (host) => {
      const { handle } = endpoint(
        {
          store: host.store,
          logger: host.logger,
          agents: published(host.runners, options.agents, options.tools ?? []),
          waitMs: options.waitMs ?? defaultWaitMs,
          onDisconnect: host.onDisconnect,
          allowClientSessionIds: host.allowClientSessionIds,
        },
        gate(options, host),
        options,
      );
      // Not every method: OPTIONS is the server's, for pages of other origins.
      return ['POST', 'GET', 'DELETE'].map((method) => ({ method, path, handler: handle }));
    },
  };
}
