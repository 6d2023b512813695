/**
 * A Functions host and worker in one process, around the real `@azure/functions`: what the Node worker gives the
 * library (`@azure/functions-core`), and what the host does with a request. It repeats the platform's traps, among them
 * that the caller's query and JSON body overwrite the trigger metadata, and that an invocation that fails in stream
 * mode leaves its request open.
 *
 * Import it before anything calls `app.*`.
 */
import { randomUUID } from 'node:crypto';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import Module from 'node:module';

type TypedData = Record<string, unknown>;

interface Metadata {
  readonly name: string;
  readonly bindings: Readonly<
    Record<
      string,
      {
        readonly type: string;
        readonly direction: string;
        readonly route?: string;
        readonly methods?: readonly string[];
        readonly authLevel?: string;
        readonly queueName?: string;
        readonly connection?: string;
      }
    >
  >;
}

type Callback = (...inputs: unknown[]) => unknown;
type Hook = (context: object) => unknown;

interface InvocationModel {
  getArguments(): Promise<{ context: object; inputs: unknown[] }>;
  invokeFunction(context: object, inputs: unknown[], callback: Callback): Promise<unknown>;
  getResponse(
    context: object,
    result: unknown,
  ): Promise<{ returnValue?: { http?: RpcHttp } | null }>;
}

interface RpcHttp {
  readonly statusCode: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly cookies?: readonly { readonly name: string; readonly value: string }[];
  readonly body?: { readonly bytes?: Uint8Array; readonly string?: string };
}

interface ProgrammingModel {
  readonly name: string;
  getCapabilities(capabilities: Record<string, string>): Promise<Record<string, string>>;
  getInvocationModel(context: object): InvocationModel;
}

export interface LogLine {
  readonly level: string;
  readonly category: string;
  readonly message: string;
  readonly invocationId?: string;
}

interface Registered {
  readonly functions: Map<string, { readonly metadata: Metadata; readonly callback: Callback }>;
  readonly hooks: Map<string, Hook[]>;
}

let model: ProgrammingModel | undefined;
let registered: Registered = { functions: new Map(), hooks: new Map() };
let logs: LogLine[] = [];

class Disposable {
  readonly #dispose: () => void;
  constructor(dispose: () => void) {
    this.#dispose = dispose;
  }
  dispose(): void {
    this.#dispose();
  }
}

const core = {
  version: '3.12.0',
  hostVersion: '4.1043.0',
  Disposable,
  setProgrammingModel(next: ProgrammingModel): void {
    model = next;
  },
  getProgrammingModel: (): ProgrammingModel | undefined => model,
  registerFunction(metadata: Metadata, callback: Callback): Disposable {
    const { functions } = registered;
    if (functions.has(metadata.name))
      throw new Error(`A function named ${metadata.name} is there already.`);
    functions.set(metadata.name, { metadata, callback });
    return new Disposable(() => functions.delete(metadata.name));
  },
  registerHook(name: string, hook: Hook): Disposable {
    const { hooks } = registered;
    hooks.set(name, [...(hooks.get(name) ?? []), hook]);
    return new Disposable(() => undefined);
  },
  log(level: string, category: string, message: string): void {
    logs.push({ level, category, message });
  },
};

let withWorker = true;
const original: unknown = Reflect.get(Module.prototype, 'require');
if (!isRequire(original)) throw new Error('Node has another module loader.');
Module.prototype.require = new Proxy(original, {
  apply: (target, self, [id]: [string]): unknown =>
    id === '@azure/functions-core' && withWorker ? core : Reflect.apply(target, self, [id]),
});

function isRequire(value: unknown): value is (id: string) => unknown {
  return typeof value === 'function';
}

/** Runs `body` as if there were no worker: `@azure/functions-core` cannot be required. */
export async function withoutWorker<T>(body: () => T | Promise<T>): Promise<T> {
  withWorker = false;
  try {
    return await body();
  } finally {
    withWorker = true;
  }
}

export interface HttpRoute {
  readonly name: string;
  readonly route: string;
  readonly methods: readonly string[];
  readonly authLevel: string;
}

export interface QueueFunction {
  readonly name: string;
  readonly queueName: string;
  /** The app setting that has the connection. */
  readonly connection: string;
}

