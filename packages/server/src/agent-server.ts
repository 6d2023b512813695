import {
  memoryStore,
  UserError,
  type Agent,
  type HandOver,
  type HostContext,
  type Woken,
} from '@agent-functions/core';
import { Answer, respond, type ReadBody } from './answer.ts';
import { cors, type Cors } from './cors.ts';
import { ready } from './health.ts';
import { BackgroundWork, RequestHost, settled } from './host.ts';
import { mount, type Mounted } from './mount.ts';
import { agentNames, checkAgentName } from './names.ts';
import type {
  AgentServer,
  AgentServerOptions,
  ReadyReport,
  RouteInfo,
  Runners,
  CloseOptions,
  WakeOptions,
} from './options.ts';
import { principalOf } from './principal.ts';
import { Problem, problemAnswer, toProblem } from './problem.ts';
import { reasonOf } from './reason.ts';
import { Recovery } from './recovery.ts';
import type { Reply } from './routes.ts';
import { Stopping } from './stopping.ts';
import { wake } from './wake.ts';

/**
 * The HTTP API of some agents as a fetch handler (docs: http-api).
 *
 * @throws UserError for everything that can be checked now: names, handoffs to agents that nobody knows, colliding
 *   routes, options.
 */
export function agentServer<C = unknown>(options: AgentServerOptions<C>): AgentServer<C> {
  return new Server<C>(options);
}

class Server<C> implements AgentServer<C> {
  readonly store;
  readonly #options: AgentServerOptions<C>;
  readonly #background = new BackgroundWork();
  readonly #stopping = new Stopping();
  readonly #handOver = new AbortController();
  #settleMs = 0;
  readonly #cors: Cors | undefined;
  #agents: ReadonlyMap<string, Agent<C, unknown>>;
  #mounted: Mounted<C> | undefined;
  #recovery: Recovery | undefined;
  #closed = false;

  constructor(options: AgentServerOptions<C>) {
    this.#options = options;
    this.store = options.store ?? memoryStore();
    this.#cors = options.cors === undefined ? undefined : cors(options.cors.origins);
    this.#agents = agentNames(options.agents);
    this.#mount();
  }

  get routes(): readonly RouteInfo[] {
    return this.#mount().routes;
  }

  get runners(): Runners<C> {
    return this.#mount().runners;
  }

