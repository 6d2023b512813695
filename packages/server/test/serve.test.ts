import { fork } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { Agent, memoryStore, type Model } from '@agent-functions/core';
import { eventually, gate, scriptedModel } from '@agent-functions/core/testing';
import { afterEach, expect, test } from 'vitest';
import { agentServer, type AppRoute } from '../src/index.ts';
import { serve, type Serving } from '../src/node/index.ts';

const quiet = { log: () => undefined };
const open: { serving: Serving[]; sockets: Socket[] } = { serving: [], sockets: [] };
afterEach(async () => {
  for (const socket of open.sockets.splice(0)) socket.destroy();
  for (const serving of open.serving.splice(0)) await serving.close({ graceMs: 500 });
});

async function begin(model: Model, routes: readonly AppRoute[] = []): Promise<Serving> {
  const server = agentServer({
    agents: [new Agent({ name: 'echo', model })],
    routes,
    logger: quiet,
  });
  const serving = await serve(server, { port: 0 });
  open.serving.push(serving);
  return serving;
}

/** A client that is nothing but a socket. */
async function dial(
  serving: Serving,
  text: string,
): Promise<{ socket: Socket; said: () => string }> {
  const socket = connect(serving.port, '127.0.0.1');
  open.sockets.push(socket);
  let said = '';
  socket.setEncoding('utf8').on('data', (chunk) => {
    said += String(chunk);
  });
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  socket.write(text);
  return { socket, said: () => said };
}

