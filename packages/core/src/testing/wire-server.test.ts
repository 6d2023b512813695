import { createServer } from 'node:http';
import { afterEach, expect, it } from 'vitest';
import {
  cutAnswer,
  jsonAnswer,
  slicedAnswer,
  streamAnswer,
  wireServer,
  type WireServer,
} from './wire-server.ts';

let server: WireServer | undefined;
afterEach(() => server?.close().catch(() => undefined));

const post = (url: string, body = '{"a":1}') => fetch(url, { method: 'POST', body });

it('plays answers, and keeps what it was sent', async () => {
  server = await wireServer(createServer);
  expect((await post(server.url)).status).toBe(500);
  server.play(jsonAnswer({ b: 2 }, 201, { 'x-c': '3' }));
  const answer = await post(`${server.url}/path?q=1`);
  expect([answer.status, answer.headers.get('x-c'), await answer.json()]).toEqual([
    201,
    '3',
    { b: 2 },
  ]);
  server.play(streamAnswer('data: ü\n\n'));
  expect(await (await post(server.url)).text()).toBe('data: ü\n\n');
  server.play(slicedAnswer('ü€', 1, 'text/plain'));
  const sliced = await post(server.url);
  expect([sliced.headers.get('content-type'), await sliced.text()]).toEqual(['text/plain', 'ü€']);
  expect(server.received.map(({ method, url, body }) => [method, url, body])[1]).toEqual([
    'POST',
    '/path?q=1',
    '{"a":1}',
  ]);
  expect(server.url).toBe(`http://${server.host}`);
  expect(server.connections()).toBeGreaterThan(0);
});

it('cuts an answer, and sees the socket close', async () => {
  server = await wireServer(createServer);
  server.play(cutAnswer('data: a\n\n'));
  const answer = await post(server.url);
  await expect(answer.text()).rejects.toThrow('terminated');
  await server.received[0]?.closed;
});

it('answers a request with faults, and fails at its close', async () => {
  server = await wireServer(createServer, {
    faults: ({ body }) => (body === 'bad' ? ['It is bad.'] : []),
  });
  server.play(jsonAnswer({}));
  expect((await post(server.url, 'bad')).status).toBe(200);
  await post(server.url, 'bad');
  await expect(server.close()).rejects.toThrow(
    'The API refuses what was sent:\nIt is bad.\n  in bad',
  );
});
