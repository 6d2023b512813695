import {
  Agent,
  AgentError,
  memoryStore,
  tool,
  withContext,
  type Model,
  type Store,
  type ToolSource,
} from '@agent-functions/core';
import { eventually, gate, scriptedModel, verifyJournal } from '@agent-functions/core/testing';
import { createParser, type EventSourceMessage } from 'eventsource-parser';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { agentServer, type AgentServer } from '../src/index.ts';

type Fetches = Pick<AgentServer, 'fetch'>;

const quiet = { log: () => undefined };

function echo(name = 'echo', model: Model = scriptedModel(() => 'Hello.')): Agent {
  return new Agent({ name, model });
}

function get(server: Fetches, path: string, init?: RequestInit): Promise<Response> {
  return server.fetch(new Request(`http://agents.test${path}`, init));
}

function chat(
  server: Fetches,
  body: object = { message: 'Hi' },
  init: RequestInit = {},
  agent = 'echo',
): Promise<Response> {
  return get(server, `/api/agents/${agent}/chat`, {
    method: 'POST',
    body: JSON.stringify(body),
    ...init,
    headers: {
      'content-type': 'application/json',
      ...Object.fromEntries(new Headers(init.headers)),
    },
  });
}

const durable = (store: Store = memoryStore()): Store => ({ ...store, durable: true });

async function runsOf(store: Store): Promise<readonly string[]> {
  const { runs } = await store.runs.list({ limit: 100 });
  for (const { runId } of runs) {
    const events = [];
    for await (const event of store.runs.read(runId)) events.push(event);
    verifyJournal(events);
  }
  return runs.map((run) => run.runId);
}

describe('what is checked when a server is made', () => {
  const agents = [echo()];
  test.each([
    ['no agents', () => agentServer({ agents: [] }), /no agents/],
    ['one name twice', () => agentServer({ agents: [echo(), echo()] }), /named echo/],
    ['names that differ by case', () => agentServer({ agents: [echo('A'), echo('a')] }), /A and a/],
    ['a key that is a route', () => agentServer({ agents: { runs: echo() } }), /taken by a route/],
    ['a key that is no name', () => agentServer({ agents: { 'a b': echo() } }), /not usable/],
    [
      'one agent at two keys',
      () => agentServer({ agents: { a: echo(), b: echo() } }),
      /both named/,
    ],
    ['a bad prefix', () => agentServer({ agents, routePrefix: 'a b' }), /routePrefix/],
    ['a bad publicUrl', () => agentServer({ agents, publicUrl: 'example' }), /publicUrl/],
    [
      'a route that is there',
      () =>
        agentServer({
          agents,
          routes: [{ method: 'get', path: '/api/runs/{x}', handler: () => new Response() }],
        }),
      /Two routes answer GET/,
    ],
    [
      'a path that is none',
      () =>
        agentServer({
          agents,
          routes: [{ method: 'GET', path: 'demo', handler: () => new Response() }],
        }),
      /from the root/,
    ],
  ])('%s is refused', (_, make, message) => {
    expect(make).toThrow(message);
  });

  test('agents are added and removed before the first request, not after', async () => {
    const server = agentServer({ agents: [echo('one')], logger: quiet });
    server.addAgent(echo('two'));
    expect(() => server.addAgent(echo('Two'))).toThrow(/two and Two/);
    expect(() => server.removeAgent('three')).toThrow(/no agent "three"/);
    server.removeAgent('one');
    expect(Object.keys(server.runners)).toEqual(['two']);
    expect(await (await get(server, '/api/agents')).json()).toMatchObject({ total: 1 });
    expect(() => server.addAgent(echo('four'))).toThrow(/began to serve/);
    expect(() => server.removeAgent('two')).toThrow(/began to serve/);
  });

  test('a context is demanded exactly when an agent needs one, and its factory makes it', async () => {
    const { agent } = withContext<{ readonly tenant: string }>();
    const tenant = agent({
      name: 'echo',
      model: scriptedModel(() => 'Hello.'),
      instructions: ({ context }) => `You serve ${context.tenant}.`,
    });
    // @ts-expect-error The agent needs a context and nothing makes one.
    agentServer({ agents: [tenant] });
    const server = agentServer({
      agents: [tenant],
      context: ({ requestContext }) => ({ tenant: JSON.stringify(requestContext['tenant']) }),
      logger: quiet,
    });
    const response = await chat(server, { message: 'Hi', context: { tenant: 'Contoso' } });
    expect(await response.json()).toMatchObject({ status: 'completed' });
    const direct = await server.runners['echo']?.run({ message: 'Hi', context: { tenant: 'x' } });
    expect(direct?.status).toBe('completed');
  });
});

