import type {
  Agent,
  Compaction,
  ContextFactory,
  HandOver,
  HostContext,
  Logger,
  ModelRegistry,
  Principal,
  Protocol,
  Runner,
  SessionLimits,
  RunnerConfig,
  Store,
  Tracer,
  Woken,
} from '@agent-functions/core';

/** The agents of a server: a list, or a record whose keys are the names in URLs and in `runners`. */
export type Agents<C> = Readonly<Record<string, Agent<C, unknown>>> | readonly Agent<C, unknown>[];

/** A runner of the server: it has the context's factory, so that its runs need none of their own. */
export type ServerRunner<C = unknown> = Runner<
  C,
  unknown,
  RunnerConfig<C> & { readonly context: ContextFactory<C> }
>;

/** Runners by the names of their agents in URLs. */
export type Runners<C = unknown> = Readonly<Record<string, ServerRunner<C>>>;

/** What a route of the app gets beside the request. */
export interface AppRouteContext<C = unknown> {
  readonly runners: Runners<C>;
  readonly principal: Principal | undefined;
  /** What `{name}` placeholders of the path matched, decoded. */
  readonly params: Readonly<Record<string, string>>;
  readonly host: HostContext;
}

/** A route of the app's own, the same under every host. */
export interface AppRoute<C = unknown> {
  readonly method: string;
  /** From the root, with `{name}` for one segment: `/api/reports/{id}`. */
  readonly path: string;
  readonly handler: (request: Request, context: AppRouteContext<C>) => Response | Promise<Response>;
}

interface ServerOptions<C> {
  readonly agents: Agents<C>;
  readonly models?: ModelRegistry | undefined;
  /** Where runs and sessions are kept. Default `memoryStore()`. */
  readonly store?: Store | undefined;
  /**
   * Who asks. `undefined` is answered 401 unless `allowAnonymous`; a `Response` is sent as it is; a throw is a 401 whose
   * reason goes to the log. Without `authenticate` the host's principal counts, and nobody is refused.
   */
  readonly authenticate?:
    | ((
        request: Request,
      ) => Principal | Response | undefined | Promise<Principal | Response | undefined>)
    | undefined;
  /** With `authenticate`: callers without a principal are served too. Default `false`. */
  readonly allowAnonymous?: boolean | undefined;
  /** The app's own routes. */
  readonly routes?: readonly AppRoute<C>[] | undefined;
  /** A2A, MCP: routes of other protocols. */
  readonly protocols?: readonly Protocol[] | undefined;
  /** Which web pages of other origins may call; `'*'` for all. Default: none. */
  readonly cors?: { readonly origins: readonly string[] } | undefined;
  /** What links say behind a proxy. Default: the environment's `AGENT_BASE_URL`, else links are paths. */
  readonly publicUrl?: string | undefined;
  /** What becomes of a run whose client leaves. Default: `'continue'` with a durable store, else `'cancel'`. */
  readonly onDisconnect?: 'cancel' | 'continue' | undefined;
  /** What the paths of the API begin with. Default `'/api'`. */
  readonly routePrefix?: string | undefined;
  /** The largest request body. Default 1,048,576. */
  readonly bodyLimitBytes?: number | undefined;
  /**
   * How long one request may take: then a JSON answer becomes a 202 that names the run, and an event stream ends, to be
   * continued by the client. Default: the host's deadline only.
   */
  readonly requestTimeoutMs?: number | undefined;
  /** A comment in every quiet event stream. Default 15,000. */
  readonly heartbeatMs?: number | undefined;
  /** Whether callers may send `model_settings`. Default `false`. */
  readonly allowModelSettings?: boolean | undefined;
  /** Whether callers without a principal may choose session ids. Default `false`: they send back those they were given. */
  readonly allowClientSessionIds?: boolean | undefined;
  /** How long a run's lease holds without renewal, and how often abandoned runs are looked for. Default 30,000. */
  readonly leaseMs?: number | undefined;
  /** Default: warnings and errors on the console. */
  readonly logger?: Logger | undefined;
  readonly tracer?: Tracer | undefined;
  /** When conversations are compacted. Default: never. */
  readonly compaction?: Compaction | undefined;
  /** How large a conversation may be. */
  readonly sessionLimits?: SessionLimits | undefined;
}

