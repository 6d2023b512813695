import { isIP } from 'node:net';
import type { Served } from '@agent-functions/server/node';

const everyAddress = new Set(['0.0.0.0', '::']);

/**
 * The server, for requests that name this machine in `Host`. A page of another site can make its own name resolve to
 * 127.0.0.1 (DNS rebinding) and would then be of the same origin; its `Host` gives it away. A development server often
 * has no other door.
 */
export function onlyHosts(
  server: Served,
  options: { readonly host: string; readonly allowed: readonly string[] },
): Served {
  const isAllowed = hostCheck(options);
  return {
    fetch: async (request, context) => {
      const host = request.headers.get('host') ?? '';
      return isAllowed(host) ? server.fetch(request, context) : refusal(host);
    },
    start: () => server.start?.(),
    close: async (closing) => server.close?.(closing),
  };
}

/** Whether a `Host` header, with any port, names this machine. */
export function hostCheck(options: {
  readonly host: string;
  readonly allowed: readonly string[];
}): (header: string) => boolean {
  const names = new Set(
    ['localhost', '127.0.0.1', '::1', options.host, ...options.allowed].map((name) =>
      withoutBrackets(name.toLowerCase()),
    ),
  );
  return (header) => {
    const name = withoutBrackets(header.toLowerCase().replace(/:\d+$/, ''));
    // Who serves every address is asked by address, and no name can be made to resolve to a header with an address.
    return names.has(name) || (everyAddress.has(options.host) && isIP(name) !== 0);
  };
}

function withoutBrackets(name: string): string {
  return name.replace(/^\[(.*)\]$/, '$1');
}

function refusal(host: string): Response {
  const name = /^[\w.:[\]-]{1,255}$/.test(host) ? host.replace(/:\d+$/, '') : '<name>';
  const body = {
    type: 'urn:agent-functions:problem:host-not-allowed',
    title: 'Forbidden',
    status: 403,
    detail: `The development server answers requests to this machine, and this one names another host. If it is yours: agent-functions dev --allow-host ${name}`,
    code: 'host_not_allowed',
  };
  return new Response(JSON.stringify(body), {
    status: 403,
    headers: { 'content-type': 'application/problem+json', 'cache-control': 'no-store' },
  });
}
