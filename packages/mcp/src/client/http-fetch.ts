import { UserError } from '@agent-functions/core';
import { isSecretHeader, mustBeSafe } from './credentials.ts';
import { limited } from './limited-body.ts';
import type { HttpReach } from './settings.ts';

type Fetch = (url: string | URL, init?: RequestInit) => Promise<Response>;

/**
 * The fetch of one server: puts headers and tokens on requests to its origin, and to no other; sends them over https or
 * to this machine only, and follows no redirect with them; reads no message above the limit.
 */
export function serverFetch(
  reach: HttpReach,
  options: {
    readonly name: string;
    readonly maxMessageBytes: number;
    /** A message that nobody's request can be told of was too large. */
    readonly tooLarge: () => void;
  },
): Fetch {
  const server = new URL(reach.url);
  return async (url, init = {}) => {
    const target = new URL(url);
    const own = target.origin === server.origin;
    const headers = new Headers(init.headers);
    const secret = own ? await addHeaders(headers, reach) : false;
    const carriesToken = secret || headers.has('authorization');
    if (carriesToken) mustBeSafe(`MCP server ${options.name}`, target);
    const response = await (reach.fetch ?? globalThis.fetch)(url, {
      ...init,
      headers,
      ...(carriesToken ? { redirect: 'error' } : {}),
    });
    return own ? limited(response, { ...options, request: init }) : response;
  };
}

/** Whether one of the headers is a secret. */
async function addHeaders(headers: Headers, reach: HttpReach): Promise<boolean> {
  let secret = false;
  for (const [name, value] of Object.entries(await reach.headers())) {
    // What the SDK set for the protocol, or by its OAuth provider, is not for us to change.
    if (!headers.has(name) || /^(user-agent|accept-language)$/i.test(name))
      headers.set(name, value);
    secret ||= isSecretHeader(name);
  }
  if (reach.credential !== undefined && reach.scope !== undefined) {
    const token = await reach.credential.getToken(reach.scope);
    if (token === null) {
      throw new UserError(`The credential has no token for scope ${JSON.stringify(reach.scope)}.`);
    }
    headers.set('authorization', `Bearer ${token.token}`);
    secret = true;
  }
  return secret;
}
