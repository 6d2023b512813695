import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Agent, memoryStore, silentLogger, type Store, type WakeCall } from '@agent-functions/core';
import { gate, scriptedModel } from '@agent-functions/core/testing';
import { agentServer } from '@agent-functions/server';
import { expect, it } from 'vitest';
import { a2a, type A2AOptions } from '../index.ts';

interface Task {
  readonly id: string;
  readonly status: { readonly state: string };
}
/** A task, or what holds one. */
type Answered = Task & { readonly task: Task };

// A host whose process may end behind an answer, and a store that wakes runs: as on Azure Functions.

function app(agent: Agent, options: A2AOptions = {}) {
  const wakes: WakeCall[] = [];
  const store: Store = {
    ...memoryStore(),
    wake: {
      schedule: async (call) => {
        wakes.push(call);
      },
    },
  };
  const server = agentServer({
    agents: [agent],
    store,
    protocols: [a2a(options)],
    allowClientSessionIds: true,
    logger: silentLogger,
  });
  const ask = async (path: string, body?: object, deadline?: number): Promise<Answered> => {
    const request = new Request(`http://host/a2a/${agent.name}${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      headers: { 'content-type': 'application/json', 'a2a-version': '1.0' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const response = await server.fetch(request, { waitUntil: () => undefined, deadline });
    return JSON.parse(await response.text());
  };
  return { server, wakes, ask };
}

const message = (text: string) => ({
  messageId: crypto.randomUUID(),
  role: 'ROLE_USER',
  parts: [{ text }],
});

it('a task that nobody waits for is only recorded, and a wake does it; receivers are told then', async () => {
  const got: string[] = [];
  const receiver = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => (body += chunk));
    request.on('end', () => {
      got.push(JSON.parse(body).statusUpdate?.status.state ?? 'artifact');
      response.writeHead(204).end();
    });
  });
  await new Promise<void>((resolve) => {
    receiver.listen(0, '127.0.0.1', resolve);
  });
  const origin = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`;
  const model = scriptedModel(['Done.']);
  const { server, wakes, ask } = app(new Agent({ name: 'bot', model }), {
    pushNotifications: { trustedOrigins: [origin], takeOverMs: 200 },
  });
  const { task } = await ask('/message:send', {
    message: message('Do it.'),
    configuration: {
      returnImmediately: true,
      taskPushNotificationConfig: { id: 'c', url: `${origin}/hook` },
    },
  });
  expect([task.status.state, model.calls]).toEqual(['TASK_STATE_SUBMITTED', 0]);
  const [wake] = wakes.filter(({ runId }) => runId === task.id);
  await server.wake(wake);
  expect((await ask(`/tasks/${task.id}`)).status.state).toBe('TASK_STATE_COMPLETED');
  await expect.poll(() => got.at(-1)).toBe('TASK_STATE_COMPLETED');
  expect(got).toEqual(['TASK_STATE_WORKING', 'artifact', 'TASK_STATE_COMPLETED']);
  receiver.close();
  await server.close({ graceMs: 100 });
});

it('a request whose time is over is answered with the task as it is', async () => {
  const rest = gate();
  const model = scriptedModel(() => ({ text: 'Done.', before: rest }));
  const { server, ask } = app(new Agent({ name: 'bot', model }));
  const { task } = await ask('/message:send', { message: message('Do it.') }, Date.now() + 1_200);
  expect(['TASK_STATE_SUBMITTED', 'TASK_STATE_WORKING']).toContain(task.status.state);
  rest.open();
  await expect
    .poll(async () => (await ask(`/tasks/${task.id}`)).status.state)
    .toBe('TASK_STATE_COMPLETED');
  await server.close({ graceMs: 100 });
});
