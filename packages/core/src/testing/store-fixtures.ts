import { AgentError, type ErrorCode } from '../errors.ts';
import { journalVersion, type RunEvent, type RunEventBody } from '../events.ts';
import type { Message } from '../message.ts';
import type { Lease, RunHeader, Store } from '../store.ts';
import { noUsage } from '../usage.ts';
import { equal, ok, rejection } from './assert.ts';

// What the parts of the store contract write.

export function headerOf(runId: string, more: Partial<RunHeader> = {}): RunHeader {
  return { runId, agent: 'weather', createdAt: 1_700_000_000_000, ...more };
}

export function eventOf(runId: string, seq: number, body: RunEventBody): RunEvent {
  return {
    v: journalVersion,
    seq,
    at: 1_700_000_000_000 + seq,
    runId,
    frame: 'f0',
    agent: 'weather',
    ...body,
  };
}

export function startOf(runId: string, text = 'Hello'): RunEvent {
  return eventOf(runId, 1, { type: 'run-start', input: [userMessage('m1', text)], options: {} });
}

export function warning(runId: string, seq: number, message = `event ${seq}`): RunEvent {
  return eventOf(runId, seq, { type: 'warning', code: 'test', message });
}

export function resumed(runId: string, seq: number, attempt: number): RunEvent {
  return eventOf(runId, seq, { type: 'run-resume', attempt });
}

export function toolStarted(runId: string, seq: number): RunEvent {
  return eventOf(runId, seq, {
    type: 'tool-start',
    callId: 'f0.t1.c1',
    toolName: 'look',
    input: {},
    effect: 'read',
    idempotencyKey: `${runId}/f0.t1.c1`,
  });
}

export function toolSettled(runId: string, seq: number): RunEvent {
  return eventOf(runId, seq, {
    type: 'tool-result',
    callId: 'f0.t1.c1',
    toolName: 'look',
    output: { type: 'json', value: 'rain' },
    isError: false,
    how: 'ran',
  });
}

export function endOf(runId: string, seq: number): RunEvent {
  return eventOf(runId, seq, {
    type: 'run-end',
    status: 'completed',
    response: 'Hi.',
    usage: noUsage,
    handoffPath: ['weather'],
  });
}

export function userMessage(id: string, text: string): Message {
  return { id, role: 'user', parts: [{ type: 'text', text }] };
}

/** Creates a run and answers its first lease. */
export async function begin(
  { runs }: Store,
  runId: string,
  {
    holder = 'h1',
    ttlMs = 1_000,
    header = {},
  }: {
    readonly holder?: string | undefined;
    readonly ttlMs?: number | undefined;
    readonly header?: Partial<RunHeader> | undefined;
  } = {},
): Promise<Lease> {
  const made = await runs.create(headerOf(runId, header), startOf(runId), { holder, ttlMs });
  ok(made.created, `run ${runId} is new`);
  return made.lease;
}

/** Fails unless the promise rejects with that code (and, of a conflict, that reason). */
export async function refused(
  promise: Promise<unknown>,
  code: ErrorCode,
  what: string,
  reason?: 'seq' | 'lease',
): Promise<void> {
  const error = await rejection(promise, what);
  ok(AgentError.isInstance(error), `${what}: ${String(error)} is an AgentError`);
  equal(error.code, code, `${what}: the code of '${error.message}'`);
  if (reason === undefined) return;
  equal('reason' in error ? error.reason : undefined, reason, `${what}: the reason`);
}

/** How many of several attempts at one thing succeeded; those that did not were refused with `code`. */
export async function winners(
  attempts: readonly Promise<unknown>[],
  code: ErrorCode,
): Promise<number> {
  let won = 0;
  for (const attempt of await Promise.allSettled(attempts)) {
    if (attempt.status === 'fulfilled') won++;
    else {
      const error: unknown = attempt.reason;
      ok(
        AgentError.isInstance(error) && error.code === code,
        `a loser is refused with ${code}, not with ${String(error)}`,
      );
    }
  }
  return won;
}