describe('routes', () => {
  test('the table lists every route, short forms by agent, and what the app added', () => {
    const server = agentServer({
      agents: { weather: echo() },
      routes: [{ method: 'GET', path: '/demo/{id}', handler: () => new Response() }],
      protocols: [
        { name: 'mcp', handlers: [{ path: '/mcp', handler: async () => new Response() }] },
      ],
    });
    expect(server.routes.map(({ method, path, name }) => `${method} ${path} ${name}`)).toEqual([
      'GET /api/agents agents',
      'GET /api/agents/{name}/info info',
      'GET /api/weather/info info',
      'POST /api/agents/{name}/chat chat',
      'POST /api/weather/chat chat',
      'GET /api/health health',
      'GET /api/health/ready ready',
      'GET /api/runs/{id} run',
      'GET /api/runs/{id}/events events',
      'POST /api/runs/{id}/cancel cancel',
      'POST /api/runs/{id}/decisions decisions',
      'POST /api/runs/{id}/approvals decisions',
      'GET /api/sessions sessions',
      'GET /api/sessions/{id} session',
      'DELETE /api/sessions/{id} session',
      'GET /api/openapi.json openapi',
      'GET /demo/{id} app',
      '* /mcp mcp',
    ]);
    expect(server.routes.filter((route) => route.agent === 'weather')).toHaveLength(2);
  });

  test('a record names agents in URLs, whatever they call themselves', async () => {
    const server = agentServer({ agents: { weather: echo('WeatherAgent') }, logger: quiet });
    const response = await chat(server, { message: 'Hi' }, {}, 'weather');
    const body = z.object({ run_id: z.string(), agent: z.string() }).parse(await response.json());
    expect(body.agent).toBe('WeatherAgent');
    expect((await get(server, `/api/runs/${body.run_id}`)).status).toBe(200);
  });

  test("the app's own routes get runners, principal and what the path matched", async () => {
    const server = agentServer({
      agents: [echo()],
      authenticate: () => ({ id: 'alice' }),
      routes: [
        {
          method: 'POST',
          path: '/demo/{id}',
          handler: async (request, { runners, principal, params }) => {
            const result = await runners['echo']?.run(await request.text());
            return Response.json({ ...params, by: principal?.id, said: result?.response });
          },
        },
        {
          method: 'GET',
          path: '/broken',
          handler: () => {
            throw new Error('canary-route');
          },
        },
      ],
      logger: quiet,
    });
    const response = await get(server, '/demo/a%20b', { method: 'POST', body: 'Hi' });
    expect(await response.json()).toEqual({ id: 'a b', by: 'alice', said: 'Hello.' });
    const broken = await get(server, '/broken');
    expect(broken.status).toBe(500);
    expect(await broken.text()).not.toContain('canary-route');
  });

  test('a protocol is told who calls, and by whom it may keep working', async () => {
    const server = agentServer({
      agents: [echo()],
      authenticate: () => ({ id: 'alice' }),
      protocols: [
        {
          name: 'p',
          handlers: [
            {
              path: '/p',
              handler: async (request, host) =>
                Response.json([request.method, host.principal?.id, host.signal.aborted]),
            },
          ],
        },
      ],
      logger: quiet,
    });
    expect(await (await get(server, '/p', { method: 'PUT' })).json()).toEqual([
      'PUT',
      'alice',
      false,
    ]);
  });

  test('a protocol may make its routes of the runners and the store of the server', async () => {
    const server = agentServer({
      agents: { first: echo() },
      publicUrl: 'https://agents.example.com/',
      cors: { origins: ['https://app.example.com'] },
      bodyLimitBytes: 1_000,
      protocols: [
        {
          name: 'p',
          handlers: ({ runners, store, ...settings }) => {
            const { publicUrl, corsOrigins, bodyLimitBytes, onDisconnect } = settings;
            return Object.entries(runners).map(([name, runner]) => ({
              method: 'POST',
              path: `/p/${name}`,
              handler: async (request, { principal, isInvocation }) => {
                const { result } = runner.stream(await request.text(), { principal });
                const { response, runId } = await result;
                const kept = (await store.runs.header(runId)) !== undefined;
                const told = [publicUrl, corsOrigins, bodyLimitBytes, onDisconnect, isInvocation];
                return Response.json([response, kept, ...told]);
              },
            }));
          },
        },
      ],
      logger: quiet,
    });
    server.addAgent(new Agent({ name: 'other', model: scriptedModel(['Hello.']) }), 'second');
    const response = await get(server, '/p/second', { method: 'POST', body: 'Hi' });
    expect(await response.json()).toEqual([
      expect.any(String),
      true,
      'https://agents.example.com',
      ['https://app.example.com'],
      1_000,
      'cancel',
      false,
    ]);
  });

  test('prefix and public URL are in the links', async () => {
    const server = agentServer({
      agents: [echo()],
      routePrefix: '',
      publicUrl: 'https://agents.example.com/',
      logger: quiet,
    });
    const response = await get(server, '/agents/echo/chat', {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
      body: '{"message":"Hi"}',
    });
    expect(response.headers.get('location')).toMatch(
      /^https:\/\/agents\.example\.com\/runs\/[0-9a-f]{32}$/,
    );
    await response.text();
  });

  test('HEAD is GET without a body', async () => {
    const server = agentServer({ agents: [echo()], logger: quiet });
    const response = await get(server, '/api/agents', { method: 'HEAD' });
    expect([response.status, await response.text()]).toEqual([200, '']);
  });

  test('other origins may call where the app lists them', async () => {
    const server = agentServer({
      agents: [echo()],
      cors: { origins: ['https://app.example.com'] },
      logger: quiet,
    });
    const ask = (origin: string) =>
      get(server, '/api/agents/echo/chat', {
        method: 'OPTIONS',
        headers: { origin, 'access-control-request-headers': 'A2A-Version,mcp-session-id, a b' },
      });
    const preflight = await ask('https://app.example.com');
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get('access-control-allow-origin')).toBe('https://app.example.com');
    expect(preflight.headers.get('access-control-allow-methods')).toBe('POST');
    expect(preflight.headers.get('access-control-allow-headers')).toMatch(
      /^authorization, .*idempotency-key, .*a2a-version, mcp-session-id$/,
    );
    const stranger = await ask('https://evil.example.com');
    expect(stranger.headers.get('access-control-allow-origin')).toBeNull();
    const answer = await chat(server, {}, { headers: { origin: 'https://app.example.com' } });
    expect(answer.status).toBe(400);
    expect(answer.headers.get('access-control-allow-origin')).toBe('https://app.example.com');
    expect(answer.headers.get('vary')).toContain('origin');
    expect(server.routes.filter((route) => route.name === 'preflight').length).toBeGreaterThan(5);
  });
});