function post(body: string, headers = ''): string {
  return `POST /api/echo/chat HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n${headers}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}

test.each([
  ['an event stream', 'accept: text/event-stream\r\n'],
  ['a JSON answer', ''],
])('a socket that closes in %s stops the model within a second', async (_, headers) => {
  const model = scriptedModel([{ text: 'Hello', hang: true }]);
  const serving = await begin(model);
  const { socket } = await dial(serving, post('{"message":"Hi"}', headers));
  await eventually(() => model.running === 1, 'the model works');
  socket.destroy();
  await eventually(() => model.running === 0, 'the model is let go', 1_000);
});

test('an answer is one piece with its length, and the connection is kept', async () => {
  const serving = await begin(scriptedModel(() => 'Hello.'));
  const { said } = await dial(serving, post('{"message":"Hi"}') + post('{"message":"Hi"}'));
  await eventually(() => said().split('"response":"Hello."').length === 3, 'two answers');
  expect(said()).toMatch(/content-length: \d+/);
  expect(said()).not.toContain('chunked');
});

test.each([
  ['another protocol', 'HELLO\r\n\r\n'],
  ['a request for a proxy', 'GET http://other.test/ HTTP/1.1\r\nhost: x\r\n\r\n'],
  ['a tunnel', 'CONNECT other.test:443 HTTP/1.1\r\nhost: x\r\n\r\n'],
  ['two lengths', 'POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab'],
  ['headers without end', `GET / HTTP/1.1\r\nhost: x\r\na: ${'x'.repeat(20_000)}\r\n\r\n`],
])('%s is refused and the server goes on', async (_, text) => {
  const serving = await begin(scriptedModel(() => 'Hello.'));
  const { said, socket } = await dial(serving, text);
  await eventually(() => /^HTTP\/1\.1 4\d\d/.test(said()) || socket.closed, 'a refusal');
  expect((await fetch(`${serving.url}/api/health`)).status).toBe(200);
});

test('a body that ends too early starts nothing', async () => {
  const model = scriptedModel(() => 'Hello.');
  const serving = await begin(model);
  const { socket } = await dial(
    serving,
    'POST /api/echo/chat HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{"message":"Hi"}',
  );
  socket.end();
  await once(socket, 'close');
  expect((await fetch(`${serving.url}/api/health`)).status).toBe(200);
  expect(model.calls).toBe(0);
});

test('a body without a length is counted while it comes', async () => {
  const model = scriptedModel(() => 'Hello.');
  const serving = await begin(model);
  const chunk = `10000\r\n${'x'.repeat(0x10000)}\r\n`;
  const { said } = await dial(
    serving,
    `POST /api/echo/chat HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n${chunk.repeat(20)}`,
  );
  await eventually(() => said().startsWith('HTTP/1.1 413'), 'the refusal');
  expect(model.calls).toBe(0);
});

test('a client that does not read stops what is produced for it', async () => {
  const size = 65_536;
  let made = 0;
  const serving = await begin(scriptedModel([]), [
    {
      method: 'GET',
      path: '/flood',
      handler: () =>
        new Response(
          new ReadableStream<Uint8Array>({
            pull(controller) {
              made += size;
              controller.enqueue(new Uint8Array(size));
              if (made >= 200 * size) controller.close();
            },
          }),
        ),
    },
  ]);
  const { socket } = await dial(serving, 'GET /flood HTTP/1.1\r\nhost: x\r\n\r\n');
  socket.pause();
  let before = -1;
  await eventually(async () => {
    const still = made === before;
    before = made;
    await new Promise((resolve) => {
      setTimeout(resolve, 50);
    });
    return still && made > 0;
  }, 'nothing more is produced');
  expect(made).toBeLessThan(200 * size);
  socket.resume();
  await eventually(() => made >= 200 * size, 'the rest');
});

test('closing lets an answer end, and takes no new one', async () => {
  const held = gate();
  const serving = await begin(scriptedModel([{ text: 'Hello.', before: held }]));
  const answer = fetch(`${serving.url}/api/echo/chat`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"message":"Hi"}',
  });
  await held.reached;
  const closed = serving.close({ graceMs: 5_000 });
  await expect(fetch(`${serving.url}/api/health`)).rejects.toThrow();
  held.open();
  expect(await (await answer).json()).toMatchObject({ response: 'Hello.' });
  await closed;
});

test('closing ends what has not ended after graceMs: the model is let go, the client is told', async () => {
  const model = scriptedModel([{ hang: true }]);
  const serving = await begin(model);
  const { socket, said } = await dial(serving, post('{"message":"Hi"}'));
  await eventually(() => model.running === 1, 'the model works');
  await serving.close({ graceMs: 50 });
  await eventually(() => socket.closed && model.running === 0, 'the model is let go', 1_000);
  expect(said()).toMatch(/^HTTP\/1\.1 503[^]*retry-after: 1[^]*"code":"server_stopping"/i);
});

test('closing aborts an answer of the app after graceMs', async () => {
  const serving = await begin(scriptedModel([]), [
    { method: 'GET', path: '/never', handler: () => new Promise(() => undefined) },
  ]);
  const { socket } = await dial(serving, 'GET /never HTTP/1.1\r\nhost: x\r\n\r\n');
  await serving.close({ graceMs: 50 });
  await eventually(() => socket.closed, 'the socket is closed', 1_000);
});

test('a server that stops ends its streams with an error event, and the run can be read on', async () => {
  const held = gate();
  const store = { ...memoryStore(), durable: true };
  const model = scriptedModel([{ text: 'Hello.', before: held }]);
  const options = { agents: [new Agent({ name: 'echo', model })], store, logger: quiet };
  const serving = await serve(agentServer(options), { port: 0 });
  open.serving.push(serving);
  const { url } = serving;
  const answer = fetch(`${url}/api/echo/chat`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
    body: '{"message":"Hi"}',
  });
  await held.reached;
  const streamed = await answer;
  const events = await fetch(url + (streamed.headers.get('location') ?? '') + '/events');
  await serving.close({ graceMs: 50 });
  for (const text of [await streamed.text(), await events.text()]) {
    expect(text).toMatch(/event: run-start\nid: 1\n[^]*event: error\ndata: \{[^\n]*\}\n\n$/);
    expect(text).toContain('"code":"server_stopping"');
  }

  const next = await serve(agentServer(options), { port: 0 });
  open.serving.push(next);
  const rest = await fetch(`${next.url}${streamed.headers.get('location')}/events`, {
    headers: { 'last-event-id': '1' },
  });
  held.open();
  expect(await rest.text()).toContain('event: run-end');
});

test('a server that stops answers a chat with its run, which goes on', async () => {
  const held = gate();
  const store = { ...memoryStore(), durable: true };
  const model = scriptedModel([{ text: 'Hello.', before: held }]);
  const server = agentServer({
    agents: [new Agent({ name: 'echo', model })],
    store,
    logger: quiet,
  });
  const serving = await serve(server, { port: 0 });
  open.serving.push(serving);
  const answer = fetch(`${serving.url}/api/echo/chat`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"message":"Hi"}',
  });
  await held.reached;
  await serving.close({ graceMs: 50 });
  const response = await answer;
  expect(response.status).toBe(503);
  expect(response.headers.get('retry-after')).toBe('1');
  const problem: { run_id: string } = JSON.parse(await response.text());
  expect(problem).toMatchObject({
    code: 'server_stopping',
    session_id: expect.any(String),
    links: { self: `/api/runs/${problem.run_id}` },
  });
  held.open();
  await eventually(async () => (await store.runs.peek(problem.run_id))?.ended === true, 'its end');
});

test('a port that is taken is an error', async () => {
  const { port } = await begin(scriptedModel([]));
  const server = agentServer({ agents: [new Agent({ name: 'a', model: scriptedModel([]) })] });
  await expect(serve(server, { port })).rejects.toThrow(/EADDRINUSE/);
});

test('a signal closes the server, and the process ends when the answers have', async () => {
  const child = fork(fileURLToPath(new URL('serve.fixture.ts', import.meta.url)), {
    execArgv: ['--conditions=@agent-functions/source', '--no-warnings'],
  });
  try {
    const [url]: unknown[] = await once(child, 'message');
    const answer = fetch(`${String(url)}/api/slow/chat`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"message":"Hi"}',
    });
    await once(child, 'message');
    child.kill('SIGTERM');
    expect(await (await answer).json()).toMatchObject({ response: 'Hello.' });
    const [code] = await once(child, 'exit');
    expect(code).toBe(0);
  } finally {
    child.kill('SIGKILL');
  }
  // A process of its own, which starts slowly when the machine is busy.
}, 60_000);
