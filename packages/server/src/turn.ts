import { type ChatRequest, type RunHeader, type RunResult } from '@agent-functions/core';
import type { RequestHost } from './host.ts';
import type { Keyed } from './idempotency.ts';
import type { Preferences } from './prefer.ts';
import { reasonOf } from './reason.ts';
import { goesOnByWake, isHandedOver, type RouteRunOptions, type Scope } from './scope.ts';

/** One message and how it is run. */
export interface Turn {
  readonly input: ChatRequest;
  readonly sessionId: string;
  readonly options: RouteRunOptions;
  readonly startedAt: number;
  /** When the response must be complete. */
  readonly endsAt: number | undefined;
  readonly prefers: Preferences;
  readonly keyed: Keyed | undefined;
}

/** When the response must be complete: a little before the host ends it. */
export function endOf(
  scope: Scope,
  deadline: number | undefined,
  startedAt: number,
): number | undefined {
  const own = scope.requestTimeoutMs === undefined ? Infinity : startedAt + scope.requestTimeoutMs;
  const hosts =
    deadline === undefined ? Infinity : deadline - Math.min(2_000, (deadline - startedAt) / 10);
  const end = Math.min(own, hosts);
  return end === Infinity ? undefined : end;
}

/** A signal that fires with another until it is let go: a run that outlasts its request must not end with it. */
export function follow(signal: AbortSignal): {
  readonly signal: AbortSignal;
  letGo(): void;
  cancel(reason: string): void;
} {
  const own = new AbortController();
  const abort = () => own.abort(signal.reason);
  if (signal.aborted) abort();
  else signal.addEventListener('abort', abort, { once: true });
  return {
    signal: own.signal,
    letGo: () => signal.removeEventListener('abort', abort),
    cancel: (reason) => own.abort(new DOMException(reason, 'AbortError')),
  };
}

/** How long what a run does may take to end when its request lets go of it, where the host does not say. */
const settleMs = 5_000;

/**
 * When this request must let go of its run: as the host says, and where the process does not live on behind the answer
 * also when the run outlasts it. Another invocation then goes on with it.
 */
export function handingOver(
  scope: Scope,
  host: RequestHost,
): { readonly options: Pick<RouteRunOptions, 'handOver'>; begin(): void } {
  const { handOver } = host;
  if (!goesOnByWake(scope, host)) return { options: { handOver }, begin: () => undefined };
  const leaving = new AbortController();
  const signal =
    handOver === undefined ? leaving.signal : AbortSignal.any([handOver.signal, leaving.signal]);
  return {
    options: {
      handOver: {
        signal,
        // Read when it begins: a host may have less time by then.
        get settleMs() {
          return handOver?.settleMs ?? settleMs;
        },
      },
    },
    begin: () => leaving.abort(),
  };
}

/** Nobody reads this result any more, or its failure has been shown. That it failed, the runner has logged. */
export async function reported(
  scope: Scope,
  running: Promise<RunResult<unknown>>,
  host: RequestHost,
  header: RunHeader,
): Promise<void> {
  try {
    await running;
  } catch (error) {
    // A process that stops hands its runs over, and then they break here.
    if (scope.stopping.begun || isHandedOver(error)) return;
    host.log('error', 'A run broke', { runId: header.runId, ...reasonOf(error) });
  }
}
