import {
  isJsonArray,
  isJsonObject,
  type HttpHandler,
  type Json,
  type JsonObject,
} from '@agent-functions/core';
import { readBody } from './body.ts';
import { answerType, checkContentType, checkVersion, extensionsOf, jsonType } from './negotiate.ts';
import { Refused } from './refused.ts';
import type { Call, Scope } from './scope.ts';
import { callOf } from './call.ts';
import { loadLegacy, type Sdk } from './sdk.ts';
import { eventStream } from './sse.ts';
import { TaskHandler } from './task-handler.ts';
import { statusOf, toA2AError } from './to-error.ts';

/** The methods of protocol 1.0 (specification 5.3). */
const methods: ReadonlySet<string> = new Set([
  'SendMessage',
  'SendStreamingMessage',
  'GetTask',
  'ListTasks',
  'CancelTask',
  'SubscribeToTask',
  'CreateTaskPushNotificationConfig',
  'GetTaskPushNotificationConfig',
  'ListTaskPushNotificationConfigs',
  'DeleteTaskPushNotificationConfig',
  'GetExtendedAgentCard',
]);

/** Codes of JSON-RPC itself (specification 9.5). */
const parseError = -32_700;
const invalidRequest = -32_600;
const methodNotFound = -32_601;

type Id = string | number | null;

/** What both versions answer: one document, or one for each event. */
type Answered = object | AsyncGenerator<object, void, undefined>;

/** The JSON-RPC binding (specification 9), protocol 1.0 and 0.3. */
export function jsonRpc(scope: Scope): HttpHandler {
  return async (request, context) => {
    const call = await callOf(scope, request, context);
    const headers: Record<string, string> = {
      'content-type': answerType(request.headers, jsonType),
      'cache-control': 'no-store',
    };
    const body = await readBody(request, scope.host.bodyLimitBytes);
    const value = body.type === 'json' ? body.value : undefined;
    const id = idOf(value);
    const failed = (error: unknown, status?: number): Response => {
      const shown = toA2AError(call, error);
      return answer(
        {
          jsonrpc: '2.0',
          id,
          error: call.sdk.server.JsonRpcTransportHandler.mapToJSONRPCError(shown),
        },
        status ?? 200,
        headers,
      );
    };
    try {
      checkContentType(request.headers);
      if (body.type === 'too-large') {
        const limit = `The body is larger than ${scope.host.bodyLimitBytes} bytes. Send less.`;
        return failed(new Refused('RequestMalformed', limit), 413);
      }
      const wrong = wrongEnvelope(body.type === 'json', value);
      if (wrong !== undefined) return answer({ jsonrpc: '2.0', id, error: wrong }, 200, headers);
      const { version } = call;
      const card = scope.card(call.origin);
      checkVersion(call.sdk, version, card, 'JSONRPC');
      const extensions = extensionsOf(call.sdk, request.headers, card);
      if (extensions.length > 0) headers['a2a-extensions'] = extensions.join(',');
      if (!isJsonObject(value)) return failed(new Refused('RequestMalformed', 'It is no object.'));
      checkParts(value);
      const handle = version === '0.3' ? legacy : current;
      const answered = await handle(call, value, version);
      if (!isStream(answered)) return answer(answered, 200, headers);
      const toError = (error: unknown): string =>
        JSON.stringify({
          jsonrpc: '2.0',
          id,
          error: call.sdk.server.JsonRpcTransportHandler.mapToJSONRPCError(error),
        });
      const { 'content-type': _, ...rest } = headers;
      return await eventStream(answered, (event) => JSON.stringify(event), toError, rest);
    } catch (error) {
      const shown = toA2AError(call, error);
      const unsupported = shown instanceof call.sdk.errors.ContentTypeNotSupportedError;
      const isHeader = unsupported && error instanceof Refused && id === null;
      return failed(shown, isHeader || !hasJsonType(request) ? statusOf(call.sdk, shown) : 200);
    }
  };
}

