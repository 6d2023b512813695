import { randomId } from './ids.ts';
import { commitEnd } from './session.ts';
import { openInterruptions, type RunState } from './state.ts';
import type { RunPeek, Store, WakeCall } from './store.ts';
import { surely } from './surely.ts';

// Who takes a run up when its process is gone: a wake is scheduled before the write that it protects, to come after it
// (journal.md, One writer). Each lease has one of its own, which comes when it has lapsed, so that any other wake that
// finds a run held has nothing to do. A queue hides what was taken from it for minutes when the taker dies: whatever a
// wake sets out to do, another one is scheduled before. Stores without wakes are swept.

/** What a wake found: what the run does now. */
export type Woken =
  /** It has ended. */
  | 'ended'
  /** It waits for an answer. */
  | 'waits'
  /** Somebody else advances it. */
  | 'held'
  /** There is no such run, or not yet. */
  | 'missing'
  /** It was advanced here, and let go of. */
  | 'left';

/** A run that a wake does not find may still be created for this long. */
const creatingMs = 60_000;
const missingMs = 5_000;
/** A process that leaves looks at nothing: another one may in a moment. */
export const lookAgainMs = 500;
/** How long the end of a session may take to be written. */
const commitMs = 1_000;
/** How long a post may take before its wake could have come too early. */
const postMs = 1_000;
/** Behind the lapse of a lease, or of a question: it is over by then. */
const behindMs = 100;
/** What a wake over a lease comes early, and waits: a store's wakes may have whole seconds, and come late by one. */
const earlyMs = 1_000;

/** Has the run looked at in `inMs`; a no-op for a store without a wake. */
export async function wakeIn(store: Store, runId: string, inMs: number): Promise<void> {
  const { wake } = store;
  if (wake === undefined) return;
  await surely(async () => wake.schedule({ runId }, (await store.now()) + inMs));
}

/**
 * Takes a lease, by a create or an acquire: should its process go away, the run is looked at when the lease has lapsed.
 * Without `wake` a store is left alone.
 */
export async function takeWatched<T>(
  store: Store,
  { runId, leaseMs }: { readonly runId: string; readonly leaseMs: number },
  take: (holder: string) => Promise<T>,
): Promise<T> {
  const holder = randomId();
  const { wake } = store;
  if (wake === undefined) return take(holder);
  const inMs = leaseMs + behindMs - Math.min(earlyMs, leaseMs / 2);
  const watch = () =>
    surely(async () => wake.schedule({ runId, holder }, (await store.now()) + inMs));
  const scheduledAt = performance.now();
  await watch();
  const taken = await take(holder);
  // The wake may have come before there was a lease.
  if (performance.now() - scheduledAt > inMs - behindMs) await watch();
  return taken;
}

/** Does what makes a run have something to do, between a wake that is scheduled and, if that could have come too early, another. */
export async function wakeAround<T>(
  store: Store,
  runId: string,
  write: () => Promise<T>,
): Promise<T> {
  if (store.wake === undefined) return write();
  const scheduledAt = performance.now();
  await wakeIn(store, runId, postMs);
  const written = await write();
  if (performance.now() - scheduledAt > postMs - behindMs) await wakeIn(store, runId, 0);
  return written;
}

/** Has a paused run looked at when the first of its questions expires. */
export async function wakeAtExpiry(store: Store, state: RunState): Promise<void> {
  const { wake } = store;
  if (wake === undefined) return;
  const expiries = openInterruptions(state).map(({ expiresAt }) => expiresAt ?? Infinity);
  const first = Math.min(...expiries);
  if (first === Infinity) return;
  await surely(() => wake.schedule({ runId: state.runId }, first + behindMs));
}

/**
 * Looks at a run that a wake names. `takeUp` goes on with it if nobody does, and answers its state; `undefined` when
 * somebody else was faster.
 */
export async function wakeRun(
  store: Store,
  call: WakeCall,
  takeUp: () => Promise<RunState | undefined>,
): Promise<Woken> {
  const { runId } = call;
  const end = await endOrLapse(store, call);
  if (end === 'renewed') return 'held';
  if (end === undefined) {
    const now = await store.now();
    const missingSince = call.missingSince ?? now;
    if (now - missingSince < creatingMs) {
      await store.wake?.schedule({ ...call, missingSince }, now + missingMs);
    }
    return 'missing';
  }
  if (end.ended) {
    await endSession(store, runId);
    return 'ended';
  }
  if (end.lease !== undefined) {
    const { holder, expiresAt } = end.lease;
    if (call.holder === holder) {
      await store.wake?.schedule({ runId, holder }, expiresAt + behindMs - earlyMs);
    }
    return 'held';
  }
  const state = await takeUp();
  if (state?.end !== undefined) return 'ended';
  if (state?.paused === true) {
    await wakeAtExpiry(store, state);
    return 'waits';
  }
  // Somebody else has it, or had it a moment ago.
  const now = await store.runs.peek(runId);
  if (now === undefined || now.ended) return 'ended';
  if (now.lease === undefined) await store.wake?.schedule({ runId }, 0);
  return 'held';
}

/** Makes the end of a run's session, where its holder went away before that. */
async function endSession(store: Store, runId: string): Promise<void> {
  const sessionId = (await store.runs.header(runId))?.sessionId;
  if (sessionId === undefined) return;
  if ((await store.sessions.load(sessionId)).activeRunId !== runId) return;
  await wakeIn(store, runId, commitMs);
  await commitEnd(store, runId);
}

/** How the run stands; if the lease that the wake watches over is about to lapse, then after that. */
async function endOrLapse(
  store: Store,
  { runId, holder }: WakeCall,
): Promise<RunPeek | 'renewed' | undefined> {
  const end = await store.runs.peek(runId);
  if (end?.lease === undefined || end.ended || end.lease.holder !== holder) return end;
  const lapsesInMs = end.lease.expiresAt + behindMs - (await store.now());
  if (lapsesInMs > earlyMs) return end;
  // Whoever waits may go away as well: then a later one comes.
  await store.wake?.schedule({ runId, holder }, end.lease.expiresAt + behindMs);
  await new Promise<void>((resolve) => {
    setTimeout(resolve, Math.max(0, lapsesInMs));
  });
  const after = await store.runs.peek(runId);
  return after?.lease?.holder === holder ? 'renewed' : after;
}
