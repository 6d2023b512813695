import { Agent, memoryStore, Runner, textOf } from '@agent-functions/core';
import { scriptedModel } from '@agent-functions/core/testing';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { plainServer } from '../../test/plain-server.ts';
import type { RemoteAgentOptions } from './options.ts';
import { remoteAgent } from './remote-agent.ts';

const ask = (agent: Agent, message = 'Hello.') => new Runner(agent).run(message);

function plain(url: string | object, options: RemoteAgentOptions = {}): Agent {
  return remoteAgent(url, { name: 'plain', ...options });
}

test('headers of a function, and the token of a credential, go with every request', async () => {
  await using server = await plainServer();
  let asked = 0;
  const headers = () => Promise.resolve({ 'x-count': String(++asked) });
  const credential = {
    getToken: (scope: string | string[]) =>
      Promise.resolve({ token: `token of ${String(scope)}`, expiresOnTimestamp: Date.now() + 1e6 }),
  };
  const agent = plain(server.url, { headers, credential, scope: 'api://plain/.default' });
  expect((await ask(agent)).status).toBe('completed');
  const tokens = server.headers.map(({ authorization }) => authorization);
  expect(new Set(tokens)).toEqual(new Set(['Bearer token of api://plain/.default']));
  expect(server.headers.map((one) => Number(one['x-count']))).toEqual(
    server.headers.map((_, index) => index + 1),
  );
});

test('an OAuth token is asked for each time', async () => {
  await using server = await plainServer();
  let asked = 0;
  const auth = { token: () => Promise.resolve(`t${++asked}`) };
  expect((await ask(plain(server.url, { auth }))).status).toBe('completed');
  expect(server.headers.at(-1)?.authorization).toBe(`Bearer t${server.headers.length}`);
});

test('credentials do not travel in the open', async () => {
  const seen: string[] = [];
  const fetch = (url: string | URL | Request) => {
    seen.push(url instanceof Request ? url.url : String(url));
    return Promise.resolve(new Response('{}'));
  };
  const auth = { token: () => Promise.resolve('secret') };
  const result = await ask(plain('http://example.com', { auth, fetch }));
  expect(result.error?.message).toContain('would go to http://example.com in the open. Use https');
  expect(seen).toEqual([]);
});

test('a redirect is not followed', async () => {
  await using other = await plainServer();
  await using server = await plainServer({
    before: () => ({ status: 307, headers: { location: `${other.url}/` } }),
  });
  const result = await ask(plain(server.url, { headers: { 'x-api-key': 'secret' } }));
  expect(result.error?.message).toContain('it redirects elsewhere, which is not followed');
  expect(other.headers).toEqual([]);
});

test('a card that sends requests elsewhere is not followed, unless that is trusted', async () => {
  await using server = await plainServer();
  const card = await (await fetch(`${server.url}/.well-known/agent-card.json`)).text();
  const site = 'https://agents.example.com';
  const through: typeof globalThis.fetch = (input, init) =>
    input instanceof URL && input.origin === site
      ? Promise.resolve(new Response(card))
      : fetch(input, init);
  const refused = await ask(plain(site, { fetch: through }));
  expect(refused.error?.message).toContain(`write trustedOrigins: ['${server.url}']`);
  expect(server.agent.messages).toEqual([]);
  const trusted = plain(site, { fetch: through, trustedOrigins: [server.url] });
  expect((await ask(trusted)).response).toBe('Echo: Hello.');
});

test('a card that is given is not fetched, and names the agent', async () => {
  await using server = await plainServer();
  const card: object = JSON.parse(
    await (await fetch(`${server.url}/.well-known/agent-card.json`)).text(),
  );
  const agent = remoteAgent(card);
  expect([agent.name, agent.description]).toEqual(['Plain_agent', 'Converts currencies.']);
  server.headers.length = 0;
  expect((await ask(agent)).response).toBe('Echo: Hello.');
  expect(server.headers).toHaveLength(server.calls.length);
});

test('a card is fetched once while it is good', async () => {
  let cards = 0;
  await using server = await plainServer({
    before: ({ url }) => {
      if (url?.endsWith('agent-card.json') === true) cards += 1;
      return undefined;
    },
  });
  const agent = plain(server.url);
  await Promise.all([ask(agent), ask(agent)]);
  await ask(agent);
  expect(cards).toBe(1);
});

