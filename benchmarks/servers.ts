import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Agent, memoryStore, Runner, type Model } from '../packages/core/dist/index.js';
import { agentServer } from '../packages/server/dist/index.js';
import { serve } from '../packages/server/dist/node/index.js';
import { runLoop } from './adapters/loop.ts';
import { modelFor } from './model.ts';
import { instructions, turns, type Workload } from './workloads.ts';

/**
 * One HTTP server in a process of its own: `node servers.ts ours`. Tells its port, then how much processor time it has
 * used, in microseconds, whenever it is asked.
 */
const turn = turns();
export const streamed: Workload = { kind: 'deltas', count: 200 };

const agentOf = (workload: Workload, name: string): Agent => {
  const model: Model = { provider: 'double', modelId: 'zero', ...modelFor(workload) };
  return new Agent({ name, instructions, model });
};

/** Ours, with its default settings. */
async function ours(): Promise<number> {
  const agents = [agentOf(turn, 'turn'), agentOf(streamed, 'stream')];
  return (await serve(agentServer({ agents }), { port: 0 })).port;
}

/** `node:http` and the loop by hand: JSON in and out, a frame for each piece of a stream. */
function floor(): Promise<number> {
  const agents = {
    turn: { model: modelFor(turn), instructions, tools: new Map(), specs: [] },
    stream: { model: modelFor(streamed), instructions, tools: new Map(), specs: [] },
  };
  return byHand(async (message, name, response) => {
    if (name === 'turn') {
      sendJson(response, { response: await runLoop(agents.turn, [], message) });
      return;
    }
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
    let id = 0;
    const text = await runLoop(agents.stream, [], message, (delta) => {
      id += 1;
      response.write(`event: delta\nid: ${id}\ndata: ${JSON.stringify({ delta })}\n\n`);
    });
    response.end(`event: done\ndata: ${JSON.stringify({ response: text })}\n\n`);
  });
}

/** `node:http` by hand around our runner with a store: what is left is the server alone. */
function runner(): Promise<number> {
  const runners = {
    turn: new Runner(agentOf(turn, 'turn'), { store: memoryStore() }),
    stream: new Runner(agentOf(streamed, 'stream'), { store: memoryStore() }),
  };
  let sessions = 0;
  return byHand(async (message, name, response) => {
    sessions += 1;
    const sessionId = `session${sessions}`;
    if (name === 'turn') {
      sendJson(response, (await runners.turn.run({ message, sessionId })).toJSON());
      return;
    }
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
    let id = 0;
    for await (const event of runners.stream.stream({ message, sessionId })) {
      id += 1;
      response.write(`event: ${event.type}\nid: ${id}\ndata: ${JSON.stringify(event)}\n\n`);
    }
    response.end();
  });
}

function byHand(
  answer: (message: string, name: string, response: ServerResponse) => Promise<void>,
): Promise<number> {
  const server = createServer((request, response) => {
    read(request)
      .then(({ message }) => answer(message, request.url?.split('/')[3] ?? '', response))
      .catch((error: unknown) => {
        console.error(error);
        response.destroy();
      });
  });
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}

function read(request: IncomingMessage): Promise<{ readonly message: string }> {
  return new Promise((resolve, reject) => {
    let text = '';
    request.setEncoding('utf8');
    request.on('data', (chunk: string) => {
      text += chunk;
    });
    request.on('error', reject);
    request.on('end', () => resolve(JSON.parse(text)));
  });
}

function sendJson(response: ServerResponse, body: object): void {
  const text = JSON.stringify(body);
  response.writeHead(200, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
  });
  response.end(text);
}

const kinds: Readonly<Record<string, () => Promise<number>>> = { ours, floor, runner };
const start = kinds[process.argv[2] ?? ''];
if (start !== undefined) {
  process.send?.(await start());
  process.on('message', () => {
    const { user, system } = process.cpuUsage();
    process.send?.(user + system);
  });
  process.on('disconnect', () => process.exit());
}
