import { Abort } from './abort.ts';
import type { AgentDefinition, Toolset } from './agent-definition.ts';
import { AgentError } from './errors.ts';
import type { Delta, DeltaBody, RunEvent, RunEventBody, Watched } from './events.ts';
import { newEpoch } from './ids.ts';
import { Journal } from './journal.ts';
import type { JsonObject } from './json.ts';
import { HandedOverError, Leaving, type HandOver } from './leaving.ts';
import { LeaseKeeper, LeaseLostError } from './lease.ts';
import type { Logger, LogLevel } from './logger.ts';
import { withMiddleware, type Middleware } from './middleware.ts';
import type { Model } from './model.ts';
import type { FrameState } from './frame.ts';
import type { RunState } from './state.ts';
import { usageOf, workedMs } from './state.ts';
import type { Lease, Signal, Store } from './store.ts';
import type { StopReason } from './events.ts';
import { surely } from './surely.ts';
import type { RunContext } from './run-context.ts';
import type { Span } from './tracer.ts';
import type { Usage } from './usage.ts';
import { hubOf, type Feed } from './watch.ts';
import { takeSignal } from './inbox.ts';

/** What the engine needs of its surroundings to advance a run. */
export interface Surroundings<C> {
  /** The agent of that name, or that had it once. */
  agent(name: string): AgentDefinition<C, unknown> | undefined;
  model(agent: AgentDefinition<C, unknown>): Model;
  /** A model by its name, or as it is. */
  namedModel(model: Model | string): Model;
  /** The tools of an agent, handoffs among them. */
  toolset(agent: AgentDefinition<C, unknown>): Toolset<C>;
  /** Around model calls and tool calls of every agent. */
  readonly middleware: readonly Middleware<C>[];
  readonly maxTurns: number | undefined;
  readonly leaseMs: number;
  /** Of this process. */
  readonly handOver: HandOver | undefined;
  readonly logger: Logger | undefined;
}

const none: readonly [] = [];

/** How often a durable store's inbox is looked at while a model or a tool works. */
const inboxPollMs = 500;
/** A timer that is asked to wait longer fires at once. */
const maxTimerMs = 2 ** 31 - 1;

/** One run in the hands of its holder: the journal, the context, what aborts it, and who watches. */
export class LiveRun<C> {
  readonly journal: Journal;
  readonly context: C;
  readonly around: Surroundings<C>;
  readonly span: Span | undefined;
  readonly store: Store | undefined;
  readonly lease: LeaseKeeper | undefined;
  /** Of this run only, in this process only. */
  readonly middleware: readonly Middleware<C>[] | undefined;
  /** Aborted when the run is cancelled, stopped by a limit, or lost. */
  readonly abort = new Abort();
  /** The limit that aborted what was under way. */
  stopped: StopReason | undefined;
  /** A failure outside the turn of things: a lost lease, a write that failed. */
  failure: unknown;
  // Maps that most runs do not need are made when there is something: a run in flight should be small.
  /** The present turn's tools, by frame, where they can differ from turn to turn. */
  toolsets: Map<string, { readonly turn: number; readonly tools: Toolset<C> }> | undefined;
  /** What calls that returned change of the session's state, until their results are recorded; by call id. */
  patches: Map<string, JsonObject> | undefined;
  /** Inputs that were validated in this process, by call id. */
  validated: Map<string, { readonly ok: true; readonly value: unknown }> | undefined;

  readonly #kept: RunEvent[] | undefined;
  readonly #onEvent: ((event: Watched) => void) | undefined;
  readonly #feed: Feed | undefined;
  readonly #leaving: Leaving | undefined;
  readonly #letGo: (() => void) | undefined;
  #epochs: Map<string, { epoch: string; n: number }> | undefined;
  #taken: Set<string> | undefined;
  #wallClock: ReturnType<typeof setTimeout> | undefined;
  #poll: ReturnType<typeof setTimeout> | undefined;
  #looking = false;
  #hasPost = false;
  #onPost: (() => void) | undefined;
  #closed = false;
  #flushingSoon = false;

