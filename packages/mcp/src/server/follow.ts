import type { ProtocolRunner, RunHeader, RunResult, Watched } from '@agent-functions/core';
import type { CallToolResult } from '@modelcontextprotocol/server';
import type { Call } from './call.ts';
import { progressText } from './progress-text.ts';
import { runAnswer, stillRunning } from './run-answer.ts';

/** Tells the client of what happens until the events end or `signal` fires. */
export async function tell(events: AsyncIterable<Watched>, call: Call): Promise<void> {
  for await (const event of events) {
    const text = progressText(event);
    if (text !== undefined) call.progress(text);
  }
}

/** How a wait ended. */
export type Waited<T> =
  | { readonly type: 'done'; readonly value: T }
  /** The time is over, or the client has gone. */
  | { readonly type: 'left' };

/** Waits for work, `ms` at most, and no longer than the client does. */
export async function waitFor<T>(work: Promise<T>, ms: number, call: Call): Promise<Waited<T>> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let leave: (() => void) | undefined;
  const left = new Promise<Waited<T>>((resolve) => {
    leave = () => resolve({ type: 'left' });
    if (call.signal.aborted) leave();
    call.signal.addEventListener('abort', leave, { once: true });
    timer = setTimeout(leave, Math.max(0, Math.min(ms, untilDeadline(call), 2 ** 31 - 1)));
  });
  try {
    return await Promise.race([work.then((value): Waited<T> => ({ type: 'done', value })), left]);
  } finally {
    clearTimeout(timer);
    if (leave !== undefined) call.signal.removeEventListener('abort', leave);
  }
}

/** The answer must be complete a little before the host ends the request. */
function untilDeadline({ host }: Call): number {
  return host.deadline === undefined ? Infinity : host.deadline - Date.now() - 1_000;
}

/** How a run stands after `ms` at most: its answer, or that it goes on. */
export async function follow(
  run: {
    readonly header: RunHeader;
    readonly runner: ProtocolRunner;
    /** Events after this one are told. */
    readonly seq: number;
    /** Settles when this process is done with the run, if it is this one that advances it. */
    readonly settled?: Promise<void> | undefined;
  },
  ms: number,
  call: Call,
): Promise<CallToolResult> {
  const { header, runner } = run;
  const stop = new AbortController();
  const events = runner.events(header.runId, {
    cursor: String(run.seq),
    follow: true,
    signal: stop.signal,
  });
  const told = tell(events, call);
  const over = run.settled === undefined ? told : Promise.race([told, run.settled]);
  try {
    await waitFor(over, ms, call);
  } finally {
    stop.abort();
  }
  await told.catch(() => undefined);
  return standing(await runner.get(header.runId), header);
}

/** The answer of a run, or that it goes on. */
export function standing(
  found: RunResult<unknown> | { readonly status: 'running' } | undefined,
  header: RunHeader,
): CallToolResult {
  return found === undefined || found.status === 'running'
    ? stillRunning(header)
    : runAnswer(found);
}
