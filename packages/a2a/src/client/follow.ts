import { AgentError, type ModelStreamEvent } from '@agent-functions/core';
import type { StreamResponse } from '@a2a-js/sdk';
import { followError, isRefusal, isTaskGone, TooLargeError } from './errors.ts';
import type { Remote } from './remote.ts';
import { TaskView, type Shown } from './task-view.ts';
import type { RemoteTurn } from './turn.ts';

type Delta = Extract<ModelStreamEvent, { readonly type: 'text-delta' | 'reasoning-delta' }>;

/** The wait between two looks at a task that does not stream, or whose stream ended: doubles. */
const firstLookMs = 200;
const longestWaitMs = 5_000;
/** A stream that is silent for so long is asked for anew: its connection may be gone. */
const silenceMs = 45_000;

/**
 * Follows a task until nothing more comes by itself: by its stream where there is one, and by looking at it. A task that
 * takes too long, or says too much, is cancelled.
 *
 * @param answered The question that was answered before: the task may not have taken notice of it yet.
 * @throws ModelError for what may be tried again, AgentError `handoff_error` for the rest; the reason of `signal`.
 */
export async function* follow(
  remote: Remote,
  taskId: string,
  options: {
    readonly signal: AbortSignal;
    readonly json: boolean;
    readonly answered: string | undefined;
  },
): AsyncGenerator<Delta, RemoteTurn> {
  const { signal, answered } = options;
  const late = AbortSignal.timeout(remote.timeoutMs);
  const within = AbortSignal.any([signal, late]);
  const view = new TaskView(remote.reading(options.json));
  try {
    for (let waitMs = firstLookMs; ; waitMs = Math.min(waitMs * 2, longestWaitMs)) {
      const { card } = await remote.peer();
      if (card.streaming) yield* followStream(remote, taskId, view, { signal: within, answered });
      // A stream that ended may have been cut, and chunks put together may have been doubled on their way.
      if (!view.exact || view.stopped(answered) === undefined) {
        yield* deltasOf(view.takeTask(await remote.task(taskId, within)));
      }
      const turn = view.stopped(answered);
      if (turn !== undefined) return turn;
      await waited(waitMs, within);
    }
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    if (late.aborted || error instanceof TooLargeError) await remote.cancel(taskId);
    if (late.aborted) {
      throw new AgentError(
        'handoff_error',
        `Remote agent ${remote.name} did not finish within ${remote.timeoutMs} ms and was told to stop. Raise timeoutMs.`,
      );
    }
    if (isTaskGone(error)) {
      throw new AgentError(
        'handoff_error',
        `Remote agent ${remote.name} does not know its task any more: it may have lost it.`,
        { cause: error },
      );
    }
    throw followError(remote.name, error);
  }
}

/** What the task's stream says, until it ends, whatever for. */
async function* followStream(
  remote: Remote,
  taskId: string,
  view: TaskView,
  { signal, answered }: { readonly signal: AbortSignal; readonly answered: string | undefined },
): AsyncGenerator<Delta, void> {
  const silence = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const heard = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => silence.abort(), silenceMs);
  };
  try {
    heard();
    const { client } = await remote.peer();
    const updates: AsyncIterable<StreamResponse> = client.resubscribeTask(
      { tenant: '', id: taskId },
      { signal: AbortSignal.any([signal, silence.signal]) },
    );
    for await (const update of updates) {
      heard();
      yield* deltasOf(view.take(update));
      if (view.stopped(answered) !== undefined) return;
    }
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof TooLargeError) throw error;
    // A task that has ended, or an agent that refuses to stream, is looked at; so is one whose stream was cut.
    view.exact &&= isRefusal(error);
  } finally {
    clearTimeout(timer);
  }
}

function* deltasOf({ text, note }: Shown): Generator<Delta, void> {
  if (note !== '') yield { type: 'reasoning-delta', delta: note };
  if (text !== '') yield { type: 'text-delta', delta: text };
}

function waited(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', stop);
      resolve();
    }, ms);
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
}