  constructor(options: {
    readonly state: RunState;
    readonly context: C;
    readonly around: Surroundings<C>;
    readonly stored:
      | { readonly store: Store; readonly lease: Lease; readonly askedAt: number }
      | undefined;
    readonly span: Span | undefined;
    readonly signal: AbortSignal | undefined;
    readonly handOver?: HandOver | undefined;
    readonly middleware?: readonly Middleware<C>[] | undefined;
    /** Where the events of a run without a store are kept, in case it has to wait. */
    readonly kept?: RunEvent[] | undefined;
    readonly onEvent: ((event: Watched) => void) | undefined;
  }) {
    const { state, stored } = options;
    this.context = options.context;
    this.around = options.around;
    this.span = options.span;
    this.middleware = options.middleware;
    this.#kept = options.kept;
    this.#onEvent = options.onEvent;
    this.store = stored?.store;
    if (stored !== undefined) {
      this.lease = new LeaseKeeper({
        runId: state.runId,
        runs: stored.store.runs,
        lease: stored.lease,
        ttlMs: options.around.leaseMs,
        askedAt: stored.askedAt,
        onLost: (error) => this.#fail(error),
      });
      this.#feed = hubOf(stored.store).feed(state.runId);
      this.#letGo = this.#feed.hold({ onPost: () => this.#look() });
      const handOvers = [options.handOver, options.around.handOver].filter(
        (each) => each !== undefined,
      );
      if (handOvers.length > 0 && stored.store.durable) {
        this.#leaving = new Leaving(handOvers, () => this.#fail(new HandedOverError(state.runId)));
      }
    }
    this.journal = new Journal({
      state,
      storage:
        stored === undefined || this.lease === undefined
          ? undefined
          : { runs: stored.store.runs, lease: this.lease },
      onDurable: (events) => this.#show(events),
    });
    const { signal } = options;
    if (signal !== undefined) {
      const cancel = () => this.requestCancel({ reason: 'the caller aborted' });
      if (signal.aborted) cancel();
      else {
        signal.addEventListener('abort', cancel, { once: true });
        this.#onClose.push(() => signal.removeEventListener('abort', cancel));
      }
    }
    const wallClockMs = state.options.limits?.wallClockMs;
    if (wallClockMs !== undefined) this.#armWallClock(wallClockMs);
    // What a former holder left in the side channel is void.
    stored?.store.runs.channel?.clear(state.runId);
    if (stored?.store.durable === true) this.#schedulePoll();
  }

  readonly #onClose: (() => void)[] = [];

  get state(): RunState {
    return this.journal.state;
  }

  /** Whether this process lets go of the run: no step begins any more. */
  get leaves(): boolean {
    return this.#leaving?.begun === true;
  }

  stage(frame: { readonly id: string; readonly agent: string }, body: RunEventBody): void {
    this.journal.stage(body, frame);
  }

  /** Stages a `warning`, unless the run has one in the same words. */
  warn(
    frame: { readonly id: string; readonly agent: string },
    code: string,
    message: string,
  ): void {
    if (this.state.end !== undefined || this.#closed) return;
    if (this.state.warnings?.has(message) !== true) {
      this.stage(frame, { type: 'warning', code, message });
    }
  }

  get root(): FrameState {
    const root = this.state.frames.values().next().value;
    if (root === undefined) throw new Error('A run has a root frame.');
    return root;
  }

  /** Whether anybody could see a delta: without, none is made. */
  get watched(): boolean {
    return this.#onEvent !== undefined || this.#feed !== undefined;
  }

  /** Begins an attempt at the present model call of a frame; deltas shown before are void for whoever folds. */
  beginAttempt(frame: FrameState): void {
    if (this.watched) (this.#epochs ??= new Map()).set(frame.id, { epoch: newEpoch(), n: 0 });
  }

  emit(frame: FrameState, body: DeltaBody): void {
    if (!this.watched || this.#closed) return;
    const { epoch, n } = this.#placeOf(frame);
    this.#send({
      runId: this.state.runId,
      frame: frame.id,
      agent: frame.agent,
      after: this.journal.stored,
      epoch,
      n,
      ...body,
    });
  }

  /** `emit()` for what there is most of, which is worth an object less. */
  emitPiece(
    frame: FrameState,
    type: 'text-delta' | 'reasoning-delta',
    messageId: string,
    delta: string,
  ): void {
    if (!this.watched || this.#closed) return;
    const { epoch, n } = this.#placeOf(frame);
    this.#send({
      runId: this.state.runId,
      frame: frame.id,
      agent: frame.agent,
      after: this.journal.stored,
      epoch,
      n,
      type,
      messageId,
      delta,
    });
  }

