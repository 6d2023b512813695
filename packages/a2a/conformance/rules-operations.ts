import type { JsonObject } from '@agent-functions/core';
import { expect } from 'vitest';
import { expectError, message, stateOf, task, textOf, type Rule } from './rule.ts';
import { objectOf } from './wire.ts';

/** Section 3.1: the operations. */
export const operations: readonly Rule[] = [
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
];
