import { UserError, type WakeCall, type Woken } from '@agent-functions/core';
import type { WakeOptions } from './options.ts';
import { runnerOf, type Scope } from './scope.ts';

/** Takes a call of the store's wake. @throws UserError for a message that is none. */
export async function wake(scope: Scope, message: unknown, options: WakeOptions): Promise<Woken> {
  const call = toWakeCall(message);
  const header = await scope.store.runs.header(call.runId);
  const agent = header?.agent ?? '';
  const woken = await runnerOf(scope, { agent }).wake(call, options);
  scope.logger.log('info', 'A wake looked at a run', { runId: call.runId, agent, found: woken });
  await scope.cleaning.whenDue();
  return woken;
}

/** What a queue delivered: the object, or its JSON text. */
function toWakeCall(message: unknown): WakeCall {
  const value = typeof message === 'string' ? parsed(message) : message;
  if (typeof value === 'object' && value !== null && 'runId' in value) {
    const { runId } = value;
    const missingSince = 'missingSince' in value ? value.missingSince : undefined;
    const holder = 'holder' in value ? value.holder : undefined;
    if (
      typeof runId === 'string' &&
      runId !== '' &&
      (missingSince === undefined || typeof missingSince === 'number') &&
      (holder === undefined || typeof holder === 'string')
    ) {
      return { runId, missingSince, holder };
    }
  }
  throw new UserError(
    'The message is no wake of the store: it is JSON with runId, a text, and perhaps missingSince, a number, and holder, a text. Who else writes to this queue?',
  );
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
