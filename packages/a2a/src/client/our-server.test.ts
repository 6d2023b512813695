import { isDurable, Runner, type Watched } from '@agent-functions/core';
import { collect, eventually, verifyJournal } from '@agent-functions/core/testing';
import { sqliteStore } from '@agent-functions/stores-sqlite';
import { describe, expect, test } from 'vitest';
import { databaseFile } from '../../test/database-file.ts';
import { ourServer, type OurServer } from '../../test/our-server.ts';
import { remoteAgent } from './remote-agent.ts';

// Both halves of this package, over HTTP.

type Interface = { readonly protocolBinding: string; readonly protocolVersion: string };

/** The agent by one of the interfaces of its card. */
async function bank(server: OurServer, binding: string, version: string) {
  const response = await fetch(`${server.url}/.well-known/agent-card.json`);
  const card: { readonly supportedInterfaces: readonly Interface[] } = JSON.parse(
    await response.text(),
  );
  const supportedInterfaces = card.supportedInterfaces.filter(
    (one) => one.protocolBinding === binding && one.protocolVersion === version,
  );
  return remoteAgent({ ...card, supportedInterfaces }, { name: 'bank' });
}

const ways = [
  ['JSONRPC', '1.0'],
  ['HTTP+JSON', '1.0'],
  ['JSONRPC', '0.3'],
] as const;

describe.each(ways)('over %s %s', (binding, version) => {
  test('an answer streams through', async () => {
    await using server = await ourServer();
    const stream = new Runner(await bank(server, binding, version)).stream('Hello, you there.');
    const seen: Watched[] = await collect(stream);
    const result = await stream.result;
    expect(result.error).toBeUndefined();
    expect(result.response).toBe('Echo: Hello, you there.');
    verifyJournal(seen.filter(isDurable));
  });

  test('a question comes back, and its answer goes there', async () => {
    await using server = await ourServer();
    const runner = new Runner(await bank(server, binding, version));
    const waiting = await runner.run('ask me');
    const [asked] = waiting.interruptions;
    expect(asked).toMatchObject({ kind: 'input', message: 'bank asks: Which currency?' });
    const result = await runner.resume(waiting.runId, [
      { interruptionId: asked?.id ?? '', answer: 'the euro' },
    ]);
    expect(result.response).toBe('You said the euro.');
    expect(await server.runs()).toHaveLength(1);
  });

  test('an approval comes back with what it is for, and counts there', async () => {
    await using server = await ourServer();
    const runner = new Runner(await bank(server, binding, version));
    for (const [answer, paid] of [
      [{ approved: false }, 0],
      ['approve', 1],
      [{ approved: true }, 2],
    ] as const) {
      const waiting = await runner.run('refund it');
      const [asked] = waiting.interruptions;
      expect(asked?.message).toContain('"euros":40');
      expect(JSON.stringify(asked?.schema)).toContain('approved');
      const decision = { interruptionId: asked?.id ?? '', answer };
      expect((await runner.resume(waiting.runId, [decision])).status).toBe('completed');
      expect(server.paid).toHaveLength(paid);
    }
  });

  test('a cancel is sent', async () => {
    await using server = await ourServer();
    const abort = new AbortController();
    const runner = new Runner(await bank(server, binding, version));
    const stream = runner.stream('slow one', { signal: abort.signal });
    for await (const event of stream) {
      if (event.type === 'text-delta') abort.abort();
    }
    expect((await stream.result).status).toBe('cancelled');
    await eventually(async () => {
      const [run] = await server.runs();
      const events = run === undefined ? [] : await collect(server.store.runs.read(run.runId));
      const end = events.at(-1);
      return end?.type === 'run-end' && end.status === 'cancelled';
    }, 'the run there is cancelled');
  });
});

test('found at its address, by default', async () => {
  await using server = await ourServer();
  const result = await new Runner(remoteAgent(server.url, { name: 'bank' })).run('Hello.');
  expect(result.response).toBe('Echo: Hello.');
});

test('a server that stops in the middle, and its successor, are one remote agent', async () => {
  const first = await ourServer({ store: sqliteStore(databaseFile()) });
  const { port } = new URL(first.url);
  const stream = new Runner(remoteAgent(first.url, { name: 'bank' })).stream('slow one');
  let second: OurServer | undefined;
  for await (const event of stream) {
    if (event.type !== 'text-delta' || second !== undefined) continue;
    await first[Symbol.asyncDispose]();
    second = await ourServer({ store: first.store, port: Number(port), quick: true });
  }
  const result = await stream.result;
  expect(result.error).toBeUndefined();
  expect(result.response).toBe('Half and whole.');
  expect(await first.runs()).toHaveLength(1);
  await second?.[Symbol.asyncDispose]();
}, 30_000);
