import { isDurable, type RunHeader } from '@agent-functions/core';
import { noSuchTask } from './refused.ts';
import type { Call, Scope } from './scope.ts';
import { begun, next } from './task-view.ts';
import type { TaskView } from './task-wire.ts';

const taskIdPattern = /^[A-Za-z0-9_-]{1,128}$/;

/**
 * The task as its journal has it, if the caller may see it: its owner's id is the caller's, or it has no owner and the id
 * is the capability; and it is a task of this agent.
 *
 * @throws Refused `TaskNotFound`, the same for a stranger's task and for none.
 */
export async function visibleTask(call: Call, taskId: string): Promise<TaskView> {
  const { scope, context } = call;
  const header = taskIdPattern.test(taskId)
    ? await scope.host.store.runs.header(taskId)
    : undefined;
  if (header === undefined || !maySee(header, context.principal?.id)) throw noSuchTask(taskId);
  const view = await viewOfRun(scope, taskId);
  if (view === undefined || !isOf(scope, view)) throw noSuchTask(taskId);
  return view;
}

export function maySee({ owner }: RunHeader, principal: string | undefined): boolean {
  return owner === undefined || owner === principal;
}

/** Whether the task was asked of this agent. */
export function isOf({ agent }: Scope, view: TaskView): boolean {
  return view.agent === agent.name || agent.aliases.includes(view.agent);
}

/** The task of a run, by its durable events up to `until`. */
export async function viewOfRun(
  { host }: Scope,
  runId: string,
  until = Infinity,
): Promise<TaskView | undefined> {
  let view: TaskView | undefined;
  for await (const event of host.store.runs.read(runId)) {
    if (event.seq > until) break;
    if (view !== undefined) view = next(view, event).view;
    else if (isDurable(event) && event.type === 'run-start') view = begun(event);
  }
  return view;
}
