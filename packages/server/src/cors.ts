/** Cross-origin rules: a preflight answer, and the headers of every other. */
export interface Cors {
  preflight(request: Request, methods: readonly string[]): Response;
  apply(request: Request, response: Response): Response;
}

const requestHeaders =
  'authorization, content-type, accept, last-event-id, x-stream, x-functions-key, traceparent';
const exposedHeaders = 'location, retry-after';

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
      const origin = allowed(request);
      const headers = new Headers({ vary: 'origin' });
      if (origin !== undefined) {
        headers.set('access-control-allow-origin', origin);
        headers.set('access-control-allow-methods', methods.join(', '));
        headers.set('access-control-allow-headers', requestHeaders);
        headers.set('access-control-max-age', '600');
      }
      return new Response(null, { status: 204, headers });
    },
    apply(request, response) {
      const origin = allowed(request);
      // A response of `fetch()` or `Response.redirect()` has headers that cannot be changed.
      const own = new Response(response.body, response);
      own.headers.append('vary', 'origin');
      if (origin === undefined) return own;
      own.headers.set('access-control-allow-origin', origin);
      own.headers.set('access-control-expose-headers', exposedHeaders);
      return own;
    },
  };
}
