import type { ListTasksRequest } from '@a2a-js/sdk';
import {
  isJsonObject,
  type HostContext,
  type JsonObject,
  type ProtocolRoute,
} from '@agent-functions/core';
import { readBody } from './body.ts';
import { callOf } from './call.ts';
import { checkParts } from './json-rpc.ts';
import { a2aType, answerType, checkContentType, checkVersion, extensionsOf } from './negotiate.ts';
import { Refused } from './refused.ts';
import type { Call, Scope } from './scope.ts';
import { eventStream } from './sse.ts';
import { TaskHandler } from './task-handler.ts';
import { statusOf, toA2AError } from './to-error.ts';

/** One request of the binding. */
interface Asked {
  readonly call: Call;
  readonly handler: TaskHandler;
  readonly body: JsonObject;
  readonly query: URLSearchParams;
  /** The segments of the path behind the agent's. */
  readonly path: readonly string[];
  readonly answer: (value: unknown, status?: number) => Response;
  readonly stream: (
    events: AsyncGenerator<
      Parameters<Call['sdk']['core']['StreamResponse']['toJSON']>[0],
      void,
      undefined
    >,
  ) => Promise<Response>;
}

type Operation = (asked: Asked) => Promise<Response>;

/** The HTTP+JSON binding (specification 11), protocol 1.0. */
export function restRoutes(scope: Scope, base: string): readonly ProtocolRoute[] {
  const route = (method: string, path: string, operation: Operation): ProtocolRoute => ({
    method,
    path: `${base}${path}`,
    handler: (request, context) => handled(scope, base, request, context, operation),
  });
  return [
    route('POST', '/message:send', async ({ handler, call, body, answer }) => {
      const { core } = call.sdk;
      const task = await handler.sendMessage(core.SendMessageRequest.fromJSON(body));
      return answer(core.SendMessageResponse.toJSON({ payload: { $case: 'task', value: task } }));
    }),
    route('POST', '/message:stream', ({ handler, call, body, stream }) =>
      stream(handler.sendMessageStream(call.sdk.core.SendMessageRequest.fromJSON(body))),
    ),
    route('GET', '/tasks', ({ handler, call, query, answer }) =>
      listed(handler, call, query, answer),
    ),
    route('GET', '/tasks/{task}', (asked) => {
      const { id, verb } = taskIn(asked);
      if (verb === 'subscribe') return subscribed(asked, id);
      if (verb !== undefined) throw noSuchVerb(verb);
      return got(asked, id);
    }),
    route('POST', '/tasks/{task}', async (asked) => {
      const { id, verb } = taskIn(asked);
      if (verb === 'subscribe') return subscribed(asked, id);
      if (verb !== 'cancel') throw noSuchVerb(verb);
      const { core } = asked.call.sdk;
      const request = { tenant: '', id, metadata: undefined };
      return asked.answer(core.Task.toJSON(await asked.handler.cancelTask(request)));
    }),
    route('POST', '/tasks/{task}/pushNotificationConfigs', async (asked) => {
      const { core } = asked.call.sdk;
      const { id: taskId } = taskIn(asked);
      const config = core.TaskPushNotificationConfig.fromJSON({ ...asked.body, taskId });
      const made = await asked.handler.createTaskPushNotificationConfig(config);
      return asked.answer(core.TaskPushNotificationConfig.toJSON(made), 201);
    }),
    route('GET', '/tasks/{task}/pushNotificationConfigs', async (asked) => {
      const { core } = asked.call.sdk;
      const { id: taskId } = taskIn(asked);
      const request = { tenant: '', taskId, pageSize: 0, pageToken: '' };
      const found = await asked.handler.listTaskPushNotificationConfigs(request);
      return asked.answer(core.ListTaskPushNotificationConfigsResponse.toJSON(found));
    }),
    route('GET', '/tasks/{task}/pushNotificationConfigs/{config}', async (asked) => {
      const { core } = asked.call.sdk;
      const config = await asked.handler.getTaskPushNotificationConfig(configIn(asked));
      return asked.answer(core.TaskPushNotificationConfig.toJSON(config));
    }),
    route('DELETE', '/tasks/{task}/pushNotificationConfigs/{config}', async (asked) => {
      await asked.handler.deleteTaskPushNotificationConfig(configIn(asked));
      return new Response(null, { status: 204 });
    }),
    route('GET', '/extendedAgentCard', async ({ handler, call, answer }) =>
      answer(call.sdk.core.AgentCard.toJSON(await handler.getAuthenticatedExtendedAgentCard())),
    ),
  ];
}

