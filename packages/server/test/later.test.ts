import { Agent, memoryStore, tool, type Store, type WakeCall } from '@agent-functions/core';
import { eventually, gate, scriptedModel, verifyJournal } from '@agent-functions/core/testing';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { agentServer, type AgentServer } from '../src/index.ts';

// What outlasts its request on a host that ends with it (`waitUntil`), over a store that wakes runs.

function wakingStore(): { readonly store: Store; readonly wakes: WakeCall[] } {
  const wakes: WakeCall[] = [];
  const store = memoryStore();
  return {
    wakes,
    store: { ...store, durable: true, wake: { schedule: async (call) => void wakes.push(call) } },
  };
}

const look = tool({
  name: 'look',
  description: 'Looks.',
  parameters: z.object({}),
  effect: 'read',
  execute: () => 'seen',
});

function serverOf(store: Store, model: ReturnType<typeof scriptedModel>): AgentServer {
  const agents = [new Agent({ name: 'echo', model, tools: [look] })];
  return agentServer({ agents, store, logger: { log: () => undefined } });
}

/** Posts a chat as an invocation; `tail` is what it leaves behind its answer. */
async function invoke(server: AgentServer, headers: Record<string, string>, deadline?: number) {
  const tail: Promise<unknown>[] = [];
  const response = await server.fetch(
    new Request('http://agents.test/api/echo/chat', {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: '{"message":"Hi"}',
    }),
    { waitUntil: (work) => void tail.push(work), deadline },
  );
  return { response, tail };
}

async function idIn(response: Response): Promise<string> {
  const { run_id: runId }: { run_id: string } = JSON.parse(await response.text());
  return runId;
}

async function ended({ runs }: Store, runId: string): Promise<void> {
  await eventually(async () => (await runs.peek(runId))?.ended, 'the run ends');
  const events = [];
  for await (const event of runs.read(runId)) events.push(event);
  verifyJournal(events);
}

test('a run that is answered later is begun by the wake, never behind its answer', async () => {
  const { store, wakes } = wakingStore();
  const model = scriptedModel(() => 'Hello.');
  const server = serverOf(store, model);
  const { response, tail } = await invoke(server, { prefer: 'respond-async' });
  expect(response.status).toBe(202);
  const runId = await idIn(response);
  expect(tail).toEqual([]);
  expect([model.calls, wakes.at(-1)]).toEqual([0, { runId }]);
  expect(await store.runs.peek(runId)).toMatchObject({ seq: 1, ended: false, lease: undefined });
  expect(await server.wake(JSON.stringify({ runId }))).toBe('ended');
  await ended(store, runId);
});

test('a run that is not waited for any longer is handed over after its step', async () => {
  const { store, wakes } = wakingStore();
  const held = gate();
  const model = scriptedModel([{ calls: [['look', {}]], beforeResponse: held }, 'Seen.']);
  const server = serverOf(store, model);
  const { response, tail } = await invoke(server, { prefer: 'wait=1' });
  expect(response.status).toBe(202);
  const runId = await idIn(response);
  held.open();
  await Promise.all(tail);
  expect(model.calls).toBe(1);
  expect(await store.runs.peek(runId)).toMatchObject({ ended: false, lease: undefined });
  expect(wakes.at(-1)).toMatchObject({ runId });
  await server.wake({ runId });
  await ended(store, runId);
  expect(model.calls).toBe(2);
});

test('a stream that reaches the time limit hands its run over, and the client reads on', async () => {
  const { store } = wakingStore();
  const held = gate();
  const model = scriptedModel([{ calls: [['look', {}]], beforeResponse: held }, 'Seen.']);
  const server = serverOf(store, model);
  const { response, tail } = await invoke(
    server,
    { accept: 'text/event-stream' },
    Date.now() + 100,
  );
  const location = response.headers.get('location') ?? '';
  const first = await response.text();
  expect(first).not.toContain('event: error');
  held.open();
  await Promise.all(tail);
  const runId = location.split('/').at(-1) ?? '';
  expect(await store.runs.peek(runId)).toMatchObject({ ended: false, lease: undefined });
  const reading = await server.fetch(new Request(`http://agents.test${location}/events?after=1`));
  await server.wake({ runId });
  expect(await reading.text()).toContain('event: run-end');
  await ended(store, runId);
});

test('a host that says when to let go is heard: the answer is a 202', async () => {
  const { store } = wakingStore();
  const held = gate();
  const model = scriptedModel([{ calls: [['look', {}]], beforeResponse: held }, 'Seen.']);
  const server = serverOf(store, model);
  const leaving = new AbortController();
  const answer = server.fetch(
    new Request('http://agents.test/api/echo/chat', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"message":"Hi"}',
    }),
    { waitUntil: () => undefined, handOver: { signal: leaving.signal, settleMs: 5_000 } },
  );
  await held.reached;
  leaving.abort();
  held.open();
  const response = await answer;
  expect(response.status).toBe(202);
  const runId = await idIn(response);
  expect(await store.runs.peek(runId)).toMatchObject({ ended: false, lease: undefined });
  await server.wake({ runId });
  await ended(store, runId);
});

test('a repeat is not told of a run whose session has not confirmed it', async () => {
  const { store } = wakingStore();
  const held = gate();
  let commits = 0;
  let looks = 0;
  const slow: Store = {
    ...store,
    sessions: {
      ...store.sessions,
      load: (sessionId) => {
        looks += 1;
        return store.sessions.load(sessionId);
      },
      commit: async (...all) => {
        commits += 1;
        // The first claims the session, the second confirms the claim.
        if (commits === 2) await held.wait();
        return store.sessions.commit(...all);
      },
    },
  };
  const server = serverOf(
    slow,
    scriptedModel(() => 'Hello.'),
  );
  const headers = { prefer: 'respond-async', 'idempotency-key': 'k'.repeat(40) };
  const first = invoke(server, headers);
  await held.reached;
  const answered: string[] = [];
  const again = invoke(server, headers).then(async ({ response }) => {
    answered.push('again');
    return idIn(response);
  });
  const before = looks;
  await eventually(() => looks > before + 1, 'the repeat looks again');
  expect(answered).toEqual([]);
  held.open();
  expect(await again).toBe(await idIn((await first).response));
});

test('where the process lives on, a run that is answered later goes on in it', async () => {
  const { store } = wakingStore();
  const model = scriptedModel(() => 'Hello.');
  const server = serverOf(store, model);
  const response = await server.fetch(
    new Request('http://agents.test/api/echo/chat', {
      method: 'POST',
      headers: { 'content-type': 'application/json', prefer: 'respond-async' },
      body: '{"message":"Hi"}',
    }),
  );
  expect(response.status).toBe(202);
  await ended(store, await idIn(response));
});
