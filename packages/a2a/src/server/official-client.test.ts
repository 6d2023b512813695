import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { StreamResponse } from '@a2a-js/sdk';
import { Agent, askForInput, jsonSchema, tool, type JsonObject } from '@agent-functions/core';
import { collect, gate, scriptedModel, verifyJournal } from '@agent-functions/core/testing';
import { describe, expect, it } from 'vitest';
import {
  answerOf,
  folded,
  official,
  ours,
  say,
  taskIn,
  textOf,
  type Speech,
} from '../../test/official.ts';
import { taskState } from './task-state.ts';

const all: readonly Speech[] = ['JSONRPC', 'HTTP+JSON', '0.3'];
const anything = jsonSchema<JsonObject>({ type: 'object' }, { validate: (value) => Object(value) });

function talker(answer = 'It rains in Oslo today.'): Agent {
  return new Agent({
    name: 'weather',
    description: 'Knows the weather.',
    model: scriptedModel(() => answer),
  });
}

describe.each(all)('the official client over %s', (speech) => {
  it('sends a message and gets the task with its answer', async () => {
    await using server = await ours([talker()]);
    const client = await official(server.url, speech);
    const task = taskIn(await client.sendMessage(say('How is the weather?')));
    expect(task.status?.state).toBe(taskState.completed);
    expect(answerOf(task)).toBe('It rains in Oslo today.');
    expect(task.history.map(({ parts }) => parts.map(textOf))).toEqual([['How is the weather?']]);
    const again = await client.getTask({ tenant: '', id: task.id });
    expect(answerOf(again)).toBe('It rains in Oslo today.');
    verifyJournal(await collect(server.store.runs.read(task.id)));
  });

  it('streams text as it comes', async () => {
    await using server = await ours([talker()]);
    const client = await official(server.url, speech);
    const events: StreamResponse[] = [];
    for await (const event of client.sendMessageStream(say('Stream it.'))) events.push(event);
    expect(events[0]?.payload?.$case).toBe('task');
    const updates = events.filter(({ payload }) => payload?.$case === 'artifactUpdate');
    expect(updates.length).toBeGreaterThan(2);
    const { answer, states, artifactIds } = folded(events);
    expect(answer).toBe('It rains in Oslo today.');
    expect(states.at(-1)).toBe(taskState.completed);
    expect(artifactIds).toEqual(['answer']);
  });

  it('follows a task again after a cut, and gets the rest', async () => {
    const rest = gate();
    const model = scriptedModel(() => ({
      events: [{ type: 'text-delta', delta: 'First ' }, rest],
      text: 'half.',
    }));
    await using server = await ours([new Agent({ name: 'slow', model })]);
    const client = await official(server.url, speech);
    let taskId = '';
    for await (const { payload } of client.sendMessageStream(say('Go.'))) {
      if (payload?.$case === 'task') taskId = payload.value.id;
      if (payload?.$case === 'artifactUpdate') break;
    }
    const events: StreamResponse[] = [];
    for await (const event of client.resubscribeTask({ tenant: '', id: taskId })) {
      events.push(event);
      rest.open();
    }
    expect(folded(events)).toMatchObject({ taskId, artifactIds: ['answer'] });
    expect(folded(events).states.at(-1)).toBe(taskState.completed);
    expect(folded(events).answer).toBe(answerOf(await client.getTask({ tenant: '', id: taskId })));
  });

  it('answers what a task asks with the next message', async () => {
    const ask = tool({
      name: 'ask',
      description: 'Asks.',
      effect: 'read',
      parameters: anything,
      execute: (_input, { answer }) =>
        answer === undefined ? askForInput({ message: 'Which city?' }) : { city: answer },
    });
    const model = scriptedModel(({ messages }) =>
      messages.at(-1)?.role === 'tool' ? 'Booked.' : { calls: [['ask', {}]] },
    );
    await using server = await ours([new Agent({ name: 'desk', model, tools: [ask] })]);
    const client = await official(server.url, speech);
    const asked = taskIn(await client.sendMessage(say('Book a flight.')));
    expect(asked.status?.state).toBe(taskState.inputRequired);
    expect(asked.status?.message?.parts.map(textOf)[0]).toBe('Which city?');
    const answer = say('Oslo', { taskId: asked.id });
    const done = taskIn(await client.sendMessage(answer));
    expect(done.status?.state).toBe(taskState.completed);
    expect(answerOf(done)).toBe('Booked.');
    expect(
      done.history.map(({ parts }) =>
        textOf(parts[0] ?? { metadata: undefined, filename: '', mediaType: '' }),
      ),
    ).toEqual(['Book a flight.', 'Which city?', 'Oslo']);
    verifyJournal(await collect(server.store.runs.read(asked.id)));
  });

  it('cancels a task at work', async () => {
    const model = scriptedModel(() => ({ text: 'Never.', hang: true }));
    await using server = await ours([new Agent({ name: 'stuck', model })]);
    const client = await official(server.url, speech);
    const stream = client.sendMessageStream(say('Go.'));
    const first = await stream.next();
    const taskId = first.value?.payload?.$case === 'task' ? first.value.payload.value.id : '';
    const canceled = await client.cancelTask({ tenant: '', id: taskId, metadata: undefined });
    expect(canceled.status?.state).toBe(taskState.canceled);
    const rest: StreamResponse[] = [];
    for await (const event of stream) rest.push(event);
    expect(folded(rest).states.at(-1)).toBe(taskState.canceled);
    await expect(
      client.cancelTask({ tenant: '', id: taskId, metadata: undefined }),
    ).rejects.toThrow(/cannot be canceled/);
  });

  it('is let go of when the server closes', async () => {
    const model = scriptedModel(() => ({ text: 'Never.', hang: true }));
    const server = await ours([new Agent({ name: 'stuck', model })]);
    const client = await official(server.url, speech);
    const events: StreamResponse[] = [];
    for await (const event of client.sendMessageStream(say('Go.'))) {
      events.push(event);
      if (events.length === 1) void server[Symbol.asyncDispose]();
    }
    expect(events[0]?.payload?.$case).toBe('task');
  });

  it('is told by push notifications, with its token and credentials', async () => {
    const got: { readonly body: string; readonly token: unknown; readonly auth: unknown }[] = [];
    const receiver = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk) => (body += chunk));
      request.on('end', () => {
        const { 'x-a2a-notification-token': token, authorization: auth } = request.headers;
        got.push({ body, token, auth });
        response.statusCode = got.length === 1 ? 503 : 204;
        response.end();
      });
    });
    await new Promise<void>((resolve) => {
      receiver.listen(0, '127.0.0.1', resolve);
    });
    const origin = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`;
    await using server = await ours([talker()], {
      pushNotifications: { trustedOrigins: [origin], retryMs: 5 },
    });
    const client = await official(server.url, speech);
    const task = taskIn(
      await client.sendMessage(
        say('Tell me.', {
          configuration: {
            taskPushNotificationConfig: {
              tenant: '',
              id: 'mine',
              taskId: '',
              url: `${origin}/hook`,
              token: 'secret-token',
              authentication: { scheme: 'Bearer', credentials: 'abc' },
            },
          },
        }),
      ),
    );
    // Who registers by 0.3 is told in its words: the task each time.
    const states = () =>
      got.map(({ body }) => {
        const { statusUpdate, status } = JSON.parse(body);
        return (statusUpdate ?? { status }).status?.state;
      });
    await expect
      .poll(() => states().at(-1))
      .toBe(speech === '0.3' ? 'completed' : 'TASK_STATE_COMPLETED');
    expect(got.every(({ token, auth }) => token === 'secret-token' && auth === 'Bearer abc')).toBe(
      true,
    );
    const [failed, repeated] = got.map(({ body }) => body);
    expect(repeated).toBe(failed);
    const { configs } = await client.listTaskPushNotificationConfig({
      tenant: '',
      taskId: task.id,
      pageSize: 0,
      pageToken: '',
    });
    expect(configs.map(({ id, url }) => ({ id, url }))).toEqual([
      { id: 'mine', url: `${origin}/hook` },
    ]);
    await client.deleteTaskPushNotificationConfig({ tenant: '', taskId: task.id, id: 'mine' });
    await expect(
      client.getTaskPushNotificationConfig({ tenant: '', taskId: task.id, id: 'mine' }),
    ).rejects.toThrow();
    receiver.close();
  });
});

describe.each(['JSONRPC', 'HTTP+JSON'] as const)('lists over %s', (speech) => {
  it('lists tasks in pages, and those of a context', async () => {
    await using server = await ours([talker('Ok.')], { authenticates: true });
    const client = await official(server.url, speech, 'ann');
    const ids: string[] = [];
    for (let n = 0; n < 5; n++) ids.unshift(taskIn(await client.sendMessage(say(`${n}`))).id);
    const request = {
      tenant: '',
      contextId: '',
      status: taskState.unspecified,
      statusTimestampAfter: undefined,
    } as const;
    const first = await client.listTasks({ ...request, pageSize: 3, pageToken: '' });
    expect(first.tasks.map(({ id }) => id)).toEqual(ids.slice(0, 3));
    const second = await client.listTasks({
      ...request,
      pageSize: 3,
      pageToken: first.nextPageToken,
    });
    expect(second.tasks.map(({ id }) => id)).toEqual(ids.slice(3));
    expect(second.nextPageToken).toBe('');
    expect(second.totalSize).toBe(5);
    const contextId = first.tasks[1]?.contextId ?? '';
    const own = await client.listTasks({
      ...request,
      contextId,
      pageToken: '',
      includeArtifacts: true,
    });
    expect(own.tasks.map(({ id }) => id)).toEqual([ids[1]]);
    expect(own.tasks.map(answerOf)).toEqual(['Ok.']);
  });
});
