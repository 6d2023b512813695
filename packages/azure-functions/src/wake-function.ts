import type { Logger } from '@agent-functions/core';
import type { AgentServer } from '@agent-functions/server';
import type { InvocationContext } from '@azure/functions';
import type { HandOvers } from './hand-over.ts';
import type { Invocations } from './invocations.ts';

/** How often the host delivers a message before it puts it aside, where host.json does not say. */
export const defaultMaxDequeueCount = 5;

export interface WakeFunctionOptions {
  readonly wake: AgentServer['wake'];
  readonly handOvers: HandOvers;
  readonly invocations: Invocations;
  readonly log: Logger['log'];
  readonly functionTimeoutMs: () => number;
  /** The delivery after which the host puts a message aside. */
  readonly maxDequeueCount: () => number;
}

/**
 * A queue function that hands the store's wakes to the server. What it throws makes the host deliver the message again;
 * at the last delivery a run that cannot be taken up ends `failed`, and what is no wake is dropped.
 */
export function wakeFunction(
  options: WakeFunctionOptions,
): (message: unknown, context: InvocationContext) => Promise<void> {
  const { invocations, log } = options;
  return (message, context) => {
    const working = look(message, context, options);
    // Whoever stops the app waits for it; what it throws is the host's.
    const settled = working.catch(() => undefined);
    invocations.waitUntil(settled, log);
    return working;
  };
}

async function look(
  message: unknown,
  context: InvocationContext,
  { wake, handOvers, log, functionTimeoutMs, maxDequeueCount }: WakeFunctionOptions,
): Promise<void> {
  const { invocationId } = context;
  const call = decoded(message);
  const lastTry = deliveries(context) >= maxDequeueCount();
  const { handOver, end } = handOvers.begin(functionTimeoutMs());
  try {
    await wake(call, { handOver, lastTry });
  } catch (error) {
    const fields = { invocationId, ...(isCall(call) ? { runId: call.runId } : {}) };
    const reason = error instanceof Error ? error.message : String(error);
    if (!lastTry) {
      log('warn', `A wake failed and comes again: ${reason}`, fields);
      throw error;
    }
    if (!isCall(call)) {
      log('error', `A message is dropped: ${reason}`, fields);
      return;
    }
    log(
      'error',
      `A run could neither be taken up nor ended, and the host puts its wake aside as poison: ${reason} Whoever asks for the run wakes it again.`,
      fields,
    );
    throw error;
  } finally {
    end();
  }
}

/** How often the host has delivered this message, this time included. */
function deliveries({ triggerMetadata }: InvocationContext): number {
  const count = Number(triggerMetadata?.['dequeueCount']);
  return Number.isFinite(count) ? count : 1;
}

/** The library has read JSON already. With `"messageEncoding": "none"` the text is still as the store wrote it, base64. */
function decoded(message: unknown): unknown {
  if (typeof message !== 'string') return message;
  try {
    return JSON.parse(Buffer.from(message, 'base64').toString());
  } catch {
    return message;
  }
}

function isCall(value: unknown): value is { readonly runId: string } {
  return (
    typeof value === 'object' &&
    value !== null &&
    'runId' in value &&
    typeof value.runId === 'string'
  );
}
