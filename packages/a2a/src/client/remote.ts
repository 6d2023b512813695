import { sha256Hex, type JsonObject } from '@agent-functions/core';
import type { Message as RemoteMessage, Part as RemotePart, Task } from '@a2a-js/sdk';
import type { Connection, Peer } from './connection.ts';
import {
  isEnded,
  stateOf,
  turnOfMessage,
  turnOfTask,
  type ReadAnswer,
  type RemoteTurn,
} from './turn.ts';

/** A message as it is sent. */
export interface Outgoing {
  readonly messageId: string;
  readonly contextId: string;
  /** Of a task that is there already. */
  readonly taskId?: string | undefined;
  readonly parts: readonly RemotePart[];
  readonly metadata?: JsonObject | undefined;
}

/** How a message can be found again. */
export interface Sent {
  readonly messageId: string;
  readonly contextId: string;
  /** Nothing but this message was ever sent under its context. */
  readonly fresh: boolean;
}

/** How many tasks of one context are looked at. */
const pagesRead = 10;
const pageSize = 50;
/** How long a cancel may take that nobody waits for. */
const cancelMs = 4_000;

/** What is asked of a remote agent. Requests fail with whatever the SDK or the network throws. */
export class Remote {
  readonly name: string;
  /** How long it may work on one message. */
  readonly timeoutMs: number;
  readonly #connection: Connection;
  readonly #requestTimeoutMs: number;
  readonly #maxAnswerBytes: number;

  constructor(
    name: string,
    connection: Connection,
    limits: {
      readonly timeoutMs: number;
      readonly requestTimeoutMs: number;
      readonly maxAnswerBytes: number;
    },
  ) {
    this.name = name;
    this.timeoutMs = limits.timeoutMs;
    this.#connection = connection;
    this.#requestTimeoutMs = limits.requestTimeoutMs;
    this.#maxAnswerBytes = limits.maxAnswerBytes;
  }

  peer(): Promise<Peer> {
    return this.#connection.peer();
  }

  reading(json: boolean): ReadAnswer {
    return { json, maxBytes: this.#maxAnswerBytes };
  }

  /** Sends a message and comes back as soon as its task is known. */
  async send(message: Outgoing, json: boolean, signal: AbortSignal): Promise<RemoteTurn> {
    const { client, sdk } = await this.peer();
    const answer = await client.sendMessage(
      {
        tenant: '',
        message: {
          messageId: message.messageId,
          contextId: message.contextId,
          taskId: message.taskId ?? '',
          role: sdk.Role.ROLE_USER,
          parts: [...message.parts],
          metadata: message.metadata,
          extensions: [],
          referenceTaskIds: [],
        },
        configuration: {
          acceptedOutputModes: json
            ? ['application/json', 'text/plain']
            : ['text/plain', 'application/json'],
          taskPushNotificationConfig: undefined,
          returnImmediately: true,
        },
        metadata: undefined,
      },
      // One that does not come back at once works all the while.
      { signal: AbortSignal.any([signal, AbortSignal.timeout(this.timeoutMs)]) },
    );
    return isTask(answer)
      ? turnOfTask(answer, this.reading(json))
      : turnOfMessage(answer, this.reading(json));
  }

  /** The task as it is; `history`: with the messages that it was sent. */
  async task(
    id: string,
    signal: AbortSignal,
    options: { readonly history: boolean } = { history: false },
  ): Promise<Task> {
    const { client } = await this.peer();
    return client.getTask(
      { tenant: '', id, ...(options.history ? {} : { historyLength: 0 }) },
      { signal: this.#soon(signal) },
    );
  }

  /**
   * The task of a message that was sent, or `undefined` where there certainly is none.
   *
   * @throws whatever kept the answer from being known: an agent without `ListTasks`, one that shows no messages.
   */
  async find(sent: Sent, signal: AbortSignal): Promise<Task | undefined> {
    const found = await this.#findIn(sent.contextId, sent, signal);
    // An agent that gave the message a context of its own has it among its newest.
    return found ?? this.#findIn('', { ...sent, fresh: false }, signal, 1);
  }

  async #findIn(
    contextId: string,
    { messageId, fresh }: Sent,
    signal: AbortSignal,
    pages = pagesRead,
  ): Promise<Task | undefined> {
    const { client, sdk } = await this.peer();
    let hidden = false;
    let pageToken = '';
    for (let page = 0; page < pages; page += 1) {
      const listed = await client.listTasks(
        {
          tenant: '',
          contextId,
          status: sdk.TaskState.TASK_STATE_UNSPECIFIED,
          pageSize,
          pageToken,
          statusTimestampAfter: undefined,
        },
        { signal: this.#soon(signal) },
      );
      const tasks = listed.tasks.filter((task) => contextId === '' || task.contextId === contextId);
      const ours =
        tasks.find((task) => mentions(task, messageId)) ?? (fresh ? tasks[0] : undefined);
      if (ours !== undefined) return ours;
      hidden ||= contextId !== '' && tasks.some(({ history }) => history.length === 0);
      pageToken = listed.nextPageToken;
      if (pageToken === '') break;
    }
    if (hidden || (pageToken !== '' && contextId !== '')) {
      throw new Error('Which task is whose cannot be told.');
    }
    return undefined;
  }

  /** Asks for a cancel. Nothing is thrown: a task that has ended, or an agent that is away, cannot be cancelled. */
  async cancel(taskId: string): Promise<void> {
    try {
      const { client } = await this.peer();
      await client.cancelTask(
        { tenant: '', id: taskId, metadata: undefined },
        { signal: AbortSignal.timeout(Math.min(cancelMs, this.#requestTimeoutMs)) },
      );
    } catch {
      // Whoever cancels goes on.
    }
  }

  /** Cancels the task of a message whose answer never came. */
  async cancelSent(sent: Sent): Promise<void> {
    try {
      const task = await this.find(sent, AbortSignal.timeout(cancelMs));
      if (task !== undefined && !isEnded(stateOf(task))) await this.cancel(task.id);
    } catch {
      // It cannot be found, so it cannot be cancelled.
    }
  }

  #soon(signal: AbortSignal): AbortSignal {
    return AbortSignal.any([signal, AbortSignal.timeout(this.#requestTimeoutMs)]);
  }
}

/** Whether a task was sent this message. */
export function mentions({ history, status }: Task, messageId: string): boolean {
  return (
    history.some((one) => one.messageId === messageId) || status?.message?.messageId === messageId
  );
}

/**
 * The ids of what a call sends, made of its idempotency key: a repeat has the same. Hashed, because a run's id is for
 * those who may read the run.
 */
export async function idsOf(
  idempotencyKey: string,
): Promise<{ readonly messageId: string; readonly contextId: string }> {
  const [messageId, contextId] = await Promise.all([
    sha256Hex(`a2a message ${idempotencyKey}`, 128),
    sha256Hex(`a2a context ${idempotencyKey}`, 128),
  ]);
  return { messageId, contextId };
}

function isTask(answer: RemoteMessage | Task): answer is Task {
  return !('messageId' in answer);
}