export interface MiniHost {
  readonly url: string;
  /** Whether the library streams: it has opened its own HTTP server. */
  readonly streams: boolean;
  /** In the order in which the host matches them. */
  readonly routes: readonly HttpRoute[];
  /** The functions that queues trigger. */
  readonly queues: readonly QueueFunction[];
  /** What the host does with a message that it took from a queue. @throws what the function throws: it comes again. */
  deliver(
    functionName: string,
    message: { readonly text: string; readonly dequeueCount: number },
  ): Promise<void>;
  readonly logs: readonly LogLine[];
  /** What the host does before it stops the worker: awaits the `appTerminate` hooks. */
  terminate(): Promise<void>;
  close(): Promise<void>;
}

export interface MiniHostOptions {
  /** `host.json`: `extensions.http.routePrefix`. Default `''`. */
  readonly routePrefix?: string;
  /** The keys that `authLevel` asks for in `x-functions-key`. Default: none are asked for, as on a developer's machine. */
  readonly keys?: { readonly function: string; readonly admin: string };
  readonly functionAppDirectory?: string;
}

/** Starts the worker with what `register` registers, and a host in front of it. */
export async function miniHost(
  register: () => unknown,
  options: MiniHostOptions = {},
): Promise<MiniHost> {
  const mine: Registered = { functions: new Map(), hooks: new Map() };
  const myLogs: LogLine[] = [];
  registered = mine;
  logs = myLogs;
  await register();
  if (model === undefined) throw new Error('Nothing was registered with @azure/functions.');
  const capabilities = await model.getCapabilities({});
  const appHookData = {};
  const runHooks = async (name: string, context: object): Promise<void> => {
    for (const hook of mine.hooks.get(name) ?? []) await hook(context);
  };
  const functionAppDirectory = options.functionAppDirectory ?? process.cwd();
  await runHooks('appStart', { hookData: {}, appHookData, functionAppDirectory });

  const current = model;
  const host: Host = {
    prefix: options.routePrefix ?? '',
    httpUri: capabilities['HttpUri']?.replace('localhost', '127.0.0.1'),
    keys: options.keys,
    functions: mine.functions,
    log: (line) => myLogs.push(line),
    invoke: (invocation) => invoke(current, mine, runHooks, appHookData, myLogs, invocation),
  };
  const routes = routesOf(host);
  const server = http.createServer((request, response) => {
    void serve(host, routes, request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The host has no port.');
  let terminated: Promise<void> | undefined;
  const terminate = (): Promise<void> =>
    (terminated ??= runHooks('appTerminate', { hookData: {}, appHookData }));
  return {
    url: `http://127.0.0.1:${address.port}`,
    streams: host.httpUri !== undefined,
    routes,
    queues: queuesOf(host).map(({ name, queueName, connection }) => ({
      name,
      queueName,
      connection,
    })),
    deliver: async (functionName, { text, dequeueCount }) => {
      const queue = queuesOf(host).find(({ name }) => name === functionName);
      if (queue === undefined) throw new Error(`No queue triggers ${functionName}.`);
      await host.invoke({
        functionName,
        invocationId: randomUUID(),
        inputData: [{ name: queue.bindingName, data: { string: text } }],
        triggerMetadata: {
          Id: { string: randomUUID() },
          DequeueCount: { string: String(dequeueCount) },
        },
      });
    },
    logs: myLogs,
    terminate,
    close: async () => {
      await terminate();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

interface Invocation {
  readonly functionName: string;
  readonly invocationId: string;
  readonly inputData: readonly { readonly name: string; readonly data: TypedData }[];
  readonly triggerMetadata: TypedData;
}

interface Host {
  readonly prefix: string;
  readonly httpUri: string | undefined;
  readonly keys: MiniHostOptions['keys'];
  readonly functions: Registered['functions'];
  log(line: LogLine): void;
  invoke(invocation: Invocation): Promise<{ returnValue?: { http?: RpcHttp } | null }>;
}

async function invoke(
  programmingModel: ProgrammingModel,
  mine: Registered,
  runHooks: (name: string, context: object) => Promise<void>,
  appHookData: object,
  into: LogLine[],
  invocation: Invocation,
): Promise<{ returnValue?: { http?: RpcHttp } | null }> {
  const { functionName, invocationId, inputData, triggerMetadata } = invocation;
  const found = mine.functions.get(functionName);
  if (found === undefined) throw new Error(`No function is named ${functionName}.`);
  const coreContext = {
    invocationId,
    request: { invocationId, functionId: functionName, inputData, triggerMetadata },
    metadata: found.metadata,
    state: '' as string | undefined,
    log: (level: string, category: string, message: string) =>
      into.push({ level, category, message, invocationId }),
  };
  const invocationModel = programmingModel.getInvocationModel(coreContext);
  const { context, inputs } = await invocationModel.getArguments();
  const hooks = { hookData: {}, appHookData, invocationContext: context };
  coreContext.state = 'preInvocationHooks';
  const before = { ...hooks, functionCallback: found.callback, inputs };
  await runHooks('preInvocation', before);
  coreContext.state = 'invocation';
  const after: { result: unknown; error: unknown } = { result: null, error: null };
  try {
    after.result = await invocationModel.invokeFunction(
      context,
      before.inputs,
      before.functionCallback,
    );
  } catch (error) {
    after.error = error;
  }
  coreContext.state = 'postInvocationHooks';
  await runHooks('postInvocation', { ...hooks, inputs: before.inputs, ...after });
  coreContext.state = undefined;
  if (after.error !== null) throw after.error;
  return invocationModel.getResponse(context, after.result);
}

interface CompiledRoute extends HttpRoute {
  readonly bindingName: string;
  readonly pattern: RegExp;
  readonly parameters: readonly string[];
}

function routesOf(host: Host): readonly CompiledRoute[] {
  return [...host.functions.values()]
    .flatMap(({ metadata }) => {
      const trigger = Object.entries(metadata.bindings).find(
        ([, binding]) => binding.direction === 'in' && binding.type === 'httpTrigger',
      );
      if (trigger === undefined) return [];
      const [bindingName, binding] = trigger;
      const route = [host.prefix, binding.route ?? metadata.name].filter(Boolean).join('/');
      return [
        {
          name: metadata.name,
          route,
          methods: (binding.methods ?? ['GET', 'POST']).map((method) => method.toUpperCase()),
          authLevel: binding.authLevel ?? 'anonymous',
          bindingName,
          ...compile(route),
        },
      ];
    })
    .toSorted((a, b) => (a.name.toLowerCase() < b.name.toLowerCase() ? -1 : 1));
}

function queuesOf(host: Host): readonly (QueueFunction & { readonly bindingName: string })[] {
  return [...host.functions.values()].flatMap(({ metadata }) =>
    Object.entries(metadata.bindings).flatMap(
      ([bindingName, { type, queueName = '', connection = '' }]) =>
        type === 'queueTrigger'
          ? [{ name: metadata.name, bindingName, queueName, connection }]
          : [],
    ),
  );
}

function compile(route: string): {
  readonly pattern: RegExp;
  readonly parameters: readonly string[];
} {
  const parameters: string[] = [];
  const source = route
    .split('/')
    .map((segment) => {
      const parameter = /^\{(\*?)(\w+)(\?)?(?::\w+)?(\?)?\}$/.exec(segment);
      if (parameter === null) return `/${segment.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')}`;
      parameters.push(parameter[2] ?? '');
      if (parameter[1] !== '') return '(?:/(.*))?';
      return parameter[3] !== undefined || parameter[4] !== undefined
        ? '(?:/([^/]+))?'
        : '/([^/]+)';
    })
    .join('');
  return { pattern: new RegExp(`^${source}/?$`, 'i'), parameters };
}

async function serve(
  host: Host,
  routes: readonly CompiledRoute[],
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(request.url ?? '/', `http://${request.headers.host}`);
  const path = decodeURI(url.pathname);
  const hit = routes
    .map((route) => ({ route, match: route.pattern.exec(path) }))
    .find(({ route, match }) => match !== null && route.methods.includes(request.method ?? ''));
  if (hit === undefined) {
    response.writeHead(404).end();
    return;
  }
  if (!mayCall(host, hit.route, request, url)) {
    response.writeHead(401).end();
    return;
  }
  const invocationId = randomUUID();
  const values = hit.match?.slice(1) ?? [];
  const parameters = Object.fromEntries(
    hit.route.parameters.flatMap((name, index) => {
      const value = values[index];
      return value === undefined ? [] : [[name, value]];
    }),
  );
  const headers = Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [name, String(value)]),
  );
  const body = isJson(request) ? await bytesOf(request) : undefined;
  const triggerMetadata = forge(url, headers, parameters, body);
  if (host.httpUri === undefined) {
    await serveBuffered(host, hit.route, { request, response, url, headers, parameters, body })({
      invocationId,
      triggerMetadata,
    });
    return;
  }

  const forwarded = http.request(
    new URL(url.pathname + url.search, host.httpUri),
    {
      method: request.method,
      agent: forwardingAgent,
      headers: {
        ...request.headers,
        'x-ms-invocation-id': invocationId,
        'x-forwarded-host': request.headers.host,
        'x-forwarded-proto': 'http',
      },
    },
    (answer) => {
      response.writeHead(answer.statusCode ?? 500, answer.rawHeaders);
      response.flushHeaders();
      answer.pipe(response);
      answer.on('error', () => response.destroy());
    },
  );
  forwarded.on('error', () => {
    if (!response.writableFinished) response.destroy();
  });
  forwarded.on('close', () => request.unpipe(forwarded).resume());
  response.on('close', () => {
    if (!response.writableFinished) forwarded.destroy();
  });
  if (body === undefined) request.pipe(forwarded);
  else forwarded.end(body);
  // What fails here is logged and nothing else: the request stays open, as on the real host.
  host
    .invoke({
      functionName: hit.route.name,
      invocationId,
      inputData: [{ name: hit.route.bindingName, data: { http: {} } }],
      triggerMetadata,
    })
    .catch((error: unknown) => {
      host.log({ level: 'error', category: 'host', message: String(error) });
    });
}

/** One connection to the worker, kept alive: a request that is not read to its end is noticed by the next. */
const forwardingAgent = new http.Agent({ keepAlive: true });

function serveBuffered(
  host: Host,
  route: CompiledRoute,
  of: {
    readonly request: IncomingMessage;
    readonly response: ServerResponse;
    readonly url: URL;
    readonly headers: Record<string, string>;
    readonly parameters: Record<string, string>;
    readonly body: Buffer | undefined;
  },
) {
  const { request, response, url, headers, parameters } = of;
  return async (invocation: {
    readonly invocationId: string;
    readonly triggerMetadata: TypedData;
  }): Promise<void> => {
    const all = of.body ?? (await bytesOf(request));
    // The buffered path reads as many bytes as Content-Length says: a chunked request arrives without its body.
    const bytes = request.headers['content-length'] === undefined ? Buffer.alloc(0) : all;
    try {
      const { returnValue } = await host.invoke({
        ...invocation,
        functionName: route.name,
        inputData: [
          {
            name: route.bindingName,
            data: {
              http: {
                method: request.method,
                url: url.href,
                headers,
                query: Object.fromEntries(url.searchParams),
                params: parameters,
                body: { bytes },
              },
            },
          },
        ],
      });
      const answer = returnValue?.http;
      if (answer === undefined) {
        response.writeHead(204).end();
        return;
      }
      for (const { name, value } of answer.cookies ?? [])
        response.appendHeader('set-cookie', `${name}=${value}`);
      response.writeHead(Number(answer.statusCode), { ...answer.headers });
      response.end(answer.body?.bytes ?? answer.body?.string ?? '');
    } catch (error) {
      host.log({ level: 'error', category: 'host', message: String(error) });
      if (response.headersSent) response.destroy();
      else response.writeHead(500).end();
    }
  };
}

function mayCall(host: Host, route: HttpRoute, request: IncomingMessage, url: URL): boolean {
  if (host.keys === undefined || route.authLevel === 'anonymous') return true;
  const key = request.headers['x-functions-key'] ?? url.searchParams.get('code');
  if (key === host.keys.admin) return true;
  return route.authLevel === 'function' && key === host.keys.function;
}

function isJson(request: IncomingMessage): boolean {
  return request.headers['content-type']?.startsWith('application/json') === true;
}

async function bytesOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) if (chunk instanceof Buffer) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** The binding data of the host: the keys of the query and of a JSON body win over what the host itself says. */
function forge(
  url: URL,
  headers: Record<string, string>,
  parameters: Record<string, string>,
  body: Buffer | undefined,
): TypedData {
  const metadata: TypedData = {
    Headers: { json: JSON.stringify(headers) },
    Query: { json: JSON.stringify(Object.fromEntries(url.searchParams)) },
  };
  const set = (name: string, value: unknown): void => {
    const known = Object.keys(metadata).find((key) => key.toLowerCase() === name.toLowerCase());
    metadata[known ?? name] =
      typeof value === 'string' ? { string: value } : { json: JSON.stringify(value) };
  };
  for (const [name, value] of Object.entries(parameters)) set(name, value);
  for (const [name, value] of url.searchParams)
    set(name, /^[[{]/.test(value) ? parsed(value) : value);
  const fields = body === undefined ? undefined : parsed(body.toString());
  if (typeof fields === 'object' && fields !== null && !Array.isArray(fields))
    for (const [name, value] of Object.entries(fields)) set(name, value);
  return metadata;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