  ready(): Promise<ReadyReport> {
    return ready(this.#mount().scope);
  }

  addAgent(agent: Agent<C, unknown>, name: string = agent.name): void {
    this.#mustNotHaveServed('addAgent()');
    checkAgentName(name, this.#agents.keys());
    const before = this.#agents;
    this.#agents = new Map([...before, [name, agent]]);
    this.#remount(before);
  }

  removeAgent(name: string): void {
    this.#mustNotHaveServed('removeAgent()');
    if (!this.#agents.has(name)) {
      throw new UserError(
        `There is no agent ${JSON.stringify(name)} to remove. Agents: ${[...this.#agents.keys()].join(', ')}.`,
      );
    }
    const before = this.#agents;
    this.#agents = new Map([...before].filter(([each]) => each !== name));
    this.#remount(before);
  }

  start(): void {
    if (this.#recovery !== undefined || this.#closed) return;
    this.#recovery = new Recovery(this.#mount().scope);
    this.#recovery.start();
    this.#mount().serving();
  }

  wake(message: unknown, options: WakeOptions = {}): Promise<Woken> {
    this.start();
    return wake(this.#mount().scope, message, options);
  }

  async close({ graceMs = 10_000, settleMs = 2_000 }: CloseOptions = {}): Promise<void> {
    this.#closed = true;
    const recovery = this.#recovery?.stop();
    await settled(
      Promise.all([recovery, this.#stopping.idle(), this.#background.settled()]),
      graceMs,
    );
    this.#stopping.begin();
    // Runs that another process can go on with are released; what they are doing may settle for a moment.
    this.#settleMs = settleMs;
    this.#handOver.abort();
    if (this.store.durable) {
      const left = Promise.all([this.#recovery?.left(), this.#background.settled()]);
      await settled(left, settleMs + releaseMs);
    }
    const runners = Object.values(this.#mounted?.runners ?? {});
    await settled(Promise.all(runners.map((runner) => runner.closeToolSources())), sourcesMs);
  }

  // A property, so that it can be handed to a host as it is.
  readonly fetch = async (
    request: Request,
    context: Partial<HostContext> = {},
  ): Promise<Response> => {
    const reply = await this[respond](request, context);
    return reply instanceof Answer ? reply.toResponse() : reply;
  };

  async [respond](
    request: Request,
    context: Partial<HostContext>,
    readBody?: ReadBody,
  ): Promise<Reply> {
    this.start();
    const { scope, find } = this.#mount();
    const host = new RequestHost(request, context, scope.logger, this.#background, readBody);
    const reply = await this.#answer(request, host, find).catch((error: unknown) => {
      const { problem, hidden } = toProblem(error);
      if (hidden) host.log('error', 'A request failed', { code: problem.code, ...reasonOf(error) });
      return problemAnswer(problem, host.invocationId);
    });
    return this.#cors === undefined ? reply : this.#cors.apply(request, reply);
  }

  async #answer(request: Request, host: RequestHost, find: Mounted<C>['find']): Promise<Reply> {
    const { method } = request;
    const found = find(method, pathOf(request.url));
    if (found.type === 'none') throw this.#noSuchRoute();
    if (found.type === 'wrong-method') {
      if (method === 'OPTIONS' && this.#cors !== undefined) {
        return this.#cors.preflight(request, found.allow);
      }
      throw new Problem(
        405,
        'method_not_allowed',
        `This path does not take ${/^[A-Z]{1,20}$/.test(method) ? method : 'this method'}. It takes ${found.allow.join(', ')}.`,
        { headers: { allow: found.allow.join(', ') } },
      );
    }
    const { route, params } = found;
    const caller = await principalOf(this.#options, request, host, route.open === true);
    if (caller instanceof Response) return caller;
    const reply = await route.handle({ request, params, principal: caller.principal, host });
    if (method !== 'HEAD') return reply;
    if (reply instanceof Answer) return new Answer(null, reply);
    await reply.body?.cancel();
    return new Response(null, reply);
  }

  #noSuchRoute(): Problem {
    const own = this.#mount().routes.filter(
      (route) => route.agent === undefined && route.name !== 'preflight' && route.name !== 'app',
    );
    return new Problem(404, 'not_found', 'There is no such route.', {
      more: { available_routes: own.map(({ method, path }) => `${method} ${path}`) },
    });
  }

  /** What runs are handed over by; how long they may settle is known when it begins. */
  #leaving(): HandOver {
    const settleMs = (): number => this.#settleMs;
    return {
      signal: this.#handOver.signal,
      get settleMs() {
        return settleMs();
      },
    };
  }

  #mount(): Mounted<C> {
    return (this.#mounted ??= mount(this.#options, this.store, this.#agents, {
      stopping: this.#stopping,
      handOver: this.#leaving(),
    }));
  }

  #remount(before: ReadonlyMap<string, Agent<C, unknown>>): void {
    const mounted = this.#mounted;
    this.#mounted = undefined;
    try {
      this.#mount();
    } catch (error) {
      this.#agents = before;
      this.#mounted = mounted;
      throw error;
    }
  }

  #mustNotHaveServed(what: string): void {
    if (this.#recovery === undefined) return;
    throw new UserError(
      `${what} came after the server began to serve. Add and remove agents before the first request.`,
    );
  }
}

/** How long it may take to release the runs that were handed over. */
const releaseMs = 500;
/** How long connections and child processes of tool sources may take to close. */
const sourcesMs = 5_000;

/** The path of an absolute URL, as it was sent. */
function pathOf(url: string): string {
  const start = url.indexOf('/', url.indexOf('://') + 3);
  if (start === -1) return '/';
  const end = url.slice(start).search(/[?#]/);
  return end === -1 ? url.slice(start) : url.slice(start, start + end);
}
