import type { StreamResponse } from '@a2a-js/sdk';
import { endsAt, type Call } from './scope.ts';
import { isOver, next, taskOf, type Seen, type TaskView } from './task-view.ts';

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

/** The task, then what comes of it: a stream as the specification (3.1.2, 3.1.6) has it. */
export async function* stream(
  call: Call,
  view: TaskView,
  historyLength?: number,
): AsyncGenerator<StreamResponse, void, undefined> {
  yield { payload: { $case: 'task', value: taskOf(view, historyLength) } };
  const { signal, over } = untilEnd(call);
  try {
    for await (const { updates } of follow(call, view, signal)) yield* updates;
  } finally {
    over();
  }
}

/** The task when it has ended, or waits, or when the request's time is over. */
export async function settled(call: Call, view: TaskView): Promise<TaskView> {
  let last = view;
  const { signal, over } = untilEnd(call);
  try {
    for await (const seen of follow(call, view, signal)) last = seen.view;
  } finally {
    over();
  }
  return last;
}

/** Fires when the client has gone, the host stops, or the request's time is over. */
function untilEnd({ context }: Call): { readonly signal: AbortSignal; over(): void } {
  const ending = new AbortController();
  const end = () => ending.abort();
  if (context.signal.aborted) end();
  else context.signal.addEventListener('abort', end, { once: true });
  const at = endsAt(context);
  const timer =
    at === undefined
      ? undefined
      : setTimeout(end, Math.min(Math.max(at - Date.now(), 0), 2 ** 31 - 1));
  return {
    signal: ending.signal,
    over() {
      clearTimeout(timer);
      context.signal.removeEventListener('abort', end);
    },
  };
}
