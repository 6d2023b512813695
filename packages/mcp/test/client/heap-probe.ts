// 1,000 calls over one streamable HTTP connection, 50 at a time: what the heap grew by between call 200 and the last.
// Run with --expose-gc; prints one JSON line.
import { mcpTools } from '../../src/client/mcp-server.ts';
import { callContext, listed } from './runs.ts';

const [, , url = '', calls = '1000'] = process.argv;
const source = mcpTools({ url, name: 'heap' });
const tool = (await listed(source)).find(({ name }) => name === 'add');
if (tool === undefined) throw new Error('There is no tool add.');

async function make(count: number): Promise<number> {
  const begun = performance.now();
  for (let made = 0; made < count; made += 50) {
    await Promise.all(
      Array.from({ length: 50 }, (_, at) => tool?.execute({ a: made, b: at }, callContext())),
    );
  }
  return performance.now() - begun;
}

async function heap(): Promise<number> {
  // What a collection frees may be held by what runs after it.
  for (let round = 0; round < 5; round += 1) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    globalThis.gc?.();
  }
  return process.memoryUsage().heapUsed;
}

const rest = Number(calls) - 200;
await make(200);
const before = await heap();
const ms = await make(rest);
const grown = (await heap()) - before;
console.log(JSON.stringify({ bytesPerCall: Math.round(grown / rest), msPerCall: ms / rest }));
await source.close();
