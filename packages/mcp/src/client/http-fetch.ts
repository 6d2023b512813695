import { UserError } from '@agent-functions/core';
import { isSecretHeader, mustBeSafe } from './credentials.ts';
import { cancelledId, idOf } from './message-id.ts';
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
  const underWay = new Map<string | number, () => void>();
  return async (url, init = {}) => {
    const target = new URL(url);
    const own = target.origin === server.origin;
    const headers = new Headers(init.headers);
    const secret = own ? await addHeaders(headers, reach) : false;
    const carriesToken = secret || headers.has('authorization');
    if (carriesToken) mustBeSafe(`MCP server ${options.name}`, target);
    const send = reach.fetch ?? globalThis.fetch;
    const asked = {
      ...init,
      headers,
      ...(carriesToken ? { redirect: 'error' as const } : {}),
    };
    const id = own ? idOf(init.body) : undefined;
    if (id === undefined) {
      const response = await send(url, asked);
      if (!own) return response;
      // Told of it, a server stops; one that keeps no sessions sees it by the request that ends.
      const cancelled = cancelledId(init.body);
      if (cancelled !== undefined) underWay.get(cancelled)?.();
      return limited(response, { ...options, id });
    }
    const request = new Abandonable(init.signal);
    underWay.set(id, () => request.abandon());
    const ended = (): void => {
      underWay.delete(id);
      request.end();
    };
    try {
      const response = await send(url, { ...asked, signal: request.signal });
      return limited(response, { ...options, id, over: request.signal, ended });
    } catch (error) {
      ended();
      throw error;
    }
  };
}

/** A request that ends with its transport, or when nobody waits for its answer any more. */
class Abandonable {
  readonly #own = new AbortController();
  readonly #transport: AbortSignal | null | undefined;
  readonly #follow = (): void => this.#own.abort(this.#transport?.reason);

  constructor(transport: AbortSignal | null | undefined) {
    this.#transport = transport;
    if (transport?.aborted === true) this.#follow();
    else transport?.addEventListener('abort', this.#follow, { once: true });
  }

  get signal(): AbortSignal {
    return this.#own.signal;
  }

  abandon(): void {
    this.#own.abort(new Error('Nobody waits for the answer.'));
  }

  end(): void {
    this.#transport?.removeEventListener('abort', this.#follow);
  }
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
