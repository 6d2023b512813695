import { isJsonArray, isJsonObject, type Json, type JsonObject } from '../json.ts';
import { equal, ok } from './assert.ts';
import { gate } from './gate.ts';
import { activeRun, ended } from './server-run-contract.ts';
import {
  countingTool,
  scripted,
  textField,
  type Client,
  type ServerCase,
  type ServerFixture,
} from './server-fixture.ts';

const alice = { 'x-user': 'alice' };
const bob = { 'x-user': 'bob' };

/** Conversations by their own routes: listed, read and deleted by whom they belong to. */
export function serverSessionRoutesContract(define: ServerCase): void {
  define('lists the conversations of the caller, newest first and in pages', async (t) => {
    const { agent } = scripted('echo', () => 'Hello.');
    const server = await known(t, agent);
    for (const session_id of ['a', 'b', 'c']) {
      await server.chat('echo', { message: 'Hi', session_id }, alice);
    }
    await server.chat('echo', { message: 'Hi', session_id: 'not-hers' }, bob);
    await server.chat('echo', { message: 'And?', session_id: 'a' }, alice);
    equal(idsOf(await list(server, '?limit=100')), ['a', 'c', 'b'], 'all');
    const first = await list(server, '?limit=2');
    equal(idsOf(first), ['a', 'c'], 'the first page');
    const cursor = encodeURIComponent(textField(first, 'cursor'));
    const second = await list(server, `?limit=2&cursor=${cursor}`);
    equal([idsOf(second), second['cursor']], [['b'], undefined], 'the second page');
    const [one] = isJsonArray(first['sessions']) ? first['sessions'] : [];
    ok(isJsonObject(one) && isJsonObject(one['links']), 'links');
    ok(!Number.isNaN(Date.parse(textField(one, 'updated_at'))), 'updated_at');
    const read = await server.get(textField(one['links'], 'self'), alice);
    equal([read.status, read.body['session_id']], [200, 'a'], 'where the link leads');
  });

  define('lists nothing for nobody', async (t) => {
    const { agent } = scripted('echo', () => 'Hello.');
    const server = await known(t, agent);
    await server.chat('echo', { message: 'Hi' });
    equal((await server.get('/api/sessions')).status, 404, 'without a principal');
    equal(idsOf(await list(server, '', bob)), [], 'who has none');
  });

  define('shows a conversation: what was said, by whom, and who is next', async (t) => {
    const { tool } = countingTool('look');
    const { agent } = scripted('echo', [{ calls: [['look', { at: 1 }]] }, 'Seen.'], {
      tools: [tool],
    });
    const server = await t.serve({ agents: [agent] });
    const chat = await server.chat('echo', { message: 'Look' });
    const id = textField(chat.body, 'session_id');
    const { status, body } = await server.get(`/api/sessions/${id}`);
    equal(
      [status, body['session_id'], body['conversation_id'], body['closed']],
      [200, id, id, false],
      'the session',
    );
    equal([body['entry_agent'], body['active_agent']], ['echo', 'echo'], 'agents');
    equal('active_run' in body, false, 'no run at work');
    const messages = objectsOf(body['messages']);
    equal(
      messages.map(({ role, run_id }) => [role, run_id]),
      ['user', 'assistant', 'tool', 'assistant'].map((role) => [role, chat.body['run_id']]),
      'messages',
    );
    const [call] = objectsOf(messages[1]?.['parts']);
    equal([call?.['type'], call?.['tool_name']], ['tool-call', 'look'], 'a call');
    ok(!('providerData' in (call ?? {})), 'vendor data stays inside');
  });

  define(
    'shows the run that a conversation waits for, and deletes none that is busy',
    async (t) => {
      const { tool } = countingTool('pay', { needsApproval: true });
      const payer = scripted('payer', [{ calls: [['pay', { amount: 3 }]] }, 'Paid.'], {
        tools: [tool],
      });
      const held = gate();
      const slow = scripted('slow', [{ text: 'Late.', before: held }]);
      const server = await t.serve({ agents: [payer.agent, slow.agent], onDisconnect: 'continue' });
      const chat = await server.chat('payer', { message: 'Pay' });
      const path = `/api/sessions/${textField(chat.body, 'session_id')}`;
      const runId = textField(chat.body, 'run_id');
      const run = (await server.get(path)).body['active_run'];
      ok(isJsonObject(run), 'active_run');
      equal([run['run_id'], run['status']], [runId, 'interrupted'], 'the run');
      equal(objectsOf(run['interruptions'])[0]?.['input'], { amount: 3 }, 'what it asks');
      const refused = await remove(server, path);
      equal([refused.status, refused.body['code']], [409, 'session_busy'], 'delete');
      equal(objectIn(refused.body, 'active_run')['run_id'], runId, 'which run');
      await server.post(`/api/runs/${runId}/cancel`);
      await ended(server, runId);

      const answer = server.chat('slow', { message: 'Hi' });
      await held.reached;
      const { sessionId } = (await server.store.runs.header(await activeRun(server))) ?? {};
      const works = await server.get(`/api/sessions/${sessionId}`);
      equal(objectIn(works.body, 'active_run')['status'], 'running', 'a run at work');
      equal((await remove(server, `/api/sessions/${sessionId}`)).status, 409, 'delete');
      held.open();
      await answer;
    },
  );

  define('deletes a conversation with its runs; then it is not there', async (t) => {
    const { agent } = scripted('echo', () => 'Hello.');
    const server = await known(t, agent);
    const { body } = await server.chat('echo', { message: 'Hi', session_id: 'mine' }, alice);
    const other = await server.chat('echo', { message: 'Hi', session_id: 'stays' }, alice);
    const gone = await remove(server, '/api/sessions/mine', alice);
    equal([gone.status, gone.text], [204, ''], 'deleted');
    equal((await remove(server, '/api/sessions/mine', alice)).status, 404, 'again');
    equal((await server.get('/api/sessions/mine', alice)).status, 404, 'the session');
    const run = `/api/runs/${textField(body, 'run_id')}`;
    equal((await server.get(run, alice)).status, 404, 'its run');
    equal((await server.get(`${run}/events`, alice)).status, 404, 'its events');
    const stays = `/api/runs/${textField(other.body, 'run_id')}`;
    equal((await server.get(stays, alice)).status, 200, 'the run of another');
    equal(idsOf(await list(server, '')), ['stays'], 'the list');
    const anew = await server.chat('echo', { message: 'Hi', session_id: 'mine' }, alice);
    equal(anew.status, 200, 'the id is free again');
  });

  define('hides conversations of others', async (t) => {
    const { agent } = scripted('echo', () => 'Hello.');
    const server = await known(t, agent);
    await server.chat('echo', { message: 'Hi', session_id: 'hers' }, alice);
    for (const other of [bob, {}]) {
      const detail = async (id: string) => {
        const answer = await server.get(`/api/sessions/${id}`, other);
        return [answer.status, answer.body['detail']];
      };
      equal(await detail('hers'), await detail('none'), 'read');
      equal((await remove(server, '/api/sessions/hers', other)).status, 404, 'delete');
    }
    equal((await server.get('/api/sessions/hers', alice)).status, 200, 'her own');
  });
}

function known(t: ServerFixture, agent: ReturnType<typeof scripted>['agent']): Promise<Client> {
  return t.serve({
    agents: [agent],
    authenticate: ({ headers }) => {
      const id = headers.get('x-user');
      return id === null ? undefined : { id };
    },
    allowAnonymous: true,
  });
}

async function list(server: Client, query: string, headers = alice): Promise<JsonObject> {
  const { status, body, text } = await server.get(`/api/sessions${query}`, headers);
  equal(status, 200, text);
  return body;
}

async function remove(server: Client, path: string, headers: Record<string, string> = {}) {
  const response = await server.request(path, { method: 'DELETE', headers });
  const text = await response.text();
  const body: Json = text === '' ? {} : JSON.parse(text);
  return { status: response.status, text, body: isJsonObject(body) ? body : {} };
}

function idsOf(page: JsonObject): readonly string[] {
  return objectsOf(page['sessions']).map((each) => textField(each, 'session_id'));
}

function objectsOf(value: Json | undefined): readonly JsonObject[] {
  ok(isJsonArray(value), 'a list');
  return value.filter(isJsonObject);
}

function objectIn(body: JsonObject, key: string): JsonObject {
  const value = body[key];
  ok(isJsonObject(value), key);
  return value;
}
