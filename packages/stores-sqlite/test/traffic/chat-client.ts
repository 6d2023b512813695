import { setTimeout as sleep } from 'node:timers/promises';
import type { JsonObject } from '@agent-functions/core';
import { serverSentEvents } from './server-sent-events.ts';

// A client that gets its answer whatever happens: it sends the same key until it has it.

export interface Chat {
  readonly key: string;
  readonly sessionId: string;
  readonly message: string;
}

/** What the client was told in the end. */
export interface Said extends Chat {
  readonly runId: string;
  readonly response: string;
}

type Told = Pick<Said, 'runId' | 'response'>;

/** What happened on the way, counted. */
export interface Tally {
  sent: number;
  lost: number;
  cut: number;
  busy: number;
  refused: number;
  readOn: number;
}

export interface Client {
  /** Where the servers are at this moment. */
  readonly urls: () => readonly [string, string];
  readonly random: () => number;
  readonly tally: Tally;
  readonly endsAt: number;
}

/** How far a client read the events of its run. */
interface Reading {
  cursor: string | undefined;
  seq: number;
}

/** Sends a chat until its answer is there, in one way or another each time. @throws Error when the time is over. */
export async function say(chat: Chat, client: Client): Promise<Said> {
  const { random, urls, endsAt } = client;
  const reading: Reading = { cursor: undefined, seq: 0 };
  let answer: Told | undefined;
  for (let tries = 0; answer === undefined; tries += 1) {
    if (performance.now() > endsAt) throw new Error(`${chat.message} is stuck`);
    if (tries > 0) await sleep(20 + random() * 80);
    const [one, two] = random() < 0.5 ? urls() : urls().toReversed();
    const how = random();
    if (how < 0.3) answer = await sendOnce(one, chat, client);
    else if (how < 0.5) answer = await sendOnce(one, chat, client, Math.ceil(random() * 400));
    else if (how < 0.6) await sendOnce(one, chat, client, undefined, { prefer: 'respond-async' });
    else if (how < 0.8) answer = await sendTwice([one, two], chat, client);
    else answer = await readStream(one, chat, client, reading);
  }
  return { ...chat, ...answer };
}

/** The same request to both at once: whoever answers, it is of one run. */
export async function sendTwice(
  urls: readonly (string | undefined)[],
  chat: Chat,
  client: Client,
): Promise<Told | undefined> {
  const answers = await Promise.all(urls.map((url) => sendOnce(url, chat, client)));
  const [first, second] = answers.filter((each) => each !== undefined);
  if (second !== undefined && JSON.stringify(first) !== JSON.stringify(second)) {
    throw new Error(`${chat.message}: ${JSON.stringify(first)} and ${JSON.stringify(second)}`);
  }
  return first;
}

/** One request; `undefined`: there is no answer yet, or it was lost on the way. */
async function sendOnce(
  url: string | undefined,
  chat: Chat,
  client: Client,
  cutMs?: number,
  headers: Readonly<Record<string, string>> = {},
): Promise<Told | undefined> {
  const { tally } = client;
  try {
    const response = await post(url, chat, client, headers, cutMs);
    return told(response.status, JSON.parse(await response.text()), chat, client);
  } catch (error) {
    if (!isOfNetwork(error)) throw error;
    if (cutMs === undefined) tally.lost += 1;
    else tally.cut += 1;
    return undefined;
  }
}

/** The run as it happens, from where this client was cut before. */
async function readStream(
  url: string | undefined,
  chat: Chat,
  client: Client,
  reading: Reading,
): Promise<Told | undefined> {
  const { random, tally } = client;
  const { cursor } = reading;
  const headers = {
    accept: 'text/event-stream',
    ...(cursor === undefined ? {} : { 'last-event-id': cursor }),
  };
  if (cursor !== undefined) tally.readOn += 1;
  let left = random() < 0.6 ? Math.floor(random() * 16) : Infinity;
  try {
    const response = await post(url, chat, client, headers);
    // Nothing comes behind the end.
    if (response.status === 204) return undefined;
    if (response.status !== 200) {
      return told(response.status, JSON.parse(await response.text()), chat, client);
    }
    for await (const { id, event, data } of serverSentEvents(response)) {
      if (event === 'error') return undefined;
      if (id !== undefined) reading.cursor = id;
      if (id !== undefined && /^\d+$/.test(id)) {
        if (Number(id) !== reading.seq + 1) {
          throw new Error(`${chat.message}: event ${id} came after ${reading.seq}`);
        }
        reading.seq += 1;
      }
      if (event === 'run-end') return toldBy(data, chat);
      left -= 1;
      // Leaves, and comes back.
      if (left < 0) break;
    }
  } catch (error) {
    if (!isOfNetwork(error)) throw error;
    tally.lost += 1;
    return undefined;
  }
  tally.cut += 1;
  return undefined;
}

function post(
  url: string | undefined,
  { key, sessionId, message }: Chat,
  { tally }: Client,
  headers: Readonly<Record<string, string>>,
  cutMs?: number,
): Promise<Response> {
  tally.sent += 1;
  return fetch(`${url ?? ''}/api/agents/bot/chat`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': key, ...headers },
    body: JSON.stringify({ message, session_id: sessionId }),
    ...(cutMs === undefined ? {} : { signal: AbortSignal.timeout(cutMs) }),
  });
}

/** What an answer says; `undefined`: send it again. */
function told(status: number, body: JsonObject, chat: Chat, { tally }: Client): Told | undefined {
  if (status === 200) return toldBy(body, chat);
  // It goes on.
  if (status === 202) return undefined;
  if (status === 409 && body['code'] === 'session_busy') {
    tally.busy += 1;
    return undefined;
  }
  // The store did not answer.
  if (status === 500 || status === 503) {
    tally.refused += 1;
    return undefined;
  }
  throw new Error(`${chat.message} was answered ${status}: ${JSON.stringify(body)}`);
}

function toldBy({ status, run_id: runId, response }: JsonObject, chat: Chat): Told {
  if (status !== 'completed' || typeof runId !== 'string' || typeof response !== 'string') {
    throw new Error(`${chat.message} ended ${JSON.stringify({ status, runId, response })}`);
  }
  return { runId, response };
}

/** Cut by us, or by a server that was killed. */
function isOfNetwork(error: unknown): boolean {
  return (
    error instanceof TypeError || (error instanceof DOMException && error.name === 'TimeoutError')
  );
}
