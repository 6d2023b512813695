import {
  consoleLogger,
  memoryStore,
  Runner,
  UserError,
  type Agent,
  type ContextFactory,
  type HostContext,
  type Logger,
  type ProtocolHost,
  type ProtocolRunner,
} from '@agent-functions/core';

import { checkServerOptions, handlerKinds } from './check-options.ts';
import { endpoint } from './endpoint.ts';
import { gate } from './gate.ts';
import { defaultWaitMs, type McpHandlerOptions } from './options.ts';
import { published } from './published.ts';

/** An MCP server as a fetch handler. */
export interface McpHandler {
  /** Answers a request. Never throws. `context` is what a host knows beside the request. */
  readonly fetch: (request: Request, context?: Partial<HostContext>) => Promise<Response>;
  /** Ends open streams and sessions, and closes the agents' tool sources. Runs go on; the store stays open. */
  close(): Promise<void>;
}

/**
 * Agents and tools as an MCP server over streamable HTTP: a fetch handler that speaks the 2026-07-28 protocol and, to clients
 * that do not, those of 2025. It keeps nothing between requests but what is in the store, so any instance can answer.
 *
 * @throws UserError for agents or tools that cannot be published, and for unknown options.
 */
export function mcpHandler<C = unknown>(options: McpHandlerOptions<C>): McpHandler {
  checkServerOptions('mcpHandler()', options, handlerKinds);
  const logger = options.logger ?? consoleLogger({ level: 'warn' });
  const store = options.store ?? memoryStore();
  const made = runnersOf(options, logger, store);
  const agents = published(made.runners, undefined, options.tools ?? []);
  const publicUrl = publicUrlOf(options.publicUrl);
  const own = endpoint(
    {
      store,
      logger,
      agents,
      waitMs: options.waitMs ?? defaultWaitMs,
      onDisconnect: options.onDisconnect ?? (store.durable ? 'continue' : 'cancel'),
      allowClientSessionIds: options.allowClientSessionIds ?? false,
    },
    gate(options, { publicUrl, corsOrigins: [], bodyLimitBytes: 1_048_576 }),
    options,
  );
  return {
    fetch: (request, context = {}) => own.handle(request, hostOf(request, context, logger)),
    close: async () => {
      await own.close();
      await made.close();
    },
  };
}

/** Runners of agents that no server has. */
export function runnersOf<C>(
  options: Pick<McpHandlerOptions<C>, 'agents' | 'models' | 'context'>,
  logger: Logger,
  store: ProtocolHost['store'],
): { readonly runners: Readonly<Record<string, ProtocolRunner>>; close(): Promise<void> } {
  const named = namedAgents(options.agents ?? []);
  const all = named.map(([, agent]) => agent);
  // Without a factory no agent needs a context: the options' type says so.
  const context: ContextFactory<C> = options.context ?? (() => undefined as C);
  const runners = named.map(
    ([name, agent]): [string, Runner<C, unknown, { context: ContextFactory<C> }>] => [
      name,
      new Runner(agent, {
        context,
        models: options.models,
        store,
        logger,
        agents: all.filter((other) => other !== agent),
      }),
    ],
  );
  return {
    runners: Object.fromEntries(runners),
    close: async () => {
      await Promise.allSettled(runners.map(([, runner]) => runner.closeToolSources()));
    },
  };
}

function namedAgents<C>(
  agents: NonNullable<McpHandlerOptions<C>['agents']>,
): readonly (readonly [string, Agent<C, unknown>])[] {
  return isList(agents)
    ? agents.map((agent) => [agent.name, agent] as const)
    : Object.entries(agents);
}

/** `Array.isArray` does not know readonly lists. */
function isList<C>(
  agents: NonNullable<McpHandlerOptions<C>['agents']>,
): agents is readonly Agent<C, unknown>[] {
  return Array.isArray(agents);
}

function publicUrlOf(given: string | undefined): string {
  const url = given ?? globalThis.process?.env['AGENT_BASE_URL'] ?? '';
  if (url === '' || URL.canParse(url)) return url;
  throw new UserError(
    `publicUrl ${JSON.stringify(url)} is not a URL. Write it like https://agents.example.com.`,
  );
}

/** What a host did not say, filled in. */
function hostOf(request: Request, given: Partial<HostContext>, logger: Logger): HostContext {
  const { signal, principal, deadline, traceparent, handOver, isInvocation } = given;
  return {
    invocationId: given.invocationId ?? crypto.randomUUID(),
    signal: signal ?? request.signal,
    principal,
    deadline,
    traceparent,
    handOver,
    isInvocation: isInvocation ?? given.waitUntil !== undefined,
    waitUntil: (work) => given.waitUntil?.(work),
    log: (level, message, fields) =>
      given.log === undefined
        ? logger.log(level, message, fields)
        : given.log(level, message, fields),
  };
}
