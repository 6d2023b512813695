/** Responses that make trouble, and what makes them. */
const encoder = new TextEncoder();

export function eventStream(body: ReadableStream<Uint8Array>): Response {
  return new Response(body, { headers: { 'content-type': 'text/event-stream' } });
}

export function events(chunks: readonly string[], error?: Error): Response {
  return eventStream(broken(chunks, error));
}

/** A body that gives these chunks, then ends, or fails. */
export function broken(chunks: readonly string[], error?: Error): ReadableStream<Uint8Array> {
  const left = [...chunks];
  return new ReadableStream(
    {
      async pull(controller) {
        await new Promise(setImmediate);
        const next = left.shift();
        if (next !== undefined) controller.enqueue(encoder.encode(next));
        else if (error === undefined) controller.close();
        else throw error;
      },
    },
    { highWaterMark: 0 },
  );
}

export function cookies(): Response {
  const response = new Response('ok', {
    headers: { connection: 'close, x-secret-hop', 'x-secret-hop': '1', 'x-kept': 'yes' },
  });
  response.headers.append('set-cookie', 'a=1; Path=/; HttpOnly');
  response.headers.append('set-cookie', 'b=x%20y');
  return response;
}

export function forever(): Promise<never> {
  return new Promise(() => undefined);
}

export function inChunks(parts: readonly string[]): RequestInit {
  return {
    method: 'POST',
    headers: { 'content-type': 'text/plain' },
    body: broken(parts),
    duplex: 'half',
  };
}

/** The header as App Service Authentication writes it. */
export function principalOf(oid: string, roles: readonly string[] = []): string {
  const claims = [
    { typ: 'http://schemas.microsoft.com/identity/claims/objectidentifier', val: oid },
    ...roles.map((val) => ({ typ: 'roles', val })),
  ];
  return Buffer.from(JSON.stringify({ auth_typ: 'aad', claims })).toString('base64');
}
