import { Agent, memoryStore, tool, type Store } from '@agent-functions/core';
import { scriptedModel, verifyJournal } from '@agent-functions/core/testing';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { agentServer, type AgentServer } from '../src/index.ts';
import { serve, type Serving } from '../src/node/index.ts';
import { malformed, malformedDecisions, type Malformed } from './malformed.ts';

// Secrets where an app has them. Whatever a caller sends, they come back nowhere.
const canary = 'canary-a41f';
const log: string[] = [];
const bodies: string[] = [];
let payments = 0;
const pay = tool({
  name: 'pay',
  description: 'Pays.',
  parameters: z.object({}),
  needsApproval: true,
  execute: () => {
    payments += 1;
    return 'paid';
  },
});
const model = scriptedModel(() => ({ calls: [['pay', {}]] }));
let store: Store;
let server: AgentServer;
let serving: Serving;
let runId: string;

const caller = {
  authorization: `Bearer ${canary}-header`,
  cookie: `session=${canary}-cookie`,
  traceparent: `${canary}-trace`,
};

beforeAll(async () => {
  process.env['TEST_CANARY'] = `${canary}-environment`;
  store = memoryStore();
  server = agentServer({
    agents: [
      new Agent({
        name: 'echo',
        instructions: `Never say ${canary}-instructions.`,
        model,
        tools: [pay],
      }),
    ],
    store,
    bodyLimitBytes: 65_536,
    authenticate: ({ headers }) => ({
      id: headers.get('authorization') === null ? 'nobody' : 'alice',
      claims: { token: `${canary}-claim` },
    }),
    logger: { log: (...entry) => log.push(JSON.stringify(entry)) },
  });
  serving = await serve(server, { port: 0 });
  const response = await send({ name: 'begin', body: '{"message":"Pay"}', status: 200, says: '' });
  const started: unknown = JSON.parse(response.text);
  if (typeof started !== 'object' || started === null || !('run_id' in started)) throw new Error();
  runId = String(started.run_id);
});

afterAll(async () => {
  await serving.close();
  delete process.env['TEST_CANARY'];
});

async function send(request: Malformed): Promise<{ status: number; type: string; text: string }> {
  const { method = 'POST', path = '/api/agents/echo/chat', body } = request;
  const headers = new Headers({
    'content-type': 'application/json',
    ...caller,
    ...request.headers,
  });
  if (headers.get('content-type') === '') headers.delete('content-type');
  const response = await fetch(serving.url + path, {
    method,
    headers,
    ...(body === undefined ? {} : { body }),
  });
  const text = await response.text();
  bodies.push(text);
  return { status: response.status, type: response.headers.get('content-type') ?? '', text };
}

async function refuses(request: Malformed): Promise<void> {
  const { status, type, text } = await send(request);
  expect(status, text).toBe(request.status);
  expect(type).toBe('application/problem+json');
  const problem: unknown = JSON.parse(text);
  expect(problem).toMatchObject({
    type: expect.stringMatching(/^urn:agent-functions:problem:/),
    title: expect.any(String),
    status,
    detail: expect.stringContaining(request.says),
    instance: expect.any(String),
    code: expect.any(String),
  });
  expect(model.calls).toBe(1);
}

describe('a malformed chat is refused with what to do, and nothing starts', () => {
  test.each(malformed)('$name', refuses);

  test('there are more than sixty', () => {
    expect(malformed.length).toBeGreaterThan(60);
  });
});

describe('malformed decisions are refused and the run goes on waiting', () => {
  test.each(malformedDecisions)('$name', async (request) => {
    await refuses({ ...request, path: `/api/runs/${runId}/decisions` });
    const run = await server.fetch(
      new Request(`http://agents.test/api/runs/${runId}`, { headers: caller }),
    );
    expect(await run.json()).toMatchObject({ status: 'interrupted' });
  });
});

test('any bytes are a 4xx problem', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => {
      const { status, type } = await send({
        name: 'bytes',
        body: Uint8Array.from(bytes),
        status: 400,
        says: '',
      });
      expect(status).toBe(400);
      expect(type).toBe('application/problem+json');
    }),
    { numRuns: 150 },
  );
  expect(model.calls).toBe(1);
});

test('any JSON that is no chat is a 4xx problem', async () => {
  const chatLike = fc.record(
    {
      message: fc.oneof(
        fc.constant(''),
        fc.jsonValue().filter((v) => typeof v !== 'string'),
      ),
      messages: fc.jsonValue(),
      session_id: fc.jsonValue(),
      user_id: fc.jsonValue(),
      context: fc.jsonValue(),
      stream: fc.jsonValue(),
      model_settings: fc.jsonValue(),
    },
    { requiredKeys: [] },
  );
  await fc.assert(
    fc.asyncProperty(fc.oneof(fc.jsonValue(), chatLike), async (value) => {
      const { status, type } = await send({
        name: 'json',
        body: JSON.stringify(value),
        status: 400,
        says: '',
      });
      expect(status).toBe(400);
      expect(type).toBe('application/problem+json');
    }),
    { numRuns: 300 },
  );
  expect(model.calls).toBe(1);
});

test('any path is a 404 problem, or a route', async () => {
  const segment = fc.oneof(
    fc.constantFrom('api', 'agents', 'echo', 'chat', 'runs', 'events', '..', '%2f', '%00', ''),
    fc.string({ maxLength: 8 }).map(encodeURIComponent),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(segment, { maxLength: 6 }), async (segments) => {
      const path = `/${segments.join('/')}`;
      const { status } = await send({ name: 'path', path, body: '{}', status: 404, says: '' });
      expect([400, 404, 405]).toContain(status);
    }),
    { numRuns: 150 },
  );
});

test('nothing of the caller or the app came back, and nothing was started', async () => {
  expect(bodies.length).toBeGreaterThan(500);
  const said = `${bodies.join('\n')}\n${log.join('\n')}`;
  expect(said).not.toContain(canary);
  expect(said).not.toContain('canary-');
  const { runs } = await store.runs.list({ limit: 100 });
  expect(runs.map((run) => run.runId)).toEqual([runId]);
  const events = [];
  for await (const event of store.runs.read(runId)) events.push(event);
  verifyJournal(events);
  // Claims are kept with the run, for the context factory; nothing else of the request's identity is.
  const [start, ...rest] = events;
  expect(JSON.stringify([await store.runs.header(runId), rest])).not.toContain(canary);
  expect(JSON.stringify(start).replaceAll(`${canary}-claim`, '')).not.toContain(canary);
  const stream = await fetch(`${serving.url}/api/runs/${runId}/events`, { headers: caller });
  expect(await stream.text()).not.toContain(canary);
  expect(payments).toBe(0);
});
