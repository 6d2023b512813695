import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { AgentCard, TaskState, type Part, type Task } from '@a2a-js/sdk';
import {
  AgentEvent,
  DefaultRequestHandler,
  InMemoryTaskStore,
  JsonRpcTransportHandler,
  ServerCallContext,
  type AgentExecutor,
} from '@a2a-js/sdk/server';
import { a2a } from '../packages/a2a/dist/index.js';
import { Agent, type Model } from '../packages/core/dist/index.js';
import { agentServer } from '../packages/server/dist/index.js';
import { serve } from '../packages/server/dist/node/index.js';
import { runLoop } from './adapters/loop.ts';
import { modelFor } from './model.ts';
import { instructions, turns, type Workload } from './workloads.ts';

/**
 * One A2A server in a process of its own: `node a2a-servers.ts ours`. Tells its port, then how much processor time it has
 * used, in microseconds, whenever it is asked.
 */
const workloads: readonly (readonly [string, Workload])[] = [
  ['turn', turns()],
  ['stream', { kind: 'deltas', count: 200 }],
];

/** Ours, with its default settings: tasks are runs of the store. */
async function ours(): Promise<number> {
  const agents = workloads.map(([name, workload]) => {
    const model: Model = { provider: 'double', modelId: 'zero', ...modelFor(workload) };
    return new Agent({ name, instructions, model });
  });
  return (await serve(agentServer({ agents, protocols: [a2a()] }), { port: 0 })).port;
}

/** The SDK's handlers on `node:http`, its store in memory, and the loop by hand. */
function sdk(): Promise<number> {
  const handlers = new Map(
    workloads.map(([name, workload]) => [`/a2a/${name}`, handlerOf(name, workload)]),
  );
  const server = createServer((request, response) => {
    const handler = handlers.get(request.url ?? '');
    if (handler === undefined) {
      response.writeHead(404).end();
      return;
    }
    answer(handler, request, response).catch((error: unknown) => {
      console.error(error);
      response.destroy();
    });
  });
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}

function handlerOf(name: string, workload: Workload): JsonRpcTransportHandler {
  const card = AgentCard.fromJSON({ name, version: '1', capabilities: { streaming: true } });
  const executor = executorOf(workload);
  return new JsonRpcTransportHandler(
    new DefaultRequestHandler(card, new InMemoryTaskStore(), executor),
  );
}

function executorOf(workload: Workload): AgentExecutor {
  const agent = { model: modelFor(workload), instructions, tools: new Map(), specs: [] };
  return {
    async execute({ userMessage, taskId, contextId }, bus) {
      const ids = { taskId, contextId, metadata: undefined };
      const task: Task = {
        id: taskId,
        contextId,
        status: statusOf(TaskState.TASK_STATE_WORKING),
        artifacts: [],
        history: [userMessage],
        metadata: undefined,
      };
      bus.publish(AgentEvent.task(task));
      // A model takes its time: the first event gets out before the first delta.
      await new Promise((resolve) => setImmediate(resolve));
      let pieces = 0;
      const show = (text: string): void => {
        const artifact = {
          artifactId: 'answer',
          name: '',
          description: '',
          parts: [textPart(text)],
          metadata: undefined,
          extensions: [],
        };
        bus.publish(
          AgentEvent.artifactUpdate({ ...ids, artifact, append: pieces > 0, lastChunk: false }),
        );
        pieces += 1;
      };
      const said = userMessage.parts.map(({ content }) => String(content?.value ?? '')).join('');
      const text = await runLoop(agent, [], said, workload.kind === 'deltas' ? show : undefined);
      if (pieces === 0) show(text);
      const status = statusOf(TaskState.TASK_STATE_COMPLETED);
      bus.publish(AgentEvent.statusUpdate({ ...ids, status }));
    },
    cancelTask: () => Promise.resolve(),
  };
}

function statusOf(state: TaskState): NonNullable<Task['status']> {
  return { state, message: undefined, timestamp: new Date().toISOString() };
}

function textPart(value: string): Part {
  return {
    content: { $case: 'text', value },
    metadata: undefined,
    filename: '',
    mediaType: 'text/plain',
  };
}

async function answer(
  handler: JsonRpcTransportHandler,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const body = Buffer.concat(chunks).toString();
  const context = new ServerCallContext({ requestedVersion: '1.0' });
  const answered = await handler.handle(body, context);
  if (!(Symbol.asyncIterator in answered)) {
    const text = JSON.stringify(answered);
    response.writeHead(200, {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(text),
    });
    response.end(text);
    return;
  }
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
  for await (const event of answered) response.write(`data: ${JSON.stringify(event)}\n\n`);
  response.end();
}

const kinds: Readonly<Record<string, () => Promise<number>>> = { ours, sdk };
const start = kinds[process.argv[2] ?? ''];
if (start !== undefined) {
  process.send?.(await start());
  process.on('message', () => {
    const { user, system } = process.cpuUsage();
    process.send?.(user + system);
  });
  process.on('disconnect', () => process.exit());
}
