import {
  IdempotencyMismatchError,
  NotFoundError,
  RunConflictError,
  StoreFullError,
  UserError,
} from './errors.ts';
import { isProgress, type RunEvent } from './events.ts';
import { estimateBytes, placeOf, type MemoryRoom } from './memory-room.ts';
import type { Lease, RunHeader, RunStore, Signal } from './store.ts';

/** One run. What few runs need is made on first use. */
interface Run {
  readonly header: RunHeader;
  readonly order: number;
  readonly events: RunEvent[];
  bytes: number;
  ended: boolean;
  /** The last lease; released: undefined. */
  lease: Lease | undefined;
  token: number;
  attempts: number;
  /** Every signal ever accepted, by id. */
  posted: Map<string, Signal> | undefined;
  /** Those not drained, in order. */
  inbox: Map<string, Signal> | undefined;
  /** By interruption, the signal that counted. */
  decided: Map<string, Signal> | undefined;
}

export function memoryRuns(
  room: MemoryRoom,
  {
    now,
    maxRuns,
    keepRunsMs,
  }: { readonly now: () => number; readonly maxRuns: number; readonly keepRunsMs: number },
): RunStore {
  const runs = new Map<string, Run>();
  const unfinished = new Map<string, Run>();
  /** When each ended run ended; a map keeps the order, so the first is the oldest. */
  const ended = new Map<string, number>();
  let created = 0;

  const forget = (run: Run): void => {
    const { runId } = run.header;
    runs.delete(runId);
    unfinished.delete(runId);
    ended.delete(runId);
    room.free(run.bytes);
  };
  const dropOldest = (): boolean => {
    for (const runId of ended.keys()) {
      const run = runs.get(runId);
      if (run === undefined) return false;
      forget(run);
      return true;
    }
    return false;
  };
  room.droppable(dropOldest);

  /** Forgets the runs whose time is over; looks at the oldest end only. */
  const sweep = (): void => {
    for (const [, endedAt] of ended) {
      if (endedAt + keepRunsMs > now()) return;
      dropOldest();
    }
  };
  const find = (runId: string): Run | undefined => {
    if (ended.size > 0) sweep();
    return runs.get(runId);
  };
  const require = (runId: string): Run => {
    const run = find(runId);
    if (run === undefined) throw new NotFoundError(`There is no run '${runId}'.`, { runId });
    return run;
  };
  const held = (run: Run): Lease | undefined =>
    run.lease !== undefined && run.lease.expiresAt > now() ? run.lease : undefined;
  const grant = (run: Run, holder: string, ttlMs: number): Lease =>
    (run.lease = { holder, token: ++run.token, expiresAt: now() + ttlMs });

  return {
    async create(header, first, { holder, ttlMs }) {
      const present = find(header.runId);
      if (present !== undefined) return repeated(present, header, holder);
      if (runs.size >= maxRuns && !dropOldest()) {
        throw new StoreFullError(
          `The memory store is full: none of its ${maxRuns} runs has ended. Try again later, raise maxRuns, or use a durable store.`,
        );
      }
      const bytes = estimateBytes(header) + estimateBytes(first);
      reserve(room, bytes, header.runId);
      const run: Run = {
        header,
        order: ++created,
        events: [first],
        bytes,
        ended: false,
        lease: undefined,
        token: 0,
        attempts: 0,
        posted: undefined,
        inbox: undefined,
        decided: undefined,
      };
      runs.set(header.runId, run);
      unfinished.set(header.runId, run);
      return { created: true, lease: grant(run, holder, ttlMs) };
    },

    async header(runId) {
      return find(runId)?.header;
    },

    async append(runId, events, { expectedSeq, token, drained }) {
      const run = require(runId);
      checkEnd(run, events, expectedSeq, token);
      let bytes = 0;
      let ends = false;
      for (const event of events) {
        bytes += estimateBytes(event);
        ends ||= event.type === 'run-end';
      }
      // The end of a run is always taken: it is what makes room.
      if (ends) room.free(-bytes);
      else reserve(room, bytes, runId);
      run.bytes += bytes;
      for (const event of events) {
        run.events.push(event);
        if (isProgress(event)) run.attempts = 0;
      }
      if (drained !== undefined) for (const id of drained) run.inbox?.delete(id);
      if (ends) {
        run.ended = true;
        unfinished.delete(runId);
        ended.set(runId, now());
      }
    },

    async *read(runId, { after = 0 } = {}) {
      const run = find(runId);
      if (run === undefined) return;
      // By index, because the run may grow meanwhile. Event `seq` is at `seq - 1`.
      for (let index = after; index < run.events.length; index++) {
        const event = run.events[index];
        if (event !== undefined) yield event;
      }
    },

    async peek(runId) {
      const run = find(runId);
      if (run === undefined) return undefined;
      return { seq: run.events.length, ended: run.ended, lease: held(run) };
    },

    async acquire(runId, { holder, ttlMs }) {
      const run = find(runId);
      if (run === undefined || run.ended) return undefined;
      const lease = held(run);
      if (lease?.holder === holder) return { lease, attempt: run.attempts };
      if (lease !== undefined) return undefined;
      if (run.lease !== undefined) run.attempts++;
      return { lease: grant(run, holder, ttlMs), attempt: run.attempts };
    },

    async renew(runId, lease, ttlMs) {
      const run = runs.get(runId);
      if (run?.lease?.token !== lease.token) return undefined;
      return (run.lease = { ...run.lease, expiresAt: now() + ttlMs });
    },

    async release(runId, lease) {
      const run = runs.get(runId);
      if (run?.lease?.token === lease.token) run.lease = undefined;
    },

    async post(runId, signal, { expiries = {} } = {}) {
      const run = require(runId);
      if (run.posted?.has(signal.id) === true) return { accepted: true };
      if (signal.type === 'decide') {
        for (const { interruptionId } of signal.decisions) {
          const counted = run.decided?.get(interruptionId);
          if (counted !== undefined) return { accepted: false, counted };
        }
        for (const { interruptionId } of signal.decisions) {
          const expiresAt = expiries[interruptionId];
          if (expiresAt !== undefined && (signal.by === 'system') !== expiresAt <= now()) {
            return { accepted: false };
          }
        }
      }
      const bytes = estimateBytes(signal);
      if (run.ended) room.free(-bytes);
      else reserve(room, bytes, runId);
      run.bytes += bytes;
      if (signal.type === 'decide') {
        run.decided ??= new Map();
        for (const { interruptionId } of signal.decisions) run.decided.set(interruptionId, signal);
      }
      (run.posted ??= new Map()).set(signal.id, signal);
      (run.inbox ??= new Map()).set(signal.id, signal);
      return { accepted: true };
    },

    async inbox(runId) {
      const inbox = find(runId)?.inbox;
      return inbox === undefined ? [] : [...inbox.values()];
    },

    async list({ owner, sessionId, unfinished: onlyUnfinished = false, limit, cursor }) {
      sweep();
      const before = placeOf(cursor);
      const headers: RunHeader[] = [];
      let last = 0;
      for (const run of [...(onlyUnfinished ? unfinished : runs).values()].toReversed()) {
        const { header, order } = run;
        if (order >= before) continue;
        if (owner !== undefined && header.owner !== owner) continue;
        if (sessionId !== undefined && header.sessionId !== sessionId) continue;
        if (headers.length === limit) return { runs: headers, cursor: String(last) };
        headers.push(header);
        last = order;
      }
      return { runs: headers };
    },

    async delete(runId) {
      const run = runs.get(runId);
      if (run !== undefined) forget(run);
    },
  };
}

