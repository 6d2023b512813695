import type { AgentDefinition } from './agent-definition.ts';
import { AgentGraph } from './agent-graph.ts';
import { begin, recordWhole, type Begun } from './begin.ts';
import {
  contextFor,
  tryContext,
  type ContextFactory,
  type MadeContext,
} from './context-factory.ts';
import { checkCompaction } from './compaction.ts';
import { checkOptions, type OptionKinds } from './check-options.ts';
import { expireInterruptions, postDecisions } from './decide.ts';
import { AgentError, toFailure, UserError, type SessionBusyError } from './errors.ts';
import type { Compaction, Principal, RecordedOptions, RunEvent, Watched } from './events.ts';
import { ControlReturn, isOneOf } from './handoff.ts';
import { randomId } from './ids.ts';
import type { Decision } from './interruption.ts';
import { toJson, type Json } from './json.ts';
import { HandedOverError, isLeaving, type HandOver } from './leaving.ts';
import { LeaseLostError } from './lease.ts';
import { LiveRun, type Surroundings } from './live-run.ts';
import type { Logger } from './logger.ts';
import { advance } from './loop.ts';
import { memoryStore } from './memory-store.ts';
import { checkMiddleware, type Middleware } from './middleware.ts';
import type { Model, ModelRegistry } from './model.ts';
import { bindRun, boundRunOf } from './process-request.ts';
import { resolveModel } from './resolve-model.ts';
import { toResult } from './result.ts';
import { withDefaults } from './retry.ts';
import { RunFeed } from './run-feed.ts';
import type {
  ChatRequest,
  ContextArgument,
  RunInput,
  RunOptions,
  RunResult,
  RunStream,
  StepResult,
} from './run-result.ts';
import { findRun, noSuchRun, readRun } from './read-run.ts';
import { commitEnd, confirmSession, deleteUnbegun, readState, resetSession } from './session.ts';
import { checkSessionLimits, type SessionLimits } from './session-limits.ts';
import { deleteSession } from './session-removal.ts';
import { answerer } from './frame.ts';
import { openInterruptions, type RunState } from './state.ts';
import type { Lease, PostResult, RunHeader, Signal, Store, WakeCall } from './store.ts';
import type { Span, Tracer } from './tracer.ts';
import { inputText } from './travel.ts';
import { surely } from './surely.ts';
import { sleep } from './wait.ts';
import {
  lookAgainMs,
  muchLaterMs,
  takeWatched,
  wakeAround,
  wakeAtExpiry,
  wakeIn,
  wakeRun,
  type Woken,
} from './wake.ts';
import { hubOf, pollMsOf, watch } from './watch.ts';

export interface RunnerConfig<C = unknown> {
  readonly context?: ContextFactory<C> | undefined;
  /** Resolves models that agents name by text or `llmConfig`. */
  readonly models?: ModelRegistry | undefined;
  /** Where runs and sessions are kept. Without one a run is kept only while it runs or waits in this Runner. */
  readonly store?: Store | undefined;
  /** How long a lease holds without renewal. Default 30,000. */
  readonly leaseMs?: number | undefined;
  /** When this process must let go of its runs, beside what single runs say. */
  readonly handOver?: HandOver | undefined;
  /** Other agents that this process knows: a run is taken up by name. */
  readonly agents?: readonly AgentDefinition<C, unknown>[] | undefined;
  /** Turns of a run whose agent does not say. Default 10. */
  readonly maxTurns?: number | undefined;
  /** Around the model calls and tool calls of every agent. */
  readonly middleware?: readonly Middleware<C>[] | undefined;
  /** Of runs that do not say. */
  readonly compaction?: Compaction | undefined;
  /** How large a session may be when a run begins in it. */
  readonly sessionLimits?: SessionLimits | undefined;
  readonly logger?: Logger | undefined;
  readonly tracer?: Tracer | undefined;
}

const runnerKinds: OptionKinds<RunnerConfig> = {
  context: 'function',
  models: 'any',
  store: 'any',
  leaseMs: 'any',
  handOver: 'any',
  agents: 'any',
  maxTurns: 'any',
  middleware: 'any',
  compaction: 'any',
  sessionLimits: 'any',
  logger: 'any',
  tracer: 'any',
};

