import type { JsonObject } from '../json.ts';
import { equal, eventually, ok } from './assert.ts';
import { gate } from './gate.ts';
import { eventsOf, foldText, seqsOf, upTo } from './server-events.ts';
import {
  countingTool,
  postInit,
  scripted,
  textField,
  type Answer,
  type Client,
  type ServerCase,
} from './server-fixture.ts';
import { ended } from './server-run-contract.ts';

const key = 'a-key-that-nobody-else-would-think-of';
const keyed = { 'idempotency-key': key };

/** Requests that are sent again: `Idempotency-Key` finds the run, its answer and its events. */
export function serverRepeatContract(define: ServerCase): void {
  define('runs a request with a key once, and answers its repeats with the same', async (t) => {
    const { agent, model } = scripted('echo', (_, n) => `Answer ${n}.`);
    const server = await t.serve({ agents: [agent] });
    const first = await server.chat('echo', { message: 'Hi' }, keyed);
    equal([first.status, first.headers.get('idempotency-replayed')], [200, null], 'first');
    const again = await server.chat('echo', { message: 'Hi' }, keyed);
    equal([again.status, again.text], [200, first.text], 'again');
    equal(again.headers.get('idempotency-replayed'), 'true', 'the repeat says so');
    const quoted = await server.chat(
      'echo',
      { message: 'Hi' },
      { 'idempotency-key': JSON.stringify(key) },
    );
    equal(quoted.text, first.text, 'the quoted form is the same key');
    equal(model.calls, 1, 'model calls');
    const session_id = textField(first.body, 'session_id');
    const next = await server.chat('echo', { message: 'And?', session_id });
    equal([next.status, model.requests[1]?.messages.length], [200, 3], 'the conversation goes on');
  });

  define('runs a request once that is sent twice at once', async (t) => {
    const held = gate();
    const { agent, model } = scripted('slow', [{ text: 'Once.', before: held }]);
    const server = await t.serve({ agents: [agent] });
    const both = [1, 2, 3].map(() => server.chat('slow', { message: 'Hi' }, keyed));
    await held.reached;
    const late = server.chat('slow', { message: 'Hi' }, keyed);
    held.open();
    const answers = await Promise.all([...both, late]);
    for (const { status, text } of answers) equal([status, text], [200, answers[0]?.text], 'same');
    equal(model.calls, 1, 'model calls');
  });

  define('answers a failed request that is repeated with the same failure', async (t) => {
    const { agent, model } = scripted('broken', () => new Error('canary-41d'));
    const server = await t.serve({ agents: [agent] });
    const first = await server.chat('broken', { message: 'Hi' }, keyed);
    const again = await server.chat('broken', { message: 'Hi' }, keyed);
    ok(first.status >= 500, `first: ${first.status}`);
    equal(withoutInstance(again), withoutInstance(first), 'again');
    equal(again.headers.get('idempotency-replayed'), 'true', 'the repeat says so');
    equal(model.calls, 1, 'model calls');
  });

  define('refuses a key that was used for another request', async (t) => {
    const { agent, model } = scripted('echo', () => 'Hello.');
    const server = await t.serve({ agents: [agent] });
    await server.chat('echo', { message: 'Hi' }, keyed);
    const others = [{ message: 'Ho' }, { context: { a: 1 } }, { user_id: 'somebody' }];
    for (const body of others.map((other) => ({ message: 'Hi', ...other }))) {
      const other = await server.chat('echo', body, keyed);
      equal([other.status, other.body['code']], [422, 'idempotency_mismatch'], other.text);
      equal(other.headers.get('idempotency-replayed'), null, 'it is no repeat');
    }
    equal(model.calls, 1, 'model calls');
  });

  define('keeps keys apart by caller and agent, and short ones for callers it knows', async (t) => {
    const [one, two] = [scripted('one', () => 'One.'), scripted('two', () => 'Two.')];
    const server = await t.serve({
      agents: [one.agent, two.agent],
      authenticate: ({ headers }) => {
        const id = headers.get('x-user');
        return id === null ? undefined : { id };
      },
      allowAnonymous: true,
    });
    const send = (agent: string, user: string) =>
      server.chat(agent, { message: 'Hi' }, { 'idempotency-key': 'k', 'x-user': user });
    const answers = [await send('one', 'alice'), await send('one', 'bob')];
    answers.push(await send('two', 'alice'));
    equal(new Set(answers.map(({ body }) => body['run_id'])).size, 3, 'runs');
    equal(new Set(answers.map(({ body }) => body['session_id'])).size, 3, 'sessions');
    const nobody = await server.chat('one', { message: 'Hi' }, { 'idempotency-key': 'k' });
    equal(nobody.status, 400, 'a short key of nobody');
    for (const bad of ['', 'a b', 'k'.repeat(256), '""']) {
      const headers = { 'idempotency-key': bad, 'x-user': 'alice' };
      equal((await server.chat('one', { message: 'Hi' }, headers)).status, 400, `key ${bad}`);
    }
    equal(one.model.calls + two.model.calls, 3, 'model calls');
  });

  define('shows a repeat how a run stands that waited, and begins nothing anew', async (t) => {
    const { tool, calls } = countingTool('pay', { needsApproval: true });
    const payer = scripted('payer', [{ calls: [['pay', {}]] }, 'Paid.'], { tools: [tool] });
    const server = await t.serve({ agents: [payer.agent], authenticate: () => ({ id: 'alice' }) });
    const body = { message: 'Pay', session_id: 'mine', reset_conversation: true };
    const send = () => server.chat('payer', body, keyed);
    const first = await send();
    const again = await send();
    equal([again.status, again.text], [200, first.text], 'while it waits');
    const runId = textField(first.body, 'run_id');
    await server.post(`/api/runs/${runId}/decisions`, [
      { interruption_id: 'f0.t1.c1.approval', approved: true },
    ]);
    await ended(server, runId);
    const last = await send();
    equal([last.body['run_id'], last.body['response']], [runId, 'Paid.'], 'when it has ended');
    equal(calls(), 1, 'payments');
    equal((await server.store.sessions.load('mine')).messages.length, 4, 'messages');
  });

  define('reads on a stream by posting it again with its key, at another server too', async (t) => {
    const { tool } = countingTool('look');
    const { agent, model } = scripted('fox', [{ calls: [['look', {}]] }, answerText], {
      tools: [tool],
    });
    const server = await t.serve({ agents: [agent] });
    const elsewhere = await t.serve({ agents: [agent], store: { ...server.store } });
    const post = (at: Client, cursor?: string) =>
      at.streamChat(
        'fox',
        { message: 'Go' },
        { ...keyed, ...(cursor === undefined ? {} : { 'last-event-id': cursor }) },
      );
    const response = await post(server);
    equal(response.headers.get('idempotency-replayed'), null, 'first');
    const all = await eventsOf(response);
    equal(foldText(all), answerText, 'text');
    for (const at of [server, elsewhere]) {
      const again = await post(at);
      equal(again.headers.get('idempotency-replayed'), 'true', 'the repeat says so');
      const whole = await eventsOf(again);
      equal([seqsOf(whole), foldText(whole)], [upTo(all), answerText], 'from the start');
      for (let cut = 1; cut < all.length; cut += 1) {
        const seen = all.slice(0, cut);
        const rest = await post(at, seen.at(-1)?.id);
        const both = [...seen, ...(rest.status === 204 ? [] : await eventsOf(rest))];
        equal([seqsOf(both), foldText(both)], [upTo(all), answerText], `cut after ${cut}`);
      }
      equal((await post(at, all.at(-1)?.id)).status, 204, 'after the last');
    }
    equal(model.calls, 2, 'model calls');
  });

  define('begins nothing for who reads on without a key, or what was never begun', async (t) => {
    const { agent, model } = scripted('echo', () => 'Hello.');
    const server = await t.serve({ agents: [agent] });
    const read = async (headers: Record<string, string>) =>
      (await server.streamChat('echo', { message: 'Hi' }, { 'last-event-id': '3', ...headers }))
        .status;
    equal(await read({}), 400, 'no key');
    equal(await read(keyed), 404, 'no run');
    for (const headers of [{}, keyed]) {
      const inOnePiece = { 'last-event-id': '3', ...headers };
      const { status, text } = await server.chat('echo', { message: 'Hi' }, inOnePiece);
      equal([status, text.includes('text/event-stream')], [400, true], 'no stream');
    }
    equal(model.calls, 0, 'model calls');
    equal((await server.store.runs.list({ limit: 1 })).runs.length, 0, 'runs');
  });
}

