import {
  consoleLogger,
  UserError,
  type Agent,
  type HttpHandler,
  type Logger,
} from '@agent-functions/core';
import {
  agentServer,
  type Agents,
  type AgentServer,
  type AgentServerOptions,
  type ServerRunner,
} from '@agent-functions/server';
import { app, type InvocationContext } from '@azure/functions';
import { isAgentPattern, planFunctions, type PlannedFunction } from './function-plan.ts';
import { functionsCore, runsOurCopy, secondCopy } from './functions-core.ts';
import { handOvers, type HandOvers } from './hand-over.ts';
import { readHostJson, slowQueue, type HostJson } from './host-json.ts';
import { httpFunction } from './http-function.ts';
import { invocations, type Invocations } from './invocations.ts';
import { AgentMode } from './names.ts';
import { settingsOf, type AgentFunctionAppOptions, type FunctionAppSettings } from './options.ts';
import { ownAgentGuard } from './own-agents.ts';
import { defaultMaxDequeueCount, wakeFunction } from './wake-function.ts';
import { wireTap } from './wire.ts';

/** The host stops the worker 5 s after it has asked it to end. */
const terminateWithinMs = 4_500;
/** What of that answers get to end by themselves; a little more than the runs that are let go of. */
const answerWithinMs = 2_000;
const answerLeftWithinMs = 2_500;
/** And then to say that the server stops. */
const lastWordsMs = 500;

/**
 * Agents as an Azure Functions app: the HTTP API of `@agent-functions/server` on the app's own `@azure/functions`.
 * Construct it in the entry file, while that loads: functions that come later are not registered.
 *
 * @throws UserError at construction for everything that can be checked then. A missing key of one agent is no such
 * thing: that agent answers 503, and `/api/health/ready` says which setting is missing.
 */
export class AgentFunctionApp<C = unknown> {
  readonly #options: AgentServerOptions<C>;
  readonly #server: AgentServer<C>;
  readonly #agents: Map<string, Agent<C, unknown>>;
  readonly #settings: FunctionAppSettings;
  readonly #protocols: ReadonlySet<string>;
  readonly #logger: Logger;
  readonly #invocations: Invocations = invocations();
  readonly #handOvers: HandOvers = handOvers();
  readonly #registered = new Set<string>();
  #functionTimeoutMs: number;
  #maxDequeueCount = defaultMaxDequeueCount;
  #started = false;

  constructor(options: AgentFunctionAppOptions<C>) {
    this.#settings = settingsOf(options);
    this.#functionTimeoutMs = this.#settings.functionTimeoutMs ?? 300_000;
    this.#protocols = new Set((options.protocols ?? []).map((protocol) => protocol.name));
    this.#logger = options.logger ?? consoleLogger({ level: 'warn' });
    const { hostPrefix } = this.#settings;
    this.#options = { ...options, routePrefix: `/${hostPrefix === '' ? 'api' : hostPrefix}` };
    this.#server = agentServer<C>({ ...this.#options, logger: this.#logger });
    this.#agents = new Map(
      isList(options.agents)
        ? options.agents.map((agent) => [agent.name, agent])
        : Object.entries(options.agents),
    );
    this.#checkAgentLevels();
    if (this.#settings.createTriggers) this.#register();
  }

  /** The whole HTTP API as a web-standard handler: what any other host mounts, and what tests call. */
  get fetch(): AgentServer<C>['fetch'] {
    return this.#server.fetch;
  }