test.each([
  ['memory', memoryStore(), true],
  ['durable', durable(), false],
] as const)('the 404 of a run speaks of the %s store as it is', async (_, store, forgets) => {
  const server = agentServer({ agents: [echo()], store, logger: quiet });
  const response = await get(server, '/api/runs/none');
  expect(response.status).toBe(404);
  expect((await response.text()).includes('memory store')).toBe(forgets);
});

test('a run that fails is logged once, with its id, agent, code and reason', async () => {
  const lines: { readonly level: string; readonly fields: unknown }[] = [];
  const server = agentServer({
    agents: [echo('echo', scriptedModel([{ error: new Error('The model is away.') }]))],
    logger: { log: (level, _message, fields) => void lines.push({ level, fields }) },
  });
  const response = await chat(server);
  expect(response.status).toBe(500);
  const { run_id: runId }: { run_id: string } = JSON.parse(await response.text());
  expect(lines.filter(({ level }) => level === 'error')).toMatchObject([
    { fields: { runId, agent: 'echo', code: 'internal' } },
  ]);
  expect(JSON.stringify(lines)).toContain('The model is away.');
});

describe('what an agent shows', () => {
  const look = tool({
    name: 'look',
    description: 'Looks.',
    parameters: z.object({ at: z.string() }),
    effect: 'read',
    execute: () => 'seen',
  });
  const config = { name: 'a', instructions: 'Be kind.', tools: [look], model: scriptedModel([]) };

  test('instructions and tools only where it says so', async () => {
    const server = agentServer({
      agents: [
        new Agent(config),
        new Agent({ ...config, name: 'b', exposeInstructions: true, exposeTools: true }),
        new Agent({ ...config, name: 'c', exposeAgentInfo: false }),
      ],
      logger: quiet,
    });
    const info = async (name: string) => (await get(server, `/api/${name}/info`)).json();
    expect(await info('a')).not.toHaveProperty('instructions');
    expect(await info('a')).toMatchObject({ tools: 1 });
    expect(await info('b')).toMatchObject({
      instructions: 'Be kind.',
      tools: [{ name: 'look', input_schema: { type: 'object' } }],
    });
    expect(Object.keys(z.record(z.string(), z.unknown()).parse(await info('c')))).toEqual([
      'name',
      'links',
    ]);
  });
});

