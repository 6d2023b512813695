import type {
  DeleteTaskPushNotificationConfigRequest,
  GetTaskPushNotificationConfigRequest,
  ListTaskPushNotificationConfigsRequest,
  ListTaskPushNotificationConfigsResponse,
  TaskPushNotificationConfig,
} from '@a2a-js/sdk';
import { sha256Hex, type JsonObject } from '@agent-functions/core';
import { visibleTask } from './access.ts';
import type { PushDelivery } from './push-delivery.ts';
import { Refused } from './refused.ts';
import type { Call } from './scope.ts';
import type { TaskView } from './task-view.ts';

// Who wants to be told of a task. Only who sees the task sees them: each operation looks at the task first.

/** The collection of configurations; an id is that of the task, a dot, and a hash of the configuration's. */
export const configCollection = 'a2a-push';

const longestText = 4_000;
const mostOfATask = 20;

export async function keyOfConfig(taskId: string, configId: string): Promise<string> {
  return `${taskId}.${await sha256Hex(configId, 128)}`;
}

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
  const value = toValue(config);
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
  if (record !== undefined) return fromValue(record.value);
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
  return records.map(({ value }) => fromValue(value));
}

function pushOf({ scope }: Call): PushDelivery {
  if (scope.push !== undefined) return scope.push;
  throw new Refused(
    'PushNotificationNotSupported',
    'This agent sends no push notifications: capabilities.pushNotifications of its card is false.',
  );
}

function toValue({
  id,
  taskId,
  url,
  token,
  authentication,
}: TaskPushNotificationConfig): JsonObject {
  return {
    id,
    taskId,
    url,
    token,
    ...(authentication === undefined
      ? {}
      : { scheme: authentication.scheme, credentials: authentication.credentials }),
  };
}

export function fromValue(value: JsonObject): TaskPushNotificationConfig {
  const text = (name: string): string => {
    const found = value[name];
    return typeof found === 'string' ? found : '';
  };
  return {
    tenant: '',
    id: text('id'),
    taskId: text('taskId'),
    url: text('url'),
    token: text('token'),
    authentication:
      value['scheme'] === undefined
        ? undefined
        : { scheme: text('scheme'), credentials: text('credentials') },
  };
}

function malformed(message: string): Refused {
  return new Refused('RequestMalformed', message);
}
