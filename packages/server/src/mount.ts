import {
  consoleLogger,
  Runner,
  UserError,
  type Agent,
  type ContextFactory,
  type HandOver,
} from '@agent-functions/core';
import { agentRoutes } from './agent-routes.ts';
import { chatRoutes } from './chat.ts';
import { Cleaning } from './cleaning.ts';
import { guestRoutes } from './guest-routes.ts';
import { healthRoutes } from './health.ts';
import { checkRoutes, prefixOf } from './names.ts';
import { openApiRoute } from './openapi.ts';
import type { AgentServerOptions, RouteInfo, Runners, ServerRunner } from './options.ts';
import { routeTable, type ApiRoute, type Match, type Route } from './routes.ts';
import { runRoutes } from './run-routes.ts';
import type { RunnerPort, Scope, Served } from './scope.ts';
import { sessionRoutes } from './session-routes.ts';
import type { Stopping } from './stopping.ts';

/** Runners and routes of one set of agents. */
export interface Mounted<C> {
  readonly scope: Scope;
  readonly runners: Runners<C>;
  readonly routes: readonly RouteInfo[];
  readonly find: (method: string, path: string) => Match;
  /** Tells the protocols that the server begins to serve. */
  readonly serving: () => void;
}

/**
 * Makes the runners of a set of agents, and the routes to them.
 *
 * @throws UserError for colliding routes, handoffs to agents that nobody knows, options.
 */
export function mount<C>(
  options: AgentServerOptions<C>,
  store: Scope['store'],
  agents: ReadonlyMap<string, Agent<C, unknown>>,
  { stopping, handOver }: { readonly stopping: Stopping; readonly handOver: HandOver },
): Mounted<C> {
  const logger = options.logger ?? consoleLogger({ level: 'warn' });
  const all = [...agents.values()];
  const leaseMs = options.leaseMs ?? 30_000;
  const served = new Map<string, Served>();
  const byOwnName = new Map<string, RunnerPort>();
  const runners: Record<string, ServerRunner<C>> = {};
  // Without a factory no agent needs a context: the options' type says so.
  const context: ContextFactory<C> = options.context ?? (() => undefined as C);
  for (const [name, agent] of agents) {
    const runner: ServerRunner<C> = new Runner(agent, {
      context,
      models: options.models,
      store,
      leaseMs,
      handOver,
      agents: all.filter((other) => other !== agent),
      logger,
      tracer: options.tracer,
      compaction: options.compaction,
      sessionLimits: options.sessionLimits,
    });
    runners[name] = runner;
    served.set(name, { name, agent, runner });
    for (const own of [agent.name, ...agent.aliases]) byOwnName.set(own, runner);
  }
  // Every runner knows all agents: what one finds in their handoffs, all would.
  const [any] = Object.values(runners);
  const scope: Scope = {
    store,
    logger,
    models: options.models,
    agents: served,
    known: any?.knownAgents() ?? [],
    runners: byOwnName,
    prefix: prefixOf(options.routePrefix),
    base: baseUrl(options.publicUrl),
    onDisconnect: options.onDisconnect ?? (store.durable ? 'continue' : 'cancel'),
    bodyLimitBytes: options.bodyLimitBytes ?? 1_048_576,
    requestTimeoutMs: options.requestTimeoutMs,
    heartbeatMs: options.heartbeatMs ?? 15_000,
    leaseMs,
    stopping,
    cleaning: new Cleaning(store, logger),
    allowModelSettings: options.allowModelSettings ?? false,
    allowClientSessionIds: options.allowClientSessionIds ?? false,
    authenticates: options.authenticate !== undefined,
  };
  const whenServing: ((closing: AbortSignal) => void)[] = [];
  const api: readonly ApiRoute[] = [
    ...agentRoutes(scope),
    ...chatRoutes(scope),
    ...healthRoutes(scope),
    ...runRoutes(scope),
    ...sessionRoutes(scope),
  ];
  const routes: readonly Route[] = [
    ...api,
    openApiRoute(scope, api),
    ...guestRoutes<C>(options.routes ?? [], options.protocols ?? [], runners, {
      runners,
      store,
      logger,
      publicUrl: scope.base,
      corsOrigins: options.cors?.origins ?? [],
      bodyLimitBytes: scope.bodyLimitBytes,
      onDisconnect: scope.onDisconnect,
      allowClientSessionIds: scope.allowClientSessionIds,
      whenServing: (callback) => void whenServing.push(callback),
    }),
  ];
  checkRoutes(routes);
  const protocolNames = new Set((options.protocols ?? []).map(({ name }) => name));
  const infos = routes.map(({ method, path, name, agent, open }) => ({
    method,
    path,
    name,
    ...(agent === undefined ? {} : { agent }),
    ...(open === true && protocolNames.has(name) ? { open } : {}),
  }));
  return {
    scope,
    runners,
    routes: options.cors === undefined ? infos : [...infos, ...preflights(infos)],
    find: routeTable(routes),
    serving: () => {
      for (const callback of whenServing) callback(handOver.signal);
    },
  };
}

/** A host has to be told of `OPTIONS` where browsers of other origins call. */
function preflights(routes: readonly RouteInfo[]): readonly RouteInfo[] {
  return [...new Set(routes.map((route) => route.path))].map((path) => ({
    method: 'OPTIONS',
    path,
    name: 'preflight',
  }));
}

function baseUrl(publicUrl: string | undefined): string {
  const url = publicUrl ?? globalThis.process?.env['AGENT_BASE_URL'] ?? '';
  if (url === '') return '';
  if (!URL.canParse(url)) {
    throw new UserError(
      `publicUrl ${JSON.stringify(url)} is not a URL. Write it like https://agents.example.com.`,
    );
  }
  return url.replace(/\/+$/, '');
}
