import type { HostContext, HttpHandler } from '@agent-functions/core';
import type { McpHttpHandler } from '@modelcontextprotocol/server';
import { admit, rpcError, type Gate } from './gate.ts';
import { legacySessions, type LegacySessions } from './legacy-sessions.ts';
import type { McpServerOptions } from './options.ts';
import { servedTools, serverFactory } from './server-factory.ts';
import type { Serving } from './serving.ts';

/** The HTTP side of one MCP server. */
export interface Endpoint {
  readonly handle: HttpHandler;
  close(): Promise<void>;
}

/** Both eras of the protocol at one address; the SDK is loaded by the first request that may pass. */
export function endpoint(serving: Serving, gate: Gate, options: McpServerOptions): Endpoint {
  const tools = servedTools(serving, options);
  // What the host knows of a request, for calls that the SDK makes of it.
  const hosts = new WeakMap<Request, HostContext>();
  const hostOf = (request: Request | undefined): HostContext => {
    const host = request === undefined ? undefined : hosts.get(request);
    if (host === undefined) throw new Error('A call came without the request that it belongs to.');
    return host;
  };
  let loading: Promise<Loaded> | undefined;
  const load = async (): Promise<Loaded> => {
    const sdk = await import('@modelcontextprotocol/server');
    const factory = serverFactory(sdk, tools, options, hostOf);
    const onerror = (error: Error): void =>
      serving.logger.log('debug', 'The MCP server refused or lost a request', {
        error: error.message,
      });
    return {
      handler: sdk.createMcpHandler(factory, { onerror }),
      sessions: options.sessions === true ? legacySessions(sdk, factory, onerror) : undefined,
    };
  };
  return {
    handle: async (request, host) => {
      try {
        const admitted = await admit(gate, request, host);
        if (admitted.type === 'refused') return admitted.response;
        const { principal, body } = admitted;
        hosts.set(request, principal === host.principal ? host : withPrincipal(host, principal));
        const { handler, sessions } = await (loading ??= load());
        const parsed = body === undefined ? {} : { parsedBody: body };
        const own = await sessions?.answer(request, body, principal?.id);
        return own ?? (await handler.fetch(request, parsed));
      } catch (error) {
        host.log('error', 'An MCP request failed', {
          error: error instanceof Error ? error.message : String(error),
        });
        return rpcError(500, 'The server failed. Its log has the reason.', {}, -32_603);
      }
    },
    close: async () => {
      const loaded = await loading?.catch(() => undefined);
      await Promise.all([loaded?.handler.close(), loaded?.sessions?.close()]);
    },
  };
}

interface Loaded {
  readonly handler: McpHttpHandler;
  readonly sessions: LegacySessions | undefined;
}

/** The host's knowledge, with who the token says that calls. Hosts may be instances whose methods live on their class. */
function withPrincipal(host: HostContext, principal: HostContext['principal']): HostContext {
  const { invocationId, signal, deadline, traceparent, handOver, isInvocation } = host;
  return {
    invocationId,
    signal,
    principal,
    deadline,
    traceparent,
    handOver,
    isInvocation,
    waitUntil: (work) => host.waitUntil(work),
    log: (level, message, fields) => host.log(level, message, fields),
  };
}
