import { isJsonArray, isJsonObject, type JsonObject } from '../json.ts';
import { equal, eventually, ok } from './assert.ts';
import { gate } from './gate.ts';
import { eventsOf, readOn } from './server-events.ts';
import {
  countingTool,
  scripted,
  textField,
  type Answer,
  type Client,
  type ServerCase,
  type ServerFixture,
} from './server-fixture.ts';

/** Runs: their state, decisions, cancel, and whose they are. */
export function serverRunContract(define: ServerCase): void {
  define('pauses for an approval and goes on when it is given', async (t) => {
    const { server, runId, interruption, calls } = await paused(t);
    equal(interruption['kind'], 'approval', 'kind');
    equal(interruption['input'], { amount: 3 }, 'what is asked');
    equal(calls(), 0, 'payments before');
    const posted = await server.post(`/api/runs/${runId}/decisions`, [
      { interruption_id: textField(interruption, 'id'), approved: true },
    ]);
    equal([posted.status, posted.body['run_id']], [202, runId], 'accepted');
    ok(isJsonObject(posted.body['links']), 'links');
    const run = await ended(server, runId);
    equal([run.body['status'], run.body['response']], ['completed', 'Paid.'], 'the run');
    equal(calls(), 1, 'payments');
  });

  define('takes edited input, and a refusal with a message', async (t) => {
    const edited = await paused(t);
    await edited.server.post(`/api/runs/${edited.runId}/approvals`, [
      {
        interruption_id: textField(edited.interruption, 'id'),
        approved: true,
        input: { amount: 2 },
      },
    ]);
    const run = await ended(edited.server, edited.runId);
    equal(firstResult(run)['result'], { done: { amount: 2 } }, 'result');

    const refused = await paused(t);
    await refused.server.post(`/api/runs/${refused.runId}/decisions`, [
      {
        interruption_id: textField(refused.interruption, 'id'),
        approved: false,
        message: 'Too much.',
      },
    ]);
    const other = await ended(refused.server, refused.runId);
    equal(firstResult(other)['is_error'], true, 'the refused call');
    equal(refused.calls(), 0, 'payments');
  });

  define('counts the first decision; the same again is accepted, another is 409', async (t) => {
    const { server, runId, interruption, calls } = await paused(t);
    const id = textField(interruption, 'id');
    const path = `/api/runs/${runId}/decisions`;
    const first = await server.post(path, [{ interruption_id: id, approved: true }]);
    equal(first.status, 202, 'first');
    await ended(server, runId);
    const again = await server.post(path, [{ interruption_id: id, approved: true }]);
    equal(again.status, 202, 'the same again');
    const other = await server.post(path, [{ interruption_id: id, approved: false }]);
    equal([other.status, other.body['code']], [409, 'approval_invalid'], 'another');
    equal(other.body['decided'], [{ interruption_id: id, approved: true }], 'what counted');
    equal(calls(), 1, 'payments');
  });

  define('refuses a decision of the wrong form or for nothing, and stays paused', async (t) => {
    const { server, runId, interruption } = await paused(t);
    const id = textField(interruption, 'id');
    const path = `/api/runs/${runId}/decisions`;
    const wrongForm = await server.post(path, [{ interruption_id: id, answer: 'yes' }]);
    equal([wrongForm.status, wrongForm.body['code']], [422, 'approval_invalid'], 'wrong form');
    const truthy = await server.post(path, [{ interruption_id: id, approved: 'yes' }]);
    equal([truthy.status, truthy.body['code']], [422, 'approval_invalid'], 'merely truthy');
    const unknown = await server.post(path, [{ interruption_id: 'nothing', approved: true }]);
    equal(unknown.status, 422, 'unknown interruption');
    const partly = await server.post(path, [
      { interruption_id: id, approved: true },
      { interruption_id: 'nothing', approved: true },
    ]);
    equal(partly.status, 422, 'one of two');
    const misfit = await server.post(path, [{ interruption_id: id, approved: true, input: 'no' }]);
    equal(misfit.status, 422, 'edited input that does not fit');
    const run = await server.get(`/api/runs/${runId}`);
    equal(run.body['status'], 'interrupted', 'the run');
  });

  define('cancels a run at work; the chat is answered and says so', async (t) => {
    const held = gate();
    const { agent } = scripted('slow', [{ text: 'Never.', before: held }]);
    const server = await t.serve({ agents: [agent], onDisconnect: 'continue' });
    const chat = server.chat('slow', { message: 'Go' });
    await held.reached;
    const runId = await activeRun(server);
    equal((await server.get(`/api/runs/${runId}`)).body['status'], 'running', 'before');
    const cancel = await server.post(`/api/runs/${runId}/cancel`, { reason: 'Enough.' });
    equal(cancel.status, 202, 'cancel');
    const answer = await chat;
    equal([answer.status, answer.body['status']], [200, 'cancelled'], 'the chat');
    const again = await server.post(`/api/runs/${runId}/cancel`);
    equal([again.status, again.body['status']], [200, 'cancelled'], 'cancel again');
  });

  define('cancels a run that waits', async (t) => {
    const { server, runId, interruption } = await paused(t);
    const cancel = await server.post(`/api/runs/${runId}/cancel`);
    equal(cancel.status, 202, 'cancel');
    const run = await ended(server, runId);
    equal(run.body['status'], 'cancelled', 'the run');
    const late = await server.post(`/api/runs/${runId}/decisions`, [
      { interruption_id: textField(interruption, 'id'), approved: true },
    ]);
    equal(late.status, 409, 'a decision after the end');
  });

  define('hides runs of others behind the answer for a run that is not there', async (t) => {
    const { tool, calls } = countingTool('pay', { needsApproval: true });
    const { agent } = scripted('payer', () => ({ calls: [['pay', { amount: 3 }]] }), {
      tools: [tool],
    });
    const server = await t.serve({
      agents: [agent],
      authenticate: ({ headers }) => {
        const id = headers.get('x-user');
        return id === null ? undefined : { id, claims: { note: 'canary-9b1' } };
      },
      allowAnonymous: true,
    });
    const alice = { 'x-user': 'alice' };
    const { body } = await server.chat('payer', { message: 'Pay', session_id: 'trip' }, alice);
    const runId = textField(body, 'run_id');
    const id = textField(firstInterruption(body), 'id');
    for (const other of [{ 'x-user': 'bob' }, {}]) {
      for (const [method, suffix] of routesOfRuns) {
        const send = (run: string) =>
          method === 'GET'
            ? server.get(`/api/runs/${run}${suffix}`, other)
            : server.post(
                `/api/runs/${run}${suffix}`,
                suffix === '/cancel' ? {} : [{ interruption_id: id, approved: true }],
                other,
              );
        const [strangers, unknown] = [await send(runId), await send('0'.repeat(32))];
        equal(strangers.status, 404, `${method} ${suffix}`);
        equal(withoutInstance(strangers), withoutInstance(unknown), `${method} ${suffix}`);
      }
    }
    const session = await server.chat(
      'payer',
      { message: 'And?', session_id: 'trip' },
      { 'x-user': 'bob' },
    );
    equal(session.status, 404, "somebody else's session");
    const mine = await server.get(`/api/runs/${runId}`, alice);
    equal([mine.status, mine.body['status']], [200, 'interrupted'], 'my own');
    ok(!mine.text.includes('canary-9b1'), 'claims stay inside');
    equal(calls(), 0, 'payments');
  });

  define('finishes a run of a durable store that nobody holds, when somebody looks', async (t) => {
    const { tool } = countingTool('pay', { needsApproval: true });
    const { agent } = scripted('payer', [{ calls: [['pay', { amount: 3 }]] }, 'Paid.'], {
      tools: [tool],
    });
    const first = await t.serve({ agents: [agent] });
    const { body } = await first.chat('payer', { message: 'Pay' });
    const runId = textField(body, 'run_id');
    // A process that was told of the decision and then went away.
    await first.store.runs.post(runId, {
      id: 'decided',
      type: 'decide',
      decisions: [{ interruptionId: textField(firstInterruption(body), 'id'), approved: true }],
    });
    const second = await t.serve({ agents: [agent], store: { ...first.store, durable: true } });
    const response = await second.request(`/api/runs/${runId}/events?after=1`);
    const seen = await eventsOf(response);
    equal((await ended(second, runId)).body['status'], 'completed', 'the run');
    const events = [...seen, ...(await readOn(second, runId, seen))];
    equal(events.at(-1)?.event, 'run-end', 'the last event');
  });
}

