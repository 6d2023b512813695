import { Agent, isDurable, Runner, type Watched } from '@agent-functions/core';
import { collect, eventually, scriptedModel, verifyJournal } from '@agent-functions/core/testing';
import { describe, expect, test } from 'vitest';
import { plainServer, type PlainOptions } from '../../test/plain-server.ts';
import { remoteAgent } from './remote-agent.ts';

const ways: readonly (PlainOptions & { readonly name: string })[] = [
  { name: '1.0 over JSON-RPC', binding: 'JSONRPC' },
  { name: '1.0 over HTTP+JSON', binding: 'HTTP+JSON' },
  { name: '0.3 over JSON-RPC', protocol: '0.3' },
  { name: '1.0 without streaming', streaming: false },
  { name: '1.0, an agent that answers when it is done', blocks: true, streaming: false },
];

describe.each(ways)('$name', (way) => {
  test('an answer comes back', async () => {
    await using server = await plainServer(way);
    const result = await new Runner(remoteAgent(server.url, { name: 'plain' })).run('Hello.');
    expect(result.error).toBeUndefined();
    expect([result.status, result.response]).toEqual(['completed', 'Echo: Hello.']);
    expect(server.agent.messages).toHaveLength(1);
  });

  test('what it says streams through, and is the answer', async () => {
    await using server = await plainServer(way);
    const runner = new Runner(remoteAgent(server.url, { name: 'plain' }));
    const stream = runner.stream('chunks please');
    const seen: Watched[] = await collect(stream);
    const result = await stream.result;
    expect(result.response).toBe('100 USD are 92 EUR.');
    verifyJournal(seen.filter(isDurable));
    const deltas = seen.flatMap((event) => (event.type === 'text-delta' ? [event.delta] : []));
    if (way.blocks !== true) expect(deltas.join('')).toBe('100 USD are 92 EUR.');
    if (way.streaming === false) return;
    expect(deltas.length).toBeGreaterThan(1);
    const notes = seen.flatMap((event) => (event.type === 'reasoning-delta' ? [event.delta] : []));
    expect(notes).toEqual(['Looking up the rates …\n']);
  });

  test('what it asks interrupts the run, and the answer is the next message of its task', async () => {
    await using server = await plainServer(way);
    const runner = new Runner(remoteAgent(server.url, { name: 'plain' }));
    const waiting = await runner.run('ask me');
    expect(waiting.status).toBe('interrupted');
    const [asked] = waiting.interruptions;
    expect(asked).toMatchObject({ kind: 'input', message: 'plain asks: Which currency?' });
    const result = await runner.resume(waiting.runId, [
      { interruptionId: asked?.id ?? '', answer: 'the euro' },
    ]);
    expect(result.error).toBeUndefined();
    expect(result.response).toBe('You said the euro.');
    expect(server.agent.taskIds.size).toBe(1);
    expect(server.agent.messages).toHaveLength(2);
  });

  test('a failure and a refusal are told in its words', async () => {
    await using server = await plainServer(way);
    const runner = new Runner(remoteAgent(server.url, { name: 'plain' }));
    const failed = await runner.run('fail now');
    expect(failed.error).toMatchObject({
      code: 'handoff_error',
      message: 'Remote agent plain failed: The rates are closed today.',
    });
    const rejected = await runner.run('reject it');
    expect(rejected.error?.message).toBe('Remote agent plain rejected the request: Not my field.');
  });

  test('an answer without a task is an answer', async () => {
    await using server = await plainServer(way);
    const result = await new Runner(remoteAgent(server.url, { name: 'plain' })).run('message me');
    expect(result.response).toBe('Said without a task.');
  });
});

describe.each(ways.filter(({ blocks }) => blocks !== true))('$name', (way) => {
  test('a cancel is sent', async () => {
    await using server = await plainServer(way);
    const abort = new AbortController();
    const runner = new Runner(remoteAgent(server.url, { name: 'plain' }));
    const stream = runner.stream('slow one', { signal: abort.signal });
    for await (const event of stream) {
      if (event.type === 'text-delta') abort.abort();
    }
    expect((await stream.result).status).toBe('cancelled');
    expect(server.agent.cancelled).toEqual([...server.agent.taskIds]);
  });
});

test('a login that it wants is a question', async () => {
  await using server = await plainServer();
  const runner = new Runner(remoteAgent(server.url, { name: 'plain' }));
  const waiting = await runner.run('login first');
  const [asked] = waiting.interruptions;
  expect(asked?.message).toBe('plain wants a login: Open https://login.example.com.');
  const decision = { interruptionId: asked?.id ?? '', answer: 'done' };
  expect((await runner.resume(waiting.runId, [decision])).response).toBe('You said done.');
});

test('its text is the text of the stream, once', async () => {
  await using server = await plainServer();
  const agent = remoteAgent(server.url, { name: 'plain' });
  const texts = await collect(new Runner(agent).stream('chunks please').textStream());
  expect(texts.join('')).toBe('100 USD are 92 EUR.');
});

test('a cancel reaches a task that the agent has not named yet', async () => {
  await using server = await plainServer({ blocks: true, streaming: false });
  const abort = new AbortController();
  const runner = new Runner(remoteAgent(server.url, { name: 'plain' }));
  const result = runner.run('slow one', { signal: abort.signal });
  await eventually(() => server.agent.gates.length === 1, 'the agent works');
  abort.abort();
  expect((await result).status).toBe('cancelled');
  await eventually(() => server.agent.cancelled.length === 1, 'it is told to stop');
  expect(server.agent.cancelled).toEqual([...server.agent.taskIds]);
});

test('a remote agent that is down costs an error result, not the agent that asked', async () => {
  const model = scriptedModel([
    { calls: [{ toolName: 'away', input: { message: 'Hello.' } }] },
    (request) => ({ text: JSON.stringify(request.messages.at(-1)?.parts) }),
  ]);
  const gone = await plainServer();
  await gone[Symbol.asyncDispose]();
  const away = remoteAgent(gone.url, { name: 'away' });
  const agent = new Agent({ name: 'asker', model, tools: [away.asTool()] });
  const result = await new Runner(agent).run('Ask.');
  expect(result.status).toBe('completed');
  expect(result.response).toContain('nothing listens there (ECONNREFUSED)');
});
