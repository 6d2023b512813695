import { Answer } from './answer.ts';
import type { Reply } from './routes.ts';

/** Cross-origin rules: a preflight answer, and the headers of every other. */
export interface Cors {
  preflight(request: Request, methods: readonly string[]): Answer;
  apply(request: Request, reply: Reply): Reply;
}

const requestHeaders =
  'authorization, content-type, accept, last-event-id, x-stream, x-functions-key, traceparent, idempotency-key, prefer';
const exposedHeaders = 'location, retry-after, idempotency-replayed, preference-applied';

/** Those of the API, and what the page asks for besides: protocols have headers of their own. */
function headersFor(request: Request): string {
  const asked = request.headers.get('access-control-request-headers')?.toLowerCase() ?? '';
  const names = new Set(requestHeaders.split(', '));
  for (const name of asked.split(',')) {
    const plain = name.trim();
    if (/^[a-z0-9-]{1,64}$/.test(plain)) names.add(plain);
  }
  return [...names].join(', ');
}

/** @param origins Exact origins (`https://app.example.com`), or `*`. */
export function cors(origins: readonly string[]): Cors {
  const all = origins.includes('*');
  const allowed = (request: Request): string | undefined => {
    const origin = request.headers.get('origin');
    if (origin === null) return undefined;
    if (all) return '*';
    return origins.includes(origin) ? origin : undefined;
  };
  return {
    preflight(request, methods) {
      const headers = {
        'access-control-allow-methods': methods.join(', '),
        'access-control-allow-headers': headersFor(request),
        'access-control-max-age': '600',
      };
      return new Answer(null, {
        status: 204,
        headers: allowed(request) === undefined ? {} : headers,
      });
    },
    apply(request, reply) {
      const origin = allowed(request);
      const headers = {
        vary: 'origin',
        ...(origin === undefined
          ? {}
          : {
              'access-control-allow-origin': origin,
              'access-control-expose-headers': exposedHeaders,
            }),
      };
      if (reply instanceof Answer) return reply.with(headers);
      // A response of `fetch()` or `Response.redirect()` has headers that cannot be changed.
      const own = new Response(reply.body, reply);
      for (const [name, value] of Object.entries(headers)) own.headers.append(name, value);
      return own;
    },
  };
}
