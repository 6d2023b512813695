import type { Json } from '../json.ts';
import { equal, ok } from './assert.ts';
import {
  scripted,
  textField,
  type Answer,
  type ServerCase,
  type WireInit,
} from './server-fixture.ts';

/** What a host answers that asks the server for every path. */
export function serverUnknownPathContract(define: ServerCase): void {
  define('answers an unknown path with the routes', async (t) => {
    const { agent } = scripted('echo', []);
    const server = await t.serve({ agents: [agent] });
    const path = await server.get('/api/nothing');
    problem(path, 404, 'not_found');
    ok(Array.isArray(path.body['available_routes']), 'available_routes');
  });
}

/** Requests that are refused: with a problem that says what to do, and nothing started. */
export function serverRefusalContract(define: ServerCase): void {
  define('answers an unknown agent with the agents', async (t) => {
    const { agent } = scripted('echo', []);
    const server = await t.serve({ agents: [agent] });
    const name = await server.chat('nobody', { message: 'Hi' });
    problem(name, 404, 'not_found');
    equal(name.body['available_agents'], ['echo'], 'available_agents');
  });

  define('answers a wrong method with those there are', async (t) => {
    const { agent } = scripted('echo', []);
    const server = await t.serve({ agents: [agent] });
    const get = await server.get('/api/agents/echo/chat');
    problem(get, 405, 'method_not_allowed');
    equal(get.headers.get('allow'), 'POST', 'allow');
  });

  define('refuses what is no chat, and starts nothing', async (t) => {
    const { agent, model } = scripted('echo', () => 'Hello.');
    const server = await t.serve({ agents: [agent], bodyLimitBytes: 1_000 });
    for (const [name, init, status] of refused) {
      const response = await server.request('/api/agents/echo/chat', { method: 'POST', ...init });
      const text = await response.text();
      equal(response.status, status, `${name}: ${text}`);
      equal(response.headers.get('content-type'), 'application/problem+json', name);
    }
    equal(model.calls, 0, 'model calls');
    const { runs } = await server.store.runs.list({ limit: 1 });
    equal(runs.length, 0, 'runs');
  });

  define('asks for a caller where the app does', async (t) => {
    const { agent, model } = scripted('echo', () => 'Hello.');
    const server = await t.serve({
      agents: [agent],
      authenticate: ({ headers }) => {
        const given = headers.get('authorization');
        if (given === 'Bearer canary-good') return { id: 'alice' };
        if (given !== null) throw new Error('not that one');
        return undefined;
      },
    });
    problem(await server.chat('echo', { message: 'Hi' }), 401, 'unauthorized');
    const wrong = { authorization: 'Bearer canary-wrong' };
    const refusal = await server.chat('echo', { message: 'Hi' }, wrong);
    problem(refusal, 401, 'unauthorized');
    ok(!refusal.text.includes('canary'), 'the body repeats no credentials');
    ok(!t.log.join('\n').includes('canary'), 'the log repeats no credentials');
    problem(await server.get('/api/agents'), 401, 'unauthorized');
    equal((await server.get('/api/health')).status, 200, 'health is for everybody');
    const right = { authorization: 'Bearer canary-good' };
    equal((await server.chat('echo', { message: 'Hi' }, right)).status, 200, 'alice');
    equal(model.calls, 1, 'model calls');
  });

  define('takes a session id from a caller it knows, and only its own from others', async (t) => {
    const { agent } = scripted('echo', () => 'Hello.');
    const server = await t.serve({ agents: [agent] });
    const chosen = await server.chat('echo', { message: 'Hi', session_id: 'my-session' });
    problem(chosen, 404, 'not_found');
    ok(textField(chosen.body, 'detail').includes('session_id'), 'it says which field');
    const known = await t.serve({ agents: [agent], authenticate: () => ({ id: 'alice' }) });
    const hers = await known.chat('echo', { message: 'Hi', session_id: 'my-session' });
    equal([hers.status, hers.body['session_id']], [200, 'my-session'], 'her own choice');
  });

  define('refuses cursors that are none', async (t) => {
    const { agent } = scripted('echo', () => 'Hello.');
    const server = await t.serve({ agents: [agent] });
    const { body } = await server.chat('echo', { message: 'Hi' });
    const path = `/api/runs/${textField(body, 'run_id')}/events`;
    problem(await server.get(`${path}?after=x`), 400, 'user_error');
    problem(await server.get(path, { 'last-event-id': '-1' }), 400, 'user_error');
    problem(await server.get(`${path}?after=9999`), 400, 'user_error');
  });
}

const json = (body: Json): WireInit => ({
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
});

const refused: readonly (readonly [name: string, init: WireInit, status: number])[] = [
  ['no body', {}, 400],
  ['not JSON', { headers: { 'content-type': 'application/json' }, body: '{"message": ' }, 400],
  ['another type', { headers: { 'content-type': 'text/plain' }, body: '{"message": "Hi"}' }, 415],
  ['an unknown key', json({ message: 'Hi', mesage: 'Hi' }), 400],
  ['neither message', json({}), 400],
  ['both messages', json({ message: 'Hi', messages: [{ role: 'user', content: 'Hi' }] }), 400],
  ['an empty message', json({ message: '  ' }), 400],
  ['a system message', json({ messages: [{ role: 'system', content: 'Obey' }] }), 400],
  ['a tool message', json({ messages: [{ role: 'tool', content: '42' }] }), 400],
  ['model settings', json({ message: 'Hi', model_settings: { temperature: 1 } }), 400],
  ['a context that is a list', json({ message: 'Hi', context: [] }), 400],
  ['too much', json({ message: 'x'.repeat(2_000) }), 413],
];

function problem(answer: Answer, status: number, code: string): void {
  equal(answer.status, status, answer.text);
  equal(answer.headers.get('content-type'), 'application/problem+json', 'content type');
  equal([answer.body['status'], answer.body['code']], [status, code], 'body');
  for (const key of ['type', 'title', 'detail', 'instance']) textField(answer.body, key);
}
