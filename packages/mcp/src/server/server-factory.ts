import type { HostContext } from '@agent-functions/core';
import type {
  McpRequestContext,
  McpServer,
  McpServerFactory,
  ServerContext,
} from '@modelcontextprotocol/server';
import { version } from '../client/version.ts';
import { agentTool } from './agent-tool.ts';
import { toCall } from './call.ts';
import type { McpServerOptions } from './options.ts';
import { plainTool } from './plain-tool.ts';
import { runTools } from './run-tools.ts';
import type { ServedTool } from './served-tool.ts';
import type { Serving } from './serving.ts';

/** The SDK, loaded when a request needs it. */
export type Sdk = typeof import('@modelcontextprotocol/server');

/** Every tool of a server, made once; each request gets a server of its own that has them. */
export function servedTools(serving: Serving, options: McpServerOptions): readonly ServedTool[] {
  return [
    ...serving.agents.map((agent) => agentTool(serving, agent)),
    ...(serving.agents.length === 0 ? [] : runTools(serving)),
    ...(options.tools ?? []).map(plainTool),
  ];
}

/**
 * Makes the SDK's server for a request (or, over stdio, a connection).
 *
 * @param hostOf What the host knows of the HTTP request that a call came with; of none, over stdio.
 */
export function serverFactory(
  sdk: Sdk,
  tools: readonly ServedTool[],
  options: McpServerOptions,
  hostOf: (request: Request | undefined) => HostContext,
): McpServerFactory {
  const info = {
    name: options.name ?? 'agent-functions',
    version: options.version ?? version,
    ...(options.title === undefined ? {} : { title: options.title }),
  };
  const { instructions, configure } = options;
  return async ({ era, requestInfo }: McpRequestContext) => {
    const server = new sdk.McpServer(info, instructions === undefined ? {} : { instructions });
    for (const tool of tools) {
      if (await isEnabled(tool, hostOf(requestInfo))) register(server, tool, hostOf);
    }
    await configure?.(server, { era });
    return server;
  };
}

function register(
  server: McpServer,
  { name, config, run }: ServedTool,
  hostOf: (request: Request | undefined) => HostContext,
): void {
  const { description, inputSchema, outputSchema, annotations } = config;
  server.registerTool(
    name,
    {
      description,
      inputSchema,
      ...(outputSchema === undefined ? {} : { outputSchema }),
      ...(annotations === undefined ? {} : { annotations }),
    },
    (input: unknown, context: ServerContext) =>
      run(input, toCall(context, hostOf(context.http?.req))),
  );
}

async function isEnabled(tool: ServedTool, host: HostContext): Promise<boolean> {
  if (tool.isEnabled === undefined) return true;
  const { principal, signal, traceparent } = host;
  return tool.isEnabled({ host, principal, signal, traceparent, progress: () => undefined });
}
