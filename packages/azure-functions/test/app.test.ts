import { Agent, type Model, silentLogger } from '@agent-functions/core';
import { eventually, gate, scriptedModel } from '@agent-functions/core/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { AgentFunctionApp } from '../src/index.ts';
import { recordingLogger } from './handler-app.ts';
import { miniHost, type MiniHost } from './mini-host.ts';
import { principalOf } from './responses.ts';

const hosts: MiniHost[] = [];
afterEach(async () => {
  for (const host of hosts.splice(0)) await host.close();
});

async function start(register: () => unknown): Promise<MiniHost> {
  const host = await miniHost(register);
  hosts.push(host);
  return host;
}

const anonymous = { httpAuthLevel: 'anonymous', logger: silentLogger } as const;

function chat(host: MiniHost, agent: string, headers: Record<string, string> = {}) {
  return fetch(`${host.url}/api/agents/${agent}/chat`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ message: 'Hello' }),
  });
}

/** A model whose key is missing, as a provider makes it. */
const withoutKey: Model = {
  provider: 'openai',
  modelId: 'gpt',
  ready: () => 'OPENAI_API_KEY is not set.',
  // oxlint-disable-next-line require-yield
  async *stream() {
    throw new Error('OPENAI_API_KEY is not set.');
  },
};

