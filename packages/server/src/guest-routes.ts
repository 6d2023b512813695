import {
  UserError,
  type Protocol,
  type ProtocolHost,
  type ProtocolRoute,
} from '@agent-functions/core';
import type { AppRoute, Runners } from './options.ts';
import type { Route } from './routes.ts';

/** Routes that came from outside: the app's own and the protocols'. @throws UserError for a path that is none. */
export function guestRoutes<C>(
  routes: readonly AppRoute<C>[],
  protocols: readonly Protocol[],
  runners: Runners<C>,
  protocolHost: ProtocolHost,
): readonly Route[] {
  const own = routes.map(({ method, path, handler }): Route => ({
    method: checkedMethod(method, path),
    path: checkedPath(path, 'The route'),
    name: 'app',
    handle: ({ request, principal, params, host }) =>
      handler(request, { runners, principal, params, host }),
  }));
  const others = protocols.flatMap((protocol) =>
    handlersOf(protocol, protocolHost).map(({ method = '*', path, open, handler }): Route => ({
      method,
      path: checkedPath(path, `The protocol ${protocol.name}`),
      name: protocol.name,
      open,
      handle: ({ request, principal, host }) => handler(request, host.as(principal)),
    })),
  );
  return [...own, ...others];
}

function handlersOf({ handlers }: Protocol, host: ProtocolHost): readonly ProtocolRoute[] {
  return typeof handlers === 'function' ? handlers(host) : handlers;
}

function checkedPath(path: string, whose: string): string {
  if (!/^\/([^{}?#\s]|\{[A-Za-z_]\w*\})*$/.test(path)) {
    throw new UserError(
      `${whose} has the path ${JSON.stringify(path)}. Write it from the root, with {name} for one segment: /api/reports/{id}.`,
    );
  }
  return path;
}

function checkedMethod(method: string, path: string): string {
  const upper = method.toUpperCase();
  if (!/^[A-Z]+$/.test(upper)) {
    throw new UserError(
      `The route ${path} has the method ${JSON.stringify(method)}. Write GET, POST, PUT, PATCH or DELETE.`,
    );
  }
  return upper;
}
