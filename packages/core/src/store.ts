import type { Delta, RunEvent } from './events.ts';
import type { Decision } from './interruption.ts';
import type { JsonObject } from './json.ts';
import type { Message } from './message.ts';
import type { RecordStore } from './records.ts';

// The boundary to where runs and sessions are kept. `storeContract` (core/testing) is its specification.

/** What is known of a run without reading its journal. */
export interface RunHeader {
  readonly runId: string;
  readonly agent: string;
  readonly sessionId?: string | undefined;
  /** The principal that may see the run; nobody's when absent. */
  readonly owner?: string | undefined;
  /** Of an idempotent request: what it asked. */
  readonly requestHash?: string | undefined;
  readonly traceparent?: string | undefined;
  readonly createdAt: number;
}

/** The right to advance a run until `expiresAt` (the store's clock). `token` grows with each lease of the run. */
export interface Lease {
  readonly holder: string;
  readonly token: number;
  readonly expiresAt: number;
}

/** What everyone but the holder may send to a run. Idempotent by `id`. */
export type Signal = { readonly id: string } & (
  | {
      readonly type: 'decide';
      readonly decisions: readonly Decision[];
      readonly by?: string | undefined;
    }
  | {
      readonly type: 'cancel';
      readonly by?: string | undefined;
      readonly reason?: string | undefined;
    }
);

/** Whether a signal counts; where an interruption was decided before, `counted` is the signal that did. */
export type PostResult =
  | { readonly accepted: true }
  | { readonly accepted: false; readonly counted?: Signal | undefined };

/** Append-only journals, one writer each; everyone else posts to the inbox. Times are the store's clock. */
export interface RunStore {
  /**
   * Run, first event and first lease in one write. Where the run exists: same `requestHash` (both absent counts as the
   * same only for the same holder repeating its create) answers its header; the same holder repeating its create
   * answers `created: true` with its lease, until that lease is released or taken. A `holder` is therefore unique to
   * its caller: two that share one are one.
   *
   * @throws IdempotencyMismatchError for another `requestHash`. StoreFullError when there is no room; nothing is written.
   */
  create(
    header: RunHeader,
    first: RunEvent,
    lease: { readonly holder: string; readonly ttlMs: number },
  ): Promise<
    | { readonly created: true; readonly lease: Lease }
    | { readonly created: false; readonly header: RunHeader }
  >;
  header(runId: string): Promise<RunHeader | undefined>;
  /**
   * All or nothing. `drained` are signals that these events record; they leave the inbox in the same write (their ids
   * stay known). Any event that `isProgress()` sets the count of attempts to 0; `run-end` marks the run as finished,
   * and nothing is appended after it.
   *
   * @throws RunConflictError (`reason: 'seq' | 'lease'`) when the end or the lease token is another. A lease that has
   *   lapsed but was not taken by anybody still appends; one that was released does not. NotFoundError for an unknown run.
   */
  append(
    runId: string,
    events: readonly RunEvent[],
    at: {
      readonly expectedSeq: number;
      readonly token: number;
      readonly drained?: readonly string[] | undefined;
    },
  ): Promise<void>;
  /** Events with `seq` above `after` (default 0), in order. Nothing for an unknown run. Safe while the run is written. */
  read(runId: string, options?: { readonly after?: number | undefined }): AsyncIterable<RunEvent>;
  /** The last `seq`, whether `run-end` is written, and the present lease, if it has not lapsed. One cheap look. */
  peek(runId: string): Promise<RunPeek | undefined>;
  /**
   * Takes the lease when nobody holds it; repeated by who has it (a lost answer), answers it again. `attempt` counts the
   * leases that lapsed in a row without progress. `undefined` when another holds it, or the run is unknown or has ended.
   */
  acquire(
    runId: string,
    options: { readonly holder: string; readonly ttlMs: number },
  ): Promise<{ readonly lease: Lease; readonly attempt: number } | undefined>;
  /** `undefined` when the lease is no longer this one; one that lapsed but was not taken is renewed. */
  renew(runId: string, lease: Lease, ttlMs: number): Promise<Lease | undefined>;
  /** A released lease is no attempt. Releasing what is not held is a no-op. */
  release(runId: string, lease: Lease): Promise<void>;
  /**
   * Puts a signal in the inbox, idempotent by its id as long as the run exists (after the drain too: `accepted: true`
   * again). One decision an interruption, create-once for the whole set. Where an expiry is given in `expiries`, only
   * `by: 'system'` counts after it, and only others before. The state of the run does not matter.
   *
   * @throws NotFoundError for an unknown run.
   */
  post(
    runId: string,
    signal: Signal,
    options?: {
      /** When an interruption stops taking answers, by its id; compared with the store's clock. */
      readonly expiries?: { readonly [interruptionId: string]: number } | undefined;
    },
  ): Promise<PostResult>;
  /** What was posted and not drained, oldest first. */
  inbox(runId: string): Promise<readonly Signal[]>;
  /** Newest first. `unfinished` looks at an index, not at every run. */
  list(options: {
    readonly owner?: string | undefined;
    readonly sessionId?: string | undefined;
    readonly unfinished?: boolean | undefined;
    readonly limit: number;
    readonly cursor?: string | undefined;
  }): Promise<{ readonly runs: readonly RunHeader[]; readonly cursor?: string | undefined }>;
  /** Removes the run with its journal and inbox. Unknown: a no-op. */
  delete(runId: string): Promise<void>;
  /** Optional: deltas between processes. Within one process the runner shows them by itself. */
  readonly channel?: DeltaChannel | undefined;
}

