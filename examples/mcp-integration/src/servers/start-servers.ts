import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { serve } from '@agent-functions/server/node';
import { weatherHttp } from './weather-http.ts';
import { weatherSse } from './weather-sse.ts';

/** Starts the two servers that agents reach by URL, on free ports of this machine. */
export async function startServers(): Promise<{
  readonly httpUrl: string;
  readonly sseUrl: string;
  close(): Promise<void>;
}> {
  const http = await serve(weatherHttp, { port: 0 });
  const sse = weatherSse().listen(0, '127.0.0.1');
  await once(sse, 'listening');
  const { port } = sse.address() as AddressInfo;
  return {
    httpUrl: `${http.url}/mcp`,
    sseUrl: `http://127.0.0.1:${port}/sse`,
    close: async () => {
      sse.closeAllConnections();
      sse.close();
      await http.close({ graceMs: 0 });
    },
  };
}
