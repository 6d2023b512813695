import type {
  AgentCard,
  CancelTaskRequest,
  DeleteTaskPushNotificationConfigRequest,
  GetTaskPushNotificationConfigRequest,
  GetTaskRequest,
  ListTaskPushNotificationConfigsRequest,
  ListTaskPushNotificationConfigsResponse,
  ListTasksRequest,
  ListTasksResponse,
  SendMessageRequest,
  StreamResponse,
  SubscribeToTaskRequest,
  Task,
  TaskPushNotificationConfig,
} from '@a2a-js/sdk';
import type { A2ARequestHandler } from '@a2a-js/sdk/server';
import { viewOfRun, visibleTask } from './access.ts';
import { cancelTask } from './cancel.ts';
import { settled, stream, taskEvent } from './follow.ts';
import { listTasks } from './list.ts';
import {
  createPushConfig,
  deletePushConfig,
  getPushConfig,
  listPushConfigs,
} from './push-configs.ts';
import { Refused } from './refused.ts';
import { takeUp, type Mode } from './run-task.ts';
import type { Call } from './scope.ts';
import { checkHistoryLength, take, type Taken } from './send.ts';
import { isOver } from './task-view.ts';
import { taskOf, type TaskView } from './task-wire.ts';
import { toA2AError } from './to-error.ts';

/** The operations of the protocol (specification 3.1) for one request: what both bindings and both versions call. */
export class TaskHandler implements A2ARequestHandler {
  readonly #call: Call;

  constructor(call: Call) {
    this.#call = call;
  }

  async getAgentCard(): Promise<AgentCard> {
    return this.#call.scope.card(this.#call.origin);
  }

  getAuthenticatedExtendedAgentCard(): Promise<AgentCard> {
    return this.#refusing(async () => {
      const { scope, context, origin } = this.#call;
      if (!scope.hasExtendedCard) {
        throw new Refused(
          'UnsupportedOperation',
          'There is no extended card: capabilities.extendedAgentCard of the card is false.',
        );
      }
      const { principal } = context;
      const card =
        principal === undefined
          ? undefined
          : await scope.extendedCard(scope.card(origin), principal);
      if (card !== undefined) return card;
      throw new Refused(
        'ExtendedAgentCardNotConfigured',
        'There is no extended card for this caller. Authenticate as the card says.',
      );
    });
  }

  sendMessage(request: SendMessageRequest): Promise<Task> {
    return this.#refusing(async () => {
      const waits = request.configuration?.returnImmediately !== true;
      const taken = await this.#take(request, waits ? 'wait' : 'later');
      const view = await this.#answered(taken, waits);
      if (waits) taken.leave();
      return taskOf(view, request.configuration?.historyLength);
    });
  }

  sendMessageStream(request: SendMessageRequest): AsyncGenerator<StreamResponse, void, undefined> {
    return this.#refusingStream(async function* (call, handler) {
      const taken = await handler.#take(request, 'stream');
      const historyLength = request.configuration?.historyLength;
      try {
        const { view, events, repeated } = taken;
        if (repeated === true) yield taskEvent(view, historyLength);
        else yield* stream(call, view, { historyLength, events });
      } finally {
        taken.leave();
      }
    });
  }

  getTask({ id, historyLength }: GetTaskRequest): Promise<Task> {
    return this.#refusing(async () => {
      checkHistoryLength(historyLength);
      return taskOf(await visibleTask(this.#call, id), historyLength);
    });
  }

  listTasks(request: ListTasksRequest): Promise<ListTasksResponse> {
    return this.#refusing(() => listTasks(this.#call, request));
  }

  cancelTask({ id }: CancelTaskRequest): Promise<Task> {
    return this.#refusing(async () => {
      const view = await cancelTask(this.#call, id);
      this.#call.scope.push?.kick(view.taskId);
      return taskOf(view);
    });
  }

  resubscribe({ id }: SubscribeToTaskRequest): AsyncGenerator<StreamResponse, void, undefined> {
    return this.#refusingStream(async function* (call) {
      const view = await visibleTask(call, id);
      if (isOver(view)) {
        throw new Refused(
          'UnsupportedOperation',
          'The task has ended: nothing comes of it any more. Get it to see its artifacts.',
          { taskId: id },
        );
      }
      await takeUp(call, id);
      yield* stream(call, view);
    });
  }

  createTaskPushNotificationConfig(
    config: TaskPushNotificationConfig,
  ): Promise<TaskPushNotificationConfig> {
    return this.#refusing(async () => {
      const view = await visibleTask(this.#call, config.taskId);
      return createPushConfig(this.#call, view, config);
    });
  }

  getTaskPushNotificationConfig(
    request: GetTaskPushNotificationConfigRequest,
  ): Promise<TaskPushNotificationConfig> {
    return this.#refusing(() => getPushConfig(this.#call, request));
  }

  listTaskPushNotificationConfigs(
    request: ListTaskPushNotificationConfigsRequest,
  ): Promise<ListTaskPushNotificationConfigsResponse> {
    return this.#refusing(() => listPushConfigs(this.#call, request));
  }

  deleteTaskPushNotificationConfig(
    request: DeleteTaskPushNotificationConfigRequest,
  ): Promise<void> {
    return this.#refusing(() => deletePushConfig(this.#call, request));
  }

  /** Takes the message; what it wants to be told by push is looked at before anything is started. */
  async #take(request: SendMessageRequest, mode: Mode): Promise<Taken> {
    const config = request.configuration?.taskPushNotificationConfig;
    const { push } = this.#call.scope;
    if (config !== undefined) await push?.check(config.url);
    const taken = await take(this.#call, request, mode);
    if (config !== undefined) {
      await createPushConfig(this.#call, taken.view, { ...config, taskId: taken.view.taskId });
    } else if (request.message?.taskId !== '') push?.kick(taken.view.taskId);
    return taken;
  }

  async #answered({ view, repeated }: Taken, waits: boolean): Promise<TaskView> {
    if (repeated === true) return view;
    if (waits) return settled(this.#call, view);
    return (await viewOfRun(this.#call.scope, view.taskId)) ?? view;
  }

  async #refusing<T>(body: () => Promise<T>): Promise<T> {
    try {
      return await body();
    } catch (error) {
      throw toA2AError(this.#call, error);
    }
  }

  async *#refusingStream(
    body: (call: Call, handler: TaskHandler) => AsyncGenerator<StreamResponse, void, undefined>,
  ): AsyncGenerator<StreamResponse, void, undefined> {
    try {
      yield* body(this.#call, this);
    } catch (error) {
      throw toA2AError(this.#call, error);
    }
  }
}
