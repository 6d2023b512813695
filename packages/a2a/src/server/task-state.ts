import type { Role, TaskState } from '@a2a-js/sdk';

// The SDK's enums by their numbers, so that a pure file needs no SDK.

/** States of a task (specification 4.1.3). */
export const taskState = {
  unspecified: 0,
  submitted: 1,
  working: 2,
  completed: 3,
  failed: 4,
  canceled: 5,
  inputRequired: 6,
  rejected: 7,
} as const satisfies Readonly<Record<string, TaskState>>;

/** Who wrote a message (specification 4.1.5). */
export const role = { user: 1, agent: 2 } as const satisfies Readonly<Record<string, Role>>;

/** Whether nothing comes after this state. */
export function isTerminal(state: TaskState): boolean {
  return (
    state === taskState.completed ||
    state === taskState.failed ||
    state === taskState.canceled ||
    state === taskState.rejected
  );
}
