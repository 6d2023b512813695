import { createServer, type Server } from 'node:http';

export interface EffectsServer {
  readonly url: string;
  readonly counts: ReadonlyMap<string, number>;
  close(): Promise<void>;
}

/** Counts effects by key, outside of every process that may die. */
export async function effectsServer(): Promise<EffectsServer> {
  const counts = new Map<string, number>();
  const server: Server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://localhost');
    if (request.method === 'GET') {
      response.end(String(counts.get(url.searchParams.get('key') ?? '') ?? 0));
      return;
    }
    let body = '';
    request.setEncoding('utf8');
    request.on('data', (chunk: string) => {
      body += chunk;
    });
    request.on('end', () => {
      const { key }: { key: string } = JSON.parse(body);
      counts.set(key, (counts.get(key) ?? 0) + 1);
      response.end('ok');
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    counts,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
