import {
  UserError,
  type Protocol,
  type ProtocolHost,
  type ProtocolRoute,
} from '@agent-functions/core';
import { acceptsOneOf } from './accepts.ts';
import { cardOf, inputModesOf } from './card.ts';
import { cardRoutes } from './card-routes.ts';
import { jsonRpc } from './json-rpc.ts';
import type { A2AAgentOptions, A2AOptions } from './options.ts';
import { PushDelivery } from './push-delivery.ts';
import { restRoutes } from './rest.ts';
import type { Scope } from './scope.ts';

/**
 * Agents as A2A servers, protocol 1.0 and 0.3: `agentServer({ agents, protocols: [a2a()] })`. Each agent has a card and an
 * endpoint for both bindings at `/a2a/<name>`; the card of the first is also at the root. A task is a run.
 *
 * @throws UserError, when a server mounts it, for agents that it does not have.
 */
export function a2a(options: A2AOptions = {}): Protocol {
  const madeAt = Date.now();
  return { name: 'a2a', handlers: (host) => routes(options, host, madeAt) };
}

function routes(options: A2AOptions, host: ProtocolHost, madeAt: number): readonly ProtocolRoute[] {
  const { path = '/a2a', cardMaxAgeSeconds: maxAgeSeconds = 300 } = options;
  if (path !== '' && !/^(\/[A-Za-z0-9._~-]+)*$/.test(path)) {
    throw new UserError(`a2a() has the path ${JSON.stringify(path)}. Write it like '/a2a'.`);
  }
  const push = pushOf(options, host);
  let closing: AbortSignal | undefined;
  host.whenServing((signal) => {
    closing = signal;
  });
  const scopes = [...chosen(options, host)].map(([name, own]) =>
    scopeOf({ name, own, path }, options, host, { push, closing: () => closing }),
  );
  const root = options.rootAgent ?? scopes[0]?.name;
  const rooted = scopes.find(({ name }) => name === root);
  if (rooted === undefined) {
    throw new UserError(
      `a2a() has rootAgent ${JSON.stringify(root)}, which it does not serve. Agents: ${scopes.map(({ name }) => name).join(', ')}.`,
    );
  }
  const cards = { maxAgeSeconds, madeAt };
  return [
    ...cardRoutes(rooted, '', cards),
    ...scopes.flatMap((scope) => {
      const base = `${path}/${scope.name}`;
      return [
        ...cardRoutes(scope, base, cards),
        { method: 'POST', path: base, handler: jsonRpc(scope) },
        ...restRoutes(scope, base),
      ];
    }),
  ];
}

/** The agents that are served, with what their cards say beside. */
function chosen(
  { agents }: A2AOptions,
  { runners }: ProtocolHost,
): ReadonlyMap<string, A2AAgentOptions> {
  if (agents === undefined) {
    const conversational = Object.entries(runners).filter(
      ([, { agent }]) => agent.enableConversationalAgent,
    );
    if (conversational.length === 0) {
      throw new UserError(
        'a2a() has no agent to serve: all have enableConversationalAgent: false. Name those to serve in agents.',
      );
    }
    return new Map(conversational.map(([name]) => [name, {}]));
  }
  const named = isList(agents) ? agents.map((name) => [name, {}] as const) : Object.entries(agents);
  for (const [name] of named) {
    if (runners[name] !== undefined) continue;
    throw new UserError(
      `a2a() serves agent ${JSON.stringify(name)}, which the server does not have. Agents: ${Object.keys(runners).join(', ')}.`,
    );
  }
  return new Map(named);
}

function isList(agents: NonNullable<A2AOptions['agents']>): agents is readonly string[] {
  return Array.isArray(agents);
}

function scopeOf(
  {
    name,
    own,
    path,
  }: { readonly name: string; readonly own: A2AAgentOptions; readonly path: string },
  options: A2AOptions,
  host: ProtocolHost,
  { push, closing }: Pick<Scope, 'push' | 'closing'>,
): Scope {
  const runner = host.runners[name];
  if (runner === undefined) throw new UserError(`There is no agent ${name}.`);
  const { agent } = runner;
  const can = { pushNotifications: push !== undefined };
  return {
    name,
    agent,
    runner,
    host,
    push,
    closing,
    accepts: acceptsOneOf(inputModesOf(own)),
    card: (origin) => cardOf(agent, { name, url: `${origin}${path}/${name}` }, options, own, can),
    hasExtendedCard: options.extendedCard !== undefined,
    extendedCard: (card, principal) => options.extendedCard?.(card, principal),
  };
}

function pushOf({ pushNotifications }: A2AOptions, host: ProtocolHost): PushDelivery | undefined {
  if (pushNotifications === false) return undefined;
  const {
    trustedOrigins = [],
    timeoutMs = 15_000,
    maxFailures = 8,
    retryMs = 1_000,
    takeOverMs = 60_000,
  } = pushNotifications ?? {};
  for (const origin of trustedOrigins) {
    if (URL.canParse(origin) && new URL(origin).origin === origin) continue;
    throw new UserError(
      `trustedOrigins has ${JSON.stringify(origin)}. Write origins, like 'http://127.0.0.1:4000'.`,
    );
  }
  return new PushDelivery(host, {
    trustedOrigins: new Set(trustedOrigins),
    timeoutMs,
    maxFailures,
    retryMs,
    takeOverMs,
  });
}
