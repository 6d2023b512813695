import type { Artifact, Message, Part, StreamResponse, Task, TaskState } from '@a2a-js/sdk';
import type { Interruption } from '@agent-functions/core';
import { role } from './task-state.ts';

/** The artifact that holds what the agent answers: the same id however often a client or a server goes away. */
export const answerArtifact = 'answer';

/** Where a task stands, since when, and what is said of it. */
export interface Status {
  readonly state: TaskState;
  readonly message?: Message | undefined;
  readonly at: number;
}

/** A run as a task: what its journal says so far, and what of the answer in progress was shown. */
export interface TaskView {
  readonly taskId: string;
  readonly contextId: string;
  /** The agent that was asked. */
  readonly agent: string;
  /** The last durable event. */
  readonly seq: number;
  readonly status: Status;
  readonly history: readonly Message[];
  readonly artifacts: readonly Artifact[];
  readonly open: readonly Interruption[];
  /** Frames whose text is the answer's. */
  readonly speaking: ReadonlySet<string>;
  /** What watchers were shown of the answer, as the artifact in progress. */
  readonly shown: string;
  /** The attempt that `shown` came of; its end is the next text's beginning. */
  readonly epoch: string | undefined;
  /** An input guardrail ended it: the agent did not take the task. */
  readonly turnedAway: boolean;
}

/**
 * The task as clients read it.
 *
 * @param historyLength So many of the last messages; all by default.
 */
export function taskOf(view: TaskView, historyLength?: number): Task {
  const { taskId: id, contextId, history, artifacts } = view;
  return {
    id,
    contextId,
    status: statusOf(view.status),
    artifacts: [...artifacts],
    history: historyLength === undefined ? [...history] : lastOf(history, historyLength),
    metadata: undefined,
  };
}

function lastOf<T>(items: readonly T[], count: number): T[] {
  return count === 0 ? [] : items.slice(-count);
}

function statusOf({ state, message, at }: Status): NonNullable<Task['status']> {
  return { state, message, timestamp: new Date(at).toISOString() };
}

export function statusUpdate({ taskId, contextId }: TaskView, status: Status): StreamResponse {
  const value = { taskId, contextId, status: statusOf(status), metadata: undefined };
  return { payload: { $case: 'statusUpdate', value } };
}

export function artifactUpdate(
  { taskId, contextId }: TaskView,
  parts: Part[],
  options: { readonly append: boolean; readonly lastChunk: boolean },
): StreamResponse {
  const value = { taskId, contextId, artifact: artifact(parts), ...options, metadata: undefined };
  return { payload: { $case: 'artifactUpdate', value } };
}

export function artifact(parts: Part[]): Artifact {
  return {
    artifactId: answerArtifact,
    name: 'answer',
    description: '',
    parts,
    metadata: undefined,
    extensions: [],
  };
}

export const bareMessage = { metadata: undefined, extensions: [], referenceTaskIds: [] };

export function agentMessage(
  { taskId, contextId }: TaskView,
  messageId: string,
  parts: Part[],
): Message {
  return { ...bareMessage, messageId, taskId, contextId, role: role.agent, parts };
}