describe('readiness', () => {
  test('says which agent lacks what, and the others go on', async () => {
    const server = agentServer({
      agents: [
        echo('good'),
        echo('keyless', scriptedModel([], { ready: 'Set OPENAI_API_KEY.' })),
        new Agent({ name: 'named', model: 'openai/gpt-5-mini' }),
        new Agent({ name: 'none' }),
        new Agent({ name: 'inner', enableConversationalAgent: false }),
      ],
      logger: quiet,
    });
    const response = await get(server, '/api/health/ready');
    expect(response.status).toBe(503);
    expect(await response.json()).toEqual({
      status: 'not_ready',
      checks: [
        { name: 'store', ok: true },
        { name: 'agent:good', ok: true },
        { name: 'agent:keyless', ok: false, detail: 'Set OPENAI_API_KEY.' },
        { name: 'agent:named', ok: false, detail: expect.stringContaining('models') },
        { name: 'agent:none', ok: false, detail: expect.stringContaining('no model') },
        { name: 'agent:inner', ok: false, detail: expect.stringContaining('no model') },
      ],
    });
    expect((await chat(server, { message: 'Hi' }, {}, 'good')).status).toBe(200);
    expect((await server.ready()).ready).toBe(false);
  });

  test('a probe without credentials learns whether, not why', async () => {
    const server = agentServer({ agents: [echo()], authenticate: () => undefined, logger: quiet });
    expect(await (await get(server, '/api/health/ready')).json()).toEqual({ status: 'ready' });
  });

  test('a store that does not answer is not ready', async () => {
    const store: Store = { ...memoryStore(), now: () => Promise.reject(new Error('gone')) };
    const server = agentServer({ agents: [echo()], store, logger: quiet });
    const response = await get(server, '/api/health/ready');
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({
      checks: [{ detail: 'The store does not answer. The log has the reason.' }, {}],
    });
  });

  test.each([
    ['not_configured', 'The setting STORE is missing. Set it to a connection string.'],
    ['store_unavailable', 'The store does not answer. The log has the reason.'],
  ] as const)(
    'a store that lacks a setting is quoted, to whom readiness is shown, and no other (%s)',
    async (code, shown) => {
      const lacks = 'The setting STORE is missing. Set it to a connection string.';
      const store: Store = {
        ...memoryStore(),
        now: () => Promise.reject(new AgentError(code, lacks)),
      };
      const open = agentServer({ agents: [echo()], store, logger: quiet });
      const response = await get(open, '/api/health/ready');
      expect(response.status).toBe(503);
      expect(await response.json()).toMatchObject({
        checks: [{ name: 'store', ok: false, detail: shown }, { ok: true }],
      });
      const guarded = agentServer({
        agents: [echo()],
        store,
        authenticate: () => undefined,
        logger: quiet,
      });
      const toNobody = await get(guarded, '/api/health/ready');
      expect(await toNobody.json()).toEqual({ status: 'not_ready' });
    },
  );
});