/** A handoff that the app makes itself. */
export interface HandoffToRequest {
  readonly targetAgent: string;
  readonly inputData: Json;
  /** Another name for `sessionId`. */
  readonly conversationId?: string | undefined;
  readonly reason?: string | undefined;
  readonly expectedReturn?: ControlReturn | undefined;
}

const handoffToKinds: OptionKinds<HandoffToRequest> = {
  targetAgent: 'text',
  inputData: 'any',
  conversationId: 'text',
  reason: 'text',
  expectedReturn: 'any',
};

/** `context` is required exactly when the agent needs one and the runner has no factory. */
type RunArgument<C, K> = K extends { readonly context: ContextFactory<C> }
  ? [options?: RunOptions<C>]
  : ContextArgument<C, RunOptions<C>>;

/** Runs an agent: `run`, `stream`, or step by step from any process. Everything is one loop over one journal. */
export class Runner<C = unknown, O = string, const K extends RunnerConfig<C> = RunnerConfig<C>> {
  readonly agent: AgentDefinition<C, O>;
  readonly #config: RunnerConfig<C>;
  readonly #around: Surroundings<C>;
  readonly #models = new Map<AgentDefinition<C, unknown>, Model>();
  /** For runs without a store: those that wait for an answer, and those that were begun by `start()`. */
  #own: Store | undefined;

