import type { Principal } from '@agent-functions/core';
import type { RequestHost } from './host.ts';
import type { AgentServerOptions } from './options.ts';
import { Problem } from './problem.ts';
import { reasonOf } from './reason.ts';

/**
 * Who asks: what `authenticate` says, else what the host knows. A `Response` is the app's own answer.
 *
 * @param open The route is for everybody: nobody is refused.
 * @throws Problem 401 without a principal where one is needed.
 */
export async function principalOf(
  options: Pick<AgentServerOptions, 'authenticate' | 'allowAnonymous'>,
  request: Request,
  host: RequestHost,
  open: boolean,
): Promise<{ readonly principal: Principal | undefined } | Response> {
  if (options.authenticate === undefined) return { principal: host.principal };
  let said: Principal | Response | undefined;
  try {
    said = await options.authenticate(request);
  } catch (error) {
    host.log('warn', 'authenticate() threw; the caller is refused', reasonOf(error));
    if (open) return { principal: undefined };
    throw unauthorized();
  }
  if (said instanceof Response) return open ? { principal: undefined } : said;
  const principal = said ?? host.principal;
  if (principal === undefined) {
    if (open || options.allowAnonymous === true) return { principal };
    throw unauthorized();
  }
  if (typeof principal.id !== 'string' || principal.id === '') {
    host.log('error', 'authenticate() returned a principal without an id');
    throw unauthorized();
  }
  return { principal };
}

function unauthorized(): Problem {
  return new Problem(
    401,
    'unauthorized',
    'The request names no caller that this server accepts. Send the credentials that it asks for.',
    { headers: { 'www-authenticate': 'Bearer' } },
  );
}