test('an agent that denies access says so without its address', async () => {
  await using server = await plainServer({
    before: ({ method }) => (method === 'POST' ? { status: 403 } : undefined),
  });
  const { error } = await ask(plain(server.url));
  expect(error?.message).toBe(
    'Remote agent plain: it denies access (HTTP 403). Check what the credentials may do.',
  );
});

test('an answer that was lost on its way is found, and nothing is sent twice', async () => {
  let cuts = 1;
  await using server = await plainServer({
    cut: (method) => method === 'SendMessage' && cuts-- > 0,
  });
  expect((await ask(plain(server.url))).response).toBe('Echo: Hello.');
  expect(server.agent.messages).toHaveLength(1);
});

test('where it cannot be found, nobody knows', async () => {
  let cuts = 1;
  await using server = await plainServer({
    listTasks: false,
    cut: (method) => method === 'SendMessage' && cuts-- > 0,
  });
  const { error } = await ask(plain(server.url));
  expect(error?.message).toContain('Nobody knows whether send_to_plain happened');
  expect(server.agent.messages).toHaveLength(1);
});

test('a task whose stream is cut is followed on', async () => {
  let cuts = 2;
  await using server = await plainServer({
    cut: (method) => method === 'SubscribeToTask' && cuts-- > 0,
  });
  const result = await ask(plain(server.url), 'chunks please');
  expect(result.response).toBe('100 USD are 92 EUR.');
});

test('an answer above the limit is an error', async () => {
  await using server = await plainServer();
  const { error } = await ask(plain(server.url, { maxAnswerBytes: 1_000 }), 'large one');
  expect(error?.message).toBe('Remote agent plain: it sent more than 1000 bytes.');
  const whole = await ask(plain(server.url, { maxMessageBytes: 10_000 }), 'large one');
  expect(whole.error?.message).toBe('Remote agent plain: it sent more than 10000 bytes.');
});

test('one that takes too long is told to stop', async () => {
  await using server = await plainServer();
  const { error } = await ask(plain(server.url, { timeoutMs: 200 }), 'slow one');
  expect(error?.message).toContain('did not finish within 200 ms and was told to stop');
  expect(server.agent.cancelled).toEqual([...server.agent.taskIds]);
});

test('a question whose run is cancelled, by another process, is called off', async () => {
  await using server = await plainServer();
  const store = memoryStore();
  const waiting = await new Runner(plain(server.url), { store }).run('ask me');
  expect(waiting.status).toBe('interrupted');
  const other = new Runner(plain(server.url), { store });
  await other.cancel(waiting.runId);
  expect((await other.resume(waiting.runId)).status).toBe('cancelled');
  expect(server.agent.cancelled).toEqual([...server.agent.taskIds]);
});

test('a question that is refused ends its task', async () => {
  await using server = await plainServer();
  const runner = new Runner(plain(server.url));
  const waiting = await runner.run('ask me');
  const [asked] = waiting.interruptions;
  const result = await runner.resume(waiting.runId, [
    { interruptionId: asked?.id ?? '', approved: false, message: 'Not for you.' },
  ]);
  expect([result.status, result.error?.message]).toEqual(['failed', 'Not for you.']);
  expect(server.agent.cancelled).toEqual([...server.agent.taskIds]);
});

test('a question with a schema is asked with it, and answered with data', async () => {
  await using server = await plainServer();
  const runner = new Runner(plain(server.url));
  const waiting = await runner.run('choose one');
  const [asked] = waiting.interruptions;
  expect(asked?.schema).toMatchObject({ properties: { answer: { type: 'number' } } });
  const result = await runner.resume(waiting.runId, [
    { interruptionId: asked?.id ?? '', answer: 7 },
  ]);
  expect(result.response).toBe('You said 7.');
});

test('a conversation goes on in one context', async () => {
  await using server = await plainServer();
  const runner = new Runner(plain(server.url), { store: memoryStore() });
  await runner.run('Hello.', { sessionId: 's' });
  const second = await runner.run('And now?', { sessionId: 's' });
  expect(second.response).toBe('Echo: And now?');
  const [first, next] = server.agent.messages;
  expect(next?.contextId).toBe(first?.contextId);
  expect(server.agent.taskIds.size).toBe(2);
});

test('a run id is not told', async () => {
  await using server = await plainServer();
  const { runId } = await ask(plain(server.url));
  expect(JSON.stringify(server.agent.messages)).not.toContain(runId);
});

