import {
  Agent,
  isJsonObject,
  memoryStore,
  tool,
  type Json,
  type JsonObject,
} from '@agent-functions/core';
import { eventually, scriptedModel } from '@agent-functions/core/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { agentServer } from '../src/index.ts';
import { serve, type Serving } from '../src/node/index.ts';
import { objectAt } from './held-against-openapi.ts';

// Whatever route there is: nobody reads, follows, cancels, decides, continues, lists or deletes what is somebody else's.

const secret = 'canary-5e1';
const hersKey = 'a-key-of-hers-that-has-more-than-32-characters';
const pay = tool({
  name: 'pay',
  description: 'Pays.',
  parameters: z.object({ to: z.string() }),
  needsApproval: true,
  execute: () => 'paid',
});

/** A request to a route, written by somebody who knows her ids. */
interface Attempt {
  readonly what: string;
  readonly path: string;
  readonly body?: Json;
  readonly headers?: Record<string, string>;
}

/** What she has: a run that waits, one that has ended, and their sessions. */
interface Hers {
  readonly waits: string;
  readonly waitsIn: string;
  readonly ended: string;
  readonly endedIn: string;
}

const decision = [{ interruption_id: 'f0.t1.c1.approval', approved: true }];

/** By method and path of the document: what a stranger tries. A route that is missing here fails the suite. */
const attempts: Readonly<
  Record<
    string,
    { readonly shows: 'nothing of hers' | '404' | 'own' } & {
      readonly tries: (hers: Hers) => readonly Attempt[];
    }
  >
> = {
  'GET /api/agents': open('/api/agents'),
  'GET /api/agents/{name}/info': open('/api/agents/payer/info'),
  'GET /api/payer/info': open('/api/payer/info'),
  'GET /api/health': open('/api/health'),
  'GET /api/health/ready': open('/api/health/ready'),
  'GET /api/openapi.json': open('/api/openapi.json'),
  'POST /api/agents/{name}/chat': chats('/api/agents/payer/chat'),
  'POST /api/payer/chat': chats('/api/payer/chat'),
  'GET /api/runs/{id}': ofRuns(''),
  'GET /api/runs/{id}/events': ofRuns('/events'),
  'POST /api/runs/{id}/cancel': ofRuns('/cancel', {}),
  'POST /api/runs/{id}/decisions': ofRuns('/decisions', decision),
  'POST /api/runs/{id}/approvals': ofRuns('/approvals', decision),
  'GET /api/sessions': {
    shows: 'own',
    tries: () => [
      { what: 'list', path: '/api/sessions' },
      { what: 'list from the start', path: '/api/sessions?limit=100&cursor=999999' },
    ],
  },
  'GET /api/sessions/{id}': ofSessions(),
  'DELETE /api/sessions/{id}': ofSessions(),
};

function open(path: string): (typeof attempts)[string] {
  return { shows: 'nothing of hers', tries: () => [{ what: 'read', path }] };
}

function ofRuns(suffix: string, body?: Json): (typeof attempts)[string] {
  return {
    shows: '404',
    tries: ({ waits, ended }) =>
      [waits, ended].map((id) => ({
        what: id === waits ? 'a run that waits' : 'a run that has ended',
        path: `/api/runs/${id}${suffix}`,
        ...(body === undefined ? {} : { body }),
      })),
  };
}

function ofSessions(): (typeof attempts)[string] {
  return {
    shows: '404',
    tries: ({ waitsIn, endedIn }) =>
      [waitsIn, endedIn].map((id) => ({ what: `session ${id}`, path: `/api/sessions/${id}` })),
  };
}

function chats(path: string): (typeof attempts)[string] {
  const stream = { accept: 'text/event-stream' };
  return {
    shows: '404',
    tries: ({ endedIn, waitsIn }) => [
      { what: 'continue', path, body: { message: 'Hi', session_id: endedIn } },
      {
        what: 'continue as a stream',
        path,
        body: { message: 'Hi', session_id: endedIn },
        headers: stream,
      },
      { what: 'continue the one that waits', path, body: { message: 'Hi', session_id: waitsIn } },
      {
        what: 'supersede',
        path,
        body: { message: 'Hi', conversation_id: waitsIn, if_busy: 'supersede' },
      },
      {
        what: 'begin anew',
        path,
        body: { message: 'Hi', session_id: endedIn, reset_conversation: true },
      },
      {
        what: 'repeat with her key and session',
        path,
        body: { message: 'Pay', session_id: endedIn },
        headers: { 'idempotency-key': hersKey },
      },
      {
        what: 'later',
        path,
        body: { message: 'Hi', session_id: endedIn },
        headers: { prefer: 'respond-async' },
      },
      {
        what: 'read on with her key',
        path,
        body: { message: 'Pay' },
        headers: { ...stream, 'idempotency-key': hersKey, 'last-event-id': '1' },
      },
    ],
  };
}

const strangers = [
  ['another caller', { 'x-user': 'bob' }],
  ['nobody', {}],
] as const satisfies readonly (readonly [string, Record<string, string>])[];

