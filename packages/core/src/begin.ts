import type { AgentDefinition } from './agent-definition.ts';
import { checkCount, checkLimits } from './check-number.ts';
import { checkCompaction } from './compaction.ts';
import { AgentError, IdempotencyMismatchError, UserError } from './errors.ts';
import type { Compaction, RecordedOptions, RunEvent, RunEventBody, RunLimits } from './events.ts';
import { keyedRunId, randomId } from './ids.ts';
import { normalInput, type NormalInput } from './input.ts';
import { firstEvent } from './journal.ts';
import { canonicalJson, isJsonObject, sha256Hex, toJson, type Json } from './json.ts';
import { LiveRun, type Surroundings } from './live-run.ts';
import type { RunInput, RunOptions } from './run-result.ts';
import { fittingCompaction, type SessionLimits } from './session-limits.ts';
import {
  claimSession,
  confirmSession,
  deleteUnbegun,
  unclaimSession,
  type Claim,
} from './session.ts';
import type { RunState } from './state.ts';
import type { Lease, RunHeader, Store } from './store.ts';
import { surely } from './surely.ts';
import { takeWatched } from './wake.ts';

/** A run as its begin left it: recorded, held, ready to advance; or one that was there before. */
export type Begun =
  | { readonly type: 'exists'; readonly header: RunHeader }
  | {
      readonly type: 'ephemeral';
      readonly header: RunHeader;
      readonly state: RunState;
      readonly event: RunEvent;
      readonly store?: undefined;
      readonly lease?: undefined;
    }
  | {
      readonly type: 'stored';
      readonly header: RunHeader;
      readonly state: RunState;
      readonly event: RunEvent;
      readonly store: Store;
      readonly lease: Lease;
      readonly askedAt: number;
    };

/** Who begins a run, and with what. */
export interface Beginner<C> {
  readonly agent: AgentDefinition<C, unknown>;
  readonly around: Surroundings<C>;
  /** Where the run is recorded; nowhere for a run without a store. */
  readonly store: Store | undefined;
  /** The id of a run without an idempotency key. */
  readonly freshId: string;
  readonly contextFor: (state: RunState, options: RunOptions<C>) => Promise<C>;
  readonly compaction?: Compaction | undefined;
  readonly sessionLimits?: SessionLimits | undefined;
  /** The run begins with this handoff. */
  readonly handoff?: RecordedOptions['handoff'];
}

/** Records a run: claims its session, creates it, confirms (journal.md, Sessions). */
export async function begin<C>(
  input: RunInput,
  options: RunOptions<C>,
  by: Beginner<C>,
): Promise<Begun> {
  const { agent, store } = by;
  const { principal, idempotencyKey: key } = options;
  const runId =
    key === undefined
      ? by.freshId
      : await keyedRunId(principal?.id, agent.name, checkKey(key, options, store));
  checkCount('maxTurns', options.maxTurns, 1);
  checkCount('toolConcurrency', options.toolConcurrency, 1);
  if (options.limits !== undefined) checkLimits(options.limits);
  checkCompaction(options.compaction);
  let compaction = options.compaction ?? by.compaction;
  let normal = normalInput(input, runId);
  const sessionId = options.sessionId ?? normal.sessionId;
  if (sessionId !== undefined && store === undefined) {
    throw new UserError(
      `The run names session ${sessionId}, but the runner has no store to keep it. Write new Runner(agent, { store: memoryStore() }).`,
    );
  }
  const requestHash =
    key === undefined
      ? undefined
      : await sha256Hex(
          canonicalJson(
            toJson([
              normal.messages,
              sessionId ?? null,
              normal.requestContext,
              ...(by.handoff === undefined ? [] : [by.handoff]),
              ...askedBeside(options, normal),
            ]),
          ),
        );
  if (store !== undefined && key !== undefined) {
    const known = await store.runs.header(runId);
    if (known !== undefined) return exists(known, requestHash);
  }
  if (agent.beforeRun !== undefined) {
    normal = await applyBeforeRun(normal, runId, sessionId, options, by);
  }
  const header: RunHeader = {
    runId,
    agent: agent.name,
    ...(sessionId === undefined ? {} : { sessionId }),
    ...(principal === undefined ? {} : { owner: principal.id }),
    ...(requestHash === undefined ? {} : { requestHash }),
    ...(options.traceparent === undefined ? {} : { traceparent: options.traceparent }),
    createdAt: Date.now(),
  };
  let claim: Claim | undefined;
  if (store !== undefined && sessionId !== undefined) {
    claim = await claimSession(store, sessionId, {
      runId,
      owner: principal?.id,
      keyed: key !== undefined,
      admit: (session) => {
        compaction = fittingCompaction(session, by.sessionLimits, compaction);
      },
    });
    const known = claim === undefined ? await store.runs.header(runId) : undefined;
    if (known !== undefined) return exists(known, requestHash);
  }
  // Who hands off by hand is the agent that was named.
  const active = by.handoff === undefined ? firstAgent(agent, claim) : agent.name;
  const first = by.around.agent(active)?.name ?? agent.name;
  const limits = limitsOf(agent, options);
  const body = runStart(normal, sessionId, claim, { ...options, limits, compaction }, by.handoff);
  const { event, state } = firstEvent({
    runId,
    agent: first,
    base: claim?.base,
    body: first === agent.name ? body : { ...body, entryAgent: agent.name },
  });
  if (store === undefined) {
    return { type: 'ephemeral', header, state, event };
  }
  const { leaseMs } = by.around;
  let askedAt = 0;
  const created = await takeWatched(store, { runId, leaseMs }, (holder) => {
    askedAt = performance.now();
    return surely(() => store.runs.create(header, event, { holder, ttlMs: leaseMs }));
  }).catch(async (error: unknown) => {
    // Nothing was created: the session must not wait for a run that will never be.
    if (sessionId !== undefined)
      await unclaimSession(store, sessionId, runId).catch(() => undefined);
    throw error;
  });
  if (!created.created) return exists(created.header, requestHash);
  if (sessionId !== undefined) {
    try {
      await confirmSession(store, sessionId, runId);
    } catch (error) {
      if (AgentError.isInstance(error) && error.code === 'session_busy') {
        // Somebody else took it up, and ended it: it is joined.
        const held = { lease: created.lease, leaseMs };
        if ((await deleteUnbegun(store, runId, held)) === 'taken')
          return exists(header, requestHash);
      }
      throw error;
    }
  }
  return { type: 'stored', header, state, event, store, lease: created.lease, askedAt };
}

