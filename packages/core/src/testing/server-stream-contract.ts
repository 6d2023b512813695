import type { Store } from '../store.ts';
import { equal, eventually, ok } from './assert.ts';
import { gate } from './gate.ts';
import { activeRun, ended } from './server-run-contract.ts';
import {
  eventsOf,
  foldText,
  readOn,
  readsOnAfterEvery,
  seqsOf,
  upTo,
  wireEvents,
  type WireEvent,
} from './server-events.ts';
import {
  countingTool,
  scripted,
  textField,
  type Client,
  type ServerCase,
  type WireResponse,
} from './server-fixture.ts';

const answerText = 'The quick brown fox jumps over the lazy dog.';

/** Event streams: their form, their end, and reading on after a cut. */
export function serverStreamContract(define: ServerCase): void {
  define('streams a run: a comment, numbered events, deltas, and run-end last', async (t) => {
    const { tool } = countingTool('look');
    const { agent } = scripted('fox', [{ calls: [['look', {}]] }, answerText], { tools: [tool] });
    const server = await t.serve({ agents: [agent] });
    const response = await server.streamChat('fox', { message: 'Go' });
    equal(response.status, 200, 'status');
    equal(response.headers.get('content-type'), 'text/event-stream', 'content type');
    const all: WireEvent[] = [];
    for await (const one of wireEvents(response)) all.push(one);
    ok(all[0]?.comment !== undefined && all[0].retry !== undefined, 'a comment and retry first');
    const events = all.filter(({ event }) => event !== undefined);
    equal(events[0]?.event, 'run-start', 'first');
    equal(events.at(-1)?.event, 'run-end', 'last');
    for (const { event, data } of events) equal(data?.['type'], event, 'type');
    equal(seqsOf(events), upTo(events), 'each number once and in order');
    equal(foldText(events), answerText, 'text');
    ok(events.filter(({ event }) => event === 'text-delta').length > 3, 'deltas');
    const runId = textField(events[0]?.data ?? {}, 'run_id');
    equal(response.headers.get('location'), `/api/runs/${runId}`, 'location');
    const run = await server.get(`/api/runs/${runId}`);
    equal(run.body['response'], answerText, 'the run');
  });

  define('ends a stream after run-pause, and shows the rest to whoever reads on', async (t) => {
    const { tool } = countingTool('pay', { needsApproval: true });
    const { agent } = scripted('payer', [{ calls: [['pay', { amount: 3 }]] }, answerText], {
      tools: [tool],
    });
    const server = await t.serve({ agents: [agent] });
    const before = await eventsOf(await server.streamChat('payer', { message: 'Pay' }));
    equal(before.at(-1)?.event, 'run-pause', 'last');
    const [start] = before;
    const runId = textField(start?.data ?? {}, 'run_id');
    const id = idOfInterruption(before);
    await server.post(`/api/runs/${runId}/decisions`, [{ interruption_id: id, approved: true }]);
    await ended(server, runId);
    const after = await readOn(server, runId, before);
    equal(after.at(-1)?.event, 'run-end', 'last of the rest');
    const both = [...before, ...after];
    equal(seqsOf(both), upTo(both), 'each number once and in order');
    equal(foldText(both), answerText, 'text');
  });

  define('ends the stream of a failed run with run-end, and tells no inner text', async (t) => {
    const { agent } = scripted('broken', () => new Error('canary-3c2'));
    const server = await t.serve({ agents: [agent] });
    const response = await server.streamChat('broken', { message: 'Go' });
    equal(response.status, 200, 'the run had started');
    const events = await eventsOf(response);
    const last = events.at(-1);
    equal([last?.event, last?.data?.['status']], ['run-end', 'failed'], 'last');
    ok(!JSON.stringify(events).includes('canary-3c2'), 'no inner text');
  });

  define('gives the rest after every event, and 204 after the last', async (t) => {
    const { tool } = countingTool('look');
    const { agent } = scripted('fox', [{ calls: [['look', {}]] }, answerText], { tools: [tool] });
    const server = await t.serve({ agents: [agent] });
    const all = await eventsOf(await server.streamChat('fox', { message: 'Go' }));
    const runId = textField(all[0]?.data ?? {}, 'run_id');
    await readsOnAfterEvery(server, all, answerText);
    const path = `/api/runs/${runId}/events`;
    const whole = await eventsOf(await server.request(path));
    equal(seqsOf(whole), upTo(all), 'from the start');
    const header = await server.request(`${path}?after=1`, {
      headers: { 'last-event-id': String(upTo(all).length - 1) },
    });
    equal((await eventsOf(header)).length, 1, 'the header counts before the query');
    const nothing = await server.get(path, { 'last-event-id': all.at(-1)?.id ?? '' });
    equal([nothing.status, nothing.text], [204, ''], 'after the last');
  });
}

