import { expect } from 'vitest';
import { expectError, message, stateOf, task, taskOf, textOf, type Rule } from './rule.ts';
import { objectOf } from './wire.ts';

/** Sections 4 to 11: what is sent, and how. */
export const data: readonly Rule[] = [
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
    holds: async (wire, { hook, told, toldHeaders }) => {
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
