import { Agent, askForInput, jsonSchema, tool, type JsonObject } from '@agent-functions/core';
import { scriptedModel } from '@agent-functions/core/testing';
import { expect, it } from 'vitest';
import { official, ours, say, taskIn } from '../../test/official.ts';
import { taskState } from './task-state.ts';

const ask = tool({
  name: 'ask',
  description: 'Asks.',
  effect: 'read',
  parameters: jsonSchema<JsonObject>({ type: 'object' }, { validate: (value) => Object(value) }),
  execute: (_input, { answer }) => (answer === undefined ? askForInput({ message: '?' }) : 'ok'),
});
const desk = (name = 'desk'): Agent =>
  new Agent({
    name,
    tools: [ask],
    model: scriptedModel(({ messages }) =>
      messages.at(-1)?.role === 'tool' ? 'Done.' : { calls: [['ask', {}]] },
    ),
  });

it.each(['JSONRPC', 'HTTP+JSON', '0.3'] as const)(
  'a stranger sees, follows, answers, cancels and configures nothing of a task over %s',
  async (speech) => {
    await using server = await ours([desk()], { authenticates: true });
    const ann = await official(server.url, speech, 'ann');
    const bob = await official(server.url, speech, 'bob');
    const task = taskIn(await ann.sendMessage(say('Begin.')));
    const { id } = task;
    const url = 'https://example.com/hook';
    const config = { tenant: '', id: 'c', taskId: id, url, token: '', authentication: undefined };
    const attempts = {
      get: () => bob.getTask({ tenant: '', id }),
      cancel: () => bob.cancelTask({ tenant: '', id, metadata: undefined }),
      subscribe: () => bob.resubscribeTask({ tenant: '', id }).next(),
      answer: () => bob.sendMessage(say('Oslo', { taskId: id })),
      stream: () => bob.sendMessageStream(say('Oslo', { taskId: id })).next(),
      'push create': () => bob.createTaskPushNotificationConfig(config),
      'push get': () => bob.getTaskPushNotificationConfig({ tenant: '', taskId: id, id: 'c' }),
      'push list': () =>
        bob.listTaskPushNotificationConfig({ tenant: '', taskId: id, pageSize: 0, pageToken: '' }),
      'push delete': () =>
        bob.deleteTaskPushNotificationConfig({ tenant: '', taskId: id, id: 'c' }),
    };
    for (const [name, attempt] of Object.entries(attempts)) {
      const outcome = await attempt().then(
        () => `${name} was done`,
        (error: Error) => error.message,
      );
      expect(outcome, name).toMatch(/There is no such task, or it is not yours/);
    }
    const joined = await bob.sendMessage(say('Join.', { contextId: task.contextId })).then(
      () => 'joined',
      (error: Error) => error.message,
    );
    expect(joined).toMatch(/contextId is unknown/);
    if (speech !== '0.3') {
      for (const contextId of ['', task.contextId]) {
        const list = {
          tenant: '',
          contextId,
          status: taskState.unspecified,
          pageToken: '',
          statusTimestampAfter: undefined,
        };
        expect((await bob.listTasks(list)).tasks).toEqual([]);
        expect((await ann.listTasks(list)).tasks.map((each) => each.id)).toEqual([id]);
      }
    }
    expect((await ann.getTask({ tenant: '', id })).status?.state).toBe(taskState.inputRequired);
  },
);

it('a task is not there at the endpoint of another agent', async () => {
  await using server = await ours([desk(), desk('other')], { authenticates: true });
  const client = await official(server.url, 'JSONRPC', 'ann');
  const { id } = taskIn(await client.sendMessage(say('Begin.')));
  const response = await fetch(`${server.url}/a2a/other/tasks/${id}`, {
    headers: { 'a2a-version': '1.0', 'x-user': 'ann' },
  });
  expect(response.status).toBe(404);
});

it('without a principal nothing is listed but by the context that is the capability', async () => {
  await using server = await ours([desk()]);
  const client = await official(server.url, 'JSONRPC');
  const task = taskIn(await client.sendMessage(say('Begin.')));
  const list = {
    tenant: '',
    status: taskState.unspecified,
    pageToken: '',
    statusTimestampAfter: undefined,
  };
  expect((await client.listTasks({ ...list, contextId: '' })).tasks).toEqual([]);
  const { tasks } = await client.listTasks({ ...list, contextId: task.contextId });
  expect(tasks.map(({ id }) => id)).toEqual([task.id]);
});

it('callers without credentials read the card and nothing else', async () => {
  await using server = await ours([desk()], { authenticates: true });
  expect((await fetch(`${server.url}/.well-known/agent-card.json`)).status).toBe(200);
  expect((await fetch(`${server.url}/a2a/desk/.well-known/agent.json`)).status).toBe(200);
  for (const [method, path] of [
    ['POST', '/a2a/desk'],
    ['POST', '/a2a/desk/message:send'],
    ['GET', '/a2a/desk/tasks'],
  ] as const) {
    expect((await fetch(`${server.url}${path}`, { method })).status, path).toBe(401);
  }
});