/** `C` is what all agents together need of the app's context; `context` is required as soon as one needs anything. */
export type AgentServerOptions<C = unknown> = ServerOptions<C> &
  (unknown extends C
    ? { readonly context?: ContextFactory<C> | undefined }
    : { readonly context: ContextFactory<C> });

/** How a server closes. */
export interface CloseOptions {
  /** How long answers may go on. Default 10,000. */
  readonly graceMs?: number | undefined;
  /** How long steps in progress may then settle before their runs are released. Default 2,000. */
  readonly settleMs?: number | undefined;
}

/** Of one call of a wake. */
export interface WakeOptions {
  /** When this process must let go of the run. */
  readonly handOver?: HandOver | undefined;
  /** This call will not be delivered again: a run that cannot be taken up is ended `failed`, code `crash_loop`. */
  readonly lastTry?: boolean | undefined;
}

/** A route as a host registers it and a command line prints it. */
export interface RouteInfo {
  /** `GET`, `POST` …, or `*` for every method. */
  readonly method: string;
  /** With `{name}` for one segment: `/api/runs/{id}/events`. */
  readonly path: string;
  /**
   * `chat` `info` `agents` `health` `ready` `run` `events` `cancel` `decisions` `sessions` `session` `openapi` `preflight`
   * (CORS), `app` for the app's own, else the protocol's name.
   */
  readonly name: string;
  /** Of a route that belongs to one agent (the short forms): its name. */
  readonly agent?: string | undefined;
  /** Of a protocol's route that is for everybody: the host asks for no key either. */
  readonly open?: true | undefined;
}

/** One thing that must be right before the server can answer. */
export interface ReadyCheck {
  /** `store`, or `agent:<name>`. */
  readonly name: string;
  readonly ok: boolean;
  /** What is wrong and which setting mends it. */
  readonly detail?: string | undefined;
}

export interface ReadyReport {
  readonly ready: boolean;
  readonly checks: readonly ReadyCheck[];
}

/** The HTTP API of some agents, as a web-standard handler. */
export interface AgentServer<C = unknown> {
  /** Answers a request. Never throws: every failure is a response. `context` is what a host knows beside the request. */
  readonly fetch: (request: Request, context?: Partial<HostContext>) => Promise<Response>;
  /** Every route, the app's and the protocols' included. */
  readonly routes: readonly RouteInfo[];
  readonly runners: Runners<C>;
  readonly store: Store;
  /** Looks at the store and at each agent's model, without asking the model. */
  ready(): Promise<ReadyReport>;
  /** Adds an agent, under its own name or another. @throws UserError for a name that is taken, or once it has served. */
  addAgent(agent: Agent<C, unknown>, name?: string): void;
  /** @throws UserError for an unknown name, or once it has served. */
  removeAgent(name: string): void;
  /**
   * Takes a call of the store's wake (`store.wake`), as its trigger delivers it: looks at the run, and goes on with it
   * where nobody does.
   *
   * @throws UserError for a message that is no wake; what made it impossible to go on: deliver it again.
   */
  wake(message: unknown, options?: WakeOptions): Promise<Woken>;
  /** Begins to look for abandoned runs of a durable store; `serve()` and the first request do it too. */
  start(): void;
  /**
   * Stops looking for runs, and waits up to `graceMs` for answers, and for work that outlasted its
   * responses. Then an event stream ends with an `error` event and a chat is answered 503, both with code
   * `server_stopping`; their runs go on where the store is durable, else they are cancelled: a step in progress may settle
   * for `settleMs`, then the run is released for another process. The store stays open.
   */
  close(options?: CloseOptions): Promise<void>;
}
