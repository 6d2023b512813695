import type { JsonObject } from '@agent-functions/core';

/** One event of a stream, as a client sees it. */
export interface ServerSentEvent {
  readonly id: string | undefined;
  readonly event: string;
  readonly data: JsonObject;
}

/** The whole events of a stream, until it ends; what is cut rejects. */
export async function* serverSentEvents(response: Response): AsyncGenerator<ServerSentEvent> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const bytes of response.body ?? []) {
    text += decoder.decode(bytes, { stream: true });
    const blocks = text.split('\n\n');
    text = blocks.pop() ?? '';
    for (const block of blocks) {
      const fields = new Map<string, string>();
      for (const line of block.split('\n')) {
        const colon = line.indexOf(': ');
        if (colon > 0) fields.set(line.slice(0, colon), line.slice(colon + 2));
      }
      const event = fields.get('event');
      if (event === undefined) continue;
      const data: JsonObject = JSON.parse(fields.get('data') ?? '{}');
      yield { id: fields.get('id'), event, data };
    }
  }
}