describe('callers', () => {
  test('the host may say who calls', async () => {
    const store = memoryStore();
    const server = agentServer({ agents: [echo()], store, logger: quiet });
    await server.fetch(
      new Request('http://agents.test/api/echo/chat', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: '{"message":"Hi"}',
      }),
      { principal: { id: 'alice' } },
    );
    const { runs } = await store.runs.list({ owner: 'alice', limit: 2 });
    expect(runs).toHaveLength(1);
  });

  test('an app may answer by itself', async () => {
    const server = agentServer({
      agents: [echo()],
      authenticate: () => new Response('Not today.', { status: 403 }),
      logger: quiet,
    });
    const response = await chat(server);
    expect([response.status, await response.text()]).toEqual([403, 'Not today.']);
  });

  test('a principal without an id is nobody', async () => {
    const server = agentServer({
      agents: [echo()],
      authenticate: () => ({ id: '' }),
      logger: quiet,
    });
    expect((await chat(server)).status).toBe(401);
  });

  test('anybody may choose session ids where the app allows it', async () => {
    const server = agentServer({ agents: [echo()], allowClientSessionIds: true, logger: quiet });
    const response = await chat(server, { message: 'Hi', session_id: 'mine' });
    expect(await response.json()).toMatchObject({ session_id: 'mine' });
  });

  test('settings of the model are taken where the app allows it', async () => {
    const model = scriptedModel(() => 'Hello.');
    const server = agentServer({
      agents: [echo('echo', model)],
      allowModelSettings: true,
      logger: quiet,
    });
    const settings = { temperature: 0.5, max_tokens: 10, reasoning: { effort: 'low' } };
    const response = await chat(server, { message: 'Hi', model_settings: settings });
    expect(response.status).toBe(200);
    expect(model.requests[0]?.settings).toMatchObject({
      temperature: 0.5,
      maxTokens: 10,
      reasoning: { effort: 'low' },
    });
    for (const wrong of [{ temperature: 3 }, { max_tokens: 0.5 }, { timeout_ms: 1 }, []])
      expect((await chat(server, { message: 'Hi', model_settings: wrong })).status).toBe(400);
  });
});

describe('time', () => {
  test('a JSON answer that is not there in time becomes a 202, and the run goes on', async () => {
    const held = gate();
    const store = memoryStore();
    const model = scriptedModel([{ text: 'Late.', before: held }]);
    const server = agentServer({
      agents: [echo('echo', model)],
      store,
      requestTimeoutMs: 50,
      logger: quiet,
    });
    const response = await chat(server);
    expect(response.status).toBe(202);
    const location = response.headers.get('location') ?? '';
    expect(response.headers.get('retry-after')).toBe('1');
    expect(await response.json()).toMatchObject({ status: 'accepted', links: { self: location } });
    held.open();
    await eventually(async () => {
      const run: unknown = await (await get(server, location)).json();
      return z.object({ response: z.literal('Late.') }).safeParse(run).success;
    }, 'the run ends');
    expect(await runsOf(store)).toHaveLength(1);
  });

  test('a stream ends by itself before the host ends it, and the rest is read on', async () => {
    const held = gate();
    const model = scriptedModel([{ text: 'Late.', beforeResponse: held }]);
    const server = agentServer({ agents: [echo('echo', model)], logger: quiet });
    const response = await server.fetch(
      new Request('http://agents.test/api/echo/chat', {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
        body: '{"message":"Hi"}',
      }),
      { deadline: Date.now() + 200 },
    );
    const first = parse(await response.text());
    expect(first.at(-1)?.event).toBe('text-delta');
    held.open();
    const rest = await get(server, `${response.headers.get('location')}/events`, {
      headers: { 'last-event-id': first.at(-1)?.id ?? '' },
    });
    expect(parse(await rest.text()).at(-1)?.event).toBe('run-end');
  });

  test('a client of a JSON answer that leaves takes its run along, where runs go with clients', async () => {
    const store = memoryStore();
    const model = scriptedModel([{ hang: true }]);
    const server = agentServer({ agents: [echo('echo', model)], store, logger: quiet });
    const leaving = new AbortController();
    const answer = chat(server, { message: 'Hi' }, { signal: leaving.signal });
    await eventually(() => model.running === 1, 'the model works');
    leaving.abort();
    await answer;
    expect(model.running).toBe(0);
    const [runId] = await runsOf(store);
    expect(await (await get(server, `/api/runs/${runId}`)).json()).toMatchObject({
      status: 'cancelled',
    });
  });
});

