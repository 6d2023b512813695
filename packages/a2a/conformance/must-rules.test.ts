import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Agent, silentLogger, type JsonObject } from '@agent-functions/core';
import { scriptedModel } from '@agent-functions/core/testing';
import { agentServer } from '@agent-functions/server';
import { serve, type Serving } from '@agent-functions/server/node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { a2a } from '../src/index.ts';
import { conformanceAgent } from './agent.ts';
import { jsonRpcWire, objectOf, restWire, type Reply, type Wire } from './wire.ts';

// What the specification of A2A 1.0 says with MUST, by its sections, over both bindings. Rules for clients, gRPC, and
// of what the agent does not have are not here; those of capabilities that can be switched off are asked of `bare`.

let serving: Serving;
let receiver: Server;
let hook = '';
const told: JsonObject[] = [];
const toldHeaders: (string | undefined)[] = [];

beforeAll(async () => {
  receiver = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => (body += chunk));
    request.on('end', () => {
      told.push(objectOf(JSON.parse(body)));
      toldHeaders.push(request.headers.authorization);
      response.writeHead(204).end();
    });
  });
  await new Promise<void>((resolve) => {
    receiver.listen(0, '127.0.0.1', resolve);
  });
  const origin = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`;
  hook = `${origin}/hook`;
  const server = agentServer({
    agents: [conformanceAgent()],
    protocols: [
      a2a({ pushNotifications: { trustedOrigins: [origin] } }),
      { ...a2a({ path: '/bare', pushNotifications: false, extensions: [required] }), name: 'bare' },
    ].map((protocol, index) => (index === 0 ? protocol : withoutRoot(protocol))),
    allowClientSessionIds: true,
    logger: silentLogger,
  });
  serving = await serve(server, { port: 0 });
});
afterAll(async () => {
  await serving.close({ graceMs: 200 });
  receiver.close();
});

const required = { uri: 'urn:example:needed', description: '', required: true, params: undefined };

/** Two mounts on one server: the root card is the first one's. */
function withoutRoot(protocol: ReturnType<typeof a2a>): ReturnType<typeof a2a> {
  const { handlers } = protocol;
  return {
    ...protocol,
    handlers: (host) =>
      (typeof handlers === 'function' ? handlers(host) : handlers).filter(
        ({ path }) => !path.startsWith('/.well-known'),
      ),
  };
}

let count = 0;
function message(prefix: string, more: JsonObject = {}): JsonObject {
  count += 1;
  return {
    messageId: `${prefix}-${count}`,
    role: 'ROLE_USER',
    parts: [{ text: 'Hello' }],
    ...more,
  };
}

const stateOf = (task: unknown): unknown => objectOf(objectOf(task)['status'])['state'];
const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');
const taskOf = ({ result }: Reply): JsonObject => objectOf(result['task']);

async function task(wire: Wire, prefix = 'tck-complete-task'): Promise<JsonObject> {
  return taskOf(await wire.ask('SendMessage', { message: message(prefix) }));
}

/** The error by its name in the specification (3.3.2), with its code and status (5.4). */
const errors = {
  TASK_NOT_FOUND: [-32_001, 404],
  TASK_NOT_CANCELABLE: [-32_002, 400],
  PUSH_NOTIFICATION_NOT_SUPPORTED: [-32_003, 400],
  UNSUPPORTED_OPERATION: [-32_004, 400],
  CONTENT_TYPE_NOT_SUPPORTED: [-32_005, 415],
  EXTENSION_SUPPORT_REQUIRED: [-32_008, 400],
  VERSION_NOT_SUPPORTED: [-32_009, 400],
  INVALID_PARAMS: [-32_602, 400],
} as const;

function expectError(wire: Wire, reply: Reply, reason: keyof typeof errors): void {
  const [code, status] = errors[reason];
  expect(reply.reason).toBe(reason);
  if (wire.name === 'JSONRPC') expect(reply.code).toBe(code);
  else expect([reply.status, reply.code]).toEqual([status, status]);
}

interface Rule {
  readonly section: string;
  readonly rule: string;
  readonly holds: (wire: Wire, bare: Wire) => Promise<void>;
}

const rules: readonly Rule[] = [
  {
    section: '3.1.1',
    rule: 'SendMessage answers with a task or a message',
    holds: async (wire) => {
      const { result } = await wire.ask('SendMessage', { message: message('tck-complete-task') });
      expect(Object.keys(result)).toEqual(['task']);
      expect(stateOf(result['task'])).toBe('TASK_STATE_COMPLETED');
    },
  },
  {
    section: '3.1.1',
    rule: 'a message to a task that has ended is an UnsupportedOperationError',
    holds: async (wire) => {
      const { id } = await task(wire);
      const taskId = textOf(id);
      const reply = await wire.ask('SendMessage', { message: message('tck-terminal', { taskId }) });
      expectError(wire, reply, 'UNSUPPORTED_OPERATION');
    },
  },
  {
    section: '3.1.1',
    rule: 'a media type that the agent does not take is a ContentTypeNotSupportedError',
    holds: async (wire) => {
      const parts = [{ raw: 'dGNr', mediaType: 'application/x-unsupported-tck-type' }];
      const reply = await wire.ask('SendMessage', { message: message('tck-send-003', { parts }) });
      expectError(wire, reply, 'CONTENT_TYPE_NOT_SUPPORTED');
    },
  },
  {
    section: '3.1.2',
    rule: 'a stream begins with the task and closes when it has ended',
    holds: async (wire) => {
      const { events } = await wire.ask('SendStreamingMessage', {
        message: message('tck-stream-003'),
      });
      expect(Object.keys(events[0] ?? {})).toEqual(['task']);
      expect(
        events.slice(1).every((event) => 'statusUpdate' in event || 'artifactUpdate' in event),
      ).toBe(true);
      expect(stateOf(events.at(-1)?.['statusUpdate'])).toBe('TASK_STATE_COMPLETED');
    },
  },
  {
    section: '3.1.2',
    rule: 'chunks of an artifact are appended to it under one id, and the last one says so',
    holds: async (wire) => {
      const { events } = await wire.ask('SendStreamingMessage', {
        message: message('tck-stream-artifact-chunked'),
      });
      const updates = events
        .map((event) => objectOf(event['artifactUpdate']))
        .filter((update) => 'artifact' in update);
      expect(updates.length).toBeGreaterThan(1);
      expect(
        new Set(updates.map((update) => objectOf(update['artifact'])['artifactId'])).size,
      ).toBe(1);
      expect(updates.slice(1).every((update) => update['append'] === true)).toBe(true);
      expect(updates.at(-1)?.['lastChunk']).toBe(true);
    },
  },
  {
    section: '3.1.3',
    rule: 'GetTask answers with the present state',
    holds: async (wire) => {
      const made = await task(wire);
      const { result } = await wire.ask('GetTask', { id: made['id'] ?? '' });
      expect(result).toEqual(made);
    },
  },
  {
    section: '3.1.3',
    rule: 'a task that is not there is a TaskNotFoundError: get, cancel, subscribe, message',
    holds: async (wire) => {
      const id = 'tck-nonexistent';
      expectError(wire, await wire.ask('GetTask', { id }), 'TASK_NOT_FOUND');
      expectError(wire, await wire.ask('CancelTask', { id }), 'TASK_NOT_FOUND');
      expectError(wire, await wire.ask('SubscribeToTask', { id }), 'TASK_NOT_FOUND');
      const reply = await wire.ask('SendMessage', {
        message: message('tck-multi-004', { taskId: id }),
      });
      expectError(wire, reply, 'TASK_NOT_FOUND');
    },
  },
  {
    section: '3.1.4',
    rule: 'ListTasks has cursors: nextPageToken is always there, and empty on the last page',
    holds: async (wire) => {
      const contextId = `ctx-pages-${wire.name === 'JSONRPC' ? 'a' : 'b'}`;
      for (let n = 0; n < 3; n++) {
        await wire.ask('SendMessage', { message: message('tck-complete-task', { contextId }) });
      }
      const first = (await wire.ask('ListTasks', { contextId, pageSize: 2 })).result;
      expect([first['tasks']].flat()).toHaveLength(2);
      expect(first['nextPageToken']).not.toBe('');
      const second = (
        await wire.ask('ListTasks', {
          contextId,
          pageSize: 2,
          pageToken: first['nextPageToken'] ?? '',
        })
      ).result;
      expect([second['tasks']].flat()).toHaveLength(1);
      expect([second['nextPageToken'], second['totalSize'], second['pageSize']]).toEqual([
        '',
        3,
        2,
      ]);
    },
  },
  {
    section: '3.1.4',
    rule: 'tasks are sorted by the time of their status, the latest first',
    holds: async (wire) => {
      const contextId = `ctx-sorted-${wire.name === 'JSONRPC' ? 'a' : 'b'}`;
      for (let n = 0; n < 3; n++) {
        await wire.ask('SendMessage', { message: message('tck-complete-task', { contextId }) });
      }
      const { result } = await wire.ask('ListTasks', { contextId });
      const times = [result['tasks']]
        .flat()
        .map((each) => textOf(objectOf(objectOf(each)['status'])['timestamp']));
      expect(times).toEqual(times.toSorted().toReversed());
      expect(times).toHaveLength(3);
    },
  },
  {
    section: '3.1.4',
    rule: 'without includeArtifacts tasks of a list have no field artifacts',
    holds: async (wire) => {
      const contextId = `ctx-artifacts-${wire.name === 'JSONRPC' ? 'a' : 'b'}`;
      await wire.ask('SendMessage', { message: message('tck-artifact-text', { contextId }) });
      const without = (await wire.ask('ListTasks', { contextId })).result;
      expect([without['tasks']].flat().map((each) => 'artifacts' in objectOf(each))).toEqual([
        false,
      ]);
      const withThem = (await wire.ask('ListTasks', { contextId, includeArtifacts: true })).result;
      expect([withThem['tasks']].flat().map((each) => 'artifacts' in objectOf(each))).toEqual([
        true,
      ]);
    },
  },
  {
    section: '3.1.5',
    rule: 'CancelTask answers with the canceled task',
    holds: async (wire) => {
      const { id } = await task(wire, 'tck-input-required');
      const { result } = await wire.ask('CancelTask', { id: id ?? '' });
      expect([result['id'], stateOf(result)]).toEqual([id, 'TASK_STATE_CANCELED']);
    },
  },
  {
    section: '3.1.5',
    rule: 'canceling a task that has ended is a TaskNotCancelableError',
    holds: async (wire) => {
      const { id } = await task(wire);
      expectError(wire, await wire.ask('CancelTask', { id: id ?? '' }), 'TASK_NOT_CANCELABLE');
    },
  },
  {
    section: '3.1.6',
    rule: 'SubscribeToTask begins with the task and closes when it has ended',
    holds: async (wire) => {
      const { id } = await task(wire, 'tck-input-required');
      const taskId = textOf(id);
      const stream = await wire.open('SubscribeToTask', { id: taskId });
      const first = await stream.next();
      expect(stateOf(objectOf(first.value)['task'])).toBe('TASK_STATE_INPUT_REQUIRED');
      await wire.ask('SendMessage', { message: message('tck-complete-task', { taskId }) });
      const rest: JsonObject[] = [];
      for await (const event of stream) rest.push(event);
      expect(stateOf(rest.at(-1)?.['statusUpdate'])).toBe('TASK_STATE_COMPLETED');
    },
  },
  {
    section: '3.1.6',
    rule: 'subscribing to a task that has ended is an UnsupportedOperationError',
    holds: async (wire) => {
      const { id } = await task(wire);
      expectError(
        wire,
        await wire.ask('SubscribeToTask', { id: id ?? '' }),
        'UNSUPPORTED_OPERATION',
      );
    },
  },
  {
    section: '3.1.7 to 3.1.10',
    rule: 'push notification configurations are kept, answered, listed, and deleted for good, again and again',
    holds: async (wire) => {
      const { id } = await task(wire);
      const taskId = textOf(id);
      const config = { id: 'mine', taskId, url: 'https://93.184.215.14/hook', token: 't' };
      const made = await wire.ask('CreateTaskPushNotificationConfig', config);
      expect(made.result).toMatchObject(config);
      expect(
        (await wire.ask('GetTaskPushNotificationConfig', { taskId, id: 'mine' })).result,
      ).toMatchObject(config);
      const { result } = await wire.ask('ListTaskPushNotificationConfigs', { taskId });
      expect(result['configs']).toMatchObject([config]);
      for (let n = 0; n < 2; n++) {
        const gone = await wire.ask('DeleteTaskPushNotificationConfig', { taskId, id: 'mine' });
        expect(gone.reason).toBeUndefined();
      }
      expectError(
        wire,
        await wire.ask('GetTaskPushNotificationConfig', { taskId, id: 'mine' }),
        'TASK_NOT_FOUND',
      );
    },
  },
  {
    section: '3.2.2',
    rule: 'a blocking message waits for the end or an interruption; otherwise the answer comes at once',
    holds: async (wire) => {
      expect(stateOf(await task(wire, 'tck-delayed-complete'))).toBe('TASK_STATE_COMPLETED');
      expect(stateOf(await task(wire, 'tck-input-required'))).toBe('TASK_STATE_INPUT_REQUIRED');
      const early = await wire.ask('SendMessage', {
        message: message('tck-delayed-complete'),
        configuration: { returnImmediately: true },
      });
      expect(['TASK_STATE_SUBMITTED', 'TASK_STATE_WORKING']).toContain(
        stateOf(early.result['task']),
      );
    },
  },
  {
    section: '3.2.4',
    rule: 'no more messages of the history than asked for; 0 is none',
    holds: async (wire) => {
      const { id } = await task(wire, 'tck-input-required');
      const taskId = textOf(id);
      await wire.ask('SendMessage', { message: message('tck-complete-task', { taskId }) });
      const of = async (historyLength: number) =>
        [(await wire.ask('GetTask', { id: taskId, historyLength })).result['history'] ?? []].flat()
          .length;
      expect([await of(0), await of(1), await of(2)]).toEqual([0, 1, 2]);
      const sent = await wire.ask('SendMessage', {
        message: message('tck-complete-task'),
        configuration: { historyLength: 0 },
      });
      expect(taskOf(sent)['history']).toBeUndefined();
    },
  },
  {
    section: '3.3.2',
    rule: 'parameters are validated before anything is done',
    holds: async (wire) => {
      const bad: readonly JsonObject[] = [
        {},
        { message: { role: 'ROLE_USER', parts: [{ text: 'no id' }] } },
        { message: message('x', { parts: [] }) },
        { message: message('x', { parts: [{}] }) },
        { message: message('x', { parts: [5] }) },
        { message: message('x', { parts: [null] }) },
        { message: message('x', { role: 'ROLE_AGENT' }) },
        { message: message('x', { role: 'nobody' }) },
        { message: message('x'), configuration: { historyLength: -1 } },
        { message: 'text' },
      ];
      for (const params of bad) {
        expectError(wire, await wire.ask('SendMessage', params), 'INVALID_PARAMS');
      }
      for (const params of [
        { pageSize: 0 },
        { pageSize: 101 },
        { pageToken: 'x' },
        { historyLength: -5 },
        { status: 'TASK_STATE_RUNNING' },
        { statusTimestampAfter: 'yesterday' },
      ]) {
        expectError(wire, await wire.ask('ListTasks', params), 'INVALID_PARAMS');
      }
    },
  },
  {
    section: '3.3.4',
    rule: 'what the card does not declare is refused: push notifications, the extended card',
    holds: async (wire, bare) => {
      const named = { 'a2a-extensions': required.uri };
      for (const operation of [
        'CreateTaskPushNotificationConfig',
        'GetTaskPushNotificationConfig',
        'ListTaskPushNotificationConfigs',
        'DeleteTaskPushNotificationConfig',
      ] as const) {
        const { id } = taskOf(
          await bare.ask('SendMessage', { message: message('tck-complete-task') }, named),
        );
        const params = { taskId: id ?? '', id: 'c', url: 'https://example.com' };
        expectError(
          bare,
          await bare.ask(operation, params, named),
          'PUSH_NOTIFICATION_NOT_SUPPORTED',
        );
      }
      expectError(wire, await wire.ask('GetExtendedAgentCard'), 'UNSUPPORTED_OPERATION');
    },
  },
  {
    section: '3.3.4',
    rule: 'a required extension that the client does not name is an ExtensionSupportRequiredError',
    holds: async (_wire, bare) => {
      const params = { message: message('tck-complete-task') };
      expectError(bare, await bare.ask('SendMessage', params), 'EXTENSION_SUPPORT_REQUIRED');
      const { headers } = await bare.ask('SendMessage', params, {
        'a2a-extensions': `urn:other, ${required.uri}`,
      });
      expect(headers.get('a2a-extensions')).toBe(required.uri);
    },
  },
  {
    section: '3.4.1',
    rule: 'a context id that was made is in the answer; one of the client is kept',
    holds: async (wire) => {
      expect(textOf((await task(wire))['contextId'])).toMatch(/^.{32,}$/);
      const contextId = `mine-${wire.name === 'JSONRPC' ? 'a' : 'b'}`;
      const reply = await wire.ask('SendMessage', {
        message: message('tck-complete-task', { contextId }),
      });
      expect(taskOf(reply)['contextId']).toBe(contextId);
    },
  },
  {
    section: '3.4.2',
    rule: 'each new task has an id of its own',
    holds: async (wire) => {
      expect((await task(wire))['id']).not.toBe((await task(wire))['id']);
    },
  },
  {
    section: '3.4.3',
    rule: 'the context is that of the task; another one is refused',
    holds: async (wire) => {
      const { id, contextId = '' } = await task(wire, 'tck-input-required');
      const taskId = textOf(id);
      const wrong = message('tck-mismatch', { taskId, contextId: 'another' });
      expectError(wire, await wire.ask('SendMessage', { message: wrong }), 'INVALID_PARAMS');
      const reply = await wire.ask('SendMessage', {
        message: message('tck-complete-task', { taskId }),
      });
      expect([taskOf(reply)['contextId'], taskOf(reply)['id']]).toEqual([contextId, id]);
    },
  },
  {
    section: '3.5.2',
    rule: 'every stream of a task has the same events in the same order; one that closes harms no other',
    holds: async (wire) => {
      const { id } = await task(wire, 'tck-input-required');
      const taskId = textOf(id);
      const streams = await Promise.all(
        [1, 2, 3].map(() => wire.open('SubscribeToTask', { id: taskId })),
      );
      const [left, ...others] = streams;
      for (const stream of streams) await stream.next();
      await left?.return();
      await wire.ask('SendMessage', { message: message('tck-complete-task', { taskId }) });
      const seen = await Promise.all(
        others.map(async (stream) => {
          const events: JsonObject[] = [];
          for await (const event of stream) events.push(event);
          return events;
        }),
      );
      expect(seen[0]?.length).toBeGreaterThan(1);
      expect(seen[1]).toEqual(seen[0]);
    },
  },
  {
    section: '3.6.2',
    rule: 'a version that is not spoken is a VersionNotSupportedError; patch numbers do not count',
    holds: async (wire) => {
      for (const version of ['99.0', '0.5', 'x']) {
        const reply = await wire.ask('GetTask', { id: 'x' }, { 'a2a-version': version });
        expectError(wire, reply, 'VERSION_NOT_SUPPORTED');
      }
      expectError(
        wire,
        await wire.ask('GetTask', { id: 'x' }, { 'a2a-version': '1.0.7' }),
        'TASK_NOT_FOUND',
      );
    },
  },
  {
    section: '3.6.2',
    rule: 'an empty version is 0.3, which HTTP+JSON does not speak here, and whose methods have other names',
    holds: async (wire) => {
      const reply = await wire.ask('GetTask', { id: 'x' }, { 'a2a-version': '' });
      if (wire.name === 'HTTP+JSON') expectError(wire, reply, 'VERSION_NOT_SUPPORTED');
      else expect(reply.code).toBe(-32_601);
    },
  },
  {
    section: '4.1.6',
    rule: 'parts: text, bytes of a file, its URL, data',
    holds: async (wire) => {
      const partOf = async (prefix: string) => {
        const [artifact] = [(await task(wire, prefix))['artifacts'] ?? []].flat();
        return [objectOf(artifact)['parts'] ?? []].flat()[0];
      };
      expect(await partOf('tck-artifact-text')).toEqual({
        text: 'Generated text content',
        mediaType: 'text/plain',
      });
      expect(await partOf('tck-artifact-file')).toEqual({
        raw: 'dGNr',
        filename: 'output.txt',
        mediaType: 'text/plain',
      });
      expect(await partOf('tck-artifact-file-url')).toEqual({
        url: 'https://example.com/output.txt',
        filename: 'output.txt',
        mediaType: 'text/plain',
      });
      expect(await partOf('tck-artifact-data')).toEqual({
        data: { key: 'value', count: 42 },
        mediaType: 'application/json',
      });
    },
  },
  {
    section: '4.1.3',
    rule: 'a task that the agent does not take is rejected',
    holds: async (wire) => {
      expect(stateOf(await task(wire, 'tck-reject-task'))).toBe('TASK_STATE_REJECTED');
    },
  },
  {
    section: '4.3.3',
    rule: 'webhooks get stream responses, at least once, with the credentials of the configuration',
    holds: async (wire) => {
      const from = told.length;
      const sent = await wire.ask('SendMessage', {
        message: message('tck-input-required'),
        configuration: {
          taskPushNotificationConfig: {
            id: 'mine',
            url: hook,
            authentication: { scheme: 'Bearer', credentials: 'tck-test-token' },
          },
        },
      });
      const taskId = textOf(taskOf(sent)['id']);
      await wire.ask('SendMessage', { message: message('tck-complete-task', { taskId }) });
      await expect
        .poll(() => stateOf(told.at(-1)?.['statusUpdate']), { timeout: 5_000 })
        .toBe('TASK_STATE_COMPLETED');
      const own = told.slice(from);
      expect(own.every((each) => Object.keys(each).length === 1)).toBe(true);
      expect(own.map((each) => stateOf(each['statusUpdate'])).filter(Boolean)).toEqual([
        'TASK_STATE_WORKING',
        'TASK_STATE_INPUT_REQUIRED',
        'TASK_STATE_WORKING',
        'TASK_STATE_COMPLETED',
      ]);
      expect(new Set(toldHeaders.slice(from))).toEqual(new Set(['Bearer tck-test-token']));
    },
  },
  {
    section: '5.5, 5.6.1',
    rule: 'names are camelCase, states are spelled out, times are UTC with milliseconds',
    holds: async (wire) => {
      const made = await task(wire);
      expect(Object.keys(made)).toEqual(['id', 'contextId', 'status', 'artifacts', 'history']);
      expect(objectOf(made['status'])['timestamp']).toMatch(
        /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/,
      );
    },
  },
  {
    section: '9.1, 11.1',
    rule: 'both content types are taken, and answered as asked; 415 for others',
    holds: async (wire) => {
      for (const type of [
        'application/json',
        'application/a2a+json',
        'Application/JSON; charset=utf-8',
      ]) {
        const reply = await wire.ask(
          'SendMessage',
          { message: message('tck-complete-task') },
          { 'content-type': type },
        );
        expect([reply.status, reply.headers.get('content-type')]).toEqual([200, wire.contentType]);
      }
      for (const type of ['application/json', 'application/a2a+json']) {
        const reply = await wire.ask(
          'SendMessage',
          { message: message('tck-complete-task') },
          { accept: type },
        );
        expect(reply.headers.get('content-type')).toBe(type);
      }
      const reply = await wire.ask(
        'SendMessage',
        { message: message('tck-complete-task') },
        { 'content-type': 'text/plain' },
      );
      expect(reply.status).toBe(415);
      expectError(wire, reply, 'CONTENT_TYPE_NOT_SUPPORTED');
    },
  },
];

describe.each(['JSONRPC', 'HTTP+JSON'] as const)('over %s', (binding) => {
  const wireOf = binding === 'JSONRPC' ? jsonRpcWire : restWire;
  it.each(rules)(
    '$section: $rule',
    async ({ holds }) => {
      await holds(
        wireOf(`${serving.url}/a2a/conformance`),
        wireOf(`${serving.url}/bare/conformance`),
      );
    },
    20_000,
  );
});

describe('JSON-RPC 2.0 and section 9.5', () => {
  const post = async (body: string) => {
    const response = await fetch(`${serving.url}/a2a/conformance`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'a2a-version': '1.0' },
      body,
    });
    return objectOf(await response.json());
  };
  it.each([
    ['{"jsonrpc": "2.0", "method": ', -32_700],
    ['', -32_700],
    ['[]', -32_600],
    ['[{"jsonrpc":"2.0","id":1,"method":"GetTask","params":{}}]', -32_600],
    ['5', -32_600],
    ['{"id":1,"method":"GetTask","params":{}}', -32_600],
    ['{"jsonrpc":"1.0","id":1,"method":"GetTask","params":{}}', -32_600],
    ['{"jsonrpc":"2.0","id":{},"method":"GetTask","params":{}}', -32_600],
    ['{"jsonrpc":"2.0","id":1,"params":{}}', -32_600],
    ['{"jsonrpc":"2.0","id":1,"method":"NoSuchMethod"}', -32_601],
    ['{"jsonrpc":"2.0","id":1,"method":"message/send","params":{}}', -32_601],
    ['{"jsonrpc":"2.0","id":1,"method":"GetTask","params":[]}', -32_602],
    ['{"jsonrpc":"2.0","id":1,"method":"GetTask"}', -32_602],
  ])('%s is %d', async (body, code) => {
    const answer = await post(body);
    expect(objectOf(answer['error'])['code']).toBe(code);
    expect(answer['jsonrpc']).toBe('2.0');
  });

  it('the id comes back as it was: text, number, null', async () => {
    for (const id of ['abc', 0, 17, null]) {
      const answer = await post(
        JSON.stringify({ jsonrpc: '2.0', id, method: 'GetTask', params: { id: 'x' } }),
      );
      expect(answer['id']).toBe(id);
    }
  });
});

describe('8: the card', () => {
  it('8.2, 8.3: is at its well-known address and declares every interface', async () => {
    const card = objectOf(await (await fetch(`${serving.url}/.well-known/agent-card.json`)).json());
    const url = `${serving.url}/a2a/conformance`;
    expect(card['supportedInterfaces']).toEqual([
      { url, protocolBinding: 'JSONRPC', protocolVersion: '1.0' },
      { url, protocolBinding: 'HTTP+JSON', protocolVersion: '1.0' },
      { url, protocolBinding: 'JSONRPC', protocolVersion: '0.3' },
    ]);
    for (const field of [
      'name',
      'description',
      'version',
      'capabilities',
      'defaultInputModes',
      'defaultOutputModes',
      'skills',
    ]) {
      expect(card[field], field).toBeTruthy();
    }
    expect([card['skills']].flat().map((skill) => objectOf(skill)['name'])).toEqual([
      'conformance',
      'ask',
    ]);
  });

  it('8.6: has Cache-Control, ETag and Last-Modified, and is not sent twice', async () => {
    const first = await fetch(`${serving.url}/.well-known/agent-card.json`);
    expect(first.headers.get('cache-control')).toMatch(/max-age=\d+/);
    const etag = first.headers.get('etag') ?? '';
    const since = first.headers.get('last-modified') ?? '';
    expect(new Date(since).toUTCString()).toBe(since);
    for (const headers of [
      { 'if-none-match': etag },
      { 'if-none-match': `W/${etag}, "x"` },
      { 'if-modified-since': since },
    ]) {
      const again = await fetch(`${serving.url}/.well-known/agent-card.json`, { headers });
      expect([again.status, await again.text()]).toEqual([304, '']);
    }
    const other = await fetch(`${serving.url}/.well-known/agent-card.json`, {
      headers: { 'if-none-match': '"x"', 'if-modified-since': since },
    });
    expect(other.status).toBe(200);
  });

  it('agent.json and the header say the card in the words of 0.3', async () => {
    const old = objectOf(await (await fetch(`${serving.url}/.well-known/agent.json`)).json());
    expect(old).toMatchObject({
      url: `${serving.url}/a2a/conformance`,
      preferredTransport: 'JSONRPC',
    });
    expect(textOf(old['protocolVersion'])).toMatch(/^0\.3/);
    const asked = await fetch(`${serving.url}/.well-known/agent-card.json`, {
      headers: { 'a2a-version': '0.3' },
    });
    expect(await asked.json()).toEqual(old);
    const current = await fetch(`${serving.url}/.well-known/agent.json`, {
      headers: { 'a2a-version': '1.0' },
    });
    expect(objectOf(await current.json())['url']).toBeUndefined();
  });

  it('13: says no more of the agent than it chose to show', async () => {
    const shy = new Agent({
      name: 'shy',
      description: 'Secret purpose.',
      instructions: 'Secret rules.',
      model: scriptedModel([]),
      exposeAgentInfo: false,
    });
    const server = agentServer({
      agents: [shy],
      protocols: [a2a()],
      publicUrl: 'https://agents.example.com/',
      logger: silentLogger,
    });
    const text = await (
      await server.fetch(new Request('http://inside/.well-known/agent-card.json'))
    ).text();
    expect(text).not.toMatch(/secret/i);
    expect(text).toContain('https://agents.example.com/a2a/shy');
  });
});
