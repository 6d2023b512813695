import type { HandOver } from '@agent-functions/core';

/** Shares of the function's time: when streams are asked to end and runs let go of, and when whatever still runs is given up. */
export const askToEnd = 0.7;
export const giveUp = 0.9;

/** How long what a run does may settle when the host stops: it stops the worker 5 s after it has said so. */
const stopSettleMs = 2_000;
/** What is left for the rest when the time limit is near. */
const beforeEndMs = 5_000;

/** When the runs of this worker are let go of, for another one to go on with them. */
export interface HandOvers {
  /** For one invocation: when it nears its time limit, and when the host stops. Ended, only the latter counts. */
  begin(functionTimeoutMs: number): { readonly handOver: HandOver; readonly end: () => void };
  /** The host stops. */
  stop(): void;
}

export function handOvers(): HandOvers {
  const stopping = new AbortController();
  return {
    begin(functionTimeoutMs) {
      const endsAt = performance.now() + functionTimeoutMs;
      const nearEnd = new AbortController();
      const timer = setTimeout(() => nearEnd.abort(), functionTimeoutMs * askToEnd);
      const spareMs = Math.min(beforeEndMs, (functionTimeoutMs * (1 - askToEnd)) / 2);
      return {
        handOver: {
          signal: AbortSignal.any([stopping.signal, nearEnd.signal]),
          get settleMs() {
            const leftMs = Math.max(0, endsAt - performance.now() - spareMs);
            return stopping.signal.aborted ? Math.min(stopSettleMs, leftMs) : leftMs;
          },
        },
        end: () => clearTimeout(timer),
      };
    },
    stop: () => stopping.abort(),
  };
}
