import type { Role, TaskState } from '@a2a-js/sdk';

// The SDK's enums by their numbers (specification 4.1.3, 4.1.5), so that a pure file needs no SDK: importing the enum
// would load it.
/* oxlint-disable typescript/no-unsafe-enum-assignment */

type StateName =
  | 'unspecified'
  | 'submitted'
  | 'working'
  | 'completed'
  | 'failed'
  | 'canceled'
  | 'inputRequired'
  | 'rejected'
  | 'authRequired';

/** States of a task. */
export const taskState: Readonly<Record<StateName, TaskState>> = {
  unspecified: 0,
  submitted: 1,
  working: 2,
  completed: 3,
  failed: 4,
  canceled: 5,
  inputRequired: 6,
  rejected: 7,
  authRequired: 8,
};

/** Who wrote a message. */
export const role: Readonly<Record<'user' | 'agent', Role>> = { user: 1, agent: 2 };

const terminal: ReadonlySet<TaskState> = new Set([
  taskState.completed,
  taskState.failed,
  taskState.canceled,
  taskState.rejected,
]);

/** Whether nothing comes after this state. */
export function isTerminal(state: TaskState): boolean {
  return terminal.has(state);
}