const routesOfRuns: readonly (readonly ['GET' | 'POST', string])[] = [
  ['GET', ''],
  ['GET', '/events'],
  ['POST', '/cancel'],
  ['POST', '/decisions'],
  ['POST', '/approvals'],
];

async function paused(t: ServerFixture): Promise<{
  readonly server: Client;
  readonly runId: string;
  readonly interruption: JsonObject;
  readonly calls: () => number;
}> {
  const { tool, calls } = countingTool('pay', { needsApproval: true });
  const { agent } = scripted('payer', [{ calls: [['pay', { amount: 3 }]] }, 'Paid.'], {
    tools: [tool],
  });
  const server = await t.serve({ agents: [agent] });
  const { status, body } = await server.chat('payer', { message: 'Pay' });
  equal([status, body['status']], [200, 'interrupted'], 'the chat');
  return { server, runId: textField(body, 'run_id'), interruption: firstInterruption(body), calls };
}

function firstInterruption(body: JsonObject): JsonObject {
  const interruptions = body['interruptions'];
  ok(isJsonArray(interruptions) && isJsonObject(interruptions[0]), 'an open interruption');
  return interruptions[0];
}

function firstResult({ body }: Answer): JsonObject {
  const results = body['tool_results'];
  ok(isJsonArray(results) && isJsonObject(results[0]), 'a tool result');
  return results[0];
}

/** The run once it has ended. */
export async function ended(server: Client, runId: string): Promise<Answer> {
  const look = () => server.get(`/api/runs/${runId}`);
  let run = await look();
  await eventually(async () => {
    const { status } = run.body;
    if (status !== 'running' && status !== 'interrupted') return true;
    run = await look();
    return false;
  }, `run ${runId} ends`);
  return run;
}

/** The one run of the store that has not ended. */
export async function activeRun({ store }: Client): Promise<string> {
  const { runs } = await store.runs.list({ unfinished: true, limit: 2 });
  ok(runs.length === 1 && runs[0] !== undefined, `${runs.length} runs at work`);
  return runs[0].runId;
}

function withoutInstance({ status, body }: Answer): object {
  const { instance: _, ...rest } = body;
  return { status, ...rest };
}