  /**
   * What the HTTP API is made of: a host with a store and a logger of its own (`agent-functions dev`) makes its own server
   * of it. The logger is there only where the app chose one.
   */
  get serverOptions(): AgentServerOptions<C> {
    return { ...this.#options, agents: Object.fromEntries(this.#agents) };
  }

  /** The runners of the agents, by their names. */
  get runners(): AgentServer<C>['runners'] {
    return this.#server.runners;
  }

  /** @throws UserError for an unknown name. */
  getRunner(name: string): ServerRunner<C> {
    const runner = Object.hasOwn(this.runners, name) ? this.runners[name] : undefined;
    if (runner === undefined) throw new UserError(this.#unknown(name));
    return runner;
  }

  /** The runner of the only agent. @throws UserError when there are several, or none. */
  getSingleRunner(): ServerRunner<C> {
    const [runner, ...others] = Object.values(this.runners);
    if (runner === undefined || others.length > 0) {
      throw new UserError(
        `getSingleRunner() is for apps with one agent; this one has ${others.length === 0 ? 'none' : this.listAgents().join(', ')}. Use getRunner(name).`,
      );
    }
    return runner;
  }

  /** The agent of this name. */
  getAgent(name: string): Agent<C, unknown> | undefined {
    return this.#agents.get(name);
  }

  /** The names of the agents. */
  listAgents(): readonly string[] {
    return [...this.#agents.keys()];
  }

  /** Adds an agent, under its own name or another. @throws UserError for a name that is taken, or after start-up. */
  addAgent(agent: Agent<C, unknown>, name?: string): this {
    this.#mustNotHaveStarted('addAgent()');
    this.#server.addAgent(agent, name);
    this.#agents.set(name ?? agent.name, agent);
    if (this.#settings.createTriggers) this.#register();
    return this;
  }

  /** @throws UserError for an unknown name, or after start-up. */
  removeAgent(name: string): this {
    this.#mustNotHaveStarted('removeAgent()');
    if (!this.#agents.has(name)) throw new UserError(this.#unknown(name));
    this.#server.removeAgent(name);
    this.#agents.delete(name);
    return this;
  }

  /**
   * What takes the wakes of a store whose queue a trigger of your own listens to (`createTriggers: false`):
   * `app.storageQueue('wake', { ...trigger, handler: agents.wake })`, with `store.wake.trigger`.
   */
  readonly wake: (message: unknown, context: InvocationContext) => Promise<void> = wakeFunction({
    wake: (call, options) => this.#server.wake(call, options),
    handOvers: this.#handOvers,
    invocations: this.#invocations,
    log: (level, message, fields) => this.#logger.log(level, message, fields),
    functionTimeoutMs: () => this.#functionTimeoutMs,
    maxDequeueCount: () => this.#maxDequeueCount,
  });

  /**
   * Lets answers end for two seconds, then tells their clients, ends open requests and waits for their work, 4.5 s at
   * most. Runs of a durable store are let go of meanwhile, for another worker. The host's `appTerminate` does it.
   */
  async close(): Promise<void> {
    const settled = this.#invocations.settled();
    const { durable } = this.#server.store;
    this.#handOvers.stop();
    const ended = async (): Promise<void> => {
      await this.#server.close({ graceMs: durable ? answerLeftWithinMs : answerWithinMs });
      await within(lastWordsMs, settled);
      this.#invocations.abortAll('host-stops');
      await settled;
    };
    await within(terminateWithinMs, ended());
  }

  #register(): void {
    const functions = this.#plan().filter(({ name }) => !this.#registered.has(name));
    const first = this.#registered.size === 0;
    for (const { name } of functions) this.#registered.add(name);
    if (functionsCore() === undefined) {
      if (first)
        this.#logger.log(
          'info',
          'There is no Functions host here, so no function is registered. fetch answers.',
        );
      return;
    }
    if (first) {
      this.#setUp();
      this.#registerWake();
    }
    const wires = wireTap();
    for (const planned of functions) {
      app.http(planned.name, {
        route: planned.route,
        methods: [...planned.methods],
        authLevel: planned.authLevel,
        handler: httpFunction({
          serve: this.#serveFor(planned),
          wires,
          invocations: this.#invocations,
          handOvers: this.#server.store.durable ? this.#handOvers : undefined,
          logger: this.#logger,
          streaming: this.#settings.streaming,
          easyAuth: this.#settings.easyAuth,
          principalRequired: this.#settings.principalRequired && planned.open !== true,
          functionTimeoutMs: () => this.#functionTimeoutMs,
        }),
      });
    }
  }

  #registerWake(): void {
    const trigger = this.#server.store.wake?.trigger;
    if (trigger?.type !== 'queue') return;
    const { queueName, connection } = trigger;
    app.storageQueue('agents-wake', { queueName, connection, handler: this.wake });
  }

  #plan(): readonly PlannedFunction[] {
    const { mode, hostPrefix, authLevel, agentAuthLevels } = this.#settings;
    const foreign = new Set([...this.#protocols, 'app']);
    const routes =
      mode === AgentMode.A2A
        ? this.#server.routes.filter(
            ({ name }) => foreign.has(name) || name === 'health' || name === 'ready',
          )
        : this.#server.routes;
    return planFunctions({ routes, hostPrefix, authLevel, agentAuthLevels, foreign });
  }

  #setUp(): void {
    if (this.#settings.streaming) enableStreaming();
    app.hook.appStart(() => this.#start());
    app.hook.appTerminate(() => this.close());
  }

  async #start(): Promise<void> {
    this.#started = true;
    const core = functionsCore();
    // cure: second-copy
    if (core !== undefined && !(await runsOurCopy(core))) this.#logger.log('error', secondCopy);
    // cure-end: second-copy
    const hostJson = await readHostJson(process.cwd());
    if (hostJson === undefined) return;
    const { hostPrefix, functionTimeoutMs } = this.#settings;
    if (functionTimeoutMs === undefined && hostJson.functionTimeoutMs !== undefined)
      this.#functionTimeoutMs = hostJson.functionTimeoutMs;
    this.#readQueues(hostJson);
    if (hostJson.routePrefix !== hostPrefix) {
      this.#logger.log(
        'error',
        `host.json puts ${JSON.stringify(hostJson.routePrefix)} before every route, and this app counts on ${JSON.stringify(hostPrefix)}: its routes are not where they should be. Write "extensions": { "http": { "routePrefix": ${JSON.stringify(hostPrefix)} } } in host.json.`,
      );
    }
  }

  #readQueues(hostJson: HostJson): void {
    if (this.#server.store.wake?.trigger?.type !== 'queue') return;
    this.#maxDequeueCount = hostJson.queues.maxDequeueCount ?? defaultMaxDequeueCount;
    const slow = slowQueue(hostJson);
    if (slow !== undefined) this.#logger.log('warn', slow);
  }

  /** The server; for the function of all agents without those that have a function of their own. */
  #serveFor(planned: PlannedFunction): HttpHandler {
    const { fetch } = this.#server;
    const route = `/${[this.#settings.hostPrefix, planned.route].filter(Boolean).join('/')}`;
    const pattern = this.#server.routes.find((one) => isAgentPattern(one) && one.path === route);
    if (planned.ownAgent !== undefined || pattern === undefined) return fetch;
    const ownAgent = ownAgentGuard(Object.keys(this.#settings.agentAuthLevels), route);
    return async (request, host) => {
      const own = ownAgent(new URL(request.url).pathname);
      if (own === undefined) return fetch(request, host);
      host.log(
        'warn',
        `A path that reads like agent ${own} was refused: its own function serves it.`,
      );
      return new Response(null, { status: 404 });
    };
  }

  #checkAgentLevels(): void {
    const { agentAuthLevels, authLevel } = this.#settings;
    const unknown = Object.keys(agentAuthLevels).find((name) => !this.#agents.has(name));
    if (unknown !== undefined) throw new UserError(`agentAuthLevels: ${this.#unknown(unknown)}`);
    const stricter = Object.keys(agentAuthLevels).filter(
      (name) => agentAuthLevels[name] !== authLevel,
    );
    if (stricter.length > 0 && this.#protocols.size > 0) {
      this.#logger.log(
        'warn',
        `agentAuthLevels holds for the chat and info routes of ${stricter.join(', ')}; ${[...this.#protocols].join(', ')} reach every agent with the level ${authLevel}.`,
      );
    }
  }

  #mustNotHaveStarted(what: string): void {
    if (this.#started) {
      throw new UserError(
        `${what} came after the app has started: functions are registered while the entry file loads. Call it there, before anything is awaited.`,
      );
    }
  }

  #unknown(name: string): string {
    return `There is no agent named ${JSON.stringify(name)}. There are: ${this.listAgents().join(', ')}.`;
  }
}

/** `Array.isArray` does not know readonly lists. */
function isList<C>(agents: Agents<C>): agents is readonly Agent<C, unknown>[] {
  return Array.isArray(agents);
}

let streamingEnabled = false;

/** Once a process: the library refuses every call after start-up. */
function enableStreaming(): void {
  if (streamingEnabled) return;
  app.setup({ enableHttpStream: true });
  streamingEnabled = true;
}

/** Resolves with the work, or after `ms`. */
async function within(ms: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([work, late]);
  clearTimeout(timer);
}
