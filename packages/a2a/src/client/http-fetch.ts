import { UserError } from '@agent-functions/core';
import { keptToken, type KeptToken } from '@agent-functions/core/provider';
import { isSecretHeader, mustBeSafe } from './credentials.ts';
import { HttpStatusError, TooLargeError } from './errors.ts';
import type { Reach } from './options.ts';

export type Fetch = typeof globalThis.fetch;

/** Statuses that say all there is to say, whatever the body. */
const plainStatuses: ReadonlySet<number> = new Set([401, 403, 407, 408, 429, 502, 503, 504]);

/**
 * The fetch of one remote agent: sends requests to the origins that are allowed, and to no other; puts headers and tokens
 * on them over https or to this machine only; follows no redirect; reads no document above the limit.
 *
 * @param origins Asked with each request: what the card named may be allowed later than the card's own.
 */
export function remoteFetch(
  where: string,
  reach: Reach,
  origins: () => ReadonlySet<string>,
): Fetch {
  const token = tokenOf(where, reach);
  return async (input, init = {}) => {
    const url = new URL(input instanceof Request ? input.url : input);
    if (!origins().has(url.origin)) {
      throw new UserError(
        `The card of ${where} sends requests to ${url.origin}, which is not where it was found. If that is right, write trustedOrigins: ['${url.origin}'].`,
      );
    }
    const headers = new Headers(init.headers);
    const given = await addHeaders(headers, reach, token);
    if (given.secret) mustBeSafe(where, url);
    const response = await (reach.fetch ?? globalThis.fetch)(url, {
      ...init,
      headers,
      redirect: 'manual',
    });
    const { status } = response;
    const redirects = response.type === 'opaqueredirect' || (status >= 300 && status < 400);
    if (redirects || plainStatuses.has(status)) {
      await response.body?.cancel();
      if (status === 401 && given.token !== undefined) token?.drop(given.token);
      throw new HttpStatusError(redirects ? 302 : status, response.headers);
    }
    return limited(response, reach.maxMessageBytes);
  };
}

interface Given {
  /** One of the headers is a secret. */
  readonly secret: boolean;
  readonly token: string | undefined;
}

async function addHeaders(
  headers: Headers,
  reach: Reach,
  kept: KeptToken | undefined,
): Promise<Given> {
  let secret = false;
  for (const [name, value] of Object.entries(await reach.headers())) {
    headers.set(name, value);
    secret ||= isSecretHeader(name);
  }
  const token = (await kept?.get())?.token ?? (await reach.auth?.token());
  if (token !== undefined && token !== '') headers.set('authorization', `Bearer ${token}`);
  return { secret: secret || token !== undefined, token };
}

function tokenOf(where: string, { credential, scope }: Reach): KeptToken | undefined {
  if (credential === undefined || scope === undefined) return undefined;
  return keptToken(
    () => credential.getToken(scope),
    (what) =>
      new UserError(
        `The credential of ${where} ${what} for scope ${JSON.stringify(scope)}. Check who is logged in, and the scope.`,
      ),
  );
}

/** Events are limited one by one, by whoever reads them. */
function limited(response: Response, maxBytes: number): Response {
  const { body, status, statusText, headers } = response;
  if (body === null || headers.get('content-type')?.startsWith('text/event-stream') === true) {
    return response;
  }
  if (Number(headers.get('content-length') ?? 0) > maxBytes) {
    void body.cancel().catch(() => undefined);
    throw new TooLargeError(maxBytes);
  }
  let size = 0;
  const counted = body.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        size += chunk.length;
        if (size > maxBytes) controller.error(new TooLargeError(maxBytes));
        else controller.enqueue(chunk);
      },
    }),
  );
  return new Response(counted, { status, statusText, headers });
}
