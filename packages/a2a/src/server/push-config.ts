import type { TaskPushNotificationConfig } from '@a2a-js/sdk';
import { sha256Hex, type JsonObject } from '@agent-functions/core';

/** The collection of configurations; an id is that of the task, a dot, and a hash of the configuration's. */
export const configCollection = 'a2a-push';

export async function keyOfConfig(taskId: string, configId: string): Promise<string> {
  return `${taskId}.${await sha256Hex(configId, 128)}`;
}

export function fromConfig({
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

export function toConfig(value: JsonObject): TaskPushNotificationConfig {
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
