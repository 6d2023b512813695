import { ratiosOver, type ServerRatios } from './server.ts';
import { sampled, ServerProcess, type Ask } from './server-process.ts';
import { question } from './workloads.ts';

const ask: Ask = (agent) => ({
  path: `/a2a/${agent}`,
  headers: { 'a2a-version': '1.0' },
  body: JSON.stringify({
    jsonrpc: '2.0',
    id: 1,
    method: agent === 'stream' ? 'SendStreamingMessage' : 'SendMessage',
    params: {
      message: {
        messageId: crypto.randomUUID(),
        role: 'ROLE_USER',
        parts: [{ text: question }],
      },
    },
  }),
});

/** A1: our A2A server over a bare one of the official SDK, JSON-RPC. @throws Error when one does not answer as it should. */
export async function measureA2A(): Promise<ServerRatios> {
  const servers = await Promise.all(
    ['ours', 'sdk'].map((kind) => ServerProcess.start('a2a-servers.ts', kind, ask)),
  );
  const samples = await sampled(servers, 9, { requests: 400, streams: 60, firstBytes: 40 });
  return ratiosOver(samples, 'ours', 'sdk');
}
