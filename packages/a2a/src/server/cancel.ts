import { AgentError } from '@agent-functions/core';
import { viewOfRun, visibleTask } from './access.ts';
import { settled } from './follow.ts';
import { noSuchTask, Refused } from './refused.ts';
import { takeUp } from './run-task.ts';
import type { Call } from './scope.ts';
import { isOver } from './task-view.ts';
import type { TaskView } from './task-wire.ts';

/** How long a cancelled run may take to end before the request is answered with the task as it is. */
const waitMs = 10_000;

/**
 * Cancels a task, whoever advances it, and waits for its end.
 *
 * @throws Refused `TaskNotFound`; `TaskNotCancelable` for one that has ended.
 */
export async function cancelTask(call: Call, taskId: string): Promise<TaskView> {
  const view = await visibleTask(call, taskId);
  if (isOver(view)) throw notCancelable(taskId);
  const by = call.context.principal?.id;
  const posted = await call.scope.runner
    .post(taskId, { id: 'a2a:cancel', type: 'cancel', ...(by === undefined ? {} : { by }) })
    .catch((error: unknown) => {
      if (AgentError.isInstance(error) && error.code === 'not_found') throw noSuchTask(taskId);
      throw error;
    });
  if (!posted.accepted) throw notCancelable(taskId);
  await takeUp(call, taskId);
  const deadline = Math.min(call.context.deadline ?? Infinity, Date.now() + waitMs + 1_000);
  await ended({ ...call, context: withDeadline(call, deadline) }, view);
  const last = (await viewOfRun(call.scope, taskId)) ?? view;
  return last;
}

/** A pause on the way is none: the cancel is still to be taken. */
async function ended(call: Call, view: TaskView): Promise<void> {
  const until = call.context.deadline ?? 0;
  let at = view;
  while (!isOver(at) && !call.context.signal.aborted && Date.now() < until - 1_000) {
    at = await settled(call, at);
  }
}

function withDeadline({ context }: Call, deadline: number): Call['context'] {
  return {
    invocationId: context.invocationId,
    signal: context.signal,
    deadline,
    waitUntil: (work) => context.waitUntil(work),
    log: (level, message, fields) => context.log(level, message, fields),
  };
}

function notCancelable(taskId: string): Refused {
  return new Refused('TaskNotCancelable', 'The task has ended, and cannot be canceled any more.', {
    taskId,
  });
}