export interface RunPeek {
  readonly seq: number;
  readonly ended: boolean;
  readonly lease?: Lease | undefined;
}

/** A best-effort side channel for the deltas of attempts in progress. Nobody follows: nothing is written. */
export interface DeltaChannel {
  /** Called by the holder in order; never blocks, never throws. A new `epoch` of a frame replaces what was there. */
  publish(runId: string, deltas: readonly Delta[]): void;
  /** The attempts in progress of this run are over: forget their deltas. */
  clear(runId: string): void;
  /** The deltas of the attempts in progress from the first, where they are to be had, then live ones, until aborted. */
  follow(runId: string, options: { readonly signal: AbortSignal }): AsyncIterable<Delta>;
}

/** One conversation between runs. `version` changes with every commit. */
export interface SessionSnapshot {
  readonly sessionId: string;
  readonly version: string;
  readonly owner?: string | undefined;
  readonly messages: readonly Message[];
  /** The agent by whose name the session is used. */
  readonly entryAgent?: string | undefined;
  /** The agent that has the next turn, after handoffs. */
  readonly activeAgent?: string | undefined;
  readonly activeRunId?: string | undefined;
  /** When `activeRunId` was set, by the store's clock. */
  readonly activeSince?: number | undefined;
  readonly activeConfirmed?: boolean | undefined;
  readonly closed?: boolean | undefined;
  readonly state: JsonObject;
  readonly updatedAt?: number | undefined;
}

/** What a run finds in its session when it begins. */
export type SessionBase = Pick<SessionSnapshot, 'messages' | 'state'>;

/** What a commit changes; what it leaves out stays. `replaceWith` comes before `append`. */
export interface SessionChange {
  readonly append?: readonly Message[] | undefined;
  readonly replaceWith?: readonly Message[] | undefined;
  readonly owner?: string | undefined;
  readonly entryAgent?: string | undefined;
  readonly activeAgent?: string | undefined;
  readonly activeRunId?: string | null | undefined;
  readonly activeConfirmed?: boolean | undefined;
  readonly closed?: boolean | undefined;
  readonly state?: JsonObject | undefined;
}

export interface SessionStore {
  /** An unknown id is an empty session: no messages, version `'0'`. */
  load(sessionId: string): Promise<SessionSnapshot>;
  /**
   * Atomic. A repeated `operationId` is a no-op that answers the version it made. Setting `activeRunId` stamps
   * `activeSince` with the store's clock and sets `activeConfirmed` to what the change says (default `false`).
   *
   * @throws SessionConflictError for a stale `expectedVersion`. StoreFullError when there is no room.
   */
  commit(
    sessionId: string,
    change: SessionChange,
    at: { readonly expectedVersion: string; readonly operationId: string },
  ): Promise<{ readonly version: string }>;
  /** Newest first. */
  list(options: {
    readonly owner?: string | undefined;
    readonly limit: number;
    readonly cursor?: string | undefined;
  }): Promise<{
    readonly sessions: readonly { readonly sessionId: string; readonly updatedAt: number }[];
    readonly cursor?: string | undefined;
  }>;
  /** Unknown: a no-op. */
  delete(sessionId: string): Promise<void>;
}

/** What a wake says: look at this run. Plain JSON, as a queue carries it. */
export interface WakeCall {
  readonly runId: string;
  /** When a wake first found no such run, by the store's clock: its create may still be on the way. */
  readonly missingSince?: number | undefined;
  /** Of the wake that watches over a lease: its holder. It comes again as long as that one holds the run. */
  readonly holder?: string | undefined;
}

/** Makes a host look at a run at a given time, in whichever process: at least once, and not much later. */
export interface Wake {
  /** `atMs` by the store's clock; what is past is now. A later time than the store can keep may be cut short. */
  schedule(call: WakeCall, atMs: number): Promise<void>;
  /** Where the calls come out: what a host that has such triggers registers. */
  readonly trigger?:
    | { readonly type: 'queue'; readonly queueName: string; readonly connection: string }
    | undefined;
}

/** Keeps runs, inboxes, sessions and small records. */
export interface Store {
  readonly runs: RunStore;
  readonly sessions: SessionStore;
  /** What protocols keep beside. */
  readonly records: RecordStore;
  /** Whether what is written outlives the process. */
  readonly durable: boolean;
  /**
   * Of a store whose answers cost something: how often a holder looks at the inbox while it waits for a model or a tool.
   * Between steps it looks once in a tenth of that at most, and who waits for another process's run four times in it.
   * Default 500, and between all steps.
   */
  readonly inboxPollMs?: number | undefined;
  /** The store's clock, in milliseconds since 1970: what leases and expiries are compared with. */
  now(): Promise<number>;
  /**
   * What may go, oldest first: runs that ended, and sessions that nobody used, longer ago than the store keeps them. A
   * session with an active run is not among them. Looks at an index, not at everything. A store that forgets by itself
   * has nothing to say here. `cleanUp()` deletes what it names.
   */
  expired(options: {
    readonly limit: number;
  }): Promise<{ readonly runs: readonly string[]; readonly sessions: readonly string[] }>;
  /** How a run is taken up later, or elsewhere. A host registers the trigger without knowing the store. */
  readonly wake?: Wake | undefined;
  close?(): Promise<void>;
}
