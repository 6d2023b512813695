import { toolSourceContract, type ToolSourceUnderTest } from '@agent-functions/core/testing';
import { InMemoryTransport } from '@modelcontextprotocol/sdk/inMemory.js';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { firstLineServer } from '../../test/client/first-line-server.ts';
import { fixture, HttpServerProcess } from '../../test/client/processes.ts';
import { mcpTools } from './mcp-server.ts';

const test = { describe, it, beforeAll, afterAll };
const works = { toolName: 'add', input: { a: 20, b: 22 }, says: '42' };
const misfit = { toolName: 'add', input: { a: 'twenty', b: 22 } };
const fails = { toolName: 'fail', input: {}, says: 'The disk is full.' };

// The contract aborts before the call has left: that a server is told is seen in both-lines.test.ts.
const slow = { toolName: 'slow', input: {} };

for (const line of ['first', 'second']) {
  toolSourceContract(test, `MCP over stdio, a server of the ${line} line`, async () => {
    const source = mcpTools({
      command: process.execPath,
      args: [...fixture(`${line}-line-server.ts`), 'stdio'],
      reconnect: { minMs: 10 },
    });
    const made: ToolSourceUnderTest = {
      source,
      works,
      misfit,
      fails,
      slow,
      dispose: () => source.close(),
    };
    return made;
  });

  toolSourceContract(test, `MCP over HTTP, a server of the ${line} line`, async () => {
    const server = await HttpServerProcess.start([...fixture(`${line}-line-server.ts`), 'http']);
    const source = mcpTools({ url: `http://127.0.0.1:${server.port}/mcp`, timeoutMs: 5_000 });
    const made: ToolSourceUnderTest = {
      source,
      works,
      misfit,
      fails,
      slow,
      goAway: () => server.kill(),
      dispose: async () => {
        await source.close();
        await server.kill();
      },
    };
    return made;
  });
}

toolSourceContract(test, 'MCP by a client that was handed in', async () => {
  const [near, far] = InMemoryTransport.createLinkedPair();
  const server = firstLineServer();
  const client = new Client({ name: 'app', version: '1.0.0' });
  await Promise.all([server.connect(far), client.connect(near)]);
  const source = mcpTools({ client });
  return {
    source,
    works,
    misfit,
    fails,
    slow,
    goAway: () => server.close(),
    dispose: () => source.close(),
  };
});