function repeated(
  run: Run,
  header: RunHeader,
  holder: string,
): Awaited<ReturnType<RunStore['create']>> {
  // The first lease has token 1: the same holder repeats its create as long as nobody else had the run.
  const own = run.lease?.token === 1 && run.lease.holder === holder ? run.lease : undefined;
  const same = header.requestHash === run.header.requestHash;
  if (!same || (header.requestHash === undefined && own === undefined)) {
    throw new IdempotencyMismatchError(
      `Run '${header.runId}' exists already, for another request. Use a new idempotency key.`,
      { runId: header.runId },
    );
  }
  return own === undefined ? { created: false, header: run.header } : { created: true, lease: own };
}

function checkEnd(run: Run, events: readonly RunEvent[], expectedSeq: number, token: number): void {
  const { runId } = run.header;
  if (run.lease?.token !== token) {
    throw new RunConflictError(
      `Run '${runId}' is no longer held with token ${token} (the last one given is ${run.token}). Stop: somebody else goes on with it.`,
      { runId, reason: 'lease' },
    );
  }
  if (run.events.length !== expectedSeq || run.ended) {
    throw new RunConflictError(
      run.ended
        ? `Run '${runId}' has ended with event ${run.events.length}; nothing follows.`
        : `Run '${runId}' ends with event ${run.events.length}, not ${expectedSeq}. Read it again before appending.`,
      { runId, reason: 'seq' },
    );
  }
  for (const [index, event] of events.entries()) {
    if (event.seq !== expectedSeq + 1 + index) {
      throw new UserError(
        `Event ${event.seq} of run '${runId}' was appended at place ${expectedSeq + 1 + index}. Number events without a gap.`,
        { runId },
      );
    }
  }
}

function reserve(room: MemoryRoom, bytes: number, runId: string): void {
  if (room.reserve(bytes)) return;
  throw new StoreFullError(
    `The memory store has no room for ${bytes} more bytes (maxBytes is ${room.maxBytes}, taken by runs that have not ended and sessions in use). Try again later, raise maxBytes, or use a durable store.`,
    { runId },
  );
}
