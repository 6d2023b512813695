import { isJsonObject, type Json, type JsonObject } from '../json.ts';
import { equal, ok } from './assert.ts';
import { textField, type Client, type WireResponse } from './server-fixture.ts';

/** One message of an event stream; comments have `comment` only. */
export interface WireEvent {
  readonly event?: string;
  readonly id?: string;
  readonly data?: JsonObject;
  readonly comment?: string;
  readonly retry?: string;
}

/** The messages of an event stream as they come in. */
export async function* wireEvents(response: WireResponse): AsyncGenerator<WireEvent, void> {
  ok(response.body, 'the response has a body');
  const decoder = new TextDecoder();
  let text = '';
  for await (const bytes of response.body) {
    // The suite's streams are ASCII, so that a chunk never cuts a character.
    text += decoder.decode(bytes);
    for (let end = text.indexOf('\n\n'); end !== -1; end = text.indexOf('\n\n')) {
      yield parse(text.slice(0, end));
      text = text.slice(end + 2);
    }
  }
  ok(text.trim() === '', `the stream ended inside a message: ${JSON.stringify(text)}`);
}

function parse(message: string): WireEvent {
  const event: {
    event?: string;
    id?: string;
    data?: JsonObject;
    comment?: string;
    retry?: string;
  } = {};
  for (const line of message.split('\n')) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon);
    const value = line.slice(colon + 1).replace(/^ /, '');
    if (name === '') event.comment = value;
    else if (name === 'event') event.event = value;
    else if (name === 'id') event.id = value;
    else if (name === 'retry') event.retry = value;
    else if (name === 'data') {
      const data: Json = JSON.parse(value);
      ok(isJsonObject(data), 'data is a JSON object');
      event.data = data;
    }
  }
  return event;
}

/** The messages that are events, until the stream ends. */
export async function eventsOf(response: WireResponse): Promise<WireEvent[]> {
  const events: WireEvent[] = [];
  for await (const one of wireEvents(response)) if (one.event !== undefined) events.push(one);
  return events;
}

/** What a client sees that connects again after the last event it has. */
export async function readOn(
  server: Client,
  runId: string,
  seen: readonly WireEvent[],
): Promise<readonly WireEvent[]> {
  const response = await server.request(`/api/runs/${runId}/events`, {
    headers: { 'last-event-id': seen.at(-1)?.id ?? '' },
  });
  return response.status === 204 ? [] : eventsOf(response);
}

/**
 * The text a client folds from the events: the deltas of each frame, replaced by the recorded response (by the output of
 * the frame where the response was held), dropped by what voids them.
 */
export function foldText(events: readonly WireEvent[]): string {
  let text = '';
  const turns = new Map<Json | undefined, string>();
  const held = new Set<Json | undefined>();
  for (const { event, data = {} } of events) {
    const { frame } = data;
    if (event === 'text-delta') {
      turns.set(frame, (turns.get(frame) ?? '') + textField(data, 'delta'));
    } else if (event === 'run-resume') turns.clear();
    else if (event === 'void' || event === 'turn-start') turns.delete(frame);
    else if (event === 'model-response') {
      turns.delete(frame);
      text += textOfMessage(data['message']);
      if (data['held'] === true) held.add(frame);
    } else if (event === 'frame-end' && held.has(frame)) {
      turns.delete(frame);
      text += typeof data['output'] === 'string' ? data['output'] : '';
    }
  }
  return text + [...turns.values()].join('');
}

/** Whoever is cut after any event and reads on folds the same text, and sees each durable event once and in order. */
export async function readsOnAfterEvery(
  server: Client,
  events: readonly WireEvent[],
  text: string,
): Promise<void> {
  const runId = textField(events[0]?.data ?? {}, 'run_id');
  equal(foldText(events), text, 'text');
  for (let cut = 1; cut < events.length; cut += 1) {
    const seen = events.slice(0, cut);
    const both = [...seen, ...(await readOn(server, runId, seen))];
    equal(seqsOf(both), upTo(events), `each number once and in order, cut after ${cut}`);
    equal(foldText(both), text, `text, cut after ${cut}`);
  }
}

export function seqsOf(events: readonly WireEvent[]): readonly number[] {
  return events.flatMap(({ data }) => (typeof data?.['seq'] === 'number' ? [data['seq']] : []));
}

/** 1, 2, 3 … to the last number there is. */
export function upTo(events: readonly WireEvent[]): readonly number[] {
  return Array.from({ length: seqsOf(events).at(-1) ?? 0 }, (_, index) => index + 1);
}

function textOfMessage(message: Json | undefined): string {
  if (!isJsonObject(message) || !Array.isArray(message['parts'])) return '';
  let text = '';
  for (const part of message['parts']) {
    if (isJsonObject(part) && part['type'] === 'text') text += textField(part, 'text');
  }
  return text;
}
