import {
  Agent,
  handoff,
  memoryStore,
  silentLogger,
  toJson,
  withContext,
} from '@agent-functions/core';
import { scriptedModel } from '@agent-functions/core/testing';
import { describe, expect, expectTypeOf, test } from 'vitest';
import { agentServer, type AgentServer, type ServerRunner } from '../src/index.ts';

const quiet = { logger: silentLogger };

function get(server: Pick<AgentServer, 'fetch'>, path: string): Promise<Response> {
  return server.fetch(new Request(`http://agents.test${path}`));
}

const billing = new Agent({ name: 'billing', model: scriptedModel(() => 'Paid.') });

function desk(name = 'desk'): Agent {
  return new Agent({
    name,
    model: scriptedModel(() => 'Hello.'),
    handoffConfig: { mode: 'swarm', targets: [{ agentName: 'billing' }] },
  });
}

describe('an agent that hands off to a name', () => {
  test('is refused when the server is made, if nobody has that name', () => {
    expect(() => agentServer({ ...quiet, agents: [desk()] })).toThrow(
      'Agent desk hands off to billing, which nobody knows here.',
    );
    expect(agentServer({ ...quiet, agents: [desk(), billing] }).routes).not.toEqual([]);
  });

  test('is refused in a lazy list, and behind an agent that is no route', () => {
    const inner = desk('inner');
    const front = new Agent({ name: 'front', handoffs: () => [inner] });
    expect(() => agentServer({ ...quiet, agents: [front] })).toThrow(/Agent inner hands off/);
  });

  test('is added after the agent of that name, which then stays', () => {
    const server = agentServer({ ...quiet, agents: [new Agent({ name: 'echo' })] });
    expect(() => server.addAgent(desk())).toThrow(/nobody knows/);
    server.addAgent(billing);
    server.addAgent(desk());
    expect(() => server.removeAgent('billing')).toThrow(/Agent desk hands off to billing/);
    expect(Object.keys(server.runners)).toEqual(['echo', 'billing', 'desk']);
  });

  test('may get its targets after the server was made', async () => {
    const late = new Agent({ name: 'late', model: scriptedModel(() => 'Late.') });
    const server = agentServer({ ...quiet, agents: [late, billing] });
    late.configureHandoffs({ mode: 'conditional', targets: [{ agentName: 'billing' }] });
    const result = await server.runners['late']?.run('Hi');
    expect(result?.handoffPath).toEqual(['late', 'billing']);
  });
});

test('an agent that works around a whole run is no target', () => {
  class Own extends Agent {
    override processRequest(...args: Parameters<Agent['processRequest']>) {
      return super.processRequest(...args);
    }
  }
  const own = new Own({ name: 'own' });
  expect(() =>
    agentServer({ ...quiet, agents: [new Agent({ name: 'a', handoffs: [own] })] }),
  ).toThrow(/overrides processRequest/);
});

test('info names whom an agent hands off to, unless it shows nothing', async () => {
  const hidden = new Agent({ name: 'hidden' });
  const server = agentServer({
    ...quiet,
    agents: [
      billing,
      desk(),
      new Agent({ name: 'front', handoffs: [billing, handoff(hidden)], exposeAgentInfo: false }),
    ],
  });
  expect(await (await get(server, '/api/desk/info')).json()).toMatchObject({
    handoffs: ['billing'],
  });
  for (const silent of ['billing', 'front']) {
    expect(await (await get(server, `/api/${silent}/info`)).json()).not.toHaveProperty('handoffs');
  }
});

test('an agent that only others reach must have its model, too; the head of a chain needs none', async () => {
  const keyless = new Agent({
    name: 'keyless',
    model: scriptedModel([], { ready: 'Set OPENAI_API_KEY.' }),
  });
  const server = agentServer({
    ...quiet,
    agents: [
      new Agent({
        name: 'chain',
        handoffConfig: { mode: 'sequential', targets: [{ agent: billing }, { agent: keyless }] },
      }),
    ],
  });
  expect((await server.ready()).checks).toEqual([
    { name: 'store', ok: true },
    { name: 'agent:chain', ok: true },
    { name: 'agent:billing', ok: true },
    { name: 'agent:keyless', ok: false, detail: 'Set OPENAI_API_KEY.' },
  ]);
});

test('a route of the app hands off with the runner of an agent', async () => {
  const store = memoryStore();
  const server = agentServer({
    ...quiet,
    store,
    agents: [desk(), billing],
    routes: [
      {
        method: 'POST',
        path: '/api/demo/handoff',
        handler: async (request, { runners }) => {
          const runner = runners['desk'];
          if (runner?.canHandoffTo('billing') !== true) return new Response(null, { status: 404 });
          const result = await runner.handoffTo({
            targetAgent: 'billing',
            inputData: toJson(await request.json()),
            conversationId: 'c',
            reason: 'The customer asked.',
          });
          return Response.json(result);
        },
      },
    ],
  });
  const response = await server.fetch(
    new Request('http://agents.test/api/demo/handoff', { method: 'POST', body: '{"invoice":7}' }),
  );
  expect(await response.json()).toMatchObject({
    status: 'completed',
    response: 'Paid.',
    handoff_path: ['desk', 'billing'],
    hops: [{ from: 'desk', to: 'billing', primitive: 'transfer', reason: 'The customer asked.' }],
  });
  // The conversation is the specialist's now.
  expect(await store.sessions.load('c')).toMatchObject({
    entryAgent: 'desk',
    activeAgent: 'billing',
  });
});

test('the context is what all agents together need, those that are handed to included', () => {
  const k = withContext<{ readonly a: string }>();
  const inner = k.agent({ name: 'inner' });
  const front = k.agent({ name: 'front', handoffs: [inner, k.handoff(billing)] });
  const server = agentServer({ ...quiet, agents: { front, billing }, context: () => ({ a: '' }) });
  expectTypeOf(server.runners).toExtend<
    Readonly<Record<string, ServerRunner<{ readonly a: string }>>>
  >();
  // @ts-expect-error the host must be told how to build the context
  expect(() => agentServer({ ...quiet, agents: [front] })).not.toThrow();
  expect(Object.keys(server.runners)).toEqual(['front', 'billing']);
});
