import type { StreamResponse } from '@a2a-js/sdk';
import { AgentError, type Watched } from '@agent-functions/core';
import { endsAt, type Call } from './scope.ts';
import { taskState } from './task-state.ts';
import { isOver, next, type Seen } from './task-view.ts';
import { taskOf, type TaskView } from './task-wire.ts';

/**
 * What comes of a task behind `view`, from whichever process advances it, until it ends or waits (again). A run that nobody
 * holds is taken up.
 */
export async function* follow(
  call: Call,
  view: TaskView,
  signal: AbortSignal,
): AsyncGenerator<Seen, void> {
  if (isOver(view)) return;
  const { runner } = call.scope;
  let at = view;
  const events = runner.events(view.taskId, { cursor: String(view.seq), follow: true, signal });
  for await (const event of events) {
    const seen = next(at, event);
    at = seen.view;
    yield seen;
    if (isOver(at)) return;
  }
}

/**
 * The task, then what comes of it: a stream as the specification (3.1.2, 3.1.6) has it.
 *
 * @param events What happens in this process from the first event on, where the run was started here.
 */
export async function* stream(
  call: Call,
  view: TaskView,
  { historyLength, events }: StreamOptions = {},
): AsyncGenerator<StreamResponse, void, undefined> {
  yield taskEvent(view, historyLength);
  const ending = untilEnd(call);
  try {
    let at = view;
    if (events !== undefined) {
      for await (const event of here(events, ending.signal)) {
        const seen = next(at, event);
        at = seen.view;
        yield* seen.updates;
      }
    }
    // That was all of it, unless another process goes on with the run.
    if (events !== undefined && at.status.state === taskState.inputRequired) return;
    for await (const { updates } of follow(call, at, ending.signal)) yield* updates;
  } finally {
    ending.over();
  }
}

/** The task itself, as a stream begins. */
export function taskEvent(view: TaskView, historyLength?: number): StreamResponse {
  return { payload: { $case: 'task', value: taskOf(view, historyLength) } };
}

interface StreamOptions {
  readonly historyLength?: number | undefined;
  readonly events?: AsyncIterator<Watched> | undefined;
}

/** The events of a run of this process, until the signal fires or another process has it. */
async function* here(
  events: AsyncIterator<Watched>,
  signal: AbortSignal,
): AsyncGenerator<Watched, void> {
  let end: (() => void) | undefined;
  const aborted = new Promise<{ readonly done: true; readonly value: undefined }>((resolve) => {
    end = () => resolve({ done: true, value: undefined });
    if (signal.aborted) end();
    else signal.addEventListener('abort', end, { once: true });
  });
  try {
    for (;;) {
      const step = await Promise.race([events.next(), aborted]);
      if (step.done === true) return;
      yield step.value;
    }
  } catch (error) {
    if (!AgentError.isInstance(error) || error.code !== 'handed_over') throw error;
  } finally {
    if (end !== undefined) signal.removeEventListener('abort', end);
    await events.return?.();
  }
}

/** The task when it has ended, or waits, or when the request's time is over. */
export async function settled(call: Call, view: TaskView): Promise<TaskView> {
  let last = view;
  const ending = untilEnd(call);
  try {
    for await (const seen of follow(call, view, ending.signal)) last = seen.view;
  } finally {
    ending.over();
  }
  return last;
}

/** Fires when the client has gone, the host stops, or the request's time is over. */
function untilEnd({ context, scope }: Call): { readonly signal: AbortSignal; over(): void } {
  const leaving = new AbortController();
  const end = () => leaving.abort();
  if (context.signal.aborted) end();
  else context.signal.addEventListener('abort', end, { once: true });
  const closing = scope.closing();
  if (closing?.aborted === true) end();
  else closing?.addEventListener('abort', end, { once: true });
  const at = endsAt(context);
  const timer =
    at === undefined
      ? undefined
      : setTimeout(end, Math.min(Math.max(at - Date.now(), 0), 2 ** 31 - 1));
  return {
    signal: leaving.signal,
    over() {
      clearTimeout(timer);
      context.signal.removeEventListener('abort', end);
      closing?.removeEventListener('abort', end);
    },
  };
}