describe.each(['as a fetch handler', 'over TCP'])('strangers, %s', (how) => {
  const store = memoryStore();
  const model = scriptedModel((request) =>
    request.messages.length > 1 ? `Paid ${secret}.` : { calls: [['pay', { to: secret }]] },
  );
  const server = agentServer({
    agents: [new Agent({ name: 'payer', model, tools: [pay] })],
    store,
    authenticate: ({ headers }) => {
      const id = headers.get('x-user');
      return id === null ? undefined : { id };
    },
    allowAnonymous: true,
    logger: { log: () => undefined },
  });
  const alice = { 'x-user': 'alice' };
  let serving: Serving | undefined;
  let hers: Hers;
  let before: string;

  beforeAll(async () => {
    if (how === 'over TCP') serving = await serve(server, { port: 0 });
    const ended = await chat(
      { message: 'Pay', session_id: 'ended' },
      { 'idempotency-key': hersKey },
    );
    await send('POST', { what: '', path: `/api/runs/${ended}/decisions`, body: decision }, alice);
    const run = { what: '', path: `/api/runs/${ended}` };
    await eventually(
      async () => bodyOf(await send('GET', run, alice))['status'] === 'completed',
      'her run ends',
    );
    const waits = await chat({ message: 'Pay', session_id: 'waits' });
    hers = { waits, waitsIn: 'waits', ended, endedIn: 'ended' };
    before = await all();
  });

  afterAll(async () => {
    await serving?.close();
    await server.close();
  });

  async function send(
    method: string,
    { path, body, headers }: Attempt,
    who: Record<string, string>,
  ): Promise<{ readonly status: number; readonly text: string }> {
    const init: RequestInit = {
      method,
      headers: {
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...who,
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    };
    const response =
      serving === undefined
        ? await server.fetch(new Request(`http://agents.test${path}`, init))
        : await fetch(serving.url + path, init);
    return { status: response.status, text: await response.text() };
  }

  async function chat(body: Json, headers: Record<string, string> = {}): Promise<string> {
    const answer = await send('POST', { what: '', path: '/api/payer/chat', body, headers }, alice);
    const { run_id: runId } = bodyOf(answer);
    if (typeof runId !== 'string') throw new Error(answer.text);
    return runId;
  }

  /** Everything that she has, as it is stored. */
  async function all(): Promise<string> {
    const kept: unknown[] = [];
    for (const id of [hers.waits, hers.ended]) {
      kept.push(await store.runs.header(id), await store.runs.inbox(id));
      for await (const event of store.runs.read(id)) kept.push(event);
    }
    for (const id of [hers.waitsIn, hers.endedIn]) kept.push(await store.sessions.load(id));
    return JSON.stringify(kept);
  }

  test('the table has every route of the document', async () => {
    const { text } = await send('GET', { what: '', path: '/api/openapi.json' }, {});
    const document: Json = JSON.parse(text);
    if (!isJsonObject(document)) throw new Error('The document is no object.');
    const routes = Object.entries(objectAt(document, 'paths')).flatMap(([path, operations]) =>
      Object.keys(operations ?? {}).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(Object.keys(attempts).toSorted()).toEqual(routes.toSorted());
  });

  describe.each(strangers)('%s', (_, who) => {
    test.each(Object.keys(attempts))('%s', async (route) => {
      const [method = ''] = route.split(' ');
      const { shows, tries } = attempts[route] ?? {};
      for (const attempt of tries?.(hers) ?? []) {
        const { status, text } = await send(method, attempt, who);
        const said = `${attempt.what}: ${status} ${text}`;
        if (shows === '404') expect(status, said).toBe(404);
        if (shows === 'own') expect(status, said).toBe('x-user' in who ? 200 : 404);
        if (shows === 'own' && status === 200) expect(JSON.parse(text)).toEqual({ sessions: [] });
        if (shows === 'nothing of hers') expect(status, said).toBe(200);
        expect(text, attempt.what).not.toContain(secret);
        for (const id of [hers.waits, hers.ended]) expect(text, attempt.what).not.toContain(id);
        // What is not there is answered alike.
        const other = JSON.stringify(attempt)
          .replaceAll(hers.waits, '0'.repeat(32))
          .replaceAll(hers.ended, '0'.repeat(32))
          .replaceAll(/\/(waits|ended)\b/g, '/none')
          .replaceAll(/"(waits|ended)"/g, '"none"');
        if (shows !== '404' || other === JSON.stringify(attempt)) continue;
        const unknown: Attempt = JSON.parse(other);
        if (route.endsWith('/chat') && 'x-user' in who) continue;
        expect(withoutInstance(await send(method, unknown, who)), said).toEqual(
          withoutInstance({ status, text }),
        );
      }
    });

    test('what she has is as it was', async () => {
      expect(await all()).toBe(before);
    });
  });

  test('her key is another key for others', async () => {
    const attempt = {
      what: '',
      path: '/api/payer/chat',
      body: { message: 'Pay' },
      headers: { 'idempotency-key': hersKey },
    };
    for (const [, who] of strangers) {
      const { run_id: runId } = bodyOf(await send('POST', attempt, who));
      expect(runId).not.toBe(hers.ended);
      expect(runId).not.toBe(hers.waits);
    }
    expect(await all()).toBe(before);
  });

  test('she sees all of it', async () => {
    for (const path of [
      `/api/runs/${hers.waits}`,
      `/api/runs/${hers.ended}/events`,
      '/api/sessions/waits',
    ]) {
      const { status, text } = await send('GET', { what: '', path }, alice);
      expect([status, text.includes(secret)]).toEqual([200, true]);
    }
    const list = bodyOf(await send('GET', { what: '', path: '/api/sessions' }, alice));
    expect(list['sessions']).toHaveLength(2);
  });
});

function bodyOf({ text }: { readonly text: string }): JsonObject {
  const body: Json = JSON.parse(text);
  if (!isJsonObject(body)) throw new Error(text);
  return body;
}

function withoutInstance(answer: { readonly status: number; readonly text: string }): object {
  const { instance: _, ...rest } = bodyOf(answer);
  return { status: answer.status, ...rest };
}