  #placeOf(frame: FrameState): { readonly epoch: string; readonly n: number } {
    let at = this.#epochs?.get(frame.id);
    if (at === undefined) {
      at = { epoch: newEpoch(), n: 0 };
      (this.#epochs ??= new Map()).set(frame.id, at);
    }
    at.n += 1;
    return at;
  }

  #send(delta: Delta): void {
    this.#onEvent?.(delta);
    this.#feed?.delta(delta);
    this.store?.runs.channel?.publish(this.state.runId, [delta]);
  }

  /** What instructions, tools and callbacks of a frame know of the run. */
  contextOf(frame: FrameState): RunContext<C> {
    return new LiveContext(this, frame);
  }

  /** What wraps the model calls and tool calls of an agent: the runner's, the run's, its own; the first is outermost. */
  middlewareOf(agent: AgentDefinition<C, unknown>): readonly Middleware<C>[] {
    const { middleware } = this.around;
    const own = this.middleware ?? none;
    return middleware.length + own.length + agent.middleware.length === 0
      ? none
      : [...middleware, ...own, ...agent.middleware];
  }

  /** The model as a frame of this agent asks it; another than its own where one is named. */
  modelFor(frame: FrameState, agent: AgentDefinition<C, unknown>, named?: Model | string): Model {
    const model = named === undefined ? this.around.model(agent) : this.around.namedModel(named);
    return withMiddleware(model, this.middlewareOf(agent), () => this.contextOf(frame));
  }

  /** The provider of an agent's model; `undefined` where it has none here. */
  providerOf(agent: AgentDefinition<C, unknown>): string | undefined {
    try {
      return this.around.model(agent).provider;
    } catch {
      return undefined; // Who needs the model says what is missing.
    }
  }

  /** Records a cancel and aborts what is under way. */
  requestCancel(by: {
    readonly by?: string | undefined;
    readonly reason?: string | undefined;
  }): void {
    if (this.state.cancelRequested || this.state.end !== undefined || this.#closed) return;
    this.stage(this.root, { type: 'cancel-request', ...by });
    this.abort.abort(
      new AgentError('aborted', 'The run was cancelled.', { runId: this.state.runId }),
    );
  }

  /** A limit was reached while something was under way. */
  stop(reason: StopReason): void {
    if (this.state.end !== undefined || this.#closed) return;
    this.stopped ??= reason;
    this.abort.abort(new AgentError('aborted', `The run reached its limit (${reason}).`));
  }

  /** Resolves when something was posted that the journal does not have; for one waiter. */
  posted(): Promise<void> {
    return new Promise((resolve) => {
      this.#onPost = resolve;
      if (this.#hasPost) resolve();
    });
  }

  /** Takes what was posted into the journal. */
  async drainInbox(): Promise<void> {
    if (this.store === undefined) return;
    this.#hasPost = false;
    const { runs } = this.store;
    for (const signal of await surely(() => runs.inbox(this.state.runId))) this.#take(signal);
  }

  /** Writes what is staged within the tick; a failure surfaces at the next `throwIfLost()`. */
  flushSoon(): void {
    if (this.#flushingSoon) return;
    this.#flushingSoon = true;
    queueMicrotask(() => {
      this.#flushingSoon = false;
      this.journal.flush()?.catch((error: unknown) => this.#fail(error));
    });
  }

  /** @throws LeaseLostError when somebody else holds the run: nothing may be written. */
  throwIfLeaseLost(): void {
    if (this.failure instanceof LeaseLostError) throw this.failure;
    this.lease?.check();
  }

  /** @throws whatever made it impossible to go on: a lost lease, a write that failed. */
  throwIfLost(): void {
    if (this.failure !== undefined) throw this.failure;
    this.lease?.check();
  }

  /** Whether anybody reads a log: without, nothing is put together for one. */
  get logs(): boolean {
    return this.around.logger !== undefined;
  }

  log(level: LogLevel, message: string, fields: JsonObject): void {
    this.around.logger?.log(level, message, { runId: this.state.runId, ...fields });
  }

  /** Stops timers and lets watchers go. The lease is released by whoever ends the run's turn here. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#wallClock);
    clearTimeout(this.#poll);
    for (const undo of this.#onClose) undo();
    this.#leaving?.close();
    this.lease?.stop();
    this.#letGo?.();
    this.store?.runs.channel?.clear(this.state.runId);
  }

  #show(events: readonly RunEvent[]): void {
    this.#kept?.push(...events);
    if (this.#onEvent !== undefined) for (const event of events) this.#onEvent(event);
    this.#feed?.durable(events);
    const channel = this.store?.runs.channel;
    if (channel !== undefined && events.some(({ type }) => type === 'model-response')) {
      channel.clear(this.state.runId);
    }
  }

  #take(signal: Signal): void {
    // What comes while the end is written comes too late.
    if (this.#taken?.has(signal.id) === true || this.state.end !== undefined) return;
    (this.#taken ??= new Set()).add(signal.id);
    if (signal.type === 'cancel') {
      if (!this.state.cancelRequested && this.state.end === undefined) {
        this.requestCancel({ by: signal.by, reason: signal.reason });
        this.journal.drain(signal.id);
        return;
      }
    }
    takeSignal(this.journal, this.root, signal);
    this.journal.drain(signal.id);
  }

  // While models and tools work, a cancel is taken at once; the rest is for frames that wait, if there are any.
  #look(): void {
    if (this.#looking || this.#closed || this.store === undefined) return;
    this.#looking = true;
    const { runs } = this.store;
    runs
      .inbox(this.state.runId)
      .then((signals) => {
        for (const signal of signals) {
          if (signal.type === 'cancel' && !this.#closed) this.#take(signal);
        }
        if (signals.every(({ id }) => this.#taken?.has(id) === true)) return;
        this.#hasPost = true;
        this.#onPost?.();
      })
      .catch(() => undefined) // The next look, or the next step, asks again.
      .finally(() => {
        this.#looking = false;
      });
  }

  #armWallClock(limitMs: number): void {
    const leftMs = Math.max(0, limitMs - workedMs(this.state, Date.now()));
    this.#wallClock = setTimeout(
      () => (leftMs > maxTimerMs ? this.#armWallClock(limitMs) : this.stop('wall_clock')),
      Math.min(leftMs, maxTimerMs),
    );
  }

  #schedulePoll(): void {
    this.#poll = setTimeout(() => {
      this.#look();
      if (!this.#closed) this.#schedulePoll();
    }, inboxPollMs);
  }

  #fail(error: unknown): void {
    this.failure ??= error;
    this.abort.abort(error);
  }
}

class LiveContext<C> implements RunContext<C> {
  readonly context: C;
  readonly #live: LiveRun<C>;
  readonly #frame: FrameState;

  constructor(live: LiveRun<C>, frame: FrameState) {
    this.context = live.context;
    this.#live = live;
    this.#frame = frame;
  }
  get runId(): string {
    return this.#live.state.runId;
  }
  get sessionId(): string | undefined {
    return this.#live.state.sessionId;
  }
  get userId(): string | undefined {
    return this.#live.state.userId;
  }
  get requestContext(): JsonObject {
    return this.#frame.context;
  }
  get sessionState(): JsonObject {
    return this.#live.state.sessionState;
  }
  get usage(): Usage {
    return usageOf(this.#live.state);
  }
  get agentPath(): readonly string[] {
    const path: string[] = [];
    let frame: FrameState | undefined = this.#frame;
    while (frame !== undefined) {
      path.unshift(frame.agent);
      frame = frame.parent;
    }
    return path;
  }
  get signal(): AbortSignal {
    return this.#live.abort.signal;
  }
}
