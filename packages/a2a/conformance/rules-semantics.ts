import type { JsonObject } from '@agent-functions/core';
import { expect } from 'vitest';
import {
  expectError,
  message,
  required,
  stateOf,
  task,
  taskOf,
  textOf,
  type Rule,
} from './rule.ts';

/** Sections 3.2 to 3.6: parameters, errors, capabilities, conversations, streams, versions. */
export const semantics: readonly Rule[] = [
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
    holds: async (wire, { bare }) => {
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
    holds: async (_wire, { bare }) => {
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
];