test('what is sent waits for an approval where that is wanted', async () => {
  await using server = await plainServer();
  const runner = new Runner(plain(server.url, { needsApproval: true }));
  const waiting = await runner.run('Hello.');
  const [asked] = waiting.interruptions;
  expect(asked).toMatchObject({ kind: 'approval', input: { message: 'Hello.' } });
  expect(server.agent.messages).toEqual([]);
  const decision = { interruptionId: asked?.id ?? '', approved: true as const };
  expect((await runner.resume(waiting.runId, [decision])).response).toBe('Echo: Hello.');
});

test('files are sent, and files that come back are parts of the answer', async () => {
  await using server = await plainServer();
  const result = await new Runner(plain(server.url)).run([
    {
      role: 'user',
      content: [
        { type: 'text', text: 'file this' },
        { type: 'file', mediaType: 'image/png', data: 'aGVsbG8=', name: 'a.png' },
      ],
    },
  ]);
  expect(result.response).toBe('See ');
  expect(result.newMessages.at(-1)?.parts).toEqual([
    { type: 'text', text: 'See ' },
    { type: 'file', mediaType: 'image/png', data: 'aGVsbG8=', name: 'a.png' },
  ]);
});

test('a task without output is told as such', async () => {
  await using server = await plainServer();
  const result = await ask(plain(server.url), 'nothing');
  expect(result.response).toBe('plain completed the task and sent no output.');
});

test('of the context of a request, what is named is sent', async () => {
  await using server = await plainServer();
  const agent = plain(server.url, { contextKeys: ['tier'] });
  await new Runner(agent).run({ message: 'Hello.', context: { tier: 'gold', card: '1234' } });
  expect(server.agent.messages[0]?.metadata).toEqual({ tier: 'gold' });
  await new Runner(plain(server.url)).run({ message: 'Hello.', context: { tier: 'gold' } });
  expect(server.agent.messages[1]?.metadata).toBeUndefined();
});

test('data is the answer of an agent with an output type', async () => {
  await using server = await plainServer();
  const outputType = z.object({ eur: z.number() });
  const agent = remoteAgent(server.url, { name: 'plain', outputType });
  const result = await new Runner(agent).run('data please');
  expect(result.finalOutput).toEqual({ eur: 92 });
});

test('remote agents side by side each ask, and each is answered', async () => {
  await using one = await plainServer();
  await using other = await plainServer();
  const agent = new Agent({
    name: 'both',
    model: scriptedModel(({ messages }) =>
      textOf(messages.at(-1) ?? { id: '', role: 'user', parts: [] }),
    ),
    handoffConfig: {
      mode: 'coordinator',
      strategy: 'broadcast',
      targets: [
        { agent: remoteAgent(one.url, { name: 'one' }) },
        { agent: remoteAgent(other.url, { name: 'other' }) },
      ],
    },
  });
  const runner = new Runner(agent);
  const waiting = await runner.run('ask me');
  const decisions = waiting.interruptions.map(({ id, agent: by }) => ({
    interruptionId: id,
    answer: `this is for ${by}`,
  }));
  expect(decisions).toHaveLength(2);
  const result = await runner.resume(waiting.runId, decisions);
  expect(result.response).toContain('one answered:\nYou said this is for one.');
  expect(result.response).toContain('other answered:\nYou said this is for other.');
});

test('what cannot be meant is refused when it is written', () => {
  const refused: readonly (readonly [() => unknown, string])[] = [
    [() => remoteAgent('currency', { name: 'x' }), 'Write where the agent is'],
    [() => remoteAgent('ftp://example.com', { name: 'x' }), 'Write where the agent is'],
    [() => remoteAgent('https://a:b@example.com', { name: 'x' }), 'a user or a password'],
    [() => remoteAgent('https://example.com'), 'has no name'],
    [() => remoteAgent({ name: 'x' }), 'it names no address'],
    [() => plain('https://example.com', { timeoutMs: 0 }), 'Write a number above 0'],
    [
      () => plain('https://example.com', Object.assign({ name: 'x' }, { model: 'openai/x' })),
      'The remote agent has its own',
    ],
    [
      () => plain('https://example.com', { credential: { getToken: () => Promise.resolve(null) } }),
      'a credential without a scope',
    ],
  ];
  for (const [write, message] of refused) expect(write).toThrow(message);
});
