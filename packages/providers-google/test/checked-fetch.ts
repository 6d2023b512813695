import { problemsOf } from './validate-request.ts';

/** A `fetch` that sends to a server of somebody else, and what the vendor would have refused of what it sent. */
export function checkedFetch(): {
  readonly fetch: typeof globalThis.fetch;
  /** The bodies, byte for byte. */
  readonly bodies: readonly string[];
  readonly problems: readonly string[];
} {
  const bodies: string[] = [];
  const problems: string[] = [];
  return {
    bodies,
    problems,
    async fetch(input, init) {
      const request = new Request(input, init);
      const { pathname, search } = new URL(request.url);
      const body = await request.clone().text();
      bodies.push(body);
      const { method } = request;
      const headers = Object.fromEntries(request.headers);
      problems.push(...problemsOf({ method, url: pathname + search, headers, body }));
      return globalThis.fetch(request);
    },
  };
}
