import { fork } from 'node:child_process';
import { join } from 'node:path';
import { noUsage, type ToolContext } from '../packages/core/dist/index.js';
import { mcpTools } from '../packages/mcp/dist/index.js';
import {
  Client,
  StreamableHTTPClientTransport,
} from '../packages/mcp/node_modules/@modelcontextprotocol/client/dist/index.mjs';
import { ratioOf } from './rounds.ts';

/** M1: a call of an MCP tool by ours, to the SDK's bare `callTool`, in processor time of the client. */
export async function measureMcp(): Promise<number | undefined> {
  const server = fork(join(import.meta.dirname, 'mcp-server.ts'));
  const port = await new Promise((resolve) => {
    server.once('message', resolve);
  });
  const url = `http://127.0.0.1:${String(port)}/mcp`;
  const client = new Client(
    { name: 'bench', version: '1.0.0' },
    { versionNegotiation: { mode: 'auto' } },
  );
  await client.connect(new StreamableHTTPClientTransport(new URL(url)));
  const source = mcpTools({ url });
  const { signal } = new AbortController();
  const [tool] = await source.listTools({ signal, agent: 'bench' });
  const context: ToolContext = {
    context: undefined,
    runId: 'bench',
    requestContext: {},
    usage: noUsage,
    agentPath: ['bench'],
    signal,
    callId: 'f0.t1.c1',
    toolName: 'add',
    messages: [],
    idempotencyKey: 'bench/f0.t1.c1',
    progress: () => undefined,
    warn: () => undefined,
    checkpoint: () => Promise.resolve(),
  };
  const bare = async (a: number, b: number): Promise<unknown> => {
    const onprogress = (): void => undefined;
    const { content } = await client.callTool(
      { name: 'add', arguments: { a, b } },
      { signal, onprogress },
    );
    return content[0]?.type === 'text' ? content[0].text : undefined;
  };
  const ours = async (a: number, b: number): Promise<unknown> => tool?.execute({ a, b }, context);
  const samples: { readonly [name: string]: number[] } = { bare: [], ours: [] };
  try {
    for (let round = -2; round < rounds; round += 1) {
      const order = round % 2 === 0 ? (['bare', 'ours'] as const) : (['ours', 'bare'] as const);
      for (const name of order) {
        const processor = await batch(name === 'bare' ? bare : ours);
        if (round >= 0) samples[name]?.push(processor);
      }
    }
  } finally {
    await Promise.all([client.close(), source.close()]);
    server.disconnect();
  }
  return ratioOf(samples['ours'], samples['bare'], (each) => each);
}

const rounds = 11;
const calls = 400;
const together = 10;

/** Processor time of this process for a batch of calls, each of which must be right. */
async function batch(call: (a: number, b: number) => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage();
  for (let made = 0; made < calls; made += together) {
    await Promise.all(
      Array.from({ length: together }, async (_, index) => {
        const sum = await call(made, index);
        if (sum !== String(made + index)) throw new Error(`${made} + ${index} is ${String(sum)}`);
      }),
    );
  }
  const { user, system } = process.cpuUsage(before);
  return user + system;
}
