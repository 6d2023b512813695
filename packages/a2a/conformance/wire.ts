import { isJsonObject, type Json, type JsonObject } from '@agent-functions/core';

/** An operation as the specification (5.3) names it. */
export type Operation =
  | 'SendMessage'
  | 'SendStreamingMessage'
  | 'GetTask'
  | 'ListTasks'
  | 'CancelTask'
  | 'SubscribeToTask'
  | 'CreateTaskPushNotificationConfig'
  | 'GetTaskPushNotificationConfig'
  | 'ListTaskPushNotificationConfigs'
  | 'DeleteTaskPushNotificationConfig'
  | 'GetExtendedAgentCard';

/** What came back, whatever the binding: a result, events, or an error with its code of JSON-RPC or its HTTP status. */
export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly result: JsonObject;
  readonly events: readonly JsonObject[];
  /** `TASK_NOT_FOUND` and the like; of a malformed request `INVALID_PARAMS`. */
  readonly reason: string | undefined;
  readonly code: number | undefined;
}

/** One binding, by hand: no client in between. */
export interface Wire {
  readonly name: 'JSONRPC' | 'HTTP+JSON';
  readonly contentType: string;
  ask(operation: Operation, params?: JsonObject, headers?: Record<string, string>): Promise<Reply>;
  /** Opens a stream; its events as they come. */
  open(
    operation: 'SendStreamingMessage' | 'SubscribeToTask',
    params: JsonObject,
  ): Promise<AsyncGenerator<JsonObject, void, undefined>>;
}

export function jsonRpcWire(url: string): Wire {
  const post = (operation: Operation, params: JsonObject, headers: Record<string, string>) =>
    fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'a2a-version': '1.0', ...headers },
      body: JSON.stringify({ jsonrpc: '2.0', id: 7, method: operation, params }),
    });
  return {
    name: 'JSONRPC',
    contentType: 'application/json',
    async ask(operation, params = {}, headers = {}) {
      return replyOf(await post(operation, params, headers), (value) => value['result'] ?? null);
    },
    async open(operation, params) {
      const response = await post(operation, params, {});
      return events(response, (value) => value['result'] ?? null);
    },
  };
}

export function restWire(url: string): Wire {
  const send = (operation: Operation, params: JsonObject, headers: Record<string, string>) => {
    const { method, path, query, body } = restOf(operation, params);
    const search = new URLSearchParams(query).toString();
    return fetch(`${url}${path}${search === '' ? '' : `?${search}`}`, {
      method,
      headers: {
        'a2a-version': '1.0',
        ...(body === undefined ? {} : { 'content-type': 'application/a2a+json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  };
  return {
    name: 'HTTP+JSON',
    contentType: 'application/a2a+json',
    async ask(operation, params = {}, headers = {}) {
      return replyOf(await send(operation, params, headers), (value) => value);
    },
    async open(operation, params) {
      return events(await send(operation, params, {}), (value) => value);
    },
  };
}

function restOf(
  operation: Operation,
  params: JsonObject,
): {
  readonly method: string;
  readonly path: string;
  readonly query: Record<string, string>;
  readonly body?: JsonObject;
} {
  const { id, taskId, ...rest } = params;
  const query = Object.fromEntries(
    Object.entries(rest).map(([key, value]) => [key, textOf(value)]),
  );
  const task = `/tasks/${encodeURIComponent(textOf(id))}`;
  const configs = `/tasks/${encodeURIComponent(textOf(taskId))}/pushNotificationConfigs`;
  switch (operation) {
    case 'SendMessage':
      return { method: 'POST', path: '/message:send', query: {}, body: params };
    case 'SendStreamingMessage':
      return { method: 'POST', path: '/message:stream', query: {}, body: params };
    case 'GetTask':
      return { method: 'GET', path: task, query };
    case 'ListTasks':
      return { method: 'GET', path: '/tasks', query };
    case 'CancelTask':
      return { method: 'POST', path: `${task}:cancel`, query: {}, body: {} };
    case 'SubscribeToTask':
      return { method: 'POST', path: `${task}:subscribe`, query: {} };
    case 'CreateTaskPushNotificationConfig':
      return { method: 'POST', path: configs, query: {}, body: params };
    case 'ListTaskPushNotificationConfigs':
      return { method: 'GET', path: configs, query: {} };
    case 'GetTaskPushNotificationConfig':
      return { method: 'GET', path: `${configs}/${textOf(id)}`, query: {} };
    case 'DeleteTaskPushNotificationConfig':
      return { method: 'DELETE', path: `${configs}/${textOf(id)}`, query: {} };
    case 'GetExtendedAgentCard':
      return { method: 'GET', path: '/extendedAgentCard', query: {} };
    default:
      return operation satisfies never;
  }
}

async function replyOf(response: Response, unwrap: (value: JsonObject) => Json): Promise<Reply> {
  const { status, headers } = response;
  const empty = { status, headers, result: {}, events: [], reason: undefined, code: undefined };
  if (headers.get('content-type') === 'text/event-stream') {
    const all: JsonObject[] = [];
    for await (const event of events(response, unwrap)) all.push(event);
    return { ...empty, events: all };
  }
  const text = await response.text();
  if (text === '') return empty;
  const value = objectOf(JSON.parse(text));
  const error = value['error'];
  if (isJsonObject(error)) {
    const details = error['details'] ?? error['data'];
    const [detail] = Array.isArray(details) ? details : [];
    const reason = objectOf(detail)['reason'];
    return {
      ...empty,
      code: Number(error['code']),
      reason: typeof reason === 'string' ? reason : undefined,
    };
  }
  return { ...empty, result: objectOf(unwrap(value)) };
}

async function* events(
  response: Response,
  unwrap: (value: JsonObject) => Json,
): AsyncGenerator<JsonObject, void, undefined> {
  let text = '';
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    const frames = text.split('\n\n');
    text = frames.pop() ?? '';
    for (const frame of frames) {
      if (frame.startsWith('data: ')) yield objectOf(unwrap(objectOf(JSON.parse(frame.slice(6)))));
    }
  }
}

function textOf(value: Json | undefined): string {
  return typeof value === 'string' ? value : JSON.stringify(value ?? '');
}

export function objectOf(value: unknown): JsonObject {
  return value !== undefined && isJson(value) && isJsonObject(value) ? value : {};
}

// What `JSON.parse` makes is JSON; its type does not say so.
function isJson(value: unknown): value is Json {
  return value !== undefined;
}
