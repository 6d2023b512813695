import type {
  DeleteTaskPushNotificationConfigRequest,
  GetTaskPushNotificationConfigRequest,
  ListTaskPushNotificationConfigsRequest,
  ListTaskPushNotificationConfigsResponse,
  TaskPushNotificationConfig,
} from '@a2a-js/sdk';
import { visibleTask } from './access.ts';
import { configCollection, fromConfig, keyOfConfig, toConfig } from './push-config.ts';
import { Refused } from './refused.ts';
import type { Call, Push } from './scope.ts';
import type { TaskView } from './task-wire.ts';

// Who wants to be told of a task. Only who sees the task sees them: each operation looks at the task first.

const longestText = 4_000;
const mostOfATask = 20;

/**
 * Keeps a configuration, or changes the one of its id; from now on its URL is told what becomes of the task.
 *
 * @throws Refused for a URL that must not be called, texts that are too long, too many of them.
 */
export async function createPushConfig(
  call: Call,
  view: TaskView,
  given: TaskPushNotificationConfig,
): Promise<TaskPushNotificationConfig> {
  const push = pushOf(call);
  const { store } = call.scope.host;
  const config = { ...given, id: given.id === '' ? view.taskId : given.id, tenant: '' };
  const { id, url, token, authentication } = config;
  const texts = [id, url, token, authentication?.scheme ?? '', authentication?.credentials ?? ''];
  if (texts.some((text) => text.length > longestText)) {
    throw malformed(`id, url, token and authentication may have ${longestText} characters each.`);
  }
  if (
    /[\r\n\0]/.test(token + (authentication?.scheme ?? '') + (authentication?.credentials ?? ''))
  ) {
    throw malformed('token and authentication are sent as headers: they may have no line breaks.');
  }
  await push.check(url);
  const key = await keyOfConfig(view.taskId, id);
  const value = { ...fromConfig(config), version: call.version };
  for (;;) {
    const before = await store.records.get(configCollection, key);
    if (before === undefined && (await configsOf(call, view.taskId)).length >= mostOfATask) {
      throw malformed(`A task has at most ${mostOfATask} push notification configurations.`);
    }
    const at = { expectedVersion: before?.version ?? '0' };
    if ((await store.records.put(configCollection, key, value, at)) !== undefined) break;
  }
  await push.watch(key, view);
  return config;
}

export async function getPushConfig(
  call: Call,
  { taskId, id }: GetTaskPushNotificationConfigRequest,
): Promise<TaskPushNotificationConfig> {
  pushOf(call);
  const view = await visibleTask(call, taskId);
  const key = await keyOfConfig(view.taskId, id === '' ? view.taskId : id);
  const record = await call.scope.host.store.records.get(configCollection, key);
  if (record !== undefined) return toConfig(record.value);
  throw new Refused('TaskNotFound', 'The task has no push notification configuration of this id.', {
    taskId,
    configId: id,
  });
}

export async function listPushConfigs(
  call: Call,
  { taskId }: ListTaskPushNotificationConfigsRequest,
): Promise<ListTaskPushNotificationConfigsResponse> {
  pushOf(call);
  const view = await visibleTask(call, taskId);
  return { configs: await configsOf(call, view.taskId), nextPageToken: '' };
}

/** Repeated, it is a no-op. */
export async function deletePushConfig(
  call: Call,
  { taskId, id }: DeleteTaskPushNotificationConfigRequest,
): Promise<void> {
  const push = pushOf(call);
  const view = await visibleTask(call, taskId);
  const key = await keyOfConfig(view.taskId, id === '' ? view.taskId : id);
  await call.scope.host.store.records.delete(configCollection, key);
  await push.forget(key);
}

async function configsOf({ scope }: Call, taskId: string): Promise<TaskPushNotificationConfig[]> {
  const { records } = await scope.host.store.records.list(configCollection, {
    prefix: `${taskId}.`,
    limit: 100,
  });
  return records.map(({ value }) => toConfig(value));
}

function pushOf({ scope }: Call): Push {
  if (scope.push !== undefined) return scope.push;
  throw new Refused(
    'PushNotificationNotSupported',
    'This agent sends no push notifications: capabilities.pushNotifications of its card is false.',
  );
}

function malformed(message: string): Refused {
  return new Refused('RequestMalformed', message);
}