/** Whether the body says that it is JSON: otherwise 415, also over JSON-RPC. */
function hasJsonType({ headers }: Request): boolean {
  try {
    checkContentType(headers);
    return true;
  } catch {
    return false;
  }
}

async function current(call: Call, body: JsonObject, version: string): Promise<Answered> {
  const { method } = body;
  if (typeof method !== 'string' || !methods.has(method)) {
    const name = typeof method === 'string' ? method : '';
    return noSuchMethod(body, name, 'SendMessage, GetTask and the others of A2A 1.0');
  }
  const handler = new call.sdk.server.JsonRpcTransportHandler(new TaskHandler(call));
  return asAnswered(await handler.handle({ ...body }, contextOf(call.sdk, version)));
}

async function legacy(call: Call, body: JsonObject, version: string): Promise<Answered> {
  const { method } = body;
  if (typeof method === 'string' && methods.has(method)) {
    return noSuchMethod(body, method, 'the header A2A-Version: 1.0, which this method belongs to');
  }
  const { LegacyJsonRpcTransportHandler } = await loadLegacy();
  const handler = new LegacyJsonRpcTransportHandler(new TaskHandler(call));
  return asAnswered(await handler.handle({ ...body }, contextOf(call.sdk, version)));
}

/** What the SDK answers is a document or a generator of them; neither has an index signature. */
function asAnswered(answered: object): Answered {
  return answered;
}

function contextOf({ server }: Sdk, requestedVersion: string) {
  return new server.ServerCallContext({ requestedVersion });
}

function noSuchMethod(body: JsonObject, method: string, instead: string): object {
  return {
    jsonrpc: '2.0',
    id: idOf(body),
    error: { code: methodNotFound, message: `There is no method ${method}. Send ${instead}.` },
  };
}

/** JSON-RPC 2.0, 4: what is no request. */
function wrongEnvelope(
  isJson: boolean,
  value: Json | undefined,
): { readonly code: number; readonly message: string } | undefined {
  if (!isJson) {
    return {
      code: parseError,
      message: 'The body is not JSON in UTF-8. Check quotes and brackets.',
    };
  }
  if (isJsonArray(value)) {
    return { code: invalidRequest, message: 'Batches are not taken. Send one request at a time.' };
  }
  const isRequest =
    isJsonObject(value) &&
    value['jsonrpc'] === '2.0' &&
    typeof value['method'] === 'string' &&
    value['method'] !== '' &&
    isId(value['id']);
  if (isRequest) return undefined;
  return {
    code: invalidRequest,
    message:
      'The body is no JSON-RPC request. Send { "jsonrpc": "2.0", "id": 1, "method": …, "params": { … } }.',
  };
}

function isId(id: Json | undefined): boolean {
  return id === undefined || id === null || typeof id === 'string' || Number.isInteger(id);
}

function idOf(value: Json | undefined): Id {
  const id = isJsonObject(value) ? value['id'] : undefined;
  return typeof id === 'string' || (typeof id === 'number' && Number.isInteger(id)) ? id : null;
}

/** @throws Refused for parts that are no objects: the SDK's decoder takes them for granted. */
export function checkParts(value: JsonObject): void {
  const params = value['params'] ?? value;
  const message = isJsonObject(params) ? params['message'] : undefined;
  const parts = isJsonObject(message) ? message['parts'] : undefined;
  if (isJsonArray(parts) && !parts.every((part) => isJsonObject(part))) {
    throw new Refused('RequestMalformed', 'message.parts must be a list of objects.');
  }
}

function isStream(answered: Answered): answered is AsyncGenerator<object, void, undefined> {
  return Symbol.asyncIterator in answered;
}

function answer(body: object, status: number, headers: Readonly<Record<string, string>>): Response {
  return new Response(JSON.stringify(body), { status, headers });
}