/** A session belongs to its entry agent: under that name the active agent answers; another name is a switch. */
function firstAgent<C>({ name, aliases }: AgentDefinition<C, unknown>, claim: Claim | undefined) {
  const entry = claim?.entryAgent;
  const same = entry === name || (entry !== undefined && aliases.includes(entry));
  return same ? (claim?.activeAgent ?? name) : name;
}

function limitsOf<C>(
  { maxHops }: AgentDefinition<C, unknown>,
  { limits }: RunOptions<C>,
): RunLimits | undefined {
  return maxHops === undefined ? limits : { maxHops, ...limits };
}

async function applyBeforeRun<C>(
  normal: NormalInput,
  runId: string,
  sessionId: string | undefined,
  options: RunOptions<C>,
  { agent, around, contextFor }: Beginner<C>,
): Promise<NormalInput> {
  const { beforeRun } = agent;
  if (beforeRun === undefined) return normal;
  const { state } = firstEvent({
    runId,
    agent: agent.name,
    base: undefined,
    body: runStart(normal, sessionId, undefined, options),
  });
  const live = new LiveRun<C>({
    state,
    context: await contextFor(state, options),
    around,
    stored: undefined,
    span: undefined,
    signal: options.signal,
    onEvent: undefined,
  });
  try {
    const changed = await beforeRun(normal, live.contextOf(live.root));
    return { ...normal, ...changed };
  } finally {
    live.close();
  }
}

function runStart<C>(
  normal: NormalInput,
  sessionId: string | undefined,
  claim: Claim | undefined,
  options: RunOptions<C>,
  handoff?: RecordedOptions['handoff'],
): Extract<RunEventBody, { readonly type: 'run-start' }> {
  const { principal } = options;
  const userId = options.userId ?? normal.userId;
  return {
    type: 'run-start',
    input: normal.messages,
    ...(sessionId === undefined ? {} : { sessionId }),
    ...(claim === undefined ? {} : { sessionVersion: claim.version }),
    ...(userId === undefined ? {} : { userId }),
    ...(principal === undefined ? {} : { principal }),
    requestContext: normal.requestContext,
    options: { ...recordedOptions(options), ...(handoff === undefined ? {} : { handoff }) },
  };
}

function recordedOptions<C>(options: RunOptions<C>): RecordedOptions {
  const { maxTurns, limits, toolConcurrency, modelSettings, compaction, context } = options;
  return {
    ...(maxTurns === undefined ? {} : { maxTurns }),
    ...(limits === undefined ? {} : { limits }),
    ...(toolConcurrency === undefined ? {} : { toolConcurrency }),
    ...(modelSettings === undefined ? {} : { modelSettings: settingsJson(modelSettings) }),
    ...(compaction === undefined ? {} : { compaction }),
    ...(context === undefined ? {} : { context: 'given' }),
  };
}

function checkKey<C>(key: string, options: RunOptions<C>, store: Store | undefined): string {
  if (store === undefined) {
    throw new UserError(
      'An idempotencyKey needs a store to find the run again: new Runner(agent, { store }).',
    );
  }
  if (options.principal === undefined && key.length < 32) {
    throw new UserError(
      `The idempotency key has ${key.length} characters. Without a principal it must have at least 32, because it is all that protects the run.`,
    );
  }
  return key;
}

function exists(header: RunHeader, requestHash: string | undefined): Begun {
  if (header.requestHash !== requestHash) {
    throw new IdempotencyMismatchError(
      'This idempotency key was used before, for another request. Use a new key.',
      { runId: header.runId },
    );
  }
  return { type: 'exists', header };
}

/** What else makes a request another one; nothing where nothing is said. */
function askedBeside<C>(
  { userId, modelSettings }: RunOptions<C>,
  normal: NormalInput,
): readonly Json[] {
  const user = userId ?? normal.userId;
  if (user === undefined && modelSettings === undefined) return [];
  return [{ user: user ?? null, settings: settingsJson(modelSettings ?? {}) }];
}

function settingsJson(settings: object) {
  const json = toJson(settings);
  return isJsonObject(json) ? json : {};
}

/** Records a run that has gone some way: its whole journal at once, held by nobody. */
export async function recordWhole(
  { runs }: Store,
  header: RunHeader,
  [first, ...rest]: readonly RunEvent[],
): Promise<void> {
  if (first === undefined) return;
  const created = await runs.create(header, first, { holder: randomId(), ttlMs: 60_000 });
  if (!created.created) return;
  await runs.append(header.runId, rest, { expectedSeq: 1, token: created.lease.token });
  await runs.release(header.runId, created.lease);
}