describe('a Functions app', () => {
  it('serves the others when one agent has no key, and /health/ready says which setting is missing', async () => {
    const host = await start(
      () =>
        new AgentFunctionApp({
          ...anonymous,
          agents: [
            new Agent({ name: 'keyless', model: withoutKey }),
            new Agent({ name: 'fine', model: scriptedModel(['Hello.']) }),
          ],
        }),
    );
    const answer = await chat(host, 'fine');
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({ status: 'completed', response: 'Hello.' });
    expect((await chat(host, 'keyless')).status).toBeGreaterThanOrEqual(500);
    expect((await fetch(`${host.url}/api/health`)).status).toBe(200);
    const ready = await fetch(`${host.url}/api/health/ready`);
    expect(ready.status).toBe(503);
    expect(await ready.text()).toContain('OPENAI_API_KEY is not set.');
  });

  it('shows deltas while the model still writes', async () => {
    const more = gate();
    const host = await start(
      () =>
        new AgentFunctionApp({
          ...anonymous,
          agents: [
            new Agent({
              name: 'slow',
              model: scriptedModel([{ text: 'Hello world.', beforeResponse: more }]),
            }),
          ],
        }),
    );
    const response = await chat(host, 'slow', { accept: 'text/event-stream' });
    expect(response.headers.get('content-type')).toBe('text/event-stream');
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    let text = '';
    await eventually(async () => {
      text += (await reader?.read())?.value ?? '';
      return text.includes('text-delta');
    }, 'a delta arrives before the model ends');
    expect(text).not.toContain('run-end');
    more.open();
    await eventually(async () => {
      text += (await reader?.read())?.value ?? '';
      return text.includes('event: run-end');
    }, 'the run ends');
  });

  it('gives runs the owner that App Service Authentication names, and hides them from others', async () => {
    const host = await start(
      () =>
        new AgentFunctionApp({
          ...anonymous,
          easyAuth: true,
          agents: [new Agent({ name: 'fine', model: scriptedModel(['Hello.']) })],
        }),
    );
    const alice = { 'x-ms-client-principal': principalOf('alice') };
    const bob = { 'x-ms-client-principal': principalOf('bob') };
    const answer = await chat(host, 'fine', alice);
    const { run_id: runId } = JSON.parse(await answer.text());
    const status = async (headers: Record<string, string>): Promise<number> =>
      (await fetch(`${host.url}/api/runs/${runId}`, { headers })).status;
    expect(await status(alice)).toBe(200);
    expect(await status(bob)).toBe(404);
    expect(await status({})).toBe(401);
    expect((await chat(host, 'fine')).status).toBe(401);
    expect((await chat(host, 'fine', { 'x-ms-client-principal': 'nonsense' })).status).toBe(401);
    expect((await fetch(`${host.url}/api/health`)).status).toBe(200);
  });

  it('serves callers whom nobody names where the app allows it', async () => {
    const host = await start(
      () =>
        new AgentFunctionApp({
          ...anonymous,
          easyAuth: true,
          allowAnonymous: true,
          agents: [new Agent({ name: 'fine', model: scriptedModel(['Hello.']) })],
        }),
    );
    expect((await chat(host, 'fine')).status).toBe(200);
  });

  it('takes its time limit from host.json', async () => {
    let deadline = 0;
    const cwd = process.cwd();
    process.chdir(new URL('fixtures/ten-minutes', import.meta.url).pathname);
    const host = await start(
      () =>
        new AgentFunctionApp({
          ...anonymous,
          agents: [new Agent({ name: 'fine', model: scriptedModel(['Hello.']) })],
          routes: [
            {
              method: 'GET',
              path: '/api/deadline',
              handler: (_request, context) => {
                deadline = (context.host.deadline ?? 0) - Date.now();
                return new Response(null, { status: 204 });
              },
            },
          ],
        }),
    ).finally(() => process.chdir(cwd));
    const accept = { accept: 'text/event-stream' };
    expect((await fetch(`${host.url}/api/deadline`, { headers: accept })).status).toBe(204);
    expect(deadline / 60_000).toBeCloseTo(7, 1);
    // What is no stream has to begin before the front end gives up, after 230 s.
    await fetch(`${host.url}/api/deadline`);
    expect(deadline / 1_000).toBeCloseTo(210, 0);
  });

  it('mounts routes of its own beside the agents, with their parameters', async () => {
    const host = await start(
      () =>
        new AgentFunctionApp({
          ...anonymous,
          agents: [new Agent({ name: 'fine', model: scriptedModel(['Hello.']) })],
          routes: [
            {
              method: 'GET',
              path: '/api/orders/{id}',
              handler: (request, { params, runners }) =>
                Response.json({
                  params,
                  agents: Object.keys(runners),
                  q: new URL(request.url).searchParams.get('id'),
                }),
            },
            {
              method: 'GET',
              path: '/favicon.ico',
              handler: () => new Response(new Uint8Array([0, 255])),
            },
          ],
        }),
    );
    const order = await fetch(`${host.url}/api/orders/a%20b?id=other`);
    expect(await order.json()).toEqual({ params: { id: 'a b' }, agents: ['fine'], q: 'other' });
    const icon = await fetch(`${host.url}/favicon.ico`);
    expect([...new Uint8Array(await icon.arrayBuffer())]).toEqual([0, 255]);
    expect((await fetch(`${host.url}/api/orders/1`, { method: 'DELETE' })).status).toBe(404);
  });

  it('lives beside another in the same entry file', async () => {
    const host = await start(() => {
      const fine = new Agent({ name: 'fine', model: scriptedModel(['Hello.']) });
      const other = new AgentFunctionApp({ ...anonymous, agents: [fine] });
      return [other, new AgentFunctionApp({ agents: [fine], createTriggers: false })];
    });
    expect((await chat(host, 'fine')).status).toBe(200);
  });

  it('answers 202 with the address of the run before its time is over, and ends a stream', async () => {
    const host = await start(
      () =>
        new AgentFunctionApp({
          ...anonymous,
          functionTimeoutMs: 1_000,
          agents: [new Agent({ name: 'endless', model: scriptedModel(() => ({ hang: true })) })],
        }),
    );
    const [answer, stream] = await Promise.all([
      chat(host, 'endless'),
      chat(host, 'endless', { accept: 'text/event-stream' }),
    ]);
    expect(answer.status).toBe(202);
    const location = answer.headers.get('location') ?? '';
    expect(location).toMatch(/^\/api\/runs\//);
    expect(await stream.text()).toContain('event: run-start');
    const run = await fetch(host.url + location);
    expect(await run.json()).toMatchObject({ status: 'running' });
    await fetch(`${host.url}${location}/cancel`, { method: 'POST' });
    await fetch(`${host.url}${stream.headers.get('location')}/cancel`, { method: 'POST' });
  });

  it('ends its streams when the host stops, within the time that the host gives', async () => {
    const logger = recordingLogger();
    const host = await start(
      () =>
        new AgentFunctionApp({
          ...anonymous,
          logger,
          agents: [new Agent({ name: 'endless', model: scriptedModel(() => ({ hang: true })) })],
        }),
    );
    const stream = await chat(host, 'endless', { accept: 'text/event-stream' });
    const json = chat(host, 'endless');
    const began = performance.now();
    await host.terminate();
    expect(performance.now() - began).toBeLessThan(5_000);
    const text = await stream.text();
    expect(text).toContain('event: run-start');
    expect(text).toMatch(/event: error\ndata: [^\n]*"code":"server_stopping"/);
    const answer = await json;
    expect(answer.status).toBe(503);
    expect(await answer.json()).toMatchObject({ code: 'server_stopping' });
  });
});
