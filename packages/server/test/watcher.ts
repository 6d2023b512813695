import { isJsonArray, isJsonObject, type Json, type JsonObject } from '@agent-functions/core';
import { createParser } from 'eventsource-parser';

/** One event as it came over the wire. */
interface Seen {
  readonly id: string;
  readonly type: string;
  readonly data: JsonObject;
}

/** How one connection ended: cut by us after enough events, or because nothing more came; or ended by the server. */
type Ending = 'cut' | 'quiet' | 'over';

/** How many comments in a row a client that misses something waits for it. */
const patience = 1_000;

/** A client whose connection is cut again and again, and who reads on each time with the id of its last event. */
export class Watcher {
  readonly seen: Seen[] = [];
  connections = 0;

  /**
   * Connects, reads up to `take` events, and leaves; where nothing more comes it leaves too, unless there is something
   * that it still `misses`.
   */
  async read(
    get: (path: string, headers: Record<string, string>) => Promise<Response>,
    runId: string,
    take: number,
    misses: () => boolean = () => false,
  ): Promise<Ending> {
    const last = this.seen.at(-1);
    const response = await get(
      `/api/runs/${runId}/events`,
      last === undefined ? {} : { 'last-event-id': last.id },
    );
    this.connections += 1;
    if (response.status === 204) return 'over';
    if (response.status !== 200 || response.body === null) throw new Error(await response.text());
    return this.#readBody(response.body, take, misses);
  }

  async #readBody(
    body: ReadableStream<Uint8Array>,
    take: number,
    misses: () => boolean,
  ): Promise<Ending> {
    const decoder = new TextDecoder();
    let left = take;
    let quiet = 0;
    let broken: string | undefined;
    const parser = createParser({
      onEvent: ({ id = '', event = '', data }) => {
        if (event === 'error') broken = data;
        else if (left > 0) {
          left -= 1;
          const value: Json = JSON.parse(data);
          if (isJsonObject(value)) this.seen.push({ id, type: event, data: value });
        }
      },
      // The comment of a stream that has nothing to say; the first one names it.
      onComment: (comment) => {
        if (comment.trim() === '') quiet += 1;
      },
    });
    const reader = body.getReader();
    try {
      for (;;) {
        const { done, value } = await reader.read();
        if (value !== undefined) parser.feed(decoder.decode(value, { stream: true }));
        if (broken !== undefined) throw new Error(`The stream broke: ${broken}`);
        if (left === 0) return 'cut';
        if (done) return 'over';
        if (quiet > patience || (quiet > 0 && !misses())) return 'quiet';
      }
    } finally {
      reader.cancel().catch(() => undefined);
    }
  }

  /** The text of the responses, in order, and of each turn in progress by its frame. */
  fold(): { readonly text: string; readonly inProgress: ReadonlyMap<string, string> } {
    let text = '';
    const turns = new Map<string, { readonly epoch: string; text: string }>();
    for (const { id, type, data } of this.seen) {
      const frame = JSON.stringify(data['frame']);
      const epoch = id.split('.')[1] ?? '';
      if (type === 'run-resume') turns.clear();
      else if (type === 'void') turns.delete(frame);
      else if (type === 'model-response') {
        turns.delete(frame);
        text += textOf(data['message']);
      } else if (type === 'text-delta') {
        const turn = turns.get(frame);
        const delta = typeof data['delta'] === 'string' ? data['delta'] : '';
        if (turn === undefined || turn.epoch !== epoch) turns.set(frame, { epoch, text: delta });
        else turn.text += delta;
      }
    }
    return { text, inProgress: new Map([...turns].map(([frame, turn]) => [frame, turn.text])) };
  }

  /** The numbers of the durable events, as they came. */
  get numbers(): readonly number[] {
    return this.seen.flatMap(({ data }) => (typeof data['seq'] === 'number' ? [data['seq']] : []));
  }
}

function textOf(message: Json | undefined): string {
  if (!isJsonObject(message) || !isJsonArray(message['parts'])) return '';
  let text = '';
  for (const part of message['parts']) {
    if (isJsonObject(part) && part['type'] === 'text' && typeof part['text'] === 'string') {
      text += part['text'];
    }
  }
  return text;
}