async function handled(
  scope: Scope,
  base: string,
  request: Request,
  context: HostContext,
  operation: Operation,
): Promise<Response> {
  const call = await callOf(scope, request, context);
  const headers: Record<string, string> = {
    'content-type': answerType(request.headers, a2aType),
    'cache-control': 'no-store',
  };
  const errorBody = (error: unknown): { readonly status: number; readonly text: string } => {
    const shown = toA2AError(call, error);
    const status = statusOf(call.sdk, shown);
    return { status, text: JSON.stringify(call.sdk.errors.toRestErrorBody(shown, status)) };
  };
  try {
    const card = scope.card(call.origin);
    checkVersion(call.sdk, call.version, card, 'HTTP+JSON');
    const extensions = extensionsOf(call.sdk, request.headers, card);
    if (extensions.length > 0) headers['a2a-extensions'] = extensions.join(',');
    const { pathname, searchParams: query } = new URL(request.url);
    const { 'content-type': _, ...streamHeaders } = headers;
    return await operation({
      call,
      handler: new TaskHandler(call),
      body: await bodyOf(scope, request),
      query,
      path: segmentsOf(pathname.slice(base.length)),
      answer: (value, status = 200) => new Response(JSON.stringify(value), { status, headers }),
      stream: (events) =>
        eventStream(
          events,
          (event) => JSON.stringify(call.sdk.core.StreamResponse.toJSON(event)),
          (error) => errorBody(error).text,
          streamHeaders,
        ),
    });
  } catch (error) {
    const { status, text } = errorBody(error);
    return new Response(text, { status, headers });
  }
}

async function bodyOf({ host }: Scope, request: Request): Promise<JsonObject> {
  if (request.method !== 'POST') return {};
  const body = await readBody(request, host.bodyLimitBytes);
  if (body.type === 'empty') return {};
  checkContentType(request.headers);
  if (body.type === 'too-large') {
    throw malformed(`The body is larger than ${host.bodyLimitBytes} bytes. Send less.`);
  }
  if (body.type !== 'json' || !isJsonObject(body.value)) {
    throw malformed('The body is no JSON object in UTF-8. Check quotes, commas and brackets.');
  }
  checkParts(body.value);
  return body.value;
}

function segmentsOf(path: string): readonly string[] {
  return path
    .split('/')
    .filter((segment) => segment !== '')
    .map((segment) => {
      try {
        return decodeURIComponent(segment);
      } catch {
        return segment;
      }
    });
}

/** `tasks/{id}`, and what is to be done with it: `:cancel`, `:subscribe`. */
function taskIn({ path }: Asked): { readonly id: string; readonly verb?: string | undefined } {
  const segment = path[1] ?? '';
  const colon = segment.indexOf(':');
  return colon === -1
    ? { id: segment }
    : { id: segment.slice(0, colon), verb: segment.slice(colon + 1) };
}

function configIn(asked: Asked): {
  readonly tenant: string;
  readonly taskId: string;
  readonly id: string;
} {
  return { tenant: '', taskId: taskIn(asked).id, id: asked.path[3] ?? '' };
}

async function got({ handler, call, query, answer }: Asked, id: string): Promise<Response> {
  const historyLength = numberIn(query, 'historyLength');
  const request = { tenant: '', id, ...(historyLength === undefined ? {} : { historyLength }) };
  return answer(call.sdk.core.Task.toJSON(await handler.getTask(request)));
}

async function subscribed({ handler, stream }: Asked, id: string): Promise<Response> {
  return stream(handler.resubscribe({ tenant: '', id }));
}

async function listed(
  handler: TaskHandler,
  { sdk: { core } }: Call,
  query: URLSearchParams,
  answer: Asked['answer'],
): Promise<Response> {
  const text = (name: string): string => query.get(name) ?? '';
  const pageSize = numberIn(query, 'pageSize');
  const historyLength = numberIn(query, 'historyLength');
  const include = text('includeArtifacts') === 'true';
  const request: ListTasksRequest = {
    tenant: '',
    contextId: text('contextId'),
    status: core.taskStateFromJSON(text('status') === '' ? 0 : text('status')),
    ...(pageSize === undefined ? {} : { pageSize }),
    pageToken: text('pageToken'),
    ...(historyLength === undefined ? {} : { historyLength }),
    statusTimestampAfter: query.get('statusTimestampAfter') ?? undefined,
    includeArtifacts: include,
  };
  const { tasks, ...page } = await handler.listTasks(request);
  // Written out: an empty nextPageToken must be there (3.1.4), and the generated encoder leaves empty texts out.
  return answer({ tasks: tasks.map((task) => core.Task.toJSON(task)), ...page });
}

function numberIn(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null || text === '') return undefined;
  const value = Number(text);
  if (Number.isInteger(value)) return value;
  throw malformed(`${name} is ${JSON.stringify(text)}; it must be a whole number.`);
}

function noSuchVerb(verb: string | undefined): Refused {
  return new Refused(
    'UnsupportedOperation',
    `There is no ${verb === undefined ? 'POST' : `:${verb}`} of a task. Send :cancel or :subscribe.`,
  );
}

function malformed(message: string): Refused {
  return new Refused('RequestMalformed', message);
}
