import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import {
  AgentCard,
  ListTasksResponse,
  Message,
  SendMessageRequest,
  StreamResponse,
  Task,
  TaskState,
} from '@a2a-js/sdk';
import { LegacyJsonRpcTransportHandler } from '@a2a-js/sdk/compat/v0_3/server';
import { restStatusFor, toRestErrorBody } from '@a2a-js/sdk/errors';
import {
  DefaultRequestHandler,
  InMemoryTaskStore,
  JsonRpcTransportHandler,
  ServerCallContext,
} from '@a2a-js/sdk/server';
import { PlainAgent } from './plain-agent.ts';

export interface PlainOptions {
  readonly binding?: 'JSONRPC' | 'HTTP+JSON' | undefined;
  readonly protocol?: '1.0' | '0.3';
  /** Default `true`. */
  readonly streaming?: boolean;
  /** `false`: the agent does not know the method. */
  readonly listTasks?: boolean;
  /** `true`: it answers a message when its work is done, whatever it is asked. */
  readonly blocks?: boolean;
  /** Called with each request; what it answers is sent instead. */
  readonly before?: (request: IncomingMessage) => { status: number; headers?: object } | undefined;
  /** Requests are cut off after they were done, while it answers `true`. */
  readonly cut?: (method: string) => boolean;
}

export interface PlainServer extends AsyncDisposable {
  readonly url: string;
  readonly agent: PlainAgent;
  /** Requests by method, in order. */
  readonly calls: string[];
  readonly headers: IncomingMessage['headers'][];
}

/** A server of the official SDK over `node:http`, with an agent of its own. */
export async function plainServer(options: PlainOptions = {}): Promise<PlainServer> {
  const { binding = 'JSONRPC', protocol = '1.0', streaming = true } = options;
  const agent = new PlainAgent();
  const calls: string[] = [];
  const headers: IncomingMessage['headers'][] = [];
  let handlers: Handlers | undefined;
  let card: unknown;
  const server = createServer((request, response) => {
    headers.push(request.headers);
    void answer(request, response).catch((error: unknown) => {
      if (!response.headersSent) response.writeHead(500);
      response.end(String(error));
    });
  });

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const instead = options.before?.(request);
    if (instead !== undefined) {
      response.writeHead(instead.status, { ...instead.headers }).end();
      return;
    }
    if (handlers === undefined) throw new Error('It listens.');
    if (request.url === '/.well-known/agent-card.json') {
      response.setHeader('content-type', 'application/json').end(JSON.stringify(card));
      return;
    }
    const text = await bodyOf(request);
    if (binding === 'HTTP+JSON') await rest(handlers, request, text, response);
    else await rpc(handlers, text, response);
  }

  async function rpc(to: Handlers, text: string, response: ServerResponse): Promise<void> {
    const body: { method: string; id: number; params?: Record<string, unknown> } = JSON.parse(text);
    calls.push(body.method);
    if (body.method === 'ListTasks' && options.listTasks === false) body.method = 'NoSuchMethod';
    unblock(body.params);
    const context = new ServerCallContext({ requestedVersion: protocol });
    const answered =
      protocol === '0.3'
        ? await to.legacy.handle({ ...body }, context)
        : await to.jsonRpc.handle({ ...body }, context);
    if (options.cut?.(body.method) === true) {
      response.destroy();
      return;
    }
    if (Symbol.asyncIterator in answered) await stream(response, answered);
    else response.setHeader('content-type', 'application/json').end(JSON.stringify(answered));
  }

  function unblock(params: Record<string, unknown> | undefined): void {
    if (options.blocks === true && params?.['configuration'] !== undefined) {
      params['configuration'] = {};
    }
  }

  async function rest(
    { requests }: Handlers,
    request: IncomingMessage,
    text: string,
    response: ServerResponse,
  ): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://here');
    const [, id = '', verb = ''] = /^\/tasks\/([^:]+)(?::(\w+))?$/.exec(pathname) ?? [];
    const method = `${request.method} ${id === '' ? pathname : `/tasks/{id}${verb}`}`;
    calls.push(method);
    const context = new ServerCallContext({ requestedVersion: protocol });
    try {
      const json = (value: unknown): void => {
        response.setHeader('content-type', 'application/a2a+json').end(JSON.stringify(value));
      };
      if (pathname === '/message:send') {
        const sent = await requests.sendMessage(
          SendMessageRequest.fromJSON(JSON.parse(text)),
          context,
        );
        json('messageId' in sent ? { message: Message.toJSON(sent) } : { task: Task.toJSON(sent) });
      } else if (pathname === '/tasks') {
        if (options.listTasks === false) response.writeHead(404).end();
        else {
          const contextId = searchParams.get('contextId') ?? '';
          const asked = {
            tenant: '',
            contextId,
            status: TaskState.TASK_STATE_UNSPECIFIED,
            pageToken: '',
            statusTimestampAfter: undefined,
          };
          json(ListTasksResponse.toJSON(await requests.listTasks(asked, context)));
        }
      } else if (verb === 'subscribe') {
        const updates = requests.resubscribe({ tenant: '', id }, context);
        const first = await updates.next();
        await stream(response, replay(first, updates));
      } else if (verb === 'cancel') {
        json(
          Task.toJSON(await requests.cancelTask({ tenant: '', id, metadata: undefined }, context)),
        );
      } else json(Task.toJSON(await requests.getTask({ tenant: '', id }, context)));
    } catch (error) {
      const status = restStatusFor(error);
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(toRestErrorBody(error, status)));
    }
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
  const known = AgentCard.fromJSON({
    name: 'Plain agent',
    description: 'Converts currencies.',
    version: '1',
    capabilities: { streaming },
    supportedInterfaces: [{ url: `${url}/`, protocolBinding: binding, protocolVersion: protocol }],
  });
  card =
    protocol === '1.0'
      ? AgentCard.toJSON(known)
      : {
          protocolVersion: '0.3.0',
          name: 'Plain agent',
          description: 'Converts currencies.',
          url: `${url}/`,
          preferredTransport: binding,
          version: '1',
          capabilities: { streaming },
          defaultInputModes: ['text/plain'],
          defaultOutputModes: ['text/plain'],
          skills: [],
        };
  const requests = new DefaultRequestHandler(known, new InMemoryTaskStore(), agent);
  handlers = {
    requests,
    jsonRpc: new JsonRpcTransportHandler(requests),
    legacy: new LegacyJsonRpcTransportHandler(requests),
  };
  return {
    url,
    agent,
    calls,
    headers,
    async [Symbol.asyncDispose]() {
      agent.release();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

interface Handlers {
  readonly requests: DefaultRequestHandler;
  readonly jsonRpc: JsonRpcTransportHandler;
  readonly legacy: LegacyJsonRpcTransportHandler;
}

async function* replay(
  first: IteratorResult<StreamResponse, void>,
  rest: AsyncGenerator<StreamResponse, void>,
): AsyncGenerator {
  if (first.done !== true) yield StreamResponse.toJSON(first.value);
  for await (const update of rest) yield StreamResponse.toJSON(update);
}

async function stream(response: ServerResponse, updates: AsyncIterable<unknown>): Promise<void> {
  response.setHeader('content-type', 'text/event-stream');
  for await (const update of updates) response.write(`data: ${JSON.stringify(update)}\n\n`);
  response.end();
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return text;
}
