import {
  AgentError,
  type HandOver,
  type ProtocolRunOptions,
  type RunHeader,
  type RunInput,
  type Watched,
} from '@agent-functions/core';
import { goesOnByWake, type Call } from './scope.ts';

/** How long what a run does may take to end when its request lets go of it, where the host does not say. */
const settleMs = 5_000;

/**
 * What becomes of the request: it is answered at once (`later`), when the task has ended or waits (`wait`), or as it goes
 * (`stream`).
 */
export type Mode = 'later' | 'wait' | 'stream';

/** A run under way, and what lets its request leave it to others. */
export interface Started {
  readonly header: RunHeader;
  /** Of a `stream`: everything from the first event, as it happens here. */
  readonly events?: AsyncIterator<Watched> | undefined;
  /** The request is over: where the process does not live on behind its answer, another goes on with the run. */
  leave(): void;
}

/**
 * Starts a run, or finds the one that the same message started. It belongs to nobody's connection: a client that leaves
 * leaves it running (specification 3.5.2).
 * Where nobody waits for it and a wake of the store can take it, it is only recorded.
 */
export async function startRun(
  call: Call,
  input: RunInput,
  options: ProtocolRunOptions,
  mode: Mode,
): Promise<Started> {
  const { runner, host } = call.scope;
  if (mode === 'later' && goesOnByWake(call)) {
    const header = await runner.start(input, options);
    await host.store.wake?.schedule({ runId: header.runId }, await host.store.now());
    return { header, leave: () => undefined };
  }
  const leaving = new AbortController();
  const stream = runner.stream(input, { ...options, handOver: handOver(call, leaving) });
  stream.detach();
  const events = stream[Symbol.asyncIterator]();
  // Who waits reads the journal.
  if (mode !== 'stream') await events.return?.();
  const header = await stream.started;
  call.context.waitUntil(reported(call, header.runId, stream.result));
  return {
    header,
    leave: () => leaving.abort(),
    ...(mode === 'stream' ? { events } : {}),
  };
}

/** Goes on with a run that nobody holds. */
export async function takeUp(call: Call, runId: string): Promise<void> {
  const { store } = call.scope.host;
  const peek = await store.runs.peek(runId);
  if (peek === undefined || peek.ended || peek.lease !== undefined) return;
  if (goesOnByWake(call)) await store.wake?.schedule({ runId }, await store.now());
  else call.context.waitUntil(reported(call, runId, call.scope.runner.resume(runId)));
}

function handOver(call: Call, leaving: AbortController): HandOver | undefined {
  const given = call.context.handOver;
  if (!goesOnByWake(call)) return given;
  return {
    signal: given === undefined ? leaving.signal : AbortSignal.any([given.signal, leaving.signal]),
    get settleMs() {
      return given?.settleMs ?? settleMs;
    },
  };
}

/** Nobody waits for this result: how it ended is in the journal, and why it broke goes to the log. */
async function reported(call: Call, runId: string, running: Promise<unknown>): Promise<void> {
  try {
    await running;
  } catch (error) {
    if (AgentError.isInstance(error) && error.code === 'handed_over') return;
    const reason = error instanceof Error ? error.message : String(error);
    call.context.log('error', 'A task broke', { runId, error: reason });
  }
}