const answerText = 'The quick brown fox jumps over the lazy dog.';

/** `Prefer`: when to answer (RFC 7240). */
export function serverPreferContract(define: ServerCase): void {
  define('answers 202 at once where the caller prefers it, and the run goes on', async (t) => {
    const held = gate();
    const { agent, model } = scripted('slow', [{ text: 'Late.', before: held }]);
    const server = await t.serve({ agents: [agent] });
    const send = () =>
      server.chat('slow', { message: 'Hi' }, { ...keyed, prefer: 'respond-async' });
    const first = await send();
    accepted(first, 'respond-async');
    const runId = textField(first.body, 'run_id');
    const again = await send();
    accepted(again, 'respond-async');
    equal([again.text, again.headers.get('idempotency-replayed')], [first.text, 'true'], 'again');
    const session = await server.store.sessions.load(textField(first.body, 'session_id'));
    equal([session.activeRunId, session.activeConfirmed], [runId, true], 'the session');
    equal((await server.get(`/api/runs/${runId}`)).body['status'], 'running', 'the run');
    held.open();
    equal((await ended(server, runId)).body['response'], 'Late.', 'the run');
    equal(model.calls, 1, 'model calls');
  });

  define('answers 202 when the caller has waited long enough', async (t) => {
    const held = gate();
    const { agent } = scripted('slow', [{ text: 'Late.', before: held }]);
    const server = await t.serve({ agents: [agent], onDisconnect: 'continue' });
    const prefer = 'respond-async, wait=1, return=minimal';
    const answer = await server.chat('slow', { message: 'Hi' }, { prefer });
    accepted(answer, 'respond-async, wait=1');
    held.open();
    const runId = textField(answer.body, 'run_id');
    equal((await ended(server, runId)).body['response'], 'Late.', 'the run');
  });

  define('answers as soon as there is an answer, however long the caller would wait', async (t) => {
    const { agent } = scripted('echo', () => 'Hello.');
    const server = await t.serve({ agents: [agent] });
    const answer = await server.chat('echo', { message: 'Hi' }, { prefer: 'wait=100' });
    equal([answer.status, answer.body['response']], [200, 'Hello.'], 'answer');
    equal(answer.headers.get('preference-applied'), 'wait=100', 'applied');
    const other = await server.chat('echo', { message: 'Hi' }, { prefer: 'handling=lenient' });
    equal([other.status, other.headers.get('preference-applied')], [200, null], 'unknown ones');
  });

  define('leaves a session that is busy alone, whatever is preferred', async (t) => {
    const held = gate();
    const { agent } = scripted('slow', [{ text: 'Late.', before: held }]);
    const server = await t.serve({ agents: [agent] });
    const first = await server.chat('slow', { message: 'Hi' }, { prefer: 'respond-async' });
    const session_id = textField(first.body, 'session_id');
    const again = await server.request(
      '/api/agents/slow/chat',
      postInit({ message: 'And?', session_id }, { prefer: 'respond-async', ...keyed }),
    );
    equal(again.status, 409, await again.text());
    held.open();
    const runId = textField(first.body, 'run_id');
    await ended(server, runId);
    await eventually(
      async () => (await server.store.sessions.load(session_id)).activeRunId === undefined,
      'the session is free',
    );
  });
}

function accepted({ status, body, headers, text }: Answer, applied: string): void {
  equal([status, body['status']], [202, 'accepted'], text);
  const { links } = body;
  ok(typeof links === 'object' && links !== null && 'self' in links, 'links');
  equal(headers.get('location'), links.self, 'location');
  ok(Number(headers.get('retry-after')) > 0, 'retry-after');
  equal(headers.get('preference-applied'), applied, 'applied');
}

function withoutInstance({ status, body }: Answer): JsonObject {
  const { instance: _, ...rest } = body;
  return { status, ...rest };
}