describe('an event stream', () => {
  test('is what parsers of event streams read', async () => {
    const server = agentServer({ agents: [echo()], logger: quiet });
    const response = await chat(server, { message: 'Hi\r\n\u2028 data: x', stream: true });
    const events = parse(await response.text());
    expect(events[0]?.event).toBe('run-start');
    expect(events.at(-1)?.event).toBe('run-end');
    for (const { data, id, event } of events) {
      expect(JSON.parse(data)).toMatchObject({ type: event });
      expect(id).toMatch(/^\d+(\.[a-z0-9]+\.\d+)?$/);
    }
  });

  test('joins what is ready in one tick into one chunk', async () => {
    const text = 'word '.repeat(200);
    const server = agentServer({
      agents: [echo('echo', scriptedModel([text], { chunkSize: 5 }))],
      logger: quiet,
    });
    const response = await chat(server, { message: 'Hi', stream: true });
    let chunks = 0;
    for await (const _ of response.body ?? []) chunks += 1;
    expect(chunks).toBeLessThan(10);
  });

  test('that cannot go on ends with an error event', async () => {
    const store = memoryStore();
    const server = agentServer({ agents: [echo()], store, logger: quiet });
    await (await chat(server)).json();
    const [runId] = await runsOf(store);
    const broken: Store = {
      ...store,
      runs: {
        ...store.runs,
        // oxlint-disable-next-line require-yield
        async *read() {
          throw new Error('canary-disk');
        },
      },
    };
    const other = agentServer({ agents: [echo()], store: broken, logger: quiet });
    const response = await get(other, `/api/runs/${runId}/events`);
    expect(response.status).toBe(200);
    const text = await response.text();
    expect(text).not.toContain('canary-disk');
    expect(parse(text).at(-1)).toMatchObject({ event: 'error', id: undefined });
  });
});

describe('runs that nobody holds', () => {
  test('are found by a server that begins, and finished', async () => {
    const store = memoryStore();
    const before = agentServer({ agents: [echo()], store, logger: quiet });
    const header = await before.runners['echo']?.start({ message: 'Hi', sessionId: 's' });
    const server = agentServer({ agents: [echo()], store: durable(store), logger: quiet });
    server.start();
    await eventually(
      async () => (await store.runs.peek(header?.runId ?? ''))?.ended,
      'the run ends',
    );
    await server.close();
    expect(await runsOf(store)).toEqual([header?.runId]);
  });

  test('are looked for again and again, and those that wait for an answer are left alone', async () => {
    const pay = tool({
      name: 'pay',
      description: 'Pays.',
      parameters: z.object({}),
      needsApproval: true,
      execute: () => 'paid',
    });
    const agent = new Agent({
      name: 'echo',
      model: scriptedModel([{ calls: [['pay', {}]] }, 'Paid.', 'Hello.']),
      tools: [pay],
    });
    const store = memoryStore();
    let reads = 0;
    const counted: Store = {
      ...durable(store),
      runs: {
        ...store.runs,
        read: (...all) => {
          reads += 1;
          return store.runs.read(...all);
        },
      },
    };
    const server = agentServer({ agents: [agent], store: counted, leaseMs: 100, logger: quiet });
    const first = z
      .object({ run_id: z.string(), interruptions: z.array(z.object({ id: z.string() })) })
      .parse(await (await chat(server)).json());
    await eventually(async () => {
      const before = reads;
      await new Promise((resolve) => {
        setTimeout(resolve, 250);
      });
      return reads === before;
    }, 'nobody reads the run that waits');
    // As another process does: posted, and nobody told.
    await store.runs.post(first.run_id, {
      id: 'x',
      type: 'decide',
      decisions: [{ interruptionId: first.interruptions[0]?.id ?? '', approved: true }],
    });
    await eventually(async () => (await store.runs.peek(first.run_id))?.ended, 'the run ends');
    await server.close();
    await runsOf(store);
  });
});

function parse(text: string): EventSourceMessage[] {
  const events: EventSourceMessage[] = [];
  const parser = createParser({ onEvent: (event) => events.push(event) });
  parser.feed(text);
  return events;
}

test('a server that closes closes the tool sources of its agents, those of handoffs too', async () => {
  const closed: string[] = [];
  const source = (name: string): ToolSource => ({
    name,
    listTools: async () => [],
    close: async () => void closed.push(name),
  });
  const model = scriptedModel(() => 'Hello.');
  const behind = new Agent({ name: 'behind', model, mcpServers: [source('git')] });
  const front = new Agent({
    name: 'front',
    model,
    mcpServers: [source('files')],
    handoffs: [behind],
  });
  const server = agentServer({ agents: [front], logger: quiet });
  await server.close();
  expect(closed.toSorted()).toEqual(['files', 'git']);
});