  /** @throws UserError for what cannot work: an overridden `processRequest` with a durable store, two agents of one name, an unknown option. */
  constructor(agent: AgentDefinition<C, O>, config?: K) {
    this.agent = agent;
    this.#config = config ?? {};
    checkOptions('new Runner()', this.#config, runnerKinds);
    const { store, leaseMs = 30_000 } = this.#config;
    checkMiddleware('The runner', this.#config.middleware);
    checkCompaction(this.#config.compaction);
    checkSessionLimits(this.#config.sessionLimits);
    if (agent.overridesProcessRequest && store?.durable === true) {
      throw new UserError(
        `Agent ${agent.name} overrides processRequest, which works in one process only, and the store is durable. Use beforeRun and afterRun instead, or memoryStore().`,
      );
    }
    if (!(leaseMs >= 100)) throw new UserError(`leaseMs is ${leaseMs}; it must be at least 100.`);
    const graph = new AgentGraph<C>([agent, ...(this.#config.agents ?? [])]);
    this.#around = {
      agent: (name) => graph.agent(name),
      toolset: (one) => graph.toolset(one),
      model: (one) => this.#modelOf(one),
      namedModel: (spec) =>
        withDefaults(resolveModel({ name: agent.name, model: spec }, this.#config.models)),
      middleware: this.#config.middleware ?? [],
      maxTurns: this.#config.maxTurns,
      leaseMs,
      handOver: this.#config.handOver,
      logger: this.#config.logger,
    };
  }

  /** The store, if the runner was given one. */
  get store(): Store | undefined {
    return this.#config.store;
  }

  /**
   * Runs until the run ends or waits. How it ended is in `status`: a run that fails resolves with `failed`.
   *
   * @throws UserError for input that cannot start; SessionBusyError; IdempotencyMismatchError.
   */
  run(input: RunInput, ...[options]: RunArgument<C, K>): Promise<RunResult<O>> {
    return this.#execute(input, options ?? {}, undefined, () => undefined);
  }

  /** The same run, seen as it happens. */
  stream(input: RunInput, ...[options]: RunArgument<C, K>): RunStream<O> {
    const runId = randomId();
    const abort = new AbortController();
    const { signal } = options ?? {};
    const linked = signal === undefined ? abort.signal : AbortSignal.any([signal, abort.signal]);
    return new RunFeed<O>(runId, abort, (onEvent, onStart) =>
      this.#execute(input, { ...options, signal: linked }, onEvent, onStart, runId),
    );
  }

  /**
   * Every agent that is known here: the runner's own, those of its config, and whom they can hand to or ask as a tool.
   * Looks at everybody's handoffs now, as the first run does.
   *
   * @throws UserError for a target that nobody knows, or that could not work.
   */
  knownAgents(): readonly AgentDefinition<C, unknown>[] {
    return new AgentGraph<C>([this.agent, ...(this.#config.agents ?? [])]).all();
  }

  /** Closes the tool sources of every agent that is known here: connections, child processes. They open again when used. */
  async closeToolSources(): Promise<void> {
    const sources = new Set(this.knownAgents().flatMap(({ toolSources }) => toolSources));
    await Promise.allSettled([...sources].map(async (source) => source.close?.()));
  }

  /** Whether this runner's agent may hand off to an agent of that name. */
  canHandoffTo(agentName: string): boolean {
    return this.agent.handoffPlan.targets.some((one) => one.agentName === agentName);
  }

  /**
   * Hands off without asking the agent's model: the run begins with the handoff, recorded like any other. `inputData` is
   * what the target is asked, `expectedReturn` who answers: the target (`bubble_up`), or this agent when the target has
   * answered it (`return_to_caller`). Default: as the agent's own handoff says.
   *
   * @throws AgentError `handoff_error` for an agent that is not among its handoffs; whatever `run()` throws.
   */
  async handoffTo(
    request: HandoffToRequest,
    ...[options]: RunArgument<C, K>
  ): Promise<RunResult<unknown>> {
    checkOptions('handoffTo()', request, handoffToKinds);
    const { targetAgent, inputData, conversationId, reason, expectedReturn } = request;
    if (inputData === undefined || inputData === null) {
      throw new UserError(
        `handoffTo() has inputData ${String(inputData)}. Write what ${targetAgent} is asked: a text, or { message: '…' }.`,
      );
    }
    if (!this.canHandoffTo(targetAgent)) {
      const targets = this.agent.handoffPlan.targets.map(({ agentName }) => agentName);
      throw new AgentError(
        'handoff_error',
        `Agent ${this.agent.name} does not hand off to ${JSON.stringify(targetAgent)}. ${targets.length === 0 ? 'It has no handoffs.' : `Its handoffs: ${targets.join(', ')}.`}`,
      );
    }
    if (
      expectedReturn !== undefined &&
      (!isOneOf(ControlReturn, expectedReturn) || expectedReturn === ControlReturn.CONTINUE_CHAIN)
    ) {
      throw new UserError(
        `expectedReturn is ${JSON.stringify(expectedReturn)}. Write 'bubble_up', 'return_to_caller' or 'end_conversation', or leave it out.`,
      );
    }
    const input = toJson(inputData);
    const message = inputText(input, 'call', this.agent.name);
    return this.#execute(
      { message, ...(conversationId === undefined ? {} : { conversationId }) },
      options ?? {},
      undefined,
      () => undefined,
      randomId(),
      { to: targetAgent, input, reason, expectedReturn },
    );
  }

  /**
   * Begins a conversation anew under its id: no messages, the entry agent has the next turn, a closed one is open again.
   * Owner, app state and the journals of its runs stay; an unknown id is nothing to do.
   *
   * @throws SessionBusyError while a run works or waits in it. NotFoundError for a session of somebody else.
   */
  async resetConversation(
    conversationId: string,
    options: { readonly principal?: Principal | undefined } = {},
  ): Promise<void> {
    const { store } = this.#config;
    if (store === undefined) {
      throw new UserError(
        'The runner has no store that keeps conversations. Write new Runner(agent, { store: memoryStore() }).',
      );
    }
    if (typeof conversationId !== 'string' || conversationId === '') {
      throw new UserError(
        `resetConversation() was given ${JSON.stringify(conversationId)} instead of the id of a conversation.`,
      );
    }
    await resetSession(store, conversationId, options.principal?.id);
  }

  /**
   * Deletes a conversation with the journals of its runs; repeated, it goes on where it stopped.
   *
   * @throws SessionBusyError while a run works or waits in it. NotFoundError for an unknown session, or somebody else's.
   */
  async deleteSession(
    sessionId: string,
    options: { readonly principal?: Principal | undefined } = {},
  ): Promise<void> {
    await deleteSession(this.#kept(), sessionId, options.principal?.id);
  }

  /** Records the run and leaves it: `step`, `resume` or any other process goes on with it. */
  async start(input: RunInput, ...[options]: RunArgument<C, K>): Promise<RunHeader> {
    if (this.agent.overridesProcessRequest) {
      throw new UserError(
        `Agent ${this.agent.name} overrides processRequest, which works around a whole run; a run that is started to be stepped would go past it. Use run() or stream(), or beforeRun and afterRun.`,
      );
    }
    const begun = await this.#begin(input, options ?? {}, this.#kept(), randomId());
    if (begun.type === 'exists') return begun.header;
    await begun.store?.runs.release(begun.header.runId, begun.lease);
    return begun.header;
  }

  /** Advances a run by one turn, if nobody else holds it. Safe to repeat: it is leased, fenced and recorded. */
  async step(runId: string, options: RunOptions<C> = {}): Promise<StepResult> {
    const taken = await this.#takeUp(runId, options, undefined, 1);
    const state = taken?.state ?? (await readRun(this.#kept(), runId));
    return {
      status: state.end?.status ?? (state.paused ? 'interrupted' : 'running'),
      interruptions: openInterruptions(state),
      seq: state.seq,
    };
  }

  /**
   * Sends a signal to a run, from any process, after checking it against the run.
   *
   * @throws NotFoundError for an unknown run. AgentError `approval_invalid` for a decision of the wrong form, for an
   *   interruption that is not there or was answered, and for edited input that does not fit the tool.
   */
  async post(runId: string, signal: Signal): Promise<PostResult> {
    const store = this.#kept();
    const state = await readRun(this.#kept(), runId);
    if (state.end !== undefined && signal.type === 'cancel') return { accepted: false };
    const posted = await wakeAround(store, runId, () =>
      signal.type === 'decide'
        ? postDecisions(store, state, signal, this.#around)
        : store.runs.post(runId, signal),
    );
    hubOf(store).wake(runId);
    return posted;
  }

  /** How a run stands; `undefined` for an unknown id. */
  async get(
    runId: string,
  ): Promise<RunResult<O> | { readonly status: 'running'; readonly runId: string } | undefined> {
    const state = await findRun(this.#kept(), runId);
    if (state === undefined) return undefined;
    if (state.end === undefined && !state.paused) return { status: 'running', runId };
    return this.#resultOf(state);
  }

  /**
   * Goes on with a run: answers its interruptions, or takes up one whose process went away; then runs as `run` does. A
   * run that somebody else advances is waited for.
   *
   * @throws NotFoundError. AgentError `approval_invalid` for decisions that do not count.
   */
  async resume(
    runId: string,
    decisions?: readonly Decision[],
    options: RunOptions<C> = {},
  ): Promise<RunResult<O>> {
    if (decisions !== undefined && decisions.length > 0) {
      const posted = await this.post(runId, { id: randomId(), type: 'decide', decisions });
      if (!posted.accepted) {
        throw new AgentError(
          'approval_invalid',
          `Run ${runId} was answered before, or the time for an answer is over. Read the run to see what counted.`,
          { runId },
        );
      }
    }
    const taken = await this.#takeUp(runId, options, undefined, Number.POSITIVE_INFINITY);
    return taken === undefined ? this.#await(runId, options) : this.#resultOf(taken.state);
  }

  /**
   * Looks at a run because a wake of its store says so, and goes on with it where nobody does. What is still to be waited
   * for is scheduled anew: a lease that may lapse, an answer that may expire, a run whose create may be on the way.
   *
   * @throws what made it impossible to look or to go on: the wake should come again. `lastTry` says that it will not: then
   *   the run ends `failed` with code `crash_loop`, if that can be written.
   */
  async wake(
    call: WakeCall,
    options: RunOptions<C> & { readonly lastTry?: boolean | undefined } = {},
  ): Promise<Woken> {
    const store = this.#kept();
    const takeUp = (givenUp?: AgentError) =>
      this.#takeUp(call.runId, options, undefined, Number.POSITIVE_INFINITY, givenUp);
    try {
      return await wakeRun(store, call, async () => (await takeUp())?.state);
    } catch (error) {
      if (error instanceof HandedOverError) {
        await wakeIn(store, call.runId, lookAgainMs);
        return 'left';
      }
      if (options.lastTry !== true) throw error;
      // Should not even that be written, there is another look, much later: no run is left alone.
      await wakeIn(store, call.runId, muchLaterMs);
      await takeUp(neverTakenUp(error));
      return 'ended';
    }
  }

  /** Cancels a run, whoever advances it; one that nobody holds is ended here. */
  async cancel(runId: string, reason?: string): Promise<void> {
    const posted = await this.post(runId, {
      id: randomId(),
      type: 'cancel',
      ...(reason === undefined ? {} : { reason }),
    });
    if (posted.accepted) await this.#takeUp(runId, {}, undefined, Number.POSITIVE_INFINITY);
  }

  /** The events of a run from any process (journal.md, Cursors). @throws NotFoundError, UserError for a bad cursor. */
  async *events(
    runId: string,
    options: {
      readonly cursor?: string | undefined;
      readonly follow?: boolean | undefined;
      readonly signal?: AbortSignal | undefined;
    } = {},
  ): AsyncGenerator<Watched, void> {
    const store = this.#kept();
    if ((await store.runs.header(runId)) === undefined) throw noSuchRun(runId);
    yield* watch(store, runId, options);
  }

  /** What is known of a run without its journal: owner, session, agent. */
  header(runId: string): Promise<RunHeader | undefined> {
    return this.#kept().runs.header(runId);
  }

  #kept(): Store {
    this.#own ??= this.#config.store ?? memoryStore();
    return this.#own;
  }

  #modelOf(agent: AgentDefinition<C, unknown>): Model {
    let model = this.#models.get(agent);
    if (model === undefined) {
      model = withDefaults(resolveModel(agent, this.#config.models));
      this.#models.set(agent, model);
    }
    return model;
  }

  async #execute(
    input: RunInput,
    options: RunOptions<C>,
    onEvent: ((event: Watched) => void) | undefined,
    onStart: (header: RunHeader) => void,
    runId: string = randomId(),
    handoff?: RecordedOptions['handoff'],
  ): Promise<RunResult<O>> {
    if (this.agent.overridesProcessRequest && boundRunOf(input) === undefined) {
      let ids = [runId];
      const attempt = (inner: ChatRequest) => {
        const [id = randomId()] = ids;
        ids = []; // Another try is another run.
        return this.#execute(inner, options, onEvent, onStart, id, handoff) as Promise<
          RunResult<never>
        >;
      };
      return this.agent.processRequest(bindRun(input, attempt));
    }
    checkMiddleware('The run', options.middleware);
    const begun = await this.#begin(input, options, this.#config.store, runId, handoff);
    onStart(begun.header);
    if (begun.type === 'exists') return this.#join(begun.header.runId, options, onEvent);
    return this.#drive(
      begun,
      await tryContext(this.#config.context, begun.state, options.context),
      options,
      onEvent,
    );
  }

  #begin(
    input: RunInput,
    options: RunOptions<C>,
    store: Store | undefined,
    freshId: string,
    handoff?: RecordedOptions['handoff'],
  ): Promise<Begun> {
    return begin(input, options, {
      agent: this.agent,
      around: this.#around,
      store,
      freshId,
      handoff,
      compaction: this.#config.compaction,
      sessionLimits: this.#config.sessionLimits,
      contextFor: (state, given) => contextFor(this.#config.context, state, given.context),
    }).catch(async (error: unknown) => {
      if (store !== undefined && isBusy(error)) await this.#wake(store, error.activeRunId);
      throw error;
    });
  }

  /** A request that finds an abandoned run wakes it (journal.md, Sessions). */
  async #wake(store: Store, runId: string): Promise<void> {
    const end = await store.runs.peek(runId);
    if (end === undefined || end.ended || end.lease !== undefined) return;
    if (store.wake !== undefined) return wakeIn(store, runId, 0);
    this.#takeUp(runId, {}, undefined, Number.POSITIVE_INFINITY).catch((error: unknown) => {
      const { code, message } = toFailure(error);
      this.#config.logger?.log('warn', 'an abandoned run could not be taken up', {
        runId,
        code,
        error: message,
      });
    });
  }

  /** Runs what was begun here. */
  async #drive(
    begun: Exclude<Begun, { readonly type: 'exists' }>,
    made: MadeContext<C>,
    options: RunOptions<C>,
    onEvent: ((event: Watched) => void) | undefined,
  ): Promise<RunResult<O>> {
    const { header } = begun;
    const kept: RunEvent[] | undefined = begun.store === undefined ? [begun.event] : undefined;
    const span = this.#span(header);
    const live = new LiveRun<C>({
      state: begun.state,
      context: made.context,
      around: this.#around,
      stored: begun.store === undefined ? undefined : begun,
      span,
      signal: options.signal,
      handOver: options.handOver,
      middleware: options.middleware,
      kept,
      onEvent,
    });
    onEvent?.(begun.event);
    try {
      const how = await this.#advance(live, begun.store, {
        attempt: 0,
        turns: Number.POSITIVE_INFINITY,
        failure: made.failure,
      });
      // Only a run that waits is kept without a store: its journal moves to a store of this runner's own.
      if (how === 'paused' && kept !== undefined) await recordWhole(this.#kept(), header, kept);
      if (how === 'paused' && (await this.#kept().runs.inbox(header.runId)).length > 0) {
        // Posted between the pause and the release: it would otherwise wait for nobody.
        const taken = await this.#takeUp(header.runId, options, onEvent, Number.POSITIVE_INFINITY);
        return taken === undefined
          ? await this.#await(header.runId, options)
          : await this.#resultOf(taken.state);
      }
      return await this.#resultOf(live.state);
    } catch (error) {
      if (!(error instanceof LeaseLostError)) throw error;
      this.#logLost(header.runId);
      return await this.#join(header.runId, options, onEvent, String(live.journal.stored));
    } finally {
      span?.end();
    }
  }

  /** Advances, then puts the result where it belongs and lets go of the lease. */
  async #advance(
    live: LiveRun<C>,
    store: Store | undefined,
    options: { readonly attempt: number; readonly turns: number; readonly failure: unknown },
  ): Promise<'ended' | 'paused' | 'yielded'> {
    let how: 'ended' | 'paused' | 'yielded';
    try {
      how = await advance(live, options);
      if (store !== undefined && how === 'ended')
        await commitEnd(store, live.state.runId, live.state);
    } finally {
      live.close();
      // What cannot be released lapses; a crash does no more.
      if (live.lease !== undefined) await live.lease.release().catch(() => undefined);
    }
    if (store !== undefined && how === 'paused') await wakeAtExpiry(store, live.state);
    if (store !== undefined && how === 'yielded' && live.leaves) {
      await wakeIn(store, live.state.runId, 0);
      throw new HandedOverError(live.state.runId);
    }
    return how;
  }

  /**
   * Takes a run up if nobody holds it and it has something to do. `undefined`: somebody else advances it, or it waits.
   */
  async #takeUp(
    runId: string,
    options: RunOptions<C>,
    onEvent: ((event: Watched) => void) | undefined,
    turns: number,
    givenUp?: AgentError,
  ): Promise<{ readonly state: RunState } | undefined> {
    const store = this.#kept();
    for (;;) {
      const before = await readRun(this.#kept(), runId);
      if (before.end !== undefined) {
        await commitEnd(store, runId);
        return { state: before };
      }
      await expireInterruptions(store, before);
      // A look at a paused run with an empty inbox takes no lease.
      if (givenUp === undefined && before.paused && (await store.runs.inbox(runId)).length === 0) {
        return { state: before };
      }
      const made = await tryContext(this.#config.context, before, options.context);
      const failure = givenUp ?? made.failure;
      if (
        givenUp === undefined &&
        failure !== undefined &&
        !(await this.#endsWithout(store, runId))
      ) {
        throw failure;
      }
      if (store.durable && isLeaving(this.#config.handOver, options.handOver)) {
        throw new HandedOverError(runId);
      }
      const { leaseMs } = this.#around;
      let askedAt = 0;
      const acquired = await takeWatched(store, { runId, leaseMs }, (holder) => {
        askedAt = performance.now();
        return surely(() => store.runs.acquire(runId, { holder, ttlMs: leaseMs }));
      });
      if (acquired === undefined) return undefined;
      const state = await this.#stateToAdvance(store, runId, acquired.lease);
      if (state === undefined) return undefined;
      const span = this.#span({ runId, agent: state.handoffPath[0] ?? '' });
      const live = new LiveRun<C>({
        state,
        context: made.context,
        around: this.#around,
        stored: { store, lease: acquired.lease, askedAt },
        span,
        signal: options.signal,
        handOver: options.handOver,
        middleware: options.middleware,
        onEvent,
      });
      try {
        const { attempt } = acquired;
        const how = await this.#advance(live, store, { attempt, turns, failure });
        // What was posted between the pause and the release would otherwise wait for nobody.
        if (how === 'paused' && (await store.runs.inbox(runId)).length > 0) continue;
      } catch (error) {
        if (error instanceof LeaseLostError) {
          this.#logLost(runId);
          return undefined;
        }
        throw error;
      } finally {
        span?.end();
      }
      return { state: live.state };
    }
  }

  /** The state under our lease, unless that was taken; the session is confirmed first, where a crash left that open. */
  async #stateToAdvance(store: Store, runId: string, lease: Lease): Promise<RunState | undefined> {
    try {
      const header = await store.runs.header(runId);
      const session =
        header?.sessionId === undefined
          ? undefined
          : await confirmSession(store, header.sessionId, runId);
      const state = await readState(store, runId, session);
      if (state === undefined) throw noSuchRun(runId);
      return state;
    } catch (error) {
      if (AgentError.isInstance(error) && error.code === 'session_busy') {
        // The session went to another run before this one had begun; or others ended it while we slept.
        const held = { lease, leaseMs: this.#around.leaseMs };
        const how = await deleteUnbegun(store, runId, held);
        if (how === 'taken') return undefined;
        if (how === 'deleted') throw noSuchRun(runId);
      }
      // What cannot be released lapses.
      await store.runs.release(runId, lease).catch(() => undefined);
      throw error;
    }
  }

  /** A run that is there, or that somebody else took: its result, or what comes of it, seen from `cursor` on. */
  async #join(
    runId: string,
    options: RunOptions<C>,
    onEvent: ((event: Watched) => void) | undefined,
    cursor?: string,
  ): Promise<RunResult<O>> {
    const resumed = this.resume(runId, undefined, options);
    if (onEvent === undefined) return resumed;
    const stop = new AbortController();
    resumed.catch(() => stop.abort()); // Nobody may ever go on with it: nothing to follow.
    const signal =
      options.signal === undefined ? stop.signal : AbortSignal.any([options.signal, stop.signal]);
    for await (const event of this.events(runId, { cursor, follow: true, signal })) onEvent(event);
    return resumed;
  }

  /** Waits for a run that somebody else advances, and takes it up if they go away. */
  async #await(runId: string, options: RunOptions<C>): Promise<RunResult<O>> {
    const store = this.#kept();
    const signal = options.signal ?? never;
    for (;;) {
      const end = await store.runs.peek(runId);
      if (end === undefined) throw noSuchRun(runId);
      if (end.ended || end.lease === undefined) {
        const taken = await this.#takeUp(runId, options, undefined, Number.POSITIVE_INFINITY);
        if (taken !== undefined) return this.#resultOf(taken.state);
      }
      await sleep(pollMsOf(store, awaitPollMs), signal);
    }
  }

  #logLost(runId: string): void {
    const message =
      'the lease of a run was lost: it could not be renewed in time, and another process may hold it';
    this.#config.logger?.log('warn', message, { runId });
  }

  #resultOf(state: RunState): Promise<RunResult<O>> {
    const root = state.frames.values().next().value;
    const name = root === undefined ? state.entryAgent : answerer(root).agent;
    // Whoever answered did so for the agent that was asked: `O` is what that one's handoffs can yield, too.
    const agent = this.#around.agent(name) as AgentDefinition<never, O> | undefined;
    return toResult<O>(state, agent);
  }

  // A factory that lacks something fails the run. Without one, another process may have what this one lacks; a cancel
  // needs no context.
  async #endsWithout(store: Store, runId: string): Promise<boolean> {
    if (this.#config.context !== undefined) return true;
    return (await store.runs.inbox(runId)).some(({ type }) => type === 'cancel');
  }

  #span(run: Pick<RunHeader, 'runId' | 'agent' | 'traceparent'>): Span | undefined {
    return this.#config.tracer?.start(
      'run',
      { runId: run.runId, agent: run.agent },
      run.traceparent === undefined ? undefined : { traceparent: run.traceparent },
    );
  }
}

/** How often a run that somebody else advances is looked at. */
const awaitPollMs = 50;
const never = new AbortController().signal;

function neverTakenUp(cause: unknown): AgentError {
  const { message } = toFailure(cause);
  return new AgentError(
    'crash_loop',
    `The run was woken again and again, and could not be taken up: ${message}`,
    { cause },
  );
}

function isBusy(error: unknown): error is SessionBusyError {
  return AgentError.isInstance(error) && error.code === 'session_busy';
}