/** What needs responses that arrive as they are written, and a host that tells when a client leaves. */
export function serverDisconnectContract(define: ServerCase): void {
  define('shows deltas as they are produced, with a comment while it is quiet', async (t) => {
    const held = gate();
    const { agent } = scripted('fox', [{ text: answerText, beforeResponse: held }]);
    const server = await t.serve({ agents: [agent], heartbeatMs: 20 });
    const response = await server.streamChat('fox', { message: 'Go' });
    const seen: WireEvent[] = [];
    for await (const one of wireEvents(response)) {
      if (one.event !== undefined) seen.push(one);
      // The text is here, the response is not: the model waits at the gate.
      if (one.comment === '' && foldText(seen) === answerText) held.open();
    }
    equal(seen.at(-1)?.event, 'run-end', 'last');
  });

  define('stops the model when the client leaves, where runs go with their clients', async (t) => {
    const { agent, model } = scripted('fox', [{ text: answerText, hang: true }]);
    const server = await t.serve({ agents: [agent], onDisconnect: 'cancel' });
    await leaveAfter(await server.streamChat('fox', { message: 'Go' }), 'text-delta');
    const runId = await anyRun(server);
    equal((await ended(server, runId)).body['status'], 'cancelled', 'the run');
    await eventually(() => model.running === 0, 'the model is let go', 1_000);
  });

  define('finishes the run when the client leaves, where runs stay', async (t) => {
    const held = gate();
    const { agent } = scripted('fox', [{ text: answerText, beforeResponse: held }]);
    const server = await t.serve({ agents: [agent], onDisconnect: 'continue' });
    const seen = await leaveAfter(await server.streamChat('fox', { message: 'Go' }), 'text-delta');
    const runId = await activeRun(server);
    const reading = readOn(server, runId, seen);
    held.open();
    const both = [...seen, ...(await reading)];
    equal(seqsOf(both), upTo(both), 'each number once and in order');
    equal(both.at(-1)?.event, 'run-end', 'last');
    equal(foldText(both), answerText, 'text');
    equal((await ended(server, runId)).body['status'], 'completed', 'the run');
  });

  define('shows the same run to a watcher that comes while it works, elsewhere too', async (t) => {
    const held = gate();
    const { agent } = scripted('fox', [{ text: answerText, beforeResponse: held }]);
    const server = await t.serve({ agents: [agent] });
    const chat = server.chat('fox', { message: 'Go' });
    await held.reached;
    const runId = await activeRun(server);
    const elsewhere = await t.serve({ agents: [agent], store: otherHandle(server.store) });
    const here = eventsOf(await server.request(`/api/runs/${runId}/events`));
    const there = eventsOf(await elsewhere.request(`/api/runs/${runId}/events`));
    held.open();
    equal((await chat).status, 200, 'the chat');
    for (const events of [await here, await there]) {
      equal(seqsOf(events), upTo(events), 'each number once and in order');
      equal(events.at(-1)?.event, 'run-end', 'last');
      equal(foldText(events), answerText, 'text');
    }
  });
}

/** Reads the first of a kind of event, then leaves as a client does whose connection is cut. */
async function leaveAfter(response: WireResponse, kind: string): Promise<readonly WireEvent[]> {
  const seen: WireEvent[] = [];
  for await (const one of wireEvents(response)) {
    if (one.event !== undefined) seen.push(one);
    if (one.event === kind) break;
  }
  return seen;
}

/** Another object for the same data, as a second process has. */
function otherHandle(store: Store): Store {
  return { ...store };
}

async function anyRun({ store }: Client): Promise<string> {
  const { runs } = await store.runs.list({ limit: 2 });
  ok(runs.length === 1 && runs[0] !== undefined, `${runs.length} runs`);
  return runs[0].runId;
}

function idOfInterruption(events: readonly WireEvent[]): string {
  const data = events.find(({ event }) => event === 'interruption')?.data ?? {};
  const asked = data['interruption'];
  ok(typeof asked === 'object' && asked !== null && 'id' in asked, 'an interruption');
  return textField(asked, 'id');
}
